import type { Clock } from "../../clock.js";
import type { Head } from "../../messaging/head.js";
import { cursorAt, timeOfCursor } from "../../messaging/ids.js";
import type { Aside, ChatMessage, ProcessedEvent } from "../../messaging/model.js";
import { asideKey, indexKey, indexNames, isPlacedAlike, type Tables, windowKey } from "./tables.js";

const eventLifeMs = 24 * 60 * 60 * 1000;
/** Looking for them costs as much as a put. */
const eventsPerSweep = 64;

/** Writes and removes what belongs to a session, each with all that follows from it. Only inside a write. */
export class SessionRows {
  readonly #tables: Tables;
  readonly #clock: Clock;
  #eventsPut = 0;

  constructor(tables: Tables, clock: Clock) {
    this.#tables = tables;
    this.#clock = clock;
  }

  /** @param before the head that is there now */
  putHead(before: Head | null, after: Head): void {
    this.#tables.heads.put(after.session.sessionId, after);
    this.#moveIndexes(before, after);
  }

  removeHead(head: Head): void {
    this.#tables.heads.remove(head.session.sessionId);
    this.#moveIndexes(head, null);
  }

  /** @param events what came of the same change: they go when the message goes */
  putMessage(head: Head, message: ChatMessage, events: readonly ProcessedEvent[] = []): void {
    const { sessionId, offset, messageId } = message;
    this.#tables.messages.put([sessionId, offset], message);
    const cursors = events.map(({ cursor }) => cursor);
    this.#tables.places.put([messageId, sessionId], cursors.length === 0 ? { offset } : { offset, cursors });
    const window = windowKey(head, message);
    if (window !== null) this.#tables.windows.put(window, [sessionId, offset]);
  }

  removeMessage(head: Head, { messageId }: ChatMessage): void {
    const { sessionId, businessId } = head.session;
    const place = this.#tables.places.get([messageId, sessionId]);
    if (place === null) return;
    const message = this.#tables.messages.get([sessionId, place.offset]);
    const window = message === null ? null : windowKey(head, message);
    if (window !== null) this.#tables.windows.remove(window);
    for (const cursor of place.cursors ?? []) this.#tables.events.remove([businessId, cursor]);
    this.#tables.messages.remove([sessionId, place.offset]);
    this.#tables.places.remove([messageId, sessionId]);
  }

  putAside(aside: Aside): void {
    this.#tables.asides.put(asideKey(aside), aside);
  }

  removeAside(aside: Aside): void {
    this.#tables.asides.remove(asideKey(aside));
  }

  // Every so often an event takes those along that have outlived their day: twice as many as were written meanwhile, so
  // that they never pile up.
  putEvent(event: ProcessedEvent): void {
    const { businessId, cursor } = event;
    this.#tables.events.put([businessId, cursor], event);
    this.#eventsPut += 1;
    if (this.#eventsPut % eventsPerSweep !== 0) return;
    const end = [businessId, cursorAt((timeOfCursor(cursor) ?? this.#clock.now()) - eventLifeMs)];
    const outlived = [...this.#tables.events.entries({ start: [businessId], end, limit: 2 * eventsPerSweep })];
    for (const { key } of outlived) this.#tables.events.remove(key);
  }

  #moveIndexes(before: Head | null, after: Head | null): void {
    for (const name of indexNames) {
      if (before !== null && after !== null && isPlacedAlike(name, before, after)) continue;
      const from = before === null ? null : indexKey(name, before);
      const to = after === null ? null : indexKey(name, after);
      if (from !== null) this.#tables.indexes[name].remove(from);
      if (to !== null) this.#tables.indexes[name].put(to, (after ?? before)!.session.sessionId);
    }
  }
}
