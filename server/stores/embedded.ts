import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import type { RootDatabase } from "lmdb";
import type { Clock } from "../clock.js";
import type { Head } from "../messaging/head.js";
import { cursorAt, timeOfCursor } from "../messaging/ids.js";
import type { ChatMessage, ProcessedEvent, Session, User } from "../messaging/model.js";
import {
  type ClientMessage,
  type CurrentSession,
  type Page,
  type SessionChange,
  type Store,
  StoreError,
} from "../messaging/store.js";
import { claimDataDir } from "./data-dir.js";
import { GroupCommit } from "./group-commit.js";
import { openEnvironment } from "./lmdb.js";
import { DamagedRecord } from "./record.js";
import { Table } from "./table.js";

const mapBytes = 64 * 2 ** 30;
const formatVersion = 1;
const eventLifeMs = 24 * 60 * 60 * 1000;
/** Above every text and number in key order. */
const last = Buffer.from([0xff]);

type Place = readonly [sessionId: string, offset: number];

/**
 * The Store on the machine's own disk. Each change is one transaction that writes the head and all that follows from
 * it, so there is never anything to be finished. (SPEC S1–S8)
 */
export class EmbeddedStore implements Store {
  readonly #root: RootDatabase;
  readonly #commit: GroupCommit;
  readonly #clock: Clock;
  readonly #release: () => Promise<void>;
  readonly #meta: Table<string | number>;
  readonly #heads: Table<Head>;
  readonly #messages: Table<ChatMessage>;
  readonly #places: Table<Place>;
  readonly #windows: Table<Place>;
  readonly #active: Table<string>;
  readonly #owners: Table<string>;
  readonly #work: Table<string>;
  readonly #events: Table<ProcessedEvent>;
  readonly #current: Table<CurrentSession>;
  readonly #clientMessages: Table<ClientMessage>;
  readonly #users: Table<User>;
  #epoch = "";

  /**
   * Opens the store of a data directory, or makes one.
   * @param onFailure called once, when the disk has failed and nothing more will be written
   * @throws DataDirInUse when another server has it; StoreError when it cannot be read or is of a newer version
   */
  static async open(directory: string, clock: Clock, onFailure: (cause: unknown) => void): Promise<EmbeddedStore> {
    const release = await claimDataDir(directory);
    try {
      const store = new EmbeddedStore(directory, clock, onFailure, release);
      await store.#prepare();
      return store;
    } catch (cause) {
      await release();
      if (cause instanceof StoreError) throw cause;
      throw new StoreError(`opening the store in ${directory}`, { retryable: false, cause });
    }
  }

