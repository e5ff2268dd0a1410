import type { Locale } from "./business.js";

/** Digits, and a plus before a country's: what is no whole number there cannot be called. */
const whole: Readonly<Record<Locale, RegExp>> = { ro: /^(0\d{9}|\+\d{8,15})$/, en: /^\+?\d{7,15}$/ };

/** A phone number as it is kept: without what people write between its digits, and with `+` in place of `00`. */
export function plainPhone(written: string): string {
  return written.replace(/[\s()./-]/g, "").replace(/^00(?=\d)/, "+");
}

/** Whether a plain number is whole, by the ways of the business's language: of what is said, and of what is filled in. (SPEC A4, M64) */
export function isWholePhone(plain: string, locale: Locale): boolean {
  return whole[locale].test(plain);
}
