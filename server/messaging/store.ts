import type { Head } from "./head.js";
import type { Aside, ChatMessage, ProcessedEvent, Session } from "./model.js";

/**
 * What a disk or a network did to a store.
 * `retryable` says whether the same call can succeed later without an operator.
 */
export class StoreError extends Error {
  override readonly name: string = "StoreError";
  readonly retryable: boolean;

  constructor(operation: string, options: { readonly retryable: boolean; readonly cause?: unknown }) {
    super(`${operation} failed`, { cause: options.cause });
    this.retryable = options.retryable;
  }
}

/** The store was let go of, as a server that stops does: who still asked is gone, or is answered after the next start. (SPEC S18) */
export class StoreClosed extends StoreError {
  override readonly name = "StoreClosed";

  constructor(operation: string) {
    super(`${operation} in a store that is closed`, { retryable: false });
  }
}

/** What a change makes of a session. Without `head` nothing is written. */
export interface SessionChange<T> {
  readonly result: T;
  readonly head?: Head;
  /** What was said: its rows are written with the head, or follow from it. */
  readonly messages?: readonly ChatMessage[];
  readonly events?: readonly ProcessedEvent[];
  readonly asides?: readonly Aside[];
}

/** An outcome that is written, and that nobody may have been told of. */
export interface LeftOver {
  readonly event: ProcessedEvent;
  /** Null when the answer is not there any more. */
  readonly message: ChatMessage | null;
}

/** Whose session it is: a customer's or an agent's, of one business. */
export type SessionOwner =
  { readonly businessId: string; readonly userId: string } | { readonly businessId: string; readonly agentId: string };

/** Names a small record. Records of one partition are listed together; a partition is never the whole of a business. */
export interface RecordKey {
  readonly partition: string;
  readonly id: string;
}

export interface StoredRecord<T> {
  /** Begins with a number that no earlier record of this key had, and grows by one with every write. */
  readonly rev: number;
  readonly value: T;
}

/** What a compare-and-set came to, and what is there now. */
export interface RecordWrite<T> {
  readonly isWritten: boolean;
  readonly record: StoredRecord<T> | null;
}

/** Messages in offset order. */
export interface Page<T> {
  readonly items: readonly T[];
  /** There is more in the direction that was asked for. */
  readonly hasMore: boolean;
}

/** Asides on the messages of a session from one offset to another, both included. */
export interface AsideRange {
  readonly from: number;
  readonly to: number;
  /** Left out: all of them. */
  readonly types?: ReadonlySet<Aside["type"]>;
  readonly limit: number;
  /** The newest of them, instead of the oldest. */
  readonly isReverse?: boolean;
}

/** A page of an index. */
export interface IndexPage<T> {
  readonly items: readonly T[];
  /** Where the next page begins, for the same question only; null after the last one. */
  readonly next: string | null;
}

export interface IndexRange {
  readonly limit: number;
  /** `next` of the page before. Something else is a position like any other: it never fails. */
  readonly from?: string | null;
}

/** Which sessions may be waiting for the cleanup: those in use, those that are over, those being deleted. */
export type SessionPhase = "active" | "over" | "deleting";

/**
 * Where sessions live. Two implementations, one contract (test/contract/store-contract.ts).
 *
 * Everything that must be decided together about a session is in its head, and every change of a session is one write
 * of that head: that write is the promise. A method that writes resolves only when the write is durable. What it
 * rejects with is a StoreError: then nothing was acknowledged, and the write may be there or not. Every write can be
 * repeated. Reads of heads, messages and records see every write that was acknowledged before them; reads of an index
 * (those that return an IndexPage or a count) and of events see it within a second. (SPEC S1–S8)
 */
export interface Store {
  /** Made with the store, and anew when a copy of it is opened: offsets of another epoch mean nothing. */
  readonly epoch: string;
  /** Why nothing can be written any more, or null. */
  readonly failure: string | null;

  readHead(sessionId: string): Promise<Head | null>;

  /** Writes the head of a new session unless there is one. @returns the head that is there now */
  createHead(head: Head): Promise<Head>;

  /**
   * Reads the head, has `change` decide, and writes what it decided on condition that nobody wrote in between; else it
   * begins again. Changes that wait for the same session are gathered into one write, each seeing what those before it
   * decided. `change` is pure and may be called several times; what it throws rejects this change alone.
   * @param lookUp a messageId: `change` is given the message stored under it in this session, as of the same moment
   * @returns what `change` returned as its result, or null when the session does not exist
   */
  changeSession<T>(
    sessionId: string,
    change: (head: Head, found: ChatMessage | null) => SessionChange<T>,
    lookUp?: string,
  ): Promise<T | null>;

