import type { RootDatabase } from "lmdb";
import type { Clock } from "../../clock.js";
import type { Head } from "../../messaging/head.js";
import type { Aside, ChatMessage, ProcessedEvent, Session } from "../../messaging/model.js";
import { partitionOf } from "../../messaging/records.js";
import {
  type AsideRange,
  type IndexPage,
  type IndexRange,
  type Page,
  type RecordKey,
  type RecordWrite,
  type SessionChange,
  type SessionOwner,
  type SessionPhase,
  type Store,
  type StoredRecord,
  StoreClosed,
  StoreError,
} from "../../messaging/store.js";
import { claimDataDir } from "./data-dir.js";
import { GroupCommit } from "./group-commit.js";
import { readPage } from "./index-page.js";
import { firstRev, putDeletedRev } from "./meta.js";
import { DamagedRecord } from "./record.js";
import { SessionRows } from "./session-rows.js";
import { openStoreFiles } from "./store-files.js";
import { asideKey, hourOf, last, Tables, windowScope } from "./tables.js";

/**
 * The Store on the machine's own disk. Each change is one transaction that writes the head and all that follows from
 * it, so there is never anything to be finished. (SPEC S1–S8)
 */
export class EmbeddedStore implements Store {
  readonly epoch: string;
  readonly #root: RootDatabase;
  readonly #commit: GroupCommit;
  readonly #tables: Tables;
  readonly #rows: SessionRows;
  readonly #release: () => Promise<void>;
  #closed: Promise<void> | null = null;

  /**
   * Opens the store of a data directory, or makes one.
   * @param onFailure called once, when the disk has failed and nothing more will be written
   * @throws DataDirInUse when another server has it; StoreError when it cannot be read or is of another version
   */
  static async open(directory: string, clock: Clock, onFailure: (cause: unknown) => void): Promise<EmbeddedStore> {
    const release = await claimDataDir(directory);
    try {
      const { root, epoch } = await openStoreFiles(directory);
      const commit = new GroupCommit(root, clock, onFailure);
      const tables = new Tables(root, commit);
      return new EmbeddedStore({ root, commit, tables, rows: new SessionRows(tables, clock), epoch, release });
    } catch (cause) {
      await release();
      throw new StoreError(`opening the store in ${directory}`, { retryable: false, cause });
    }
  }

  private constructor(parts: {
    readonly root: RootDatabase;
    readonly commit: GroupCommit;
    readonly tables: Tables;
    readonly rows: SessionRows;
    readonly epoch: string;
    readonly release: () => Promise<void>;
  }) {
    this.#root = parts.root;
    this.#commit = parts.commit;
    this.#tables = parts.tables;
    this.#rows = parts.rows;
    this.epoch = parts.epoch;
    this.#release = parts.release;
  }

  get failure(): string | null {
    const { failure } = this.#commit;
    return failure === null ? null : `the store is read-only until a restart: ${String(failure.cause)}`;
  }

  /** From now on everything else rejects with a StoreError. (SPEC S18) */
  close(): Promise<void> {
    this.#closed ??= this.#letGo();
    return this.#closed;
  }

  async #letGo(): Promise<void> {
    await this.#commit.idle();
    // After a failed disk LMDB may never let go; the process ends anyway.
    if (this.#commit.failure === null) await this.#root.close();
    await this.#release();
  }

  readHead(sessionId: string): Promise<Head | null> {
    return this.#read("read a session", () => this.#tables.heads.get(sessionId));
  }

