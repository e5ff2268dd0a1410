import { monthSource } from "./dates.js";
import { type Mention, settle } from "./mentions.js";
import { cardinalSource, readNumber } from "./numbers.js";
import { readBeginning, type Reading, type Said, type Span, spanOf, without } from "./said.js";

const HOUR_MAX = 23;
const MINUTES_AN_HOUR = 60;
const MINUTES_A_DAY = 24 * MINUTES_AN_HOUR;

/** What a part of the day makes of an hour that was said with it. */
interface Part {
  readonly words: string;
  readonly hour: (said: number) => number;
}

const late = (hour: number) => (hour < 12 ? hour + 12 : hour);

const parts: readonly Part[] = [
  { words: "a\\.?m\\b\\.?", hour: (hour) => (hour === 12 ? 0 : hour) },
  { words: "p\\.?m\\b\\.?", hour: late },
  { words: "dimineata|(?:in the )?morning", hour: (hour) => hour },
  { words: "(?:la )?(?:pranz|amiaza)", hour: (hour) => (hour < 5 ? hour + 12 : hour) },
  {
    words: "dupa[- ]?(?:amiaza|masa|pranz)|seara|diseara|deseara|(?:in the )?(?:afternoon|evening)|tonight",
    hour: late,
  },
  // After midnight, or before it.
  { words: "noaptea|at night", hour: (hour) => (hour === 12 ? 0 : hour > 5 ? late(hour) : hour) },
];

const part = partSource(parts);
// "M-am răzgândit" says no hour: these stand beside one only.
const partAlone = partSource(parts.filter(({ words }) => !words.startsWith("a\\.") && !words.startsWith("p\\.")));
const lead = `(?:${part}[\\s,]+)?\\b(?:(?:pe\\s+)?la\\s+(?:ora|orele)|ora|orele|at|around|pe\\s+la|la)\\s+|${part}[\\s,]+`;
const digits = "(?<![\\d.:,])\\d{1,2}";
const hour = `${digits}|(?<!\\p{L})(?:${cardinalSource})(?!\\p{L})`;
const tail = `(?:\\s*(?<mark>h|fix|o['’]?clock)(?![\\p{L}\\d]))?(?:[\\s,]*(?<part>${part}))?`;
/** What is counted so is no hour. */
const countedSource =
  "persoane|locuri|zile|saptamani|luni|ore|ani|minute|lei|people|persons|days|weeks|months|hours|minutes|years";
// "La noua" may go on as the new address.
const behindWord = `(?=\\s*(?:$|[,.;!?]|(?:si|sau|ori|or|fix|va|te|please|o['’]?clock)(?!\\p{L})|${part}))`;
const notTime = `(?!\\d|[.:/-]\\d|\\s*(?:st|nd|rd|th)\\b|\\s+(?:de\\s+|of\\s+)?(?:${monthSource}|${countedSource})(?!\\p{L}))`;

interface Clock {
  readonly hour: number;
  readonly minute: number;
}

/** Ways to say a time that can be nothing else, in this order: what says more comes first. */
const plain: readonly { readonly regex: RegExp; readonly read: (groups: Groups) => Clock }[] = [
  { regex: /\b(?:at\s+)?(?:12\s+)?(?:noon|midday)\b/g, read: () => ({ hour: 12, minute: 0 }) },
  { regex: /\b(?:la\s+|at\s+)?(?:midnight|miezul noptii)\b/g, read: () => ({ hour: 0, minute: 0 }) },
  {
    // "Quarter to ten"; "10 to 11" may be a range.
    regex: new RegExp(
      `(?:\\b(?:at|a)\\s+)*(?<![\\p{L}\\d])(?<amount>half|quarter|${cardinalSource}|\\d{1,2}(?=\\s+(?:minutes|past)))(?:\\s+minutes)?\\s+(?:(?<past>past|after)|to|till|before)\\s+(?<hour>${hour})${tail}`,
      "gu",
    ),
    read: ({ amount = "", past, hour: said = "" }) =>
      moved(readNumber(said), (past === undefined ? -1 : 1) * minutesOf(amount)),
  },
  {
    regex: new RegExp(`(?:\\bat\\s+)?\\bhalf\\s+(?<hour>${hour})${tail}`, "gu"),
    read: ({ hour: said = "" }) => ({ hour: readNumber(said), minute: 30 }),
  },
  {
    regex: new RegExp(
      `(?<lead>${lead})?(?<hour>${hour})\\s+(?:si\\s+)?(?:un\\s+)?(?<amount>sfert|jum\\p{L}*)(?!\\p{L})${tail}`,
      "gu",
    ),
    read: ({ hour: said = "", amount = "" }) => ({ hour: readNumber(said), minute: minutesOf(amount) }),
  },
  {
    regex: new RegExp(
      `(?<lead>${lead})?(?<hour>${hour})\\s+(?:(?<less>fara)\\s+(?:un\\s+)?|si\\s+)(?<amount>sfert|(?:[1-5]\\d|5|cinci|zece|douazeci(?: si cinci)?)(?!\\d))(?:\\s+(?:de\\s+)?minute)?${notTime}(?!\\p{L})${tail}`,
      "gu",
    ),
    read: ({ hour: said = "", less, amount = "" }) =>
      moved(readNumber(said), (less === undefined ? 1 : -1) * minutesOf(amount)),
  },
];