  /** Writes what follows from the head and is not written yet, because a process ended in between. */
  settle(sessionId: string): Promise<void>;

  /**
   * Whom to tell of outcomes whose `changeSession` did not tell its caller: the process ended, or the store's answer was
   * lost, or came too late. `listener` is called for each that is found, by `settle` or beside any other change of the
   * session, once what follows from it is there: so before the session stops being one with work. An event that was
   * written so late that a replay would look for it in vain has a cursor of that moment, not the one it was made with.
   * The same outcome may be told several times, by several processes, and beside a caller who was told after all; in
   * the end it has been told by one that lives. One listener, which does not throw; the latest one counts. A store whose
   * changes are written whole never calls it.
   */
  onLeftOver(listener: (outcome: LeftOver) => void): void;

  findMessage(sessionId: string, messageId: string): Promise<ChatMessage | null>;

  /**
   * Messages of a session by offset, oldest first. With `before`: the newest ones below it. With `after`: the oldest
   * ones above it. With neither: the newest. The cost does not grow with the session.
   */
  readMessages(
    sessionId: string,
    range: { readonly after?: number; readonly before?: number; readonly limit: number },
  ): Promise<Page<ChatMessage>>;

  /** Asides by the offset that they follow and their id, the oldest first, whichever way they are read. */
  readAsides(sessionId: string, range: AsideRange): Promise<Page<Aside>>;

  /** The offset of the first message whose timestamp is not before `timestamp`; one past the last if all are. */
  offsetAt(sessionId: string, timestamp: string): Promise<number>;

  /**
   * The newest messages of a chat window of a user, across sessions, oldest first. Those of the user's current session
   * are seen as soon as they are acknowledged, those of others within a second.
   */
  readWindow(
    key: { readonly businessId: string; readonly userId: string; readonly chatId: string },
    limit: number,
  ): Promise<readonly ChatMessage[]>;

  /**
   * Active sessions of a business, by the minute of their last message, the latest first; within a page by the
   * millisecond.
   */
  readActiveSessions(businessId: string, range: IndexRange): Promise<IndexPage<Session>>;

  countActiveSessions(businessId: string): Promise<number>;

  /** Sessions of an owner that were created in `[createdFrom, createdTo)`, the latest first. */
  readSessionsOf(
    owner: SessionOwner,
    range: IndexRange & { readonly createdFrom?: string; readonly createdTo?: string },
  ): Promise<IndexPage<Session>>;

  /** All sessions of a business, whatever their status, the latest created first. */
  readSessionsOfBusiness(businessId: string, range: IndexRange): Promise<IndexPage<Session>>;

  /** Ids of sessions with open turns, with something to send to a platform, or with something to settle. */
  readSessionsWithWork(range: IndexRange): Promise<IndexPage<string>>;

  /**
   * Ids of sessions in a phase whose last change (of an active one: last message) is at least an hour's part before
   * `before`, the oldest first. It may name some that have changed since: look at the head.
   */
  readSessionsUnchanged(
    phase: SessionPhase,
    range: IndexRange & { readonly before: string },
  ): Promise<IndexPage<string>>;

  /** Deletes these messages of a session that is being deleted, with all that was written about each. */
  deleteMessages(sessionId: string, messages: readonly ChatMessage[]): Promise<void>;

  /** Deletes these asides of a session that is being deleted. */
  deleteAsides(sessionId: string, asides: readonly Aside[]): Promise<void>;

  /** Deletes the head of a session that is being deleted, and nothing if it is another one. */
  deleteHead(sessionId: string): Promise<void>;

  /** Outcomes of a business after a cursor, oldest first. Those older than a day may be gone. */
  readEvents(
    businessId: string,
    range: { readonly after: string; readonly limit: number },
  ): Promise<Page<ProcessedEvent>>;

  readRecord<T>(key: RecordKey): Promise<StoredRecord<T> | null>;

  /**
   * Writes a record on condition that it is still what was read.
   * @param expected the `rev` that was read; null: there is none
   * @param value null deletes it
   */
  writeRecord<T>(key: RecordKey, expected: number | null, value: T | null): Promise<RecordWrite<T>>;

  /** Records of a partition, in the order of their ids. */
  listRecords<T>(partition: string, range: IndexRange): Promise<IndexPage<StoredRecord<T> & { readonly id: string }>>;

  /**
   * Writes a session that comes from an export, with the messages that it holds and what hangs on them, unless it is
   * there already. It may be called again with the same session, and with its messages in several parts.
   */
  importSession(head: Head, messages: readonly ChatMessage[], asides?: readonly Aside[]): Promise<void>;

  /** Waits for writes under way, then lets go of the store. Nothing is to be asked of it from then on. (SPEC S18) */
  close(): Promise<void>;
}