  createHead(head: Head): Promise<Head> {
    return this.#write("create a session", () => {
      const existing = this.#tables.heads.get(head.session.sessionId);
      if (existing !== null) return existing;
      this.#rows.putHead(null, head);
      return head;
    });
  }

  changeSession<T>(
    sessionId: string,
    change: (head: Head, found: ChatMessage | null) => SessionChange<T>,
    lookUp?: string,
  ): Promise<T | null> {
    return this.#write("change a session", () => {
      const head = this.#tables.heads.get(sessionId);
      if (head === null) return null;
      const found = lookUp === undefined ? null : this.#messageOf(sessionId, lookUp);
      const { result, head: next, messages = [], events = [], asides } = change(head, found);
      if (next === undefined) return result;
      this.#rows.putHead(head, { ...next, rev: head.rev + 1 });
      for (const [index, message] of messages.entries()) {
        this.#rows.putMessage(next, message, index === 0 ? events : []);
      }
      for (const event of events) this.#rows.putEvent(event);
      if (asides !== undefined) for (const aside of asides) this.#rows.putAside(aside);
      return result;
    });
  }

  /** A change is one transaction: nothing is ever left to be settled. */
  settle(): Promise<void> {
    return Promise.resolve();
  }

  /** Nor is there anything that its caller was not told of. */
  onLeftOver(): void {}

  findMessage(sessionId: string, messageId: string): Promise<ChatMessage | null> {
    return this.#read("find a message", () => this.#messageOf(sessionId, messageId));
  }

  readMessages(
    sessionId: string,
    { after, before, limit }: { readonly after?: number; readonly before?: number; readonly limit: number },
  ): Promise<Page<ChatMessage>> {
    const { messages } = this.#tables;
    return this.#read("read messages", () => {
      if (after !== undefined) {
        const start = [sessionId, after + 1];
        return pageOf(messages.range({ start, end: [sessionId, before ?? last], limit: limit + 1 }), limit);
      }
      const start = [sessionId, before === undefined ? last : before - 1];
      const newest = messages.range({ start, end: [sessionId], reverse: true, limit: limit + 1 });
      const { items, hasMore } = pageOf(newest, limit);
      return { items: items.toReversed(), hasMore };
    });
  }

  readAsides(sessionId: string, { from, to, types, limit, isReverse = false }: AsideRange): Promise<Page<Aside>> {
    const [lowest, highest] = [
      [sessionId, from],
      [sessionId, to, last],
    ];
    const bounds = isReverse
      ? { start: highest, end: lowest, reverse: true }
      : { start: lowest, end: highest, reverse: false };
    return this.#read("read asides", () => {
      const found: Aside[] = [];
      for (const { value } of this.#tables.asides.entries(bounds)) {
        if (types?.has(value.type) ?? true) found.push(value);
        if (found.length > limit) break;
      }
      const { items, hasMore } = pageOf(found, limit);
      return { items: isReverse ? items.toReversed() : items, hasMore };
    });
  }

  offsetAt(sessionId: string, timestamp: string): Promise<number> {
    return this.#read("find an offset", () => {
      let low = 1;
      let high = (this.#tables.heads.get(sessionId)?.session.offset ?? 0) + 1;
      while (low < high) {
        const middle = (low + high) >>> 1;
        const message = this.#tables.messages.get([sessionId, middle]);
        if (message !== null && message.timestamp < timestamp) low = middle + 1;
        else high = middle;
      }
      return low;
    });
  }

  readWindow(
    key: { readonly businessId: string; readonly userId: string; readonly chatId: string },
    limit: number,
  ): Promise<readonly ChatMessage[]> {
    return this.#read("read a chat window", () => {
      const scope = windowScope(key);
      const places = this.#tables.windows.range({ start: [...scope, last], end: scope, reverse: true, limit });
      return places
        .map((place) => this.#tables.messages.get([...place]))
        .filter((message) => message !== null)
        .toReversed();
    });
  }

  readActiveSessions(businessId: string, range: IndexRange): Promise<IndexPage<Session>> {
    return this.#read("read active sessions", () => {
      const { items, next } = readPage(this.#tables.indexes.active, businessId, { ...range, isReverse: true });
      const sessions = items.map(({ value }) => this.#sessionOf(value));
      // The index knows the minute only.
      const latestFirst = (one: Session, other: Session) =>
        one.lastMessageAt < other.lastMessageAt ? 1 : one.lastMessageAt > other.lastMessageAt ? -1 : 0;
      return { items: sessions.sort(latestFirst), next };
    });
  }

  countActiveSessions(businessId: string): Promise<number> {
    const bounds = { start: [businessId], end: [businessId, last] };
    return this.#read("count active sessions", () => this.#tables.indexes.active.count(bounds));
  }

  readSessionsOf(
    owner: SessionOwner,
    { createdFrom, createdTo, ...range }: IndexRange & { readonly createdFrom?: string; readonly createdTo?: string },
  ): Promise<IndexPage<Session>> {
    const bounds = {
      ...(createdFrom === undefined ? {} : { above: createdFrom }),
      ...(createdTo === undefined ? {} : { below: createdTo }),
    };
    return this.#read("read the sessions of an owner", () => {
      const options = { ...range, ...bounds, isReverse: true };
      return this.#sessionsIn(readPage(this.#tables.indexes.owners, partitionOf(owner), options));
    });
  }

  readSessionsOfBusiness(businessId: string, range: IndexRange): Promise<IndexPage<Session>> {
    return this.#read("read the sessions of a business", () =>
      this.#sessionsIn(readPage(this.#tables.indexes.businesses, businessId, { ...range, isReverse: true })),
    );
  }

  readSessionsWithWork(range: IndexRange): Promise<IndexPage<string>> {
    return this.#read("read open turns", () => idsOf(readPage(this.#tables.indexes.work, "", range)));
  }

  readSessionsUnchanged(
    phase: SessionPhase,
    { before, ...range }: IndexRange & { readonly before: string },
  ): Promise<IndexPage<string>> {
    return this.#read("read unchanged sessions", () =>
      idsOf(readPage(this.#tables.indexes.phases, phase, { ...range, below: hourOf(before) })),
    );
  }

  deleteMessages(sessionId: string, messages: readonly ChatMessage[]): Promise<void> {
    return this.#write("delete messages", () => {
      const head = this.#tables.heads.get(sessionId);
      if (head === null || head.deletingSince === null) return;
      for (const message of messages) this.#rows.removeMessage(head, message);
    });
  }

  deleteAsides(sessionId: string, asides: readonly Aside[]): Promise<void> {
    return this.#write("delete asides", () => {
      const head = this.#tables.heads.get(sessionId);
      if (head === null || head.deletingSince === null) return;
      for (const aside of asides) this.#rows.removeAside(aside);
    });
  }

  deleteHead(sessionId: string): Promise<void> {
    return this.#write("delete a session", () => {
      const head = this.#tables.heads.get(sessionId);
      if (head !== null && head.deletingSince !== null) this.#rows.removeHead(head);
    });
  }

  readEvents(
    businessId: string,
    { after, limit }: { readonly after: string; readonly limit: number },
  ): Promise<Page<ProcessedEvent>> {
    return this.#read("read events", () => {
      const bounds = { start: [businessId, after], end: [businessId, last], limit: limit + 2 };
      const events = this.#tables.events.range(bounds).filter(({ cursor }) => cursor !== after);
      return pageOf(events, limit);
    });
  }

  readRecord<T>({ partition, id }: RecordKey): Promise<StoredRecord<T> | null> {
    return this.#read("read a record", () => this.#tables.records.get([partition, id]) as StoredRecord<T> | null);
  }

  writeRecord<T>({ partition, id }: RecordKey, expected: number | null, value: T | null): Promise<RecordWrite<T>> {
    const { records, meta } = this.#tables;
    return this.#write("write a record", () => {
      const current = records.get([partition, id]) as StoredRecord<T> | null;
      if ((current?.rev ?? null) !== expected) return { isWritten: false, record: current };
      if (value === null) {
        if (current !== null) putDeletedRev(meta, current.rev);
        records.remove([partition, id]);
        return { isWritten: true, record: null };
      }
      const record = { rev: current === null ? firstRev(meta) : current.rev + 1, value };
      records.put([partition, id], record);
      return { isWritten: true, record };
    });
  }

  listRecords<T>(partition: string, range: IndexRange): Promise<IndexPage<StoredRecord<T> & { readonly id: string }>> {
    return this.#read("list records", () => {
      const { items, next } = readPage(this.#tables.records, partition, range);
      return { items: items.map(({ position, value }) => ({ id: position, ...(value as StoredRecord<T>) })), next };
    });
  }

  importSession(head: Head, messages: readonly ChatMessage[], asides: readonly Aside[] = []): Promise<void> {
    const { sessionId } = head.session;
    return this.#write("import a session", () => {
      const existing = this.#tables.heads.get(sessionId);
      const current = existing ?? { ...head, lease: null };
      if (existing === null) this.#rows.putHead(null, current);
      if (existing !== null && existing.deletingSince !== null) return;
      for (const message of messages) {
        const isBeyond = message.offset > current.session.offset;
        if (!isBeyond && this.#tables.messages.get([sessionId, message.offset]) === null) {
          this.#rows.putMessage(current, message);
        }
      }
      for (const aside of asides) {
        const isBeyond = aside.afterOffset > current.session.offset;
        if (!isBeyond && this.#tables.asides.get(asideKey(aside)) === null) this.#rows.putAside(aside);
      }
    });
  }

  #messageOf(sessionId: string, messageId: string): ChatMessage | null {
    const place = this.#tables.places.get([messageId, sessionId]);
    return place === null ? null : this.#tables.messages.get([sessionId, place.offset]);
  }

  #sessionsIn({ items, next }: IndexPage<{ readonly value: string }>): IndexPage<Session> {
    return { items: items.map(({ value }) => this.#sessionOf(value)), next };
  }

  #sessionOf(sessionId: string): Session {
    const head = this.#tables.heads.get(sessionId);
    if (head === null) throw new DamagedRecord(`the session ${sessionId} is in an index and nowhere else`);
    return head.session;
  }

  #read<T>(operation: string, read: () => T): Promise<T> {
    // Asked while it closes, LMDB reads memory that it has freed, and that ends the process.
    if (this.#closed !== null) return Promise.reject(new StoreClosed(operation));
    try {
      return Promise.resolve(read());
    } catch (cause) {
      return Promise.reject(storeError(operation, cause));
    }
  }

  async #write<T>(operation: string, write: () => T): Promise<T> {
    if (this.#closed !== null) throw new StoreClosed(operation);
    try {
      return await this.#commit.write(write);
    } catch (cause) {
      throw storeError(operation, cause);
    }
  }
}

function storeError(operation: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  return new StoreError(cause instanceof DamagedRecord ? `${operation}: ${cause.message}` : operation, {
    retryable: false,
    cause,
  });
}

function idsOf({ items, next }: IndexPage<{ readonly value: string }>): IndexPage<string> {
  return { items: items.map(({ value }) => value), next };
}

function pageOf<T>(items: readonly T[], limit: number): Page<T> {
  return { items: items.slice(0, limit), hasMore: items.length > limit };
}
