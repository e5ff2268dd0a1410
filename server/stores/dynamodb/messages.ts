import type { ChatMessage } from "../../messaging/model.js";
import { type Page, StoreError } from "../../messaging/store.js";
import { bodyPlace, idPlace, rowPlace, rowsEnd } from "./keys.js";
import { type EventLink, type Pending, type Text, textOf } from "./pending.js";
import { keyCondition } from "./ranges.js";
import type { Item, Requests } from "./requests.js";
import type { StoredHead } from "./stored-head.js";
import type { TableNames } from "./tables.js";

interface Row {
  readonly messageId: string;
  readonly offset: number;
  readonly text: Text;
}

const deletedAtOnce = 100;

type PendingMessage = Extract<Pending, { kind: "message" }>;

/**
 * Reads messages: rows, and what the head still carries. The head is always read first, because an entry leaves it only
 * when its rows exist: what was acknowledged before is found in one or the other.
 */
export class Messages {
  readonly #requests: Requests;
  readonly #table: string;

  constructor(requests: Requests, names: TableNames) {
    this.#requests = requests;
    this.#table = names.messages;
  }

  async find(stored: StoredHead, messageId: string): Promise<ChatMessage | null> {
    const { sessionId } = stored.head.session;
    const pending = messagesOf(stored).find((entry) => entry.messageId === messageId);
    if (pending !== undefined) return this.#one(sessionId, pending);
    const place = await this.#requests.get(this.#table, { ...idPlace(sessionId, messageId) });
    if (place === null) return null;
    const row = await this.#row(sessionId, place.offset as number);
    return row?.messageId === messageId ? this.#one(sessionId, row) : null;
  }

