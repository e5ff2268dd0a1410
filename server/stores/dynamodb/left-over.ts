import type { Clock } from "../../clock.js";
import { timeOfCursor } from "../../messaging/ids.js";
import type { ChatMessage, ProcessedEvent } from "../../messaging/model.js";
import { type LeftOver, StoreError } from "../../messaging/store.js";
import { bodyOf, type EventLink, eventRowKey, type Pending, pendingEvent } from "./pending.js";
import type { BatchEntry } from "./requests.js";
import type { StoredHead } from "./stored-head.js";
import type { TableNames } from "./tables.js";

/**
 * Replays begin a minute before what a coordinator has seen, and not all of that is to be had: clocks differ, and rows
 * take a while. An event that is written later than this after it was made gets a new place, as if it were made now.
 */
const lateMs = 10_000;

export interface LeftOverDeps {
  readonly names: TableNames;
  readonly clock: Clock;
  /** Names a write. */
  readonly newId: () => string;
  readonly newCursor: () => string;
  readonly findMessage: (stored: StoredHead, messageId: string) => Promise<ChatMessage | null>;
  /** Null when its text is gone. */
  readonly readEvent: (entry: PendingEvent) => Promise<ProcessedEvent | null>;
}

/** What is to be written of pending entries, and what is to be told once it is there. */
export interface Settlement {
  readonly entries: readonly Pending[];
  /** To be written before the rows that lead to them. */
  readonly parts: readonly BatchEntry[];
  readonly leftOver: readonly LeftOver[];
  /** Rows of events that have another place now: a process may have written them before it ended. To go last. */
  readonly outdated: readonly BatchEntry[];
}

export type PendingEvent = Extract<Pending, { kind: "event" }>;

/** An event in the place where it is to be found. */
interface Placed {
  readonly event: ProcessedEvent;
  readonly pending: PendingEvent;
  readonly parts: readonly BatchEntry[];
}

/**
 * What a session's head carries that nobody was told of: outcomes of a process that ended, or of a write of ours whose
 * answer was lost. And what is written so late that a replay would not find it in its old place. (docs/decisions/0003)
 */
export class LeftOvers {
  readonly #deps: LeftOverDeps;
  /** New places, by the old cursor: a row that is written again goes where it went before. */
  readonly #moved = new Map<string, Placed>();

  constructor(deps: LeftOverDeps) {
    this.#deps = deps;
  }

  /**
   * @param ownSince since when, by the monotonic clock, there have been entries that this process wrote and whose callers
   * it tells
   */
  async settlement(
    stored: StoredHead,
    entries: readonly Pending[],
    ownSince: ReadonlyMap<string, number>,
  ): Promise<Settlement> {
    const events = entries.filter((entry) => entry.kind === "event");
    const cursors = new Set(events.map(({ cursor }) => cursor));
    for (const cursor of this.#moved.keys()) if (!cursors.has(cursor)) this.#moved.delete(cursor);
    const parts: BatchEntry[] = [];
    const leftOver: LeftOver[] = [];
    const moved = new Map<string, PendingEvent>();
    // A session that is being deleted is shown to nobody.
    for (const entry of stored.head.deletingSince === null ? events : []) {
      const since = ownSince.get(entry.cursor);
      const isLate = since === undefined ? this.#isOld(entry.cursor) : this.#deps.clock.monotonic() - since > lateMs;
      if (since !== undefined && !isLate) continue;
      const placed = await this.#place(entry, isLate);
      if (placed === null) continue;
      parts.push(...placed.parts);
      moved.set(entry.cursor, placed.pending);
      if (since !== undefined) continue;
      leftOver.push({ event: placed.event, message: await this.#answerOf(stored, entries, entry.cursor) });
    }
    const outdated = events
      .filter(({ cursor }) => (moved.get(cursor)?.cursor ?? cursor) !== cursor)
      .map(({ businessId, cursor }) => eventRowKey(this.#deps.names, businessId, cursor));
    return { entries: entries.map((entry) => movedEntry(entry, moved)), parts, leftOver, outdated };
  }

  async #place(entry: PendingEvent, isLate: boolean): Promise<Placed | null> {
    const before = this.#moved.get(entry.cursor);
    if (before !== undefined && !this.#isOld(before.event.cursor)) return before;
    const event = await this.#deps.readEvent(entry);
    if (event === null) return null;
    if (!isLate) return { event, pending: entry, parts: [] };
    const late = { ...event, cursor: this.#deps.newCursor() };
    const { pending, parts } = pendingEvent(this.#deps.names, late, this.#deps.newId());
    const placed = { event: late, pending: pending as PendingEvent, parts };
    this.#moved.set(entry.cursor, placed);
    return placed;
  }

  async #answerOf(stored: StoredHead, entries: readonly Pending[], cursor: string): Promise<ChatMessage | null> {
    const entry = entries.find((each) => each.kind === "message" && each.event?.cursor === cursor);
    if (entry?.kind !== "message") return null;
    try {
      return await this.#deps.findMessage(stored, entry.messageId);
    } catch (error) {
      // What is damaged for good must not keep its rows from being written.
      if (error instanceof StoreError && !error.retryable) return null;
      throw error;
    }
  }

  #isOld(cursor: string): boolean {
    return this.#deps.clock.now() - (timeOfCursor(cursor) ?? 0) > lateMs;
  }
}

/** The entry itself, or what it is when its event has another place. */
function movedEntry(entry: Pending, moved: ReadonlyMap<string, PendingEvent>): Pending {
  if (entry.kind === "event") return moved.get(entry.cursor) ?? entry;
  return entry.kind === "aside" || entry.event === null ? entry : { ...entry, event: movedLink(entry.event, moved) };
}

function movedLink(link: EventLink, moved: ReadonlyMap<string, PendingEvent>): EventLink {
  const event = moved.get(link.cursor);
  const place = event === undefined ? link : { cursor: event.cursor, body: bodyOf(event.text) };
  if (link.others === undefined) return place;
  return { ...place, others: link.others.map((other) => movedLink(other, moved)) };
}
