import { describe, expect, test } from "@jest/globals";
import { DecodeError, EncodeError } from "../../protocol/errors.js";
import { v1 } from "../../protocol/v1.js";

const base = { topic: "room:1", event: "ping", payload: { a: 1 }, ref: "2" };

describe("decoding", () => {
  test.each<[text: unknown, expected: object]>([
    [base, { joinRef: null }],
    [{ ...base, join_ref: "1" }, { joinRef: "1" }],
    [{ ...base, join_ref: null }, { joinRef: null }],
    [
      { ...base, join_ref: 7, ref: 8 },
      { joinRef: 7, ref: 8 },
    ],
    [
      { ...base, ref: null },
      { ref: null, joinRef: null },
    ],
    [
      { ...base, payload: null },
      { payload: null, joinRef: null },
    ],
    [
      { ...base, topic: 5, event: {} },
      { topic: 5, event: {}, joinRef: null },
    ],
    [{ ...base, extra: 1, joinRef: "no" }, { joinRef: null }],
  ])("[W3] %j", (value, expected) => {
    expect(v1.decodeText(JSON.stringify(value))).toEqual({ ...base, ...expected });
  });

  test.each(["topic", "event", "payload", "ref"])("[W3] needs %s", (key) => {
    const rest = Object.fromEntries(Object.entries(base).filter(([name]) => name !== key));
    expect(() => v1.decodeText(JSON.stringify(rest))).toThrow(DecodeError);
    expect(() => v1.decodeText(JSON.stringify(rest).replace("{", `{"__proto__":{"${key}":1},`))).toThrow(DecodeError);
  });

  test.each(["", " ", "{oops", "5", "null", '"x"', "true", "[]", '[null,"1","a","b",{}]', "\ufeff{}", "{}x"])(
    "[W7] refuses %j",
    (text) => {
      expect(() => v1.decodeText(text)).toThrow(DecodeError);
    },
  );

  test("[W3] reads a binary frame as JSON text", () => {
    expect(v1.decodeBinary(Buffer.from(JSON.stringify(base)))).toEqual({ ...base, joinRef: null });
  });

  test.each([[""], ["ff"], ["efbbbf7b7d"], ["00000000"], ["22c080"]])("[W7] refuses the binary frame %s", (hex) => {
    expect(() => v1.decodeBinary(Buffer.from(hex, "hex"))).toThrow(DecodeError);
  });

  test("[D1] the last of duplicate keys wins, and a lone surrogate is taken", () => {
    const text = '{"topic":"a","topic":"b","event":"e","payload":"\\ud800","ref":1.0}';
    expect(v1.decodeText(text)).toEqual({ topic: "b", event: "e", payload: "\ud800", ref: 1, joinRef: null });
  });
});

describe("encoding", () => {
  test("[W3] a push, without its join_ref", () => {
    const push = { joinRef: "1", ref: null, topic: "room:1", event: "news", payload: { a: 1 } };
    expect(v1.encodePush(push)).toBe('{"topic":"room:1","event":"news","payload":{"a":1},"ref":null}');
    expect(v1.encodePush({ ...push, ref: "1", event: "phx_close", payload: {} })).toBe(
      '{"topic":"room:1","event":"phx_close","payload":{},"ref":"1"}',
    );
  });

  test("[W3] a reply", () => {
    expect(v1.encodeReply({ joinRef: "1", ref: "2", topic: "room:1", status: "ok", response: { a: [1] } })).toBe(
      '{"topic":"room:1","event":"phx_reply","payload":{"status":"ok","response":{"a":[1]}},"ref":"2"}',
    );
  });

  test("[W3] a broadcast", () => {
    expect(v1.encodeBroadcast({ topic: "room:1", event: "news", payload: {} })).toBe(
      '{"topic":"room:1","event":"news","payload":{},"ref":null}',
    );
  });

  test("[W9] there is no room for bytes", () => {
    const payload = Uint8Array.of(1);
    expect(() => v1.encodePush({ joinRef: "1", ref: null, topic: "a", event: "b", payload })).toThrow(EncodeError);
    expect(() => v1.encodeReply({ joinRef: "1", ref: "2", topic: "a", status: "ok", response: payload })).toThrow(
      EncodeError,
    );
    expect(() => v1.encodeBroadcast({ topic: "a", event: "b", payload })).toThrow(EncodeError);
  });
});
