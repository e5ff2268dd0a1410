import type { Said, Taken } from "./said.js";
import { words } from "./words.js";

// What follows a "no" without a comma, up to the next part of the sentence: "nu detartraj", "instead of Friday". Not what
// follows "nu știu", and not "no, Friday", which says yes to Friday.
const negated = new RegExp(
  [
    /(?<!\p{L})(?:instead of|rather than|in locul?(?: de)?|nu(?: mai)?|not|no longer|don.?t|do not)/u,
    /(?:\s+(?:vreau|doresc|as vrea|pot|putem|vin|e|este|want|need))?\s+/u,
    /(?!(?:stiu|stim|sunt|cred|conteaza|know|sure|matter)\b)/u,
    /(?:(?!(?<!\p{L})(?:ci|dar|but|vreau|doresc|as vrea|prefer|mai bine|i want|make it)\b)(?!\.(?:\s|$))[^,;!?\n])+/u,
  ]
    .map(({ source }) => source)
    .join(""),
  "gu",
);

/** The same text with what it denies as if it were affirmed; null: it denies nothing. */
export function deniedIn({ folded }: Said): string | null {
  const denied = [...folded.matchAll(negated)].map(([span]) =>
    span.replace(/^(?:nu(?: mai)?|not|no longer|don.?t|do not)\s/u, ""),
  );
  return denied.length === 0 ? null : denied.join(", ");
}

/** What is left of a text without what it says no to: "vreau plombă, nu detartraj" wants a filling. */
export function affirmedOf({ text, folded }: Said): Said {
  const spans = [...folded.matchAll(negated)].map(({ index, 0: { length } }) => [index, index + length] as const);
  const blank = (whole: string) =>
    spans.reduce((left, [from, to]) => left.slice(0, from) + " ".repeat(to - from) + left.slice(to), whole);
  return { text: blank(text), folded: blank(folded) };
}

/** An option such as "nu, mulțumesc" or "not yet" is chosen by the very words that deny others. */
export function isNegation(option: string): boolean {
  return /^(?:nu|no|not|never|fara|without)$/.test(words(option)[0] ?? "");
}

/** Reads in what is affirmed; what is left keeps what was denied, for those who read the whole. */
export function takeAffirmed(said: Said, read: (said: Said) => Taken | null): Taken | null {
  const affirmed = affirmedOf(said);
  const taken = read(affirmed);
  if (taken === null) return null;
  const isTaken = (at: number) => affirmed.folded[at] !== taken.rest.folded[at];
  const blank = (text: string) =>
    Array.from({ length: text.length }, (_, at) => (isTaken(at) ? " " : text[at])).join("");
  return { value: taken.value, rest: { text: blank(said.text), folded: blank(said.folded) } };
}