const numeric = new RegExp(
  `(?<lead>${lead})?(?:(?<hour>${digits})(?:(?<point>[.:h])(?<minute>[0-5]\\d)|\\s(?<apart>00|15|30|45)(?!\\d))?${notTime}|(?<word>(?<!\\p{L})(?:${cardinalSource})(?!\\p{L}))${behindWord})${tail}`,
  "gu",
);

const moment = "(?:(?:la|ora|orele)\\s+)*\\d{1,2}(?:[.:][0-5]\\d)?(?!\\d|[.:/]\\d)";
/** From one time to another: neither of them is meant. */
const ranges = new RegExp(
  `(?<told>\\b(?:intre|between|from|de la)\\s+)?(?<![\\d.:,/-])${moment}\\s*(?:[-–]|(?<!\\p{L})(?:to|until|till|pana la|(?<=\\b(?:intre|between)\\s.{0,24})(?:si|and)|(?<=\\bde la\\s.{0,24})la)\\s)\\s*${moment}(?!-)${notTime}`,
  "u",
);
const alternative = /^\s*(?:sau|ori|or|fie|\/|,)\s*(?:(?:la|pe|ora|at)\s+)*$/;
const wordAlone = new RegExp(`^\\s*(?:${cardinalSource})\\s*[.!]?\\s*$`);

export interface TimeContext {
  /** Whether the time is what was asked for: then a number alone is one. */
  readonly isAsked?: boolean;
  /** False: what else is said is for another time that is wanted. */
  readonly isLast?: boolean;
  /** Whether anybody could want this time, as HH:mm; left out: any time may be wanted. */
  readonly isLikely?: (time: string) => boolean;
}

/**
 * The time of day that is said, as HH:mm. A bare number is one only when a time was asked for; otherwise it must be told
 * from other numbers: "10:30", "la 10", "ora 14", "5 seara". A part of the day counts for the hours beside it; alone, as
 * a range or several times, it is in doubt. "La 3", without a part of the day, is the afternoon's where only that is likely.
 * (SPEC A4)
 */
export function takeTime(said: Said, context: TimeContext = {}): Reading | null {
  return readBeginning(said, (beginning) => readTime(beginning, context));
}

function readTime(said: Said, { isAsked = false, isLast = true, isLikely = () => true }: TimeContext): Reading | null {
  const range = said.folded.match(ranges);
  if (range !== null && isLast && (isAsked || range.groups?.told !== undefined)) {
    return { value: null, doubt: { kind: "incomplete" }, rest: without(said, [spanOf(range)]) };
  }
  const times = timesIn(said, isAsked);
  const rest = without(said, times);
  const apart = [...rest.folded.matchAll(new RegExp(partAlone, "gu"))].map((match): Span & { words: string } => ({
    ...spanOf(match),
    words: match[0],
  }));
  const only = new Set(apart.map(({ words }) => words)).size === 1 ? apart[0]!.words : undefined;
  const mentions = times.map((time): Mention => ({ ...time, value: valueOf(time, time.part ?? only, isLikely) }));
  const settled = settle(said, mentions, isLast);
  if (settled !== null) return { ...settled, rest: without(settled.rest, apart) };
  return apart.length > 0 ? { value: null, doubt: { kind: "incomplete" }, rest: without(said, apart) } : null;
}

