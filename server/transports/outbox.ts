import type { Frame } from "../../protocol/frame.js";
import { webSocketFrame } from "./websocket-frame.js";

/**
 * What one connection writes in this tick, as the last link of a chain of frames. Connections that write the same
 * frames in the same order share the links, so a burst of broadcasts is joined into one buffer once, whatever the
 * number of subscribers, and no connection ever sees two frames in another order than they were sent.
 */
export class Batch {
  #next: Batch | null = null;
  #bytes: Uint8Array | null = null;

  private constructor(
    readonly previous: Batch | null,
    readonly frame: Frame | null,
    /** Bytes of the whole chain. */
    readonly length: number,
  ) {}

  static readonly empty = new Batch(null, null, 0);

  /** The chain with one more frame. Asked again for the same frame, it is the same chain. */
  append(frame: Frame): Batch {
    const next = this.#next;
    if (next !== null && next.frame === frame) return next;
    return (this.#next = new Batch(this, frame, this.length + bytesOf(frame).length));
  }

  /** The whole chain in one buffer, joined at the first call. */
  bytes(): Uint8Array {
    return (this.#bytes ??= this.#join());
  }

  /** Forgets what follows. The empty batch lives for ever, so its last frame would too. */
  forget(): void {
    this.#next = null;
  }

  #join(): Uint8Array {
    const last = bytesOf(this.frame!);
    if (this.length === last.length) return last;
    const joined = Buffer.allocUnsafe(this.length);
    let end = this.length - last.length;
    joined.set(last, end);
    for (let batch = this.previous!; batch.previous !== null; batch = batch.previous) {
      const bytes = bytesOf(batch.frame!);
      end -= bytes.length;
      joined.set(bytes, end);
    }
    return joined;
  }
}

function bytesOf(frame: Frame): Uint8Array {
  return (frame.wire ??= webSocketFrame(frame.data));
}

/** A connection that has something to write. */
export interface Flushable {
  flush(): void;
}

let waiting: Flushable[] = [];

/**
 * Has `connection` flushed at the end of this turn of the event loop: after everything that was read in it has been
 * handled, before anything else is read. No timer, so nothing is delayed.
 */
export function flushSoon(connection: Flushable): void {
  if (waiting.length === 0) setImmediate(flushAll);
  waiting.push(connection);
}

function flushAll(): void {
  const connections = waiting;
  waiting = [];
  for (const connection of connections) connection.flush();
  Batch.empty.forget();
}
