import type { Frame } from "../../protocol/frame.js";
import type { Encoded } from "../../protocol/serializer.js";

/** What one poller has not read yet, in the order in which it was sent, and never more than a number of bytes. */
export class LongPollBuffer {
  readonly #maxBytes: number;
  // Not the frames themselves, which keep what other transports have made of them.
  #frames: Encoded[] = [];
  /** Of each frame, the topic under which it leaves. */
  #topics: unknown[] = [];
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
  push({ data, topic }: Frame): boolean {
    const bytes = bytesOf(data);
    if (this.#maxBytes > 0 && this.#bytes + bytes > this.#maxBytes) return false;
    this.#frames.push(data);
    this.#topics.push(topic);
    this.#bytes += bytes;
    return true;
  }

  /** Everything that waits; nothing does afterwards. */
  take(): readonly Encoded[] {
    const frames = this.#frames;
    this.clear();
    return frames;
  }

  /** Forgets what would leave under a topic. @returns whether there was anything */
  drop(topic: unknown): boolean {
    const frames = this.#frames;
    const topics = this.#topics;
    this.clear();
    frames.forEach((frame, index) => {
      if (topics[index] === topic) return;
      this.#frames.push(frame);
      this.#topics.push(topics[index]);
      this.#bytes += bytesOf(frame);
    });
    return this.#frames.length < frames.length;
  }

  clear(): void {
    this.#frames = [];
    this.#topics = [];
    this.#bytes = 0;
  }
}

function bytesOf(frame: Encoded): number {
  return typeof frame === "string" ? Buffer.byteLength(frame) : frame.length;
}
