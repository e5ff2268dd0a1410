import { fold } from "./words.js";

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

export function hear(message: string): Said {
  const text = message.normalize("NFC");
  return { text, folded: fold(text) };
}

/** The value that a match of `folded` stands for; its letters are blanked, so that they are not read twice. */
export function take(said: Said, match: RegExpMatchArray, value: string): Taken {
  const from = match.index ?? 0;
  const to = from + match[0].length;
  const blank = (text: string) => text.slice(0, from) + " ".repeat(to - from) + text.slice(to);
  return { value, rest: { text: blank(said.text), folded: blank(said.folded) } };
}
