import { fold } from "./words.js";

/** What of a message is looked at for days and times, in characters: who says more of them says no certain one. */
const READ_MAX = 1_000;

/** What is left of a message to be read. `folded` is the same text in lower case without diacritics, place by place. */
export interface Said {
  readonly text: string;
  readonly folded: string;
}

/** A value that was found in a message, and what is left of the message without it. */
export interface Taken {
  readonly value: string;
  readonly rest: Said;
}

/** A day or a time was said, but not which one: it has to be asked. */
export interface Doubted {
  readonly value: null;
  readonly doubt: Doubt;
  readonly rest: Said;
}

export type Doubt =
  /** Several were said, and any may be meant. */
  | { readonly kind: "several"; readonly values: readonly string[] }
  /** A date, and a day of the week that it does not fall on. */
  | { readonly kind: "contradiction"; readonly date: string }
  /** A day that no calendar has. */
  | { readonly kind: "impossible" }
  /** A week without its day, a part of the day without its hour, a range. */
  | { readonly kind: "incomplete" }
  /** Only what does not suit. */
  | { readonly kind: "refused" };

export type Reading = Taken | Doubted;

/** A place of a message, from its first letter to the one behind its last. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export function hear(message: string): Said {
  const text = message.normalize("NFC");
  return { text, folded: fold(text) };
}

/** The value that a match of `folded` stands for; its letters are blanked, so that they are not read twice. */
export function take(said: Said, match: RegExpMatchArray, value: string): Taken {
  return { value, rest: without(said, [spanOf(match)]) };
}

/** Reads the beginning of a message; what is behind it stays as it is. */
export function readBeginning({ text, folded }: Said, read: (said: Said) => Reading | null): Reading | null {
  const found = read({ text: text.slice(0, READ_MAX), folded: folded.slice(0, READ_MAX) });
  const whole = ({ rest }: Reading) => ({
    text: rest.text + text.slice(READ_MAX),
    folded: rest.folded + folded.slice(READ_MAX),
  });
  return found && { ...found, rest: whole(found) };
}

export function spanOf(match: RegExpMatchArray): Span {
  const from = match.index ?? 0;
  return { from, to: from + match[0].length };
}

/** The message with blanks in these places; all else stays where it is. */
export function without({ text, folded }: Said, spans: readonly Span[]): Said {
  const blank = (whole: string) =>
    spans.reduce((left, { from, to }) => left.slice(0, from) + " ".repeat(to - from) + left.slice(to), whole);
  return { text: blank(text), folded: blank(folded) };
}
