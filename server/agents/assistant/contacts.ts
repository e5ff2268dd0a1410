import type { Locale } from "../../messaging/business.js";
import { type Said, take, type Taken } from "./said.js";
import { fold } from "./words.js";

const email = /[\p{L}\d._%+-]{1,64}@[\p{L}\d-]{1,63}(?:\.[\p{L}\d-]{1,63}){0,4}\.\p{L}{2,24}/u;
const digits = /(?<![\d+])(?:\+|00)?\d(?:[ ().-]{0,2}\d){5,15}(?![\d])/g;
const complete: Readonly<Record<Locale, RegExp>> = { ro: /^(0\d{9}|\+\d{8,15})$/, en: /^\+?\d{7,15}$/ };

/** The first e-mail address in a message, in lower case. */
export function takeEmail(said: Said): Taken | null {
  const match = said.text.match(email);
  return match && take(said, match, match[0].toLowerCase());
}

/** The first whole phone number in a message, without what is between its digits: "+40722123456". */
export function takePhone(said: Said, locale: Locale): Taken | null {
  for (const match of said.folded.matchAll(digits)) {
    const number = match[0].replace(/[^\d+]/g, "").replace(/^00/, "+");
    if (complete[locale].test(number)) return take(said, match, number);
  }
  return null;
}

/** The first number in a message, with a point for its fraction. */
export function takeNumber(said: Said): Taken | null {
  const match = said.folded.match(/(?<![\d.,])-?\d{1,12}(?:[.,]\d{1,6})?(?!\d)/);
  return match && take(said, match, match[0].replace(",", "."));
}

const introductions = "ma numesc|ma cheama|numele meu(?: este| e)?|eu sunt|my name is|i am called";
const introduced = new RegExp(
  `\\b(?:${introductions})\\s+(?<name>\\p{L}[\\p{L}'-]*(?:\\s+(?!(?:si|and|cu|la|din|iar|telefon|tel|phone)\\b)\\p{L}[\\p{L}'-]*){0,3})`,
  "u",
);

/** A name that its owner introduces: "mă numesc Ana Pop". */
export function takeIntroducedName(said: Said): Taken | null {
  const match = said.folded.match(introduced);
  if (!match) return null;
  const name = match.groups?.name ?? "";
  const from = (match.index ?? 0) + match[0].length - name.length;
  return take(said, match, tidy(said.text.slice(from, from + name.length)));
}

/** All that is left of a message, as one line without a lead-in and without punctuation at its ends. */
export function takeText(said: Said): string {
  const leadIn = new RegExp(
    `^(?:(?:${introductions}|sunt|pe numele(?: de)?|e vorba (?:de|despre)|despre|it is|i am)\\s+)+`,
  );
  const line = tidy(said.text);
  return tidy(line.slice(fold(line).match(leadIn)?.[0].length ?? 0));
}

function tidy(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/^[\s,.;:!?-]+|[\s,.;:-]+$/g, "")
    .trim();
}
