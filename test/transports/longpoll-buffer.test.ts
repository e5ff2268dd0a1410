import { describe, expect, test } from "@jest/globals";
import { Frame } from "../../protocol/frame.js";
import type { Encoded } from "../../protocol/serializer.js";
import { LongPollBuffer } from "../../server/transports/longpoll-buffer.js";

const framed = (data: Encoded, topic: unknown = "room:1") => new Frame(data, topic);

describe("LongPollBuffer", () => {
  test("[T7] gives everything in the order in which it came, once", () => {
    const buffer = new LongPollBuffer(0);
    expect(buffer.isEmpty).toBe(true);
    for (const frame of ["a", "b", "c"]) expect(buffer.push(framed(frame))).toBe(true);
    expect(buffer.isEmpty).toBe(false);
    expect(buffer.take()).toEqual(["a", "b", "c"]);
    expect(buffer.take()).toEqual([]);
    expect(buffer.isEmpty).toBe(true);
  });

  test("[T7] what was taken does not change when more comes", () => {
    const buffer = new LongPollBuffer(0);
    buffer.push(framed("a"));
    const taken = buffer.take();
    buffer.push(framed("b"));
    expect(taken).toEqual(["a"]);
  });

  test.each([
    ["text is counted in UTF-8", ["é€"], 5],
    ["bytes are counted as they are", [new Uint8Array(7)], 7],
    ["all frames count", ["ab", new Uint8Array(3), "c"], 6],
  ])("[T10] %s", (_name, frames, bytes) => {
    const buffer = new LongPollBuffer(0);
    for (const frame of frames) buffer.push(framed(frame));
    expect(buffer.bytes).toBe(bytes);
  });

  test("[T10] refuses the frame that would be one byte too many, and keeps the others", () => {
    const buffer = new LongPollBuffer(4);
    expect(buffer.push(framed("abc"))).toBe(true);
    expect(buffer.push(framed("de"))).toBe(false);
    expect(buffer.push(framed("d"))).toBe(true);
    expect(buffer.push(framed(""))).toBe(true);
    expect(buffer.bytes).toBe(4);
    expect(buffer.take()).toEqual(["abc", "d", ""]);
  });

  test("[T10] has its room again once it was read", () => {
    const buffer = new LongPollBuffer(3);
    buffer.push(framed("abc"));
    buffer.take();
    expect(buffer.bytes).toBe(0);
    expect(buffer.push(framed("def"))).toBe(true);
    buffer.clear();
    expect(buffer.isEmpty).toBe(true);
    expect(buffer.push(framed("ghi"))).toBe(true);
  });

  test("[C17] forgets what would leave under one topic, and has its room again", () => {
    const buffer = new LongPollBuffer(6);
    for (const [data, topic] of [
      ["ab", "room:1"],
      ["cd", "room:2"],
      ["ef", "room:1"],
    ] as const) {
      buffer.push(framed(data, topic));
    }
    expect(buffer.push(framed("g"))).toBe(false);
    expect([buffer.drop("room:1"), buffer.drop("room:1"), buffer.drop(null), buffer.bytes]).toEqual([
      true,
      false,
      false,
      2,
    ]);
    expect(buffer.push(framed("gh", "room:1"))).toBe(true);
    expect(buffer.take()).toEqual(["cd", "gh"]);
    expect(buffer.drop("room:1")).toBe(false);
  });
});
