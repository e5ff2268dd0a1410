import { describe, expect, test } from "@jest/globals";
import { LongPollBuffer } from "../../server/transports/longpoll-buffer.js";

describe("LongPollBuffer", () => {
  test("[T7] gives everything in the order in which it came, once", () => {
    const buffer = new LongPollBuffer(0);
    expect(buffer.isEmpty).toBe(true);
    for (const frame of ["a", "b", "c"]) expect(buffer.push(frame)).toBe(true);
    expect(buffer.isEmpty).toBe(false);
    expect(buffer.take()).toEqual(["a", "b", "c"]);
    expect(buffer.take()).toEqual([]);
    expect(buffer.isEmpty).toBe(true);
  });

  test("[T7] what was taken does not change when more comes", () => {
    const buffer = new LongPollBuffer(0);
    buffer.push("a");
    const taken = buffer.take();
    buffer.push("b");
    expect(taken).toEqual(["a"]);
  });

  test.each([
    ["text is counted in UTF-8", ["é€"], 5],
    ["bytes are counted as they are", [new Uint8Array(7)], 7],
    ["all frames count", ["ab", new Uint8Array(3), "c"], 6],
  ])("[T10] %s", (_name, frames, bytes) => {
    const buffer = new LongPollBuffer(0);
    for (const frame of frames) buffer.push(frame);
    expect(buffer.bytes).toBe(bytes);
  });

  test("[T10] refuses the frame that would be one byte too many, and keeps the others", () => {
    const buffer = new LongPollBuffer(4);
    expect(buffer.push("abc")).toBe(true);
    expect(buffer.push("de")).toBe(false);
    expect(buffer.push("d")).toBe(true);
    expect(buffer.push("")).toBe(true);
    expect(buffer.bytes).toBe(4);
    expect(buffer.take()).toEqual(["abc", "d", ""]);
  });

  test("[T10] has its room again once it was read", () => {
    const buffer = new LongPollBuffer(3);
    buffer.push("abc");
    buffer.take();
    expect(buffer.bytes).toBe(0);
    expect(buffer.push("def")).toBe(true);
    buffer.clear();
    expect(buffer.isEmpty).toBe(true);
    expect(buffer.push("ghi")).toBe(true);
  });
});
