import type { Aside } from "../../messaging/model.js";
import type { AsideRange, Page } from "../../messaging/store.js";
import { asidePlace, asideRange } from "./keys.js";
import { bodyOf, type Pending, placesOfBody, textOf } from "./pending.js";
import { keyCondition } from "./ranges.js";
import type { BatchEntry, Item, Requests } from "./requests.js";
import type { StoredHead } from "./stored-head.js";
import type { TableNames } from "./tables.js";
import { readTexts, type Texted } from "./texts.js";

interface Row extends Texted {
  readonly place: string;
}

type PendingAside = Extract<Pending, { kind: "aside" }>;

/** Reads asides: rows, and what the head still carries. As with messages, the head is always read first. */
export class Asides {
  readonly #requests: Requests;
  readonly #table: string;

  constructor(requests: Requests, names: TableNames) {
    this.#requests = requests;
    this.#table = names.messages;
  }

  async read(stored: StoredHead, range: AsideRange): Promise<Page<Aside>> {
    const { sessionId, offset: end } = stored.head.session;
    const { from, types, limit, isReverse = false } = range;
    const to = Math.min(range.to, end);
    if (from > to) return { items: [], hasMore: false };
    const isWanted = ({ type }: Pick<Aside, "type">) => types?.has(type) ?? true;
    const rows = new Map<string, Row>();
    for await (const item of this.#items(sessionId, { from, to, isReverse, pageSize: limit + 1 })) {
      if (isWanted(item as unknown as Aside)) rows.set(item.place as string, rowOf(item));
      if (rows.size > limit) break;
    }
    for (const entry of asidesOf(stored)) {
      const { place } = asidePlace(sessionId, entry.afterOffset, entry.messageId);
      if (entry.afterOffset >= from && entry.afterOffset <= to && isWanted(entry)) rows.set(place, { ...entry, place });
    }
    const sorted = [...rows.values()].toSorted((a, b) => (a.place < b.place ? -1 : 1));
    const page = isReverse ? sorted.slice(-limit) : sorted.slice(0, limit);
    const items = await readTexts<Aside>(this.#requests, this.#table, sessionId, page);
    return { items, hasMore: sorted.length > limit };
  }

  /** Those of `asides` that belong into the session and are not in it. */
  async missing(stored: StoredHead, asides: readonly Aside[]): Promise<readonly Aside[]> {
    const { sessionId, offset: end } = stored.head.session;
    const there = new Set((await this.#rowsOf(sessionId, asides)).map(({ messageId }) => messageId));
    for (const { messageId } of asidesOf(stored)) there.add(messageId);
    return asides.filter(({ afterOffset, messageId }) => afterOffset <= end && !there.has(messageId));
  }

  /** What is to be deleted of asides: first the rows, and then the bodies, without which a row cannot be read. */
  async keysOf(
    stored: StoredHead,
    asides: readonly Aside[],
  ): Promise<{ readonly rows: readonly BatchEntry[]; readonly bodies: readonly BatchEntry[] }> {
    const { sessionId } = stored.head.session;
    const known: readonly Texted[] = [...asidesOf(stored), ...(await this.#rowsOf(sessionId, asides))];
    const texts = new Map(known.map(({ messageId, text }) => [messageId, text]));
    const bodies = asides.flatMap(({ messageId }) => {
      const text = texts.get(messageId);
      const body = text === undefined ? null : bodyOf(text);
      return body === null ? [] : placesOfBody(sessionId, messageId, body);
    });
    const deleting = (keys: readonly object[]) => keys.map((key) => ({ table: this.#table, deleteKey: { ...key } }));
    return { rows: deleting(placesIn(sessionId, asides)), bodies: deleting(bodies) };
  }

  async #rowsOf(sessionId: string, asides: readonly Aside[]): Promise<readonly Row[]> {
    const keys = placesIn(sessionId, asides).map((place) => ({ ...place }));
    return (await this.#requests.getAll(this.#table, keys)).map(rowOf);
  }

  async *#items(
    sessionId: string,
    options: { readonly from: number; readonly to: number; readonly isReverse: boolean; readonly pageSize: number },
  ): AsyncGenerator<Item> {
    const { from, to, isReverse, pageSize } = options;
    const condition = keyCondition("partition", sessionId, { sort: "place", ...asideRange(from, to) })!;
    const query = { table: this.#table, ...condition, isDescending: isReverse, pageSize };
    for await (const page of this.#requests.query(query)) yield* page;
  }
}

function placesIn(sessionId: string, asides: readonly Aside[]) {
  return asides.map(({ afterOffset, messageId }) => asidePlace(sessionId, afterOffset, messageId));
}

function asidesOf({ pending }: StoredHead): readonly PendingAside[] {
  return pending.filter((entry) => entry.kind === "aside");
}

function rowOf(item: Item): Row {
  return { place: item.place as string, messageId: item.messageId as string, text: textOf(item) };
}