  private constructor(
    directory: string,
    clock: Clock,
    onFailure: (cause: unknown) => void,
    release: () => Promise<void>,
  ) {
    this.#clock = clock;
    this.#release = release;
    this.#root = openEnvironment(join(directory, "store"), mapBytes);
    this.#commit = new GroupCommit(this.#root, clock, onFailure);
    const table = <T>(name: string) => new Table<T>(this.#root, name, this.#commit);
    this.#meta = table("meta");
    this.#heads = table("heads");
    this.#messages = table("messages");
    this.#places = table("places");
    this.#windows = table("windows");
    this.#active = table("active");
    this.#owners = table("owners");
    this.#work = table("work");
    this.#events = table("events");
    this.#current = table("current");
    this.#clientMessages = table("clientMessages");
    this.#users = table("users");
  }

  async #prepare(): Promise<void> {
    const version = this.#meta.get("format");
    if (version === null) {
      await this.#commit.write(() => {
        this.#meta.put("format", formatVersion);
        this.#meta.put("epoch", randomUUID());
      });
    } else if (version !== formatVersion) {
      const cause = new Error(`its format is ${version}, this server knows ${formatVersion}`);
      throw new StoreError("opening the store", { retryable: false, cause });
    }
    this.#epoch = String(this.#meta.get("epoch"));
  }

  get epoch(): string {
    return this.#epoch;
  }

  get failure(): string | null {
    const { failure } = this.#commit;
    return failure === null ? null : `the store is read-only until a restart: ${String(failure.cause)}`;
  }

  async close(): Promise<void> {
    await this.#commit.idle();
    // After a failed disk LMDB may never let go; the process ends anyway.
    if (this.#commit.failure === null) await this.#root.close();
    await this.#release();
  }

  readHead(sessionId: string): Promise<Head | null> {
    return this.#read("read a session", () => this.#heads.get(sessionId));
  }

  createHead(head: Head): Promise<Head> {
    return this.#write("create a session", () => {
      const existing = this.#heads.get(head.session.sessionId);
      if (existing !== null) return existing;
      this.#putHead(null, head);
      return head;
    });
  }

  changeSession<T>(
    sessionId: string,
    change: (head: Head, found: ChatMessage | null) => SessionChange<T>,
    lookUp?: string,
  ): Promise<T | null> {
    return this.#write("change a session", () => {
      const head = this.#heads.get(sessionId);
      if (head === null) return null;
      const found = lookUp === undefined ? null : this.#messageOf(sessionId, lookUp);
      const { result, head: next, messages = [], events = [] } = change(head, found);
      if (next === undefined) return result;
      this.#putHead(head, { ...next, rev: head.rev + 1 });
      for (const message of messages) this.#putMessage(message);
      for (const event of events) this.#putEvent(event);
      return result;
    });
  }

  readCurrentSession(businessId: string, userId: string): Promise<CurrentSession | null> {
    return this.#read("read the current session", () => this.#current.get([businessId, userId]));
  }

  replaceCurrentSession(
    { businessId, userId }: { readonly businessId: string; readonly userId: string },
    expected: string | null,
    next: CurrentSession,
  ): Promise<CurrentSession> {
    return this.#write("replace the current session", () => {
      const current = this.#current.get([businessId, userId]);
      if (current !== null && current.sessionId !== expected) return current;
      this.#current.put([businessId, userId], next);
      return next;
    });
  }

  claimClientMessage(
    key: { readonly businessId: string; readonly userId: string; readonly clientMessageId: string },
    claim: ClientMessage,
  ): Promise<ClientMessage> {
    const hashed = [key.businessId, key.userId, hashOf(key.clientMessageId)];
    return this.#write("claim a client message id", () => {
      const existing = this.#clientMessages.get(hashed);
      if (existing !== null) return existing;
      this.#clientMessages.put(hashed, claim);
      return claim;
    });
  }

  findMessage(messageId: string): Promise<ChatMessage | null> {
    return this.#read("find a message", () => this.#messageAt(this.#places.get(messageId)));
  }

  readMessages(
    sessionId: string,
    { after, before, limit }: { readonly after?: number; readonly before?: number; readonly limit: number },
  ): Promise<Page<ChatMessage>> {
    return this.#read("read messages", () => {
      if (after !== undefined) {
        const start = [sessionId, after + 1];
        return pageOf(this.#messages.range({ start, end: [sessionId, before ?? last], limit: limit + 1 }), limit);
      }
      const start = [sessionId, before === undefined ? last : before - 1];
      const newest = this.#messages.range({ start, end: [sessionId], reverse: true, limit: limit + 1 });
      const { items, hasMore } = pageOf(newest, limit);
      return { items: items.toReversed(), hasMore };
    });
  }

  offsetAt(sessionId: string, timestamp: string): Promise<number> {
    return this.#read("find an offset", () => {
      let low = 1;
      let high = (this.#heads.get(sessionId)?.session.offset ?? 0) + 1;
      while (low < high) {
        const middle = (low + high) >>> 1;
        const message = this.#messages.get([sessionId, middle]);
        if (message !== null && message.timestamp < timestamp) low = middle + 1;
        else high = middle;
      }
      return low;
    });
  }

  readWindow(
    { businessId, userId, chatId }: { readonly businessId: string; readonly userId: string; readonly chatId: string },
    limit: number,
  ): Promise<readonly ChatMessage[]> {
    return this.#read("read a chat window", () => {
      const prefix = [businessId, userId, hashOf(chatId)];
      const places = this.#windows.range({ start: [...prefix, last], end: prefix, reverse: true, limit });
      return places
        .map((place) => this.#messageAt(place))
        .filter((message) => message !== null)
        .toReversed();
    });
  }

  readActiveSessions(
    businessId: string,
    {
      limit,
      after,
    }: { readonly limit: number; readonly after?: { readonly lastMessageAt: string; readonly sessionId: string } },
  ): Promise<Page<Session>> {
    return this.#read("read active sessions", () => {
      const above = after === undefined ? [businessId, last] : [businessId, after.lastMessageAt, after.sessionId];
      const entries = this.#active.entries({ start: above, end: [businessId], reverse: true, limit: limit + 2 });
      const ids = [...entries].map(({ value }) => value).filter((sessionId) => sessionId !== after?.sessionId);
      const { items, hasMore } = pageOf(ids, limit);
      return { items: items.map((sessionId) => this.#heads.get(sessionId)!.session), hasMore };
    });
  }

  countActiveSessions(businessId: string): Promise<number> {
    return this.#read("count active sessions", () =>
      this.#active.count({ start: [businessId], end: [businessId, last] }),
    );
  }

  readSessionsOf(
    { businessId, userId }: { readonly businessId: string; readonly userId: string },
    { from, to }: { readonly from: string; readonly to: string },
  ): Promise<readonly Session[]> {
    return this.#read("read the sessions of a user", () => {
      const prefix = [businessId, userId];
      const ids = this.#owners.range({ start: [...prefix, from], end: [...prefix, to] });
      return ids.map((sessionId) => this.#heads.get(sessionId)!.session);
    });
  }

  readSessionsWithWork({ limit, after }: { readonly limit: number; readonly after?: string }): Promise<Page<string>> {
    return this.#read("read open turns", () => {
      const found = this.#work.range({ start: after ?? "", end: last, limit: limit + 2 });
      const ids = found.filter((sessionId) => sessionId !== after);
      return pageOf(ids, limit);
    });
  }

  readEvents(
    businessId: string,
    { after, limit }: { readonly after: string; readonly limit: number },
  ): Promise<Page<ProcessedEvent>> {
    return this.#read("read events", () => {
      const events = this.#events.range({ start: [businessId, after], end: [businessId, last], limit: limit + 2 });
      return pageOf(
        events.filter(({ cursor }) => cursor !== after),
        limit,
      );
    });
  }

  readUser(businessId: string, userId: string): Promise<User | null> {
    return this.#read("read a user", () => this.#users.get([businessId, userId]));
  }

  createUser(user: User): Promise<User> {
    return this.#write("create a user", () => {
      const key = [user.businessId, user.userId];
      const existing = this.#users.get(key);
      if (existing !== null) return existing;
      this.#users.put(key, user);
      return user;
    });
  }

  updateUser(
    { businessId, userId }: { readonly businessId: string; readonly userId: string },
    change: (user: User) => User,
  ): Promise<void> {
    return this.#write("update a user", () => {
      const user = this.#users.get([businessId, userId]);
      if (user !== null) this.#users.put([businessId, userId], change(user));
    });
  }

  #messageAt(place: Place | null): ChatMessage | null {
    return place === null ? null : this.#messages.get([...place]);
  }

  #messageOf(sessionId: string, messageId: string): ChatMessage | null {
    const place = this.#places.get(messageId);
    return place?.[0] === sessionId ? this.#messageAt(place) : null;
  }

  // The indexes follow the head in the same transaction.
  #putHead(before: Head | null, after: Head): void {
    const { session } = after;
    const { sessionId } = session;
    this.#heads.put(sessionId, after);
    const oldKey = before === null ? null : activeKey(before.session);
    const newKey = activeKey(session);
    if (String(oldKey) !== String(newKey)) {
      if (oldKey !== null) this.#active.remove(oldKey);
      if (newKey !== null) this.#active.put(newKey, sessionId);
    }
    if (before === null && session.userId !== undefined) {
      this.#owners.put([session.businessId, session.userId, session.createdAt, sessionId], sessionId);
    }
    const hadWork = before !== null && before.turns.length > 0;
    const hasWork = after.turns.length > 0;
    if (hasWork && !hadWork) this.#work.put(sessionId, sessionId);
    if (hadWork && !hasWork) this.#work.remove(sessionId);
  }

  #putMessage(message: ChatMessage): void {
    const { sessionId, offset, messageId, businessId, metadata } = message;
    const place: Place = [sessionId, offset];
    this.#messages.put([sessionId, offset], message);
    this.#places.put(messageId, place);
    if (metadata.chatId === undefined) return;
    const userId = this.#heads.get(sessionId)?.session.userId ?? message.userId;
    this.#windows.put([businessId, userId, hashOf(metadata.chatId), messageId], place);
  }

  // Each new event takes up to two that have outlived their day along, so they never pile up.
  #putEvent(event: ProcessedEvent): void {
    const { businessId, cursor } = event;
    this.#events.put([businessId, cursor], event);
    const end = [businessId, cursorAt((timeOfCursor(cursor) ?? this.#clock.now()) - eventLifeMs)];
    const outlived = [...this.#events.entries({ start: [businessId], end, limit: 2 })];
    for (const { key } of outlived) this.#events.remove(key);
  }

  #read<T>(operation: string, read: () => T): Promise<T> {
    try {
      return Promise.resolve(read());
    } catch (cause) {
      return Promise.reject(storeError(operation, cause));
    }
  }

  async #write<T>(operation: string, write: () => T): Promise<T> {
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

function activeKey(session: Session): string[] | null {
  return session.status === "active" ? [session.businessId, session.lastMessageAt, session.sessionId] : null;
}

// Ids that clients make up can be long, or hold anything; a key cannot.
function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

function pageOf<T>(items: readonly T[], limit: number): Page<T> {
  return { items: items.slice(0, limit), hasMore: items.length > limit };
}
