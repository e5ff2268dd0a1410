import type { Encoded } from "../../protocol/serializer.js";

const finalText = 0x81;
const finalBinary = 0x82;
const finalPing = 0x89;

/** One unmasked, unfragmented WebSocket data frame. (RFC 6455, 5.2) */
export function webSocketFrame(data: Encoded): Buffer {
  const length = typeof data === "string" ? Buffer.byteLength(data) : data.length;
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = typeof data === "string" ? finalText : finalBinary;
  if (headerLength === 2) {
    frame[1] = length;
  } else if (headerLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  if (typeof data === "string") frame.write(data, headerLength, "utf8");
  else frame.set(data, headerLength);
  return frame;
}

/** A ping with at most 125 bytes of data. (RFC 6455, 5.5.2) */
export function pingFrame(data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(finalPing, data.length), data]);
}
