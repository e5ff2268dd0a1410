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
  return { random: () => v4(), sortable: () => v7({ msecs: clock.now() }) };
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
