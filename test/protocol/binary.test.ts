import { describe, expect, test } from "@jest/globals";
import { decodePush } from "../../protocol/binary.js";
import { DecodeError, EncodeError } from "../../protocol/errors.js";
import { v2 } from "../../protocol/v2.js";

const data = Uint8Array.of(0, 1, 255);
const bytes = (...parts: readonly (string | number | Uint8Array)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.of(part) : Buffer.from(part as Uint8Array))));

describe("a push from a client", () => {
  test.each<[name: string, frame: Uint8Array, message: object]>([
    [
      "whole",
      bytes(0, 1, 2, 6, 4, "1", "22", "room:1", "ping", data),
      { joinRef: "1", ref: "22", topic: "room:1", event: "ping", payload: Buffer.from(data) },
    ],
    [
      "without refs: they are empty, not null",
      bytes(0, 0, 0, 1, 1, "a", "b", data),
      { joinRef: "", ref: "", topic: "a", event: "b", payload: Buffer.from(data) },
    ],
    [
      "without data",
      bytes(0, 1, 1, 1, 1, "1", "2", "a", "b"),
      { joinRef: "1", ref: "2", topic: "a", event: "b", payload: Buffer.alloc(0) },
    ],
    [
      "of nothing but a header",
      bytes(0, 0, 0, 0, 0),
      { joinRef: "", ref: "", topic: "", event: "", payload: Buffer.alloc(0) },
    ],
    [
      "whose lengths are bytes, not characters",
      bytes(0, 0, 0, 4, 3, "țâ", "€", data),
      { joinRef: "", ref: "", topic: "țâ", event: "€", payload: Buffer.from(data) },
    ],
    [
      "with a topic of 255 bytes",
      bytes(0, 0, 0, 255, 1, "t".repeat(255), "e"),
      { joinRef: "", ref: "", topic: "t".repeat(255), event: "e", payload: Buffer.alloc(0) },
    ],
    [
      "whose byte order mark belongs to it",
      bytes(0, 0, 0, 3, 0, "\ufeff"),
      { joinRef: "", ref: "", topic: "\ufeff", event: "", payload: Buffer.alloc(0) },
    ],
  ])("[W9] %s", (_name, frame, message) => {
    expect(decodePush(frame)).toEqual(message);
  });

  test.each([
    ["nothing", ""],
    ["a kind alone", "00"],
    ["a header that is cut off", "00010106"],
    ["lengths that lead out of it", "00ffffffff010203"],
    ["a reply", "010000000000"],
    ["a broadcast", "020000000000"],
    ["another kind", "090000000000"],
    ["a join_ref that is not UTF-8", "0001000000ff"],
    ["a topic that is not UTF-8", "0000000200c080"],
    ["an event with half a character", "0000000002e282"],
  ])("[W7] W-13 refuses %s", (_name, hex) => {
    expect(() => decodePush(Buffer.from(hex, "hex"))).toThrow(DecodeError);
  });

  test("[W7] W-13 refuses one that is cut off anywhere in its fields", () => {
    const whole = bytes(0, 1, 2, 6, 4, "1", "22", "room:1", "ping");
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => decodePush(whole.subarray(0, length))).toThrow(DecodeError);
    }
    expect(decodePush(whole)).toMatchObject({ event: "ping" });
  });

  test("[W9] does not read beyond its own part of a larger buffer", () => {
    const whole = bytes(0, 0, 0, 1, 1, "a", "b", data);
    const larger = bytes("before", whole, "after");
    const { payload } = decodePush(larger.subarray(6, 6 + whole.length));
    expect(Buffer.from(payload as Uint8Array)).toEqual(Buffer.from(data));
    expect(() => decodePush(larger.subarray(6, 6 + 6))).toThrow(DecodeError);
  });
});

describe("to a client", () => {
  test("[W9] a push has no ref", () => {
    const push = { joinRef: "11", ref: "not there", topic: "room:1", event: "news", payload: data };
    expect(v2.encodePush(push)).toEqual(new Uint8Array(bytes(0, 2, 6, 4, "11", "room:1", "news", data)));
  });

  test("[W9] a reply has both refs", () => {
    const reply = { joinRef: "1", ref: "22", topic: "room:1", status: "ok", response: data };
    expect(v2.encodeReply(reply)).toEqual(new Uint8Array(bytes(1, 1, 2, 6, 2, "1", "22", "room:1", "ok", data)));
  });

  test("[W9] a broadcast has neither", () => {
    const broadcast = { topic: "room:1", event: "news", payload: data };
    expect(v2.encodeBroadcast(broadcast)).toEqual(new Uint8Array(bytes(2, 6, 4, "room:1", "news", data)));
  });

  test.each<[ref: unknown, text: string]>([
    [null, ""],
    ["", ""],
    ["7", "7"],
    [7, "7"],
    [0, "0"],
    [false, "false"],
    [{ a: 1 }, '{"a":1}'],
  ])("[W9] the ref %j is written as %j", (ref, text) => {
    const reply = { joinRef: ref, ref, topic: "a", status: "ok", response: Uint8Array.of() };
    expect(v2.encodeReply(reply)).toEqual(
      new Uint8Array(bytes(1, text.length, text.length, 1, 2, text, text, "a", "ok")),
    );
  });

  test("[W9] lengths are bytes of UTF-8", () => {
    expect(v2.encodeBroadcast({ topic: "ț€", event: "😀", payload: Uint8Array.of() })).toEqual(
      new Uint8Array(bytes(2, 5, 4, "ț€", "😀")),
    );
  });

  test("[W9] there is room for 255 bytes in a field, and no more", () => {
    const fits = { topic: "t".repeat(255), event: "e".repeat(255), payload: Uint8Array.of() };
    expect((v2.encodeBroadcast(fits) as Uint8Array).length).toBe(3 + 510);
    expect(() => v2.encodeBroadcast({ ...fits, topic: "t".repeat(256) })).toThrow(EncodeError);
    expect(() => v2.encodeBroadcast({ ...fits, event: "ț".repeat(128) })).toThrow(EncodeError);
    expect(() =>
      v2.encodeReply({ joinRef: "1", ref: "r".repeat(256), topic: "a", status: "ok", response: data }),
    ).toThrow(EncodeError);
  });
});
