import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { split } from "../../server/platforms/split.js";

test.each([
  ["", []],
  [" \n ", []],
  ["short", ["short"]],
  ["exactly 10", ["exactly 10"]],
  ["one two three", ["one two", "three"]],
  ["line one\nline two", ["line one", "line two"]],
  ["para a\n\nb c d e f", ["para a", "b c d e f"]],
  // A break in the first half would leave a piece of next to nothing.
  ["a bcdefghijklm", ["a bcdefghi", "jklm"]],
  ["123456789🚗x", ["123456789", "🚗x"]],
])("[M113] %j leaves as %j", (text, pieces) => expect(split(text, 10)).toEqual(pieces));

test("[M113] pieces hold all that is no white space, none is blank or too long, and no character is cut", () => {
  const anything = fc.string({ unit: fc.constantFrom("a", "ț", "🚗", " ", "\n", "\n\n"), maxLength: 200 });
  fc.assert(
    fc.property(anything, fc.integer({ min: 2, max: 40 }), (text, max) => {
      const pieces = split(text, max);
      expect(pieces.join("").replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
      for (const piece of pieces)
        expect([piece.trim(), piece.length <= max, piece.isWellFormed()]).toEqual([piece, true, true]);
      expect(pieces).not.toContain("");
    }),
  );
});
