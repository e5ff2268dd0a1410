/** Values of every kind that JSON has, and those that stores have been known to change. */
export const oddValues: readonly { readonly name: string; readonly value: unknown }[] = [
  { name: "an empty text", value: "" },
  { name: "a text", value: "text" },
  { name: "zero", value: 0 },
  { name: "2^53-1", value: Number.MAX_SAFE_INTEGER },
  { name: "-(2^53-1)", value: Number.MIN_SAFE_INTEGER },
  { name: "1e-7", value: 1e-7 },
  { name: "0.1+0.2", value: 0.1 + 0.2 },
  { name: "1e21", value: 1e21 },
  { name: "the largest number", value: Number.MAX_VALUE },
  { name: "the smallest number", value: Number.MIN_VALUE },
  { name: "false", value: false },
  { name: "true", value: true },
  { name: "null inside", value: { a: null, b: [null] } },
  { name: "an empty list", value: [] },
  { name: "an empty object", value: {} },
  { name: "empty things inside", value: { "": "", a: {}, b: [], c: [[], {}, ""] } },
  { name: "lists in lists", value: [[1, [2, [3]]], []] },
  { name: "a deep object", value: nested(30) },
  { name: "emoji", value: "😀👩‍👩‍👧‍👦🇷🇴" },
  { name: "diacritics, composed and not", value: ["ș", "s\u0326", "é", "e\u0301"] },
  { name: "control characters", value: "\u0000\u0001\u001f\u007f\u0085" },
  { name: "line separators", value: "\u2028\u2029\r\n\t" },
  { name: "quotes and backslashes", value: '"\\\\"\'`${}' },
  { name: "right to left", value: "\u202eabc" },
  { name: "noncharacters", value: "\ufffe\uffff\u{10ffff}" },
  { name: "__proto__ as a key", value: JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":null}') as unknown },
  { name: "__proto__ inside", value: JSON.parse('[{"a":{"__proto__":[]}}]') as unknown },
  { name: "reserved words", value: { status: 1, name: 2, size: 3, N: "4", S: "5", NULL: true, L: [], M: {} } },
  { name: "keys with signs", value: { "a.b": 1, "#c": 2, ":d": 3, $e: 4, "f g": 5, "😀": 6 } },
  { name: "numbers as keys", value: { "0": "a", "10": "b", "9": "c" } },
  { name: "a long text", value: "ă".repeat(20_000) },
  { name: "many keys", value: Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`key ${index}`, index])) },
];

function nested(depth: number): unknown {
  return depth === 0 ? "end" : { in: [nested(depth - 1)] };
}
