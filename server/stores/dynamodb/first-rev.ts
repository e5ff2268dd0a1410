import { randomInt } from "node:crypto";

/** Far below the largest exact number, so that there is room to count on. */
const firstRevEnd = 2 ** 47;

/**
 * The rev of a record that is made. It may have been there before, and whoever read it then must not take this one for
 * it: what is deleted leaves nothing that could be counted on from, so it begins where nobody has been.
 */
export function firstRev(): number {
  return randomInt(1, firstRevEnd);
}
