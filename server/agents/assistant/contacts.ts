import type { Locale } from "../../messaging/business.js";
import { isWholePhone, plainPhone } from "../../messaging/phone-numbers.js";
import { type Said, take, type Taken } from "./said.js";
import { fold } from "./words.js";

const email = /[\p{L}\d._%+-]{1,64}@[\p{L}\d-]{1,63}(?:\.[\p{L}\d-]{1,63}){0,4}\.\p{L}{2,24}/u;
const digits = /(?<![\d+])(?:\+|00)?\d(?:[ ().-]{0,2}\d){5,15}(?![\d])/g;

/** The first e-mail address in a message, in lower case. */
export function takeEmail(said: Said): Taken | null {
  const match = said.text.match(email);
  return match && take(said, match, match[0].toLowerCase());
}

/** The first whole phone number in a message, without what is between its digits: "+40722123456". */
export function takePhone(said: Said, locale: Locale): Taken | null {
  for (const match of said.folded.matchAll(digits)) {
    const number = plainPhone(match[0]);
    if (isWholePhone(number, locale)) return take(said, match, number);
  }
  return null;
}

/** The first number in a message, with a point for its fraction. "1e9" is none: nobody means 1 by it. */
export function takeNumber(said: Said): Taken | null {
  const match = said.folded.match(/(?<![\d.,]|\de[+-]?)-?\d{1,12}(?:[.,]\d{1,6})?(?![.,]?\d|e[+-]?\d)/);
  return match && take(said, match, match[0].replace(",", "."));
}

const leadIn = /^(?:(?:sunt|e vorba (?:de|despre)|despre|it is|it is about|about|i am)\s+)+/;

/** All that is left of a message, as one line without a lead-in and without punctuation at its ends. */
export function takeText(said: Said): string {
  const line = tidy(said.text);
  return tidy(line.slice(fold(line).match(leadIn)?.[0].length ?? 0));
}

/** On one line, without punctuation and blanks at its ends. */
export function tidy(text: string): string {
  return (
    text
      .replace(/\s+/g, " ")
      .replace(/^[\s,.;:!?-]+/, "")
      // Begun only where such a run begins: what is tried at each place of a run takes the square of its length.
      .replace(/(?<![\s,.;:-])[\s,.;:-]+$/, "")
      .trim()
  );
}
