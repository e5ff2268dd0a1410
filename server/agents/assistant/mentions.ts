import { type Reading, type Said, type Span, without } from "./said.js";

/** A day or a time that is named somewhere in a message. */
export interface Mention extends Span {
  readonly value: string;
}

/** How far around a mention is looked for what refuses it, in characters. */
const AROUND_MAX = 80;

const choiceWords = "sau|ori|or|fie|nici|si|and";

/** "Nu pe luni", "în loc de luni". */
const refusedBefore =
  /\b(?:nu|nici|not|in loc de|instead of|rather than|except)\s+(?:(?:mai|pot|putem|vreau|merge|e|pe|la|in|ora|de|on|at|this|next)\s+)*$/;

/** "Luni nu pot", "luni nu, marți da", "Monday does not work". */
const refusedAfter =
  /^\s*,?\s*(?:nu\s*(?:(?:mai|imi|ma|ne|pot|putem|merge|e|este|am|sunt|vin)\b|[,.;!]|$)|(?:i\s+)?(?:can['’]?t|cannot|can not)\b|(?:doesn['’]?t|does not|won['’]?t|is not|isn['’]?t)\b)/;

const corrected =
  /\b(?:ba nu|de fapt|mai bine|mai degraba|scuze|pardon|adica|actually|rather|i mean|sorry|no,? wait)\b/;
const choosing = new RegExp(`^\\s*,?\\s*(?:${choiceWords})\\s+(?:(?:pe|la|in|ora|on|at)\\s+)*$`);

/**
 * What the mentions of a message come to: what is refused or corrected is not meant. When still more than one is left,
 * nobody can tell which, unless others want the next ones. (SPEC A4)
 * @param mentions in the order in which they stand
 * @param isLast false: what is said second is for another parameter
 */
export function settle(said: Said, mentions: readonly Mention[], isLast: boolean): Reading | null {
  if (mentions.length === 0) return null;
  const refused = refusedOf(said.folded, mentions);
  const meant = afterCorrection(
    said.folded,
    mentions.filter((each) => !refused.has(each)),
  );
  const rest = without(said, mentions);
  const [first, second] = meant;
  if (first === undefined) return { value: null, doubt: { kind: "refused" }, rest };
  const values = [...new Set(meant.map(({ value }) => value))];
  const isOpen = second !== undefined && choosing.test(said.folded.slice(first.to, second.from));
  if (values.length === 1) return { value: first.value, rest };
  if (isLast || isOpen) return { value: null, doubt: { kind: "several", values }, rest };
  return { value: first.value, rest: without(said, [first, ...refused]) };
}

function refusedOf(folded: string, mentions: readonly Mention[]): ReadonlySet<Mention> {
  const refused = new Set<Mention>();
  mentions.forEach((mention, place) => {
    const before = mentions[place - 1];
    const next = mentions[place + 1];
    const ahead = folded.slice(Math.max(0, mention.from - AROUND_MAX), mention.from);
    const behind = folded.slice(mention.to, mention.to + AROUND_MAX);
    const isListed =
      before !== undefined && refused.has(before) && choosing.test(folded.slice(before.to, mention.from));
    // "De luni pe marți" moves it.
    const isLeft =
      next !== undefined && /\bde\s+(?:pe\s+)?$/.test(ahead) && /^\s+pe\s+$/.test(folded.slice(mention.to, next.from));
    const isRefused = refusedBefore.test(ahead) || refusedAfter.test(behind);
    if (isListed || isLeft || isRefused) refused.add(mention);
  });
  return refused;
}

/** What is said after "de fapt" goes before all that was said until then. */
function afterCorrection(folded: string, mentions: readonly Mention[]): readonly Mention[] {
  const from = mentions.findLastIndex(
    (mention, place) => place > 0 && corrected.test(folded.slice(mentions[place - 1]!.to, mention.from)),
  );
  return from === -1 ? mentions : mentions.slice(from);
}
