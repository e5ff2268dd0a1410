import { expect, test } from "@jest/globals";
import { webSocketFrame } from "../../server/transports/websocket-frame.js";

test.each<[length: number, header: string]>([
  [0, "00"],
  [1, "01"],
  [125, "7d"],
  [126, "7e007e"],
  [127, "7e007f"],
  [255, "7e00ff"],
  [256, "7e0100"],
  [65_535, "7effff"],
  [65_536, "7f0000000000010000"],
  [1_000_000, "7f00000000000f4240"],
])("[W10] %i bytes of payload: text and binary, final and unmasked", (length, header) => {
  const text = webSocketFrame("a".repeat(length));
  expect(text.subarray(0, text.length - length).toString("hex")).toBe(`81${header}`);
  expect(text.subarray(text.length - length).equals(Buffer.alloc(length, "a"))).toBe(true);
  const binary = webSocketFrame(new Uint8Array(length).fill(7));
  expect(binary.subarray(0, binary.length - length).toString("hex")).toBe(`82${header}`);
  expect(binary.subarray(binary.length - length).equals(Buffer.alloc(length, 7))).toBe(true);
});

test.each([
  ["ț".repeat(62), "7c"],
  ["ț".repeat(63), "7e007e"],
  ["€".repeat(21_845), "7effff"],
  ["😀".repeat(16_384), "7f0000000000010000"],
])("[W10] the length is that of the UTF-8, case %#", (text, header) => {
  expect(webSocketFrame(text).toString("hex")).toBe(`81${header}${Buffer.from(text).toString("hex")}`);
});

test("[W10] part of a larger buffer is framed alone", () => {
  const larger = Buffer.from("before and after");
  expect(webSocketFrame(larger.subarray(7, 10)).toString("latin1")).toBe("\x82\x03and");
});
