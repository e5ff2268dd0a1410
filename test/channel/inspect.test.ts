import { describe, expect, test } from "@jest/globals";
import type { Message } from "../../protocol/message.js";
import { inspect, isLonger } from "../../server/channel/inspect.js";
import { phoenixLimits } from "../../server/channel/limits.js";

const limits = { ...phoenixLimits, maxJsonDepth: 4, maxEventBytes: 4, maxRefBytes: 4 };
const message = (changes: Partial<Message>): Message => ({
  joinRef: "1",
  ref: "2",
  topic: "room:1",
  event: "ping",
  payload: {},
  ...changes,
});
const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));

describe("the depth of JSON", () => {
  test.each<[payload: unknown, fault: "tooDeep" | null]>([
    [{ a: { b: { c: 1 } } }, null],
    [{ a: { b: { c: {} } } }, "tooDeep"],
    [[[[1]]], null],
    [[[[[]]]], "tooDeep"],
    [{ a: 1, b: [1, 2, { c: [] }] }, "tooDeep"],
    [{ a: 1, b: [1, 2, { c: 1 }] }, null],
    ["[[[[[[[[[[", null],
    [5, null],
    [null, null],
    [undefined, null],
    [new Uint8Array(100), null],
    [nested(20_000), "tooDeep"],
  ])("[L2] case %# of a payload", (payload, fault) => {
    expect(inspect(message({ payload }), limits)).toBe(fault);
  });

  test("[L2] a topic that is too deep cannot be echoed, so the frame is malformed", () => {
    expect(inspect(message({ topic: nested(3) }), limits)).toBeNull();
    expect(inspect(message({ topic: nested(4) }), limits)).toBe("malformed");
    expect(inspect(message({ topic: nested(20_000) }), limits)).toBe("malformed");
  });

  test("[L2] the frame is the first level", () => {
    expect(inspect(message({ payload: {} }), { ...limits, maxJsonDepth: 1 })).toBe("tooDeep");
    expect(inspect(message({ payload: "x" }), { ...limits, maxJsonDepth: 1 })).toBeNull();
    expect(inspect(message({ payload: {} }), { ...limits, maxJsonDepth: 2 })).toBeNull();
  });

  test("[L2] keys of an object's own are looked into", () => {
    expect(inspect(message({ payload: JSON.parse('{"__proto__":{"a":{"b":{}}}}') as unknown }), limits)).toBe(
      "tooDeep",
    );
  });
});

describe("events", () => {
  test.each<[event: unknown, fault: "eventTooLong" | null]>([
    ["ping", null],
    ["pings", "eventTooLong"],
    ["ăă", null],
    ["ăăă", "eventTooLong"],
    ["😀", null],
    ["😀!", "eventTooLong"],
    ["", null],
    [null, null],
    [5, null],
    [["longer than that"], null],
  ])("[L4] the event %j: %s", (event, fault) => {
    expect(inspect(message({ event }), limits)).toBe(fault);
  });
});

describe("refs", () => {
  test.each<[ref: unknown, fault: "malformed" | null]>([
    [null, null],
    ["", null],
    ["abcd", null],
    ["ăă", null],
    ["abcde", "malformed"],
    ["ăăă", "malformed"],
    [0, null],
    [-0, null],
    [-7, null],
    [Number.MAX_SAFE_INTEGER, null],
    [Number.MAX_SAFE_INTEGER + 1, "malformed"],
    [1.5, "malformed"],
    [Infinity, "malformed"],
    [true, "malformed"],
    [{}, "malformed"],
    [["1"], "malformed"],
    [undefined, "malformed"],
  ])("[L4] the ref and the join_ref %p: %s", (ref, fault) => {
    expect(inspect(message({ ref }), limits)).toBe(fault);
    expect(inspect(message({ joinRef: ref }), limits)).toBe(fault);
  });
});

test("[L] 0 switches a limit off", () => {
  const odd = message({
    ref: {},
    joinRef: 1.5,
    event: "e".repeat(10_000),
    payload: nested(20_000),
    topic: nested(20_000),
  });
  expect(inspect(odd, phoenixLimits)).toBeNull();
});

test("[L4] what is wrong with a ref is seen first, since it cannot be answered", () => {
  expect(inspect(message({ ref: {}, event: "pings", payload: nested(9) }), limits)).toBe("malformed");
});

test.each<[text: string, maxBytes: number, longer: boolean]>([
  ["", 0, false],
  ["a", 0, true],
  ["abc", 3, false],
  ["abcd", 3, true],
  ["ț", 1, true],
  ["ț", 2, false],
  ["€€", 5, true],
  ["€€", 6, false],
  ["\ud800", 2, true],
  ["\ud800", 3, false],
])("[L3] %j is longer than %i bytes: %s", (text, maxBytes, longer) => {
  expect(isLonger(text, maxBytes)).toBe(longer);
});
