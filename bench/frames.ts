const finalText = 0x81;
const finalBit = 0x80;
const closeOpcode = 0x8;
const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** A text frame as a client sends it: masked. At most 65,535 bytes of text. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const header = headerOf(payload.length);
  header[1]! |= finalBit;
  for (let at = 0; at < payload.length; at += 1) payload[at]! ^= mask[at & 3]!;
  return Buffer.concat([header, mask, payload]);
}

/** A text frame as a server sends it. At most 65,535 bytes of text. */
export function serverFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([headerOf(payload.length), payload]);
}

function headerOf(length: number): Buffer {
  return length < 126 ? Buffer.from([finalText, length]) : Buffer.from([finalText, 126, length >> 8, length & 0xff]);
}

/** Counts the frames of a server's bytes by their headers, wherever the bytes are cut. */
export class FrameCounter {
  #payloadLeft = 0;
  #headerStart: Buffer | null = null;

  /** @returns how many frames have ended in `bytes` */
  count(bytes: Buffer): number {
    if (this.#headerStart !== null) {
      bytes = Buffer.concat([this.#headerStart, bytes]);
      this.#headerStart = null;
    }
    const { length } = bytes;
    let frames = 0;
    let at = 0;
    while (at < length) {
      if (this.#payloadLeft === 0) {
        const headerLength = length - at < 2 ? 2 : lengthOfHeader(bytes[at + 1]!);
        if (length - at < headerLength) {
          this.#headerStart = Buffer.from(bytes.subarray(at));
          break;
        }
        if ((bytes[at]! & 0xf) === closeOpcode) throw new Error("the server has closed the connection");
        this.#payloadLeft = lengthOfPayload(bytes, at);
        at += headerLength;
      }
      const part = Math.min(this.#payloadLeft, length - at);
      at += part;
      this.#payloadLeft -= part;
      if (this.#payloadLeft === 0) frames += 1;
    }
    return frames;
  }
}

function lengthOfHeader(second: number): number {
  return second < 126 ? 2 : second === 126 ? 4 : 10;
}

function lengthOfPayload(bytes: Buffer, at: number): number {
  const short = bytes[at + 1]!;
  if (short < 126) return short;
  return short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
}
