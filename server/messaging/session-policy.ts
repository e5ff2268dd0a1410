import { DateTime, FixedOffsetZone, IANAZone } from "luxon";
import type { Head } from "./head.js";

/** From its first millisecond to the first of the next one. */
export interface BusinessDay {
  /** `YYYY-MM-DD` */
  readonly day: string;
  readonly from: number;
  readonly to: number;
}

/** The business day, `YYYY-MM-DD` in its time zone, in which a moment falls. (SPEC M2) */
export function businessDay(ms: number, timeZone: string): string {
  const known = days.get(timeZone);
  if (known !== undefined && known.from <= ms && ms < known.to) return known.day;
  const bounds = dayBounds(ms, timeZone);
  if (days.size >= zonesMax) days.clear();
  days.set(timeZone, bounds);
  return bounds.day;
}

/** The business day of a moment, and where it begins and ends, in ms. A day of a clock change has 23 or 25 hours. */
export function dayBounds(ms: number, timeZone: string): BusinessDay {
  const zone = IANAZone.isValidZone(timeZone) ? IANAZone.create(timeZone) : FixedOffsetZone.utcInstance;
  const start = DateTime.fromMillis(ms, { zone }).startOf("day");
  return {
    day: start.toISODate() ?? "",
    from: start.toMillis(),
    to: start.plus({ days: 1 }).startOf("day").toMillis(),
  };
}

// The day is asked for with every message and changes once in 24 hours.
const days = new Map<string, BusinessDay>();
const zonesMax = 1000;

/** A daily session whose business day has passed takes no more messages. */
export function isDayOver(head: Head, today: string): boolean {
  return head.day !== null && head.day !== today;
}

export interface MadeUpId {
  readonly businessId: string;
  readonly userId: string;
  readonly ms: number;
}

const halfDayMs = 12 * 60 * 60 * 1000;

/**
 * Reads the id that old clients make up for a session they do not know yet: `<businessId>:<userId>:<their midnight in
 * ms>`. A userId may contain colons, so it is read from both ends. (SPEC M3)
 */
export function parseMadeUpId(text: string): MadeUpId | null {
  const first = text.indexOf(":");
  const last = text.lastIndexOf(":");
  if (first <= 0 || last <= first + 1) return null;
  const ms = text.slice(last + 1);
  if (!/^\d{1,15}$/.test(ms)) return null;
  return { businessId: text.slice(0, first), userId: text.slice(first + 1, last), ms: Number(ms) };
}

/** The business day that a made-up id means: the one in which its noon falls, since its midnight is the client's own. */
export function dayOfMadeUpId(id: MadeUpId, timeZone: string): BusinessDay {
  return dayBounds(Math.min(id.ms + halfDayMs, 8.64e15), timeZone);
}

/** How long sessions are kept, in ms. */
export interface SessionLife {
  /** Silence after which an active one is abandoned. */
  readonly idleMs: number;
  /** From the last change of one that is over until its deletion. */
  readonly retentionMs: number;
}

/** What happened before these moments is due. */
export interface CleanupTimes {
  /** The last message of an active session: it is abandoned. */
  readonly idleBefore: string;
  /** The last change of one that is over: it begins to be deleted. */
  readonly endedBefore: string;
  /** The beginning of its deletion: nobody writes to it any more, and its head goes too. */
  readonly deletedBefore: string;
}

const dayMs = 24 * 60 * 60 * 1000;

/** @see SPEC M22 */
export function cleanupTimes(now: number, { idleMs, retentionMs }: SessionLife): CleanupTimes {
  const before = (ms: number) => new Date(Math.max(0, now - ms)).toISOString();
  return { idleBefore: before(idleMs), endedBefore: before(retentionMs), deletedBefore: before(dayMs) };
}
