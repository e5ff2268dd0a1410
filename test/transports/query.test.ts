import { expect, test } from "@jest/globals";
import { parseQuery, QueryError } from "../../server/transports/query.js";

const nested = (levels: number) => `a${"[b]".repeat(levels)}`;

test.each<[query: string, params: object]>([
  ["", {}],
  ["&&", {}],
  ["a=1&b=2", { a: "1", b: "2" }],
  ["a", { a: "" }],
  ["a=", { a: "" }],
  ["=1", { "": "1" }],
  ["=", { "": "" }],
  ["a=b=c", { a: "b=c" }],
  ["vsn=1.0.0&vsn=2.0.0", { vsn: "2.0.0" }],
  ["a+b=c+d", { "a b": "c d" }],
  ["a=%2B%20%26%3d", { a: "+ &=" }],
  ["a%5Bb%5D=1", { a: { b: "1" } }],
  ["t=%C8%9B%E2%82%AC%F0%9F%98%80", { t: "ț€😀" }],
  ["t=ț", { t: "ț" }],
  ["a=%EF%BB%BFx", { a: "\ufeffx" }],
  ["a=%00", { a: "\u0000" }],
  // An escape that is none stays as it is.
  ["a=%zz", { a: "%zz" }],
  ["a=%", { a: "%" }],
  ["a=%4", { a: "%4" }],
  ["a=100%&b=1", { a: "100%", b: "1" }],
  ["a=%2541", { a: "%41" }],
  ["a[b]=c", { a: { b: "c" } }],
  ["a[b]=1&a[c]=2", { a: { b: "1", c: "2" } }],
  ["a[b][c]=1&a[b][d]=2", { a: { b: { c: "1", d: "2" } } }],
  ["a[]=1&a[]=2", { a: ["1", "2"] }],
  ["a[][b]=1&a[][b]=2", { a: [{ b: "1" }, { b: "2" }] }],
  ["a[b][]=1", { a: { b: ["1"] } }],
  ["a=1&a[b]=2", { a: { b: "2" } }],
  ["a[b]=2&a=1", { a: "1" }],
  ["a[b]=1&a[]=2", { a: ["2"] }],
  ["a[]=1&a[b]=2", { a: { b: "2" } }],
  ["a[=1", { "a[": "1" }],
  ["a]=1", { "a]": "1" }],
  ["[a]=1", { "[a]": "1" }],
  ["[]=1", { "[]": "1" }],
  ["a[b=1", { "a[b": "1" }],
  ["a[b]c=1", { "a[b]c": "1" }],
  ["a[b[c]]=1", { "a[b[c]]": "1" }],
  [`${nested(16)}=1`, { [nested(16)]: "1" }],
  [`${nested(5000)}=1`, { [nested(5000)]: "1" }],
])("[T2] %s", (query, params) => {
  expect(JSON.parse(JSON.stringify(parseQuery(query)))).toEqual(params);
});

test("[T2] parameters nest up to 16 names deep", () => {
  let value: unknown = parseQuery(`${nested(15)}=1`).a;
  for (let level = 0; level < 15; level += 1) value = (value as { b: unknown }).b;
  expect(value).toBe("1");
});

test.each(["a=%ff", "%ff=a", "a=%c0%80", "a=%ed%a0%80", "a=%e2%82", "ok=1&a[b]=%fe", "a=ț%ff"])(
  "[T2] W-17 refuses %s, which is not UTF-8",
  (query) => {
    expect(() => parseQuery(query)).toThrow(QueryError);
  },
);

test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("[T2] C-17 %s is only a name", (name) => {
  const params = parseQuery(`${name}=1&a[${name}]=2&${name}[polluted]=3&b[${name}][polluted]=4`);
  expect(Object.keys(params).sort()).toEqual(["a", "b", name].sort());
  expect(Object.keys(params.a as object)).toEqual([name]);
  expect((params[name] as Record<string, unknown>).polluted).toBe("3");
  expect({}).not.toHaveProperty("polluted");
  expect(Object).not.toHaveProperty("polluted");
});

test("[T2] a long query takes no more than its length", () => {
  const query = Array.from({ length: 5000 }, (_, n) => `a[k${n}][]=%C8%9B`).join("&");
  expect(Object.keys(parseQuery(query).a as object)).toHaveLength(5000);
  expect(parseQuery(`${"[".repeat(20_000)}=1`)).toEqual(expect.anything());
});
