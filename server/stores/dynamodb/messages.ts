import type { ChatMessage } from "../../messaging/model.js";
import type { Page } from "../../messaging/store.js";
import { idPlace, rowPlace, windowPlace } from "./keys.js";
import { type EventLink, type Pending, type Text, textOf } from "./pending.js";
import { keyCondition } from "./ranges.js";
import type { Item, Requests } from "./requests.js";
import type { StoredHead } from "./stored-head.js";
import type { TableNames } from "./tables.js";
import { readTexts } from "./texts.js";

interface Row {
  readonly messageId: string;
  readonly offset: number;
  readonly text: Text;
  readonly event: EventLink | null;
}

/** Where a window has a message. */
interface WindowEntry {
  readonly place: string;
  readonly sessionId: string;
  readonly offset: number;
  readonly messageId: string;
}

const deletedAtOnce = 100;

type PendingMessage = Extract<Pending, { kind: "message" }>;

/**
 * Reads messages: rows, and what the head still carries. The head is always read first, because an entry leaves it only
 * when its rows exist: what was acknowledged before is found in one or the other. Nothing above the offset of that head
 * is taken: the rows of a later write come in any order, and one of them may be there while the one before it is neither
 * among the rows yet nor in the head as it was read.
 */
export class Messages {
  readonly #requests: Requests;
  readonly #table: string;

  constructor(requests: Requests, names: TableNames) {
    this.#requests = requests;
    this.#table = names.messages;
  }

  async find(stored: StoredHead, messageId: string): Promise<ChatMessage | null> {
    const { sessionId, offset: end } = stored.head.session;
    const pending = messagesOf(stored).find((entry) => entry.messageId === messageId);
    if (pending !== undefined) return this.#one(sessionId, pending);
    const place = await this.#requests.get(this.#table, { ...idPlace(sessionId, messageId) });
    if (place === null || (place.offset as number) > end) return null;
    const row = await this.#row(sessionId, place.offset as number);
    return row?.messageId === messageId ? this.#one(sessionId, row) : null;
  }

  async read(
    stored: StoredHead,
    { after, before, limit }: { readonly after?: number; readonly before?: number; readonly limit: number },
  ): Promise<Page<ChatMessage>> {
    const { sessionId, offset: end } = stored.head.session;
    const isForward = after !== undefined;
    const lowest = Math.max(after ?? 0, 0) + 1;
    const highest = Math.min((before ?? Infinity) - 1, end);
    if (lowest > highest) return { items: [], hasMore: false };
    // Both bounds belong to what is read.
    const range = { below: rowPlace(sessionId, lowest).place, above: rowPlace(sessionId, highest).place };
    const condition = keyCondition("partition", sessionId, { sort: "place", ...range })!;
    const items = await this.#requests.first({ table: this.#table, ...condition, isDescending: !isForward }, limit + 1);
    const rows = new Map<number, Row>(items.map((item) => [offsetOf(item), rowOf(item)]));
    for (const entry of messagesOf(stored)) rows.set(entry.offset, entry);
    const wanted = [...rows.values()]
      .filter(({ offset }) => offset >= lowest && offset <= highest)
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
    const entries = await this.#newestOf(window, current, limit);
    const places = new Map(entries.map((entry) => [entry.place, entry]));
    const pending = new Map<string, PendingMessage>();
    for (const entry of current === null ? [] : messagesOf(current)) {
      if (entry.window !== window) continue;
      const { messageId, offset, timestamp } = entry;
      const { sessionId } = current!.head.session;
      const { place } = windowPlace(window, { timestamp, sessionId, offset });
      places.set(place, { place, sessionId, offset, messageId });
      pending.set(place, entry);
    }
    const newest = [...places.values()].toSorted((a, b) => (a.place < b.place ? -1 : 1)).slice(-limit);
    const found = await Promise.all(
      newest.map(async ({ place, sessionId, offset, messageId }) => {
        const row = pending.get(place) ?? (await this.#row(sessionId, offset));
        return row?.messageId === messageId ? this.#one(sessionId, row) : null;
      }),
    );
    return found.filter((message) => message !== null);
  }

  /** The newest rows of a window, without those that the current session's head, as it was read, does not know of. */
  async #newestOf(window: string, current: StoredHead | null, limit: number): Promise<readonly WindowEntry[]> {
    const { sessionId, offset: end } = current?.head.session ?? { sessionId: null, offset: 0 };
    const options = { table: this.#table, ...keyCondition("partition", window)!, isDescending: true };
    const entries: WindowEntry[] = [];
    for await (const page of this.#requests.query({ ...options, pageSize: limit })) {
      const known = (page as readonly unknown[] as readonly WindowEntry[]).filter(
        (entry) => entry.sessionId !== sessionId || entry.offset <= end,
      );
      entries.push(...known);
      if (entries.length >= limit) break;
    }
    return entries;
  }

  /** Those of `messages` that belong into the session and are not in it. */
  async missing(stored: StoredHead, messages: readonly ChatMessage[]): Promise<readonly ChatMessage[]> {
    const { sessionId, offset: end } = stored.head.session;
    const keys = messages.map(({ offset }) => ({ ...rowPlace(sessionId, offset) }));
    const rows = await this.#requests.getAll(this.#table, keys);
    const there = new Set([...rows.map(offsetOf), ...messagesOf(stored).map(({ offset }) => offset)]);
    return messages.filter(({ offset }) => offset <= end && !there.has(offset));
  }

  /** What the rows of these messages, or the entries that have no row yet, say of where the rest lies. By messageId. */
  async linksOf(
    stored: StoredHead,
    messages: readonly ChatMessage[],
  ): Promise<ReadonlyMap<string, Pick<Row, "text" | "event">>> {
    const { sessionId } = stored.head.session;
    const keys = messages.map(({ offset }) => ({ ...rowPlace(sessionId, offset) }));
    const items = await this.#requests.getAll(this.#table, keys);
    return new Map([...messagesOf(stored), ...items.map(rowOf)].map((row) => [row.messageId, row]));
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

  #texts(sessionId: string, rows: readonly Row[]): Promise<readonly ChatMessage[]> {
    return readTexts<ChatMessage>(this.#requests, this.#table, sessionId, rows);
  }

  async #one(sessionId: string, row: Row): Promise<ChatMessage> {
    return (await this.#texts(sessionId, [row]))[0]!;
  }
}

function messagesOf({ pending }: StoredHead): readonly PendingMessage[] {
  return pending.filter((entry) => entry.kind === "message");
}

function rowOf(item: Item): Row {
  const event = (item.event as EventLink | undefined) ?? null;
  return { messageId: item.messageId as string, offset: offsetOf(item), text: textOf(item), event };
}

function offsetOf({ place }: Item): number {
  return Number((place as string).slice(2));
}