type Groups = Readonly<Record<string, string | undefined>>;

interface Time extends Span, Clock {
  readonly part: string | undefined;
  /** "03:00" is no "3": whoever writes so means the night. */
  readonly isWritten24: boolean;
}

function timesIn(said: Said, isAsked: boolean): readonly Time[] {
  let rest = said;
  const times: Time[] = [];
  for (const { regex, read } of plain) {
    for (const match of rest.folded.matchAll(regex)) {
      const time = {
        ...spanOf(match),
        ...read(match.groups ?? {}),
        part: partOf(match),
        isWritten24: isWritten24(match),
      };
      if (time.hour > HOUR_MAX) continue;
      times.push(time);
      rest = without(rest, [time]);
    }
  }
  return [...times, ...numbersIn(rest, times, isAsked)].sort((one, other) => one.from - other.from);
}

/** Hours in digits, or in a word behind "la": those that are told to be one, and those that are beside one as a choice. */
function numbersIn({ folded }: Said, known: readonly Time[], isAsked: boolean): readonly Time[] {
  const found = [...folded.matchAll(numeric)].flatMap((match) => {
    const { lead: told, hour: inDigits, word, point, minute, apart, mark } = match.groups ?? {};
    const isAlone = word !== undefined && isAsked && wordAlone.test(folded);
    const isTold =
      told !== undefined || (point !== undefined && point !== ".") || mark !== undefined || partOf(match) !== undefined;
    const at = { hour: readNumber(inDigits ?? word ?? ""), minute: Number(minute ?? apart ?? 0) };
    if (at.hour > HOUR_MAX || (word !== undefined && !isTold && !isAlone)) return [];
    return [{ ...spanOf(match), ...at, part: partOf(match), isWritten24: isWritten24(match), isTold }];
  });
  const isBeside = (one: Span, other: Span) => alternative.test(folded.slice(one.to, other.from));
  const first = known.length === 0 && isAsked && !found.some(({ isTold }) => isTold) ? found[0] : undefined;
  const counted = new Set<Span>(found.filter((each) => each.isTold || each === first));
  for (const [place, each] of found.entries()) {
    const before = found[place - 1];
    if (before !== undefined && counted.has(before) && isBeside(before, each)) counted.add(each);
  }
  for (const [place, each] of [...found.entries()].reverse()) {
    const next = found[place + 1];
    if (next !== undefined && counted.has(next) && isBeside(each, next)) counted.add(each);
  }
  return found.filter((each) => counted.has(each));
}

function partOf({ groups }: RegExpMatchArray): string | undefined {
  const ahead = groups?.lead?.match(new RegExp(part, "u"))?.[0];
  return groups?.part ?? ahead;
}

function valueOf(
  { hour: said, minute, isWritten24 }: Time,
  words: string | undefined,
  isLikely: (time: string) => boolean,
): string {
  const meant = parts.find((each) => words !== undefined && new RegExp(`^(?:de\\s+)?(?:${each.words})$`).test(words));
  const at = (hours: number) => `${String(hours % 24).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
  if (meant !== undefined) return at(meant.hour(said));
  const isOfAfternoon = said > 0 && said < 12 && !isWritten24 && !isLikely(at(said)) && isLikely(at(said + 12));
  return at(isOfAfternoon ? said + 12 : said);
}

function isWritten24({ groups }: RegExpMatchArray): boolean {
  return groups?.hour?.startsWith("0") === true;
}

function moved(hours: number, minutes: number): Clock {
  const total = (hours * MINUTES_AN_HOUR + minutes + MINUTES_A_DAY) % MINUTES_A_DAY;
  return { hour: Math.floor(total / MINUTES_AN_HOUR), minute: total % MINUTES_AN_HOUR };
}

function minutesOf(amount: string): number {
  if (/^(?:half|jum)/.test(amount)) return 30;
  return amount === "quarter" || amount === "sfert" ? 15 : readNumber(amount);
}

// "Bună seara" greets, and "o seară frumoasă" wishes.
function partSource(of: readonly Part[]): string {
  const words = of.map((each) => each.words).join("|");
  return `(?<!\\b(?:buna|good|o)\\s)(?<!\\p{L})(?:de\\s+)?(?:${words})(?!\\p{L})(?!\\s+(?:buna|frumoasa|placuta))`;
}
