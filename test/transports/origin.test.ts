import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import { isOriginAllowed, type OriginPolicy, parseOrigin } from "../../server/transports/origin.js";

const request = { headers: {} } as IncomingMessage;
const own = { host: "desk.example", target: { scheme: "https", host: "sub.desk.example", port: 443 }, request };
const isAllowed = (policy: OriginPolicy, header: string | undefined) => isOriginAllowed(policy, header, own);

test.each<[text: string, origin: object]>([
  ["https://a.example", { scheme: "https", host: "a.example", port: 443 }],
  ["http://a.example", { scheme: "http", host: "a.example", port: 80 }],
  ["ws://a.example", { scheme: "ws", host: "a.example", port: 80 }],
  ["https://a.example:8443", { scheme: "https", host: "a.example", port: 8443 }],
  ["https://a.example/path?x#y", { scheme: "https", host: "a.example", port: 443 }],
  ["//a.example", { scheme: null, host: "a.example", port: null }],
  ["//a.example:888", { scheme: null, host: "a.example", port: 888 }],
  ["app://a.example", { scheme: "app", host: "a.example", port: null }],
  ["https://[::1]:3001", { scheme: "https", host: "[::1]", port: 3001 }],
  ["https://a@evil.example", { scheme: "https", host: "evil.example", port: 443 }],
  ["https://a.example@evil.example:1", { scheme: "https", host: "evil.example", port: 1 }],
  ["https://", { scheme: "https", host: null, port: 443 }],
  ["https://:80", { scheme: "https", host: null, port: 80 }],
  ["https://a.example:port", { scheme: null, host: null, port: null }],
  ["https://a.example:123456", { scheme: null, host: null, port: null }],
  ["https:a.example", { scheme: null, host: null, port: null }],
  ["a.example", { scheme: null, host: null, port: null }],
  ["null", { scheme: null, host: null, port: null }],
  ["", { scheme: null, host: null, port: null }],
])("[T3] %j", (text, origin) => {
  expect(parseOrigin(text)).toEqual(origin);
});

test.each<[policy: OriginPolicy]>([[true], ["conn"], [["https://a.example"]], [[]], [() => false], [false]])(
  "[T3] no Origin is no page, and allowed by %p",
  (policy) => {
    expect(isAllowed(policy, undefined)).toBe(true);
  },
);

test.each(["https://evil.example", "null", "", "garbage"])("[T3] without a policy %j is allowed", (header) => {
  expect(isAllowed(false, header)).toBe(true);
});

describe("the endpoint's own host", () => {
  test.each<[header: string, allowed: boolean]>([
    ["https://desk.example", true],
    ["http://desk.example:9999", true],
    ["https://DESK.example", false],
    ["https://sub.desk.example", false],
    ["https://desk.example.evil.example", false],
    ["https://evildesk.example", false],
    ["https://desk.example@evil.example", false],
    ["null", false],
    ["", false],
    ["https://", false],
  ])("[T3] X-02 %j: %s", (header, allowed) => {
    expect(isAllowed(true, header)).toBe(allowed);
  });
});

describe("where the request was sent to", () => {
  test.each<[header: string, allowed: boolean]>([
    ["https://sub.desk.example", true],
    ["https://sub.desk.example:443", true],
    ["http://sub.desk.example", false],
    ["http://sub.desk.example:443", false],
    ["https://sub.desk.example:8443", false],
    ["https://desk.example", false],
    ["null", false],
    ["", false],
  ])("[T3] X-02 %j: %s", (header, allowed) => {
    expect(isAllowed("conn", header)).toBe(allowed);
  });

  test("[T3] an Origin and a Host without a name are not the same host", () => {
    const target = { scheme: null, host: null, port: null };
    expect(isOriginAllowed("conn", "null", { host: "", target, request })).toBe(false);
  });
});

describe("a list", () => {
  const list = ["https://a.example", "//*.wild.example", "//port.example:888", "http://b.example:8080"];

  test.each<[header: string, allowed: boolean]>([
    ["https://a.example", true],
    ["https://a.example:443", true],
    ["http://a.example", false],
    ["https://a.example:444", false],
    ["https://A.example", false],
    ["https://a.example.evil.example", false],
    ["https://evila.example", false],
    ["https://x.a.example", false],
    ["https://a.example@evil.example", false],
    ["https://xn--a-example", false],
    ["https://wild.example", true],
    ["http://x.wild.example:5", true],
    ["https://x.y.wild.example", true],
    ["https://any-wild.example", false],
    ["https://.wild.example", true],
    ["https://wild.example.evil.example", false],
    ["http://port.example:888", true],
    ["https://port.example:888", true],
    ["https://port.example", false],
    ["http://b.example:8080", true],
    ["http://b.example", false],
    ["null", false],
    ["", false],
    ["https://", false],
    ["//a.example", false],
  ])("[T3] X-02 X-03 %j: %s", (header, allowed) => {
    expect(isAllowed(list, header)).toBe(allowed);
  });

  test("[T3] X-03 each list is its own", () => {
    expect([
      isAllowed(["https://a.example"], "https://b.example"),
      isAllowed(["https://b.example"], "https://b.example"),
    ]).toEqual([false, true]);
    expect([
      isAllowed([], "https://b.example"),
      isAllowed(["*"], "https://b.example"),
      isAllowed(["//*"], "https://b.example"),
    ]).toEqual([false, false, false]);
  });
});

test("[T3] a function decides on what the header says, also when that is no host, and on the request", () => {
  const seen: unknown[] = [];
  const policy = (origin: object, asked: IncomingMessage) => seen.push(origin) > 1 && asked === request;
  expect([isAllowed(policy, "null"), isAllowed(policy, "https://a.example:1")]).toEqual([false, true]);
  expect(seen).toEqual([
    { raw: "null", scheme: null, host: null, port: null },
    { raw: "https://a.example:1", scheme: "https", host: "a.example", port: 1 },
  ]);
});
