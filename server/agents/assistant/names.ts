import type { Business, BusinessIntent, IntentParameter } from "../../messaging/business.js";
import { namesOfOptions } from "./choices.js";
import { tidy } from "./contacts.js";
import { type Said, take, type Taken } from "./said.js";
import { fold, isStopWord, stems, words } from "./words.js";

const NAME_PATTERN = /^\p{L}[\p{L} .'’-]{1,79}$/u;
const NAME_WORDS_MAX = 5;

/** Is it a person's name that is asked for? */
export function isName(parameter: IntentParameter): boolean {
  return parameter.type === "text" && /^(pre)?nume|name$/.test(fold(parameter.name));
}

/** Could a text be a person's name? Whoever fills in a form means what stands in its field. */
export function fitsName(text: string): boolean {
  return NAME_PATTERN.test(text);
}

const introductions =
  "ma numesc|ma cheama|eu sunt|pe numele(?: de)?|(?:numele|nume)(?: meu| corect| complet| nou)?(?: (?:este|e)|:)|numele meu|" +
  "(?:(?:my|the) )?(?:full |correct )?name(?: is|['’]s|:)|i am called|under the name(?: of)?";
const endOfName =
  "si|and|cu|la|din|de la|pe|pentru|iar|dar|ci|nu|not|telefon\\w*|tel|numar\\w*|nr|phone|number|e-?mail|mail|te rog|va rog|please|" +
  "multumesc|mersi|thanks|thank you|azi|maine|poimaine|today|tomorrow|vreau|doresc|for|at|on";
const introduced = new RegExp(
  `(?<!\\p{L})(?:${introductions})\\s{1,2}(?!(?:${endOfName}|gresit|wrong)\\b)` +
    `(?<name>\\p{L}[\\p{L}'’.-]*(?: (?!(?:${endOfName})\\b)\\p{L}[\\p{L}'’.-]*){0,3})`,
  "u",
);

/** A name that its owner introduces: "mă numesc Ana Pop", "pe numele Ion Popescu". */
export function takeIntroducedName(said: Said): Taken | null {
  const match = said.folded.match(introduced);
  if (!match) return null;
  const name = match.groups?.name ?? "";
  const from = (match.index ?? 0) + match[0].length - name.length;
  const value = tidy(said.text.slice(from, from + name.length));
  return stems(value).length > 0 ? take(said, match, value) : null;
}

const leadIn = new RegExp(
  "^(?:(?:(?:e|este) vorba (?:de|despre)|it['’]?s about|de fapt|actually|nu|no|da|ok|pai|sigur|desigur|yes|sure|well|cred ca|adica|sunt|este|e|pentru|pe|for|scrie|pune|trece|treceti|" +
    `it['’]?s|it is|this is|that['’]?s|that is|i['’]m|i am|call me|${introductions}|numele|name)(?: |$))+`,
);
const leadOut = / (?:te rog(?: frumos)?|va rog(?: frumos)?|please|multumesc|mersi|thanks|thank you)$/;

/**
 * The name that an answer to the question for it holds: "it's John O'Neill", "Ana Pop, te rog". What is said of anything
 * else, or of nothing, is none.
 */
export function takeAnsweredName(said: Said, context: NameContext): Taken | null {
  if (said.text.includes("?")) return null;
  const found = partsOf(said.text).filter(
    (part) => isPersonal(part, context) && (!context.isTopical || isWritten(part)),
  );
  const isInPieces = found.length > 1 && found.every((part) => !part.includes(" "));
  const value = isInPieces ? found.join(" ") : found[0];
  return value === undefined || !fitsName(value) ? null : { value, rest: { text: "", folded: "" } };
}

/** A name that nobody asked for yet, between other values: first and last name, written as names are. */
export function takeStandingName(said: Said, context: NameContext): Taken | null {
  const value = partsOf(said.text).find((part) => part.includes(" ") && isWritten(part) && isPersonal(part, context));
  return value === undefined ? null : { value, rest: said };
}

export interface NameContext {
  readonly intent: BusinessIntent;
  readonly business: Business;
  /** The message may be about something that the business knows or does. */
  readonly isTopical?: boolean;
}

function isWritten(part: string): boolean {
  return /^\p{Lu}[\p{L}'’.-]*(?: \p{Lu}[\p{L}'’.-]*){0,3}$/u.test(part);
}

// Where other values were taken out of the text, there are several blanks.
function partsOf(text: string): readonly string[] {
  return text
    .split(/[,;:!\n]+|(?<!(?<!\p{L})\p{Lu})\.(?=\s|$)|\s{3,}|\s+-\s+/u)
    .map((part) => withoutLeads(tidy(part)))
    .filter((part) => part !== "");
}

function withoutLeads(part: string): string {
  const from = fold(part).match(leadIn)?.[0].length ?? 0;
  const left = part.slice(from);
  return tidy(left.slice(0, fold(left).match(leadOut)?.index ?? left.length));
}

// Stop words that stand in names.
const particles = new Set(
  "de la da di do dos du le el al van von den der ter bin ibn domnul doamna will don may".split(" "),
);

const noNames = new Set(
  `perfect super excelent minunat grozav genial misto sigur desigur corect exact adevarat gata gresit gresita salutari noroc
  pardon scuze scuzati aha aham mda uau oh ah eh altceva altcineva nimic nimeni oricine habar idee conteaza urgent acelasi aceeasi nume numele prenume
  prenumele continua continuam continui inapoi anuleaza anulez anulati anulare renunt renunta stop stai asteapta ajutor
  schimb schimba schimbati sterge modifica cost costa pret preturi program adresa telefon telefonul numar parola
  yes yeah yep yup nope sure great fine nice cool awesome excellent right correct wrong true maybe perhaps sorry wait nothing
  nobody none anonymous same name skip back continue cancel quit change delete help price cost address number phone sound sounds
  plus instead actually rather`.split(/\s+/),
);

function isPersonal(part: string, context: NameContext): boolean {
  const said = words(part);
  if (!fitsName(part) || said.length > NAME_WORDS_MAX || stems(part).length === 0) return false;
  const own = ownWords(context);
  return part.split(" ").every((word) => {
    const folded = fold(word);
    if (/^\p{Lu}\.?$/u.test(word)) return true;
    // "Hmm": there are names without a vowel, but nobody writes them small.
    if (!/[aeiouy]|\p{Lu}/u.test(word.charAt(0) + folded)) return false;
    return (
      (!isStopWord(folded) || particles.has(folded)) &&
      !noNames.has(folded) &&
      !stems(word).some((each) => own.has(each))
    );
  });
}

/** What the business itself is called and offers is nobody's name. */
function ownWords({ intent, business }: NameContext): ReadonlySet<string> {
  const options = intent.parameters.flatMap((each) => (each.type === "choice" ? namesOfOptions(each, business) : []));
  const titles = business.intents.map(({ name, title }) => `${name} ${title}`);
  return new Set([...options, ...titles, ...(business.locations ?? []).map(({ name }) => name)].flatMap(stems));
}