  async read(
    stored: StoredHead,
    { after, before, limit }: { readonly after?: number; readonly before?: number; readonly limit: number },
  ): Promise<Page<ChatMessage>> {
    const { sessionId } = stored.head.session;
    const isForward = after !== undefined;
    const range = {
      sort: "place",
      below: rowPlace(sessionId, after ?? 0).place,
      above: before === undefined ? rowsEnd : rowPlace(sessionId, Math.max(before, 0)).place,
    };
    const condition = keyCondition("partition", sessionId, range);
    if (condition === null) return { items: [], hasMore: false };
    // Both bounds lie in what is read, and neither belongs to it.
    const items = await this.#requests.first({ table: this.#table, ...condition, isDescending: !isForward }, limit + 3);
    const rows = new Map<number, Row>(items.map((item) => [offsetOf(item), rowOf(item)]));
    for (const entry of messagesOf(stored)) rows.set(entry.offset, entry);
    const wanted = [...rows.values()]
      .filter(({ offset }) => offset > (after ?? 0) && (before === undefined || offset < before))
      .toSorted((a, b) => (isForward ? a.offset - b.offset : b.offset - a.offset));
    const page = wanted.slice(0, limit).toSorted((a, b) => a.offset - b.offset);
    return { items: await this.#texts(sessionId, page), hasMore: wanted.length > limit };
  }

  /** By bisection: within a session timestamps never go back. */
  async offsetAt(stored: StoredHead, timestamp: string): Promise<number> {
    const { sessionId, offset } = stored.head.session;
    const pending = new Map(messagesOf(stored).map((entry) => [entry.offset, entry.timestamp]));
    let low = 1;
    let high = offset + 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = pending.get(middle) ?? (await this.#timestampAt(sessionId, middle));
      if (at !== null && at < timestamp) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param current the session in which the user says something at present, whose latest words may have no row yet */
  async readWindow(window: string, current: StoredHead | null, limit: number): Promise<readonly ChatMessage[]> {
    const condition = keyCondition("partition", window)!;
    const entries = await this.#requests.first({ table: this.#table, ...condition, isDescending: true }, limit);
    const places = new Map<string, { readonly sessionId: string; readonly offset: number }>(
      entries.map(({ place, sessionId, offset }) => [
        place as string,
        { sessionId: sessionId as string, offset: offset as number },
      ]),
    );
    const pending = current === null ? [] : messagesOf(current).filter((entry) => entry.window === window);
    for (const { messageId, offset } of pending) {
      places.set(messageId, { sessionId: current!.head.session.sessionId, offset });
    }
    const newest = [...places].toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(-limit);
    const found = await Promise.all(
      newest.map(async ([messageId, { sessionId, offset }]) => {
        const row = pending.find((entry) => entry.messageId === messageId) ?? (await this.#row(sessionId, offset));
        return row?.messageId === messageId ? this.#one(sessionId, row) : null;
      }),
    );
    return found.filter((message) => message !== null);
  }

  /** Those of `messages` that belong into the session and are not in it. */
  async missing(stored: StoredHead, messages: readonly ChatMessage[]): Promise<readonly ChatMessage[]> {
    const { sessionId, offset: end } = stored.head.session;
    const keys = messages.map(({ offset }) => ({ ...rowPlace(sessionId, offset) }));
    const rows = await this.#requests.getAll(this.#table, keys);
    const there = new Set([...rows.map(offsetOf), ...messagesOf(stored).map(({ offset }) => offset)]);
    return messages.filter(({ offset }) => offset <= end && !there.has(offset));
  }

  /** Which events tell of these messages, by messageId. */
  async eventsOf(sessionId: string, messages: readonly ChatMessage[]): Promise<ReadonlyMap<string, EventLink>> {
    const keys = messages.map(({ offset }) => ({ ...rowPlace(sessionId, offset) }));
    const rows = await this.#requests.getAll(this.#table, keys);
    return new Map(
      rows
        .filter(({ event }) => event !== undefined)
        .map(({ messageId, event }) => [messageId as string, event as EventLink]),
    );
  }

  /** Everything that still lies in a session's partition. */
  async deletePartition(sessionId: string): Promise<void> {
    const condition = keyCondition("partition", sessionId)!;
    const query = { table: this.#table, ...condition, attributes: ["partition", "place"], pageSize: deletedAtOnce };
    for await (const items of this.#requests.query(query)) {
      await this.#requests.writeAll(
        items.map(({ partition, place }) => ({ table: this.#table, deleteKey: { partition, place } })),
      );
    }
  }

  async #row(sessionId: string, offset: number): Promise<Row | null> {
    const item = await this.#requests.get(this.#table, { ...rowPlace(sessionId, offset) });
    return item === null ? null : rowOf(item);
  }

  async #timestampAt(sessionId: string, offset: number): Promise<string | null> {
    const item = await this.#requests.get(this.#table, { ...rowPlace(sessionId, offset) });
    return (item?.timestamp as string | undefined) ?? null;
  }

  async #one(sessionId: string, row: Row): Promise<ChatMessage> {
    return (await this.#texts(sessionId, [row]))[0]!;
  }

  /** The messages of rows, in their order; what is too long for a row is read from where it lies. */
  async #texts(sessionId: string, rows: readonly Row[]): Promise<readonly ChatMessage[]> {
    const keys = rows.flatMap(({ messageId, text }) =>
      "parts" in text
        ? Array.from({ length: text.parts }, (_, index) => ({ ...bodyPlace(sessionId, messageId, index) }))
        : [],
    );
    const parts = await this.#requests.getAll(this.#table, keys);
    const byMessage = new Map<string, Item[]>();
    for (const part of parts) {
      const place = part.place as string;
      const messageId = place.slice(2, place.lastIndexOf("#"));
      byMessage.set(messageId, [...(byMessage.get(messageId) ?? []), part]);
    }
    return rows.map(({ messageId, text }) => {
      if ("json" in text) return JSON.parse(text.json) as ChatMessage;
      const found = byMessage.get(messageId) ?? [];
      if (found.length === text.parts) return joinParts<ChatMessage>(found, "place");
      const cause = new Error(`${found.length} of the ${text.parts} parts of ${messageId} are there`);
      throw new StoreError("reading a message", { retryable: false, cause });
    });
  }
}

/** JSON that was cut into parts. @param sort the attribute that orders them */
export function joinParts<T>(parts: readonly Item[], sort: string): T {
  const inOrder = parts.toSorted((a, b) => ((a[sort] as string) < (b[sort] as string) ? -1 : 1));
  return JSON.parse(Buffer.concat(inOrder.map(({ part }) => part as Uint8Array)).toString()) as T;
}

function messagesOf({ pending }: StoredHead): readonly PendingMessage[] {
  return pending.filter((entry) => entry.kind === "message");
}

function rowOf(item: Item): Row {
  return { messageId: item.messageId as string, offset: offsetOf(item), text: textOf(item) };
}

function offsetOf({ place }: Item): number {
  return Number((place as string).slice(2));
}
