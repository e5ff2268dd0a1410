import { randomFillSync } from "node:crypto";
import { v4, v7 } from "uuid";
import type { Clock } from "../clock.js";

/** Where ids come from: handed in, so that a test can repeat a run. */
export interface Ids {
  /** UUID v4: tells nothing. For sessions and sockets. */
  random(): string;
  /** UUID v7: sorts by time. For messages, responses and cursors. */
  sortable(): string;
}

export function createIds(clock: Clock): Ids {
  const random = randomSource();
  let lastMs = 0;
  let sequence = 0;
  // Sorts in the order of the calls, also within one millisecond and when the clock goes back.
  const sortable = () => {
    const now = clock.now();
    if (now > lastMs) {
      lastMs = now;
      sequence = 0;
    } else {
      sequence += 1;
    }
    return v7({ msecs: lastMs, seq: sequence, random: random() });
  };
  return { random: () => v4({ random: random() }), sortable };
}

const idBytes = 16;
const idsPerDraw = 1024;

// Several ids are made per message; drawing their random bytes one by one would cost more than all the rest of them.
function randomSource(): () => Uint8Array {
  const pool = new Uint8Array(idBytes * idsPerDraw);
  let at = pool.length;
  return () => {
    if (at === pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    // A copy: uuid writes its version into what it is given.
    return pool.slice(at, (at += idBytes));
  };
}

/** The smallest cursor of a time, to begin reading from it. Cursors are UUID v7, whose first 48 bits are milliseconds. */
export function cursorAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** The time of a cursor in ms, or null when the text is no cursor. */
export function timeOfCursor(cursor: string): number | null {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(cursor)) return null;
  return parseInt(cursor.slice(0, 8) + cursor.slice(9, 13), 16);
}

const lastDigit = /[0-9a-f]$/;

/**
 * The id of the response to a message of a chat, and back: a response has its id before there is one, and whoever asks
 * for it is told of its question. The two differ in one bit that is random in every other id. (SPEC H32)
 */
export function counterpartOf(messageId: string): string {
  return messageId.replace(lastDigit, (digit) => (parseInt(digit, 16) ^ 1).toString(16));
}
