import type { Encoded } from "../../protocol/serializer.js";

/** What one poller has not read yet, in the order in which it was sent, and never more than a number of bytes. */
export class LongPollBuffer {
  readonly #maxBytes: number;
  #frames: Encoded[] = [];
  #bytes = 0;

  /** @param maxBytes of all that waits; 0 sets no limit */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** UTF-8 bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns false where it is full: then the frame is not taken, and something would be missing from now on */
  push(frame: Encoded): boolean {
    const bytes = typeof frame === "string" ? Buffer.byteLength(frame) : frame.length;
    if (this.#maxBytes > 0 && this.#bytes + bytes > this.#maxBytes) return false;
    this.#frames.push(frame);
    this.#bytes += bytes;
    return true;
  }

  /** Everything that waits; nothing does afterwards. */
  take(): readonly Encoded[] {
    const frames = this.#frames;
    this.clear();
    return frames;
  }

  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}
