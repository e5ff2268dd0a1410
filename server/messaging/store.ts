import type { Head } from "./head.js";
import type { ChatMessage, ProcessedEvent, Session, User } from "./model.js";

/**
 * What a disk or a network did to a store.
 * `retryable` says whether the same call can succeed later without an operator.
 */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly retryable: boolean;

  constructor(operation: string, options: { readonly retryable: boolean; readonly cause?: unknown }) {
    super(`${operation} failed`, { cause: options.cause });
    this.retryable = options.retryable;
  }
}

/** What a change makes of a session. Without `head` nothing is written. */
export interface SessionChange<T> {
  readonly result: T;
  readonly head?: Head;
  /** What was said: its rows are written with the head, or follow from it. */
  readonly messages?: readonly ChatMessage[];
  readonly events?: readonly ProcessedEvent[];
}

/** The session in which a user's messages go today, before anybody knows whether its head exists. */
export interface CurrentSession {
  readonly sessionId: string;
  /** The business day, `YYYY-MM-DD` in the business's time zone. */
  readonly day: string;
  /** What the head is made of by whoever finds that there is none. */
  readonly seed: Head;
}

/** Which message a client's own id stands for. Once written it never changes. */
export interface ClientMessage {
  readonly messageId: string;
  /** Where it goes: decided once, so that two attempts at the same time cannot put it into two sessions. */
  readonly sessionId: string;
  /** SHA-256 of the text, so that the same id with another text is noticed. */
  readonly textHash: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** There is more in the direction that was asked for. */
  readonly hasMore: boolean;
}

/**
 * Where sessions live. Two implementations, one contract (test/contract/store-contract.ts).
 *
 * Everything that must be decided together about a session is in its head, and every change of a session is one write
 * of that head: that write is the promise. A method that writes resolves only when the write is durable; what it
 * rejects with is a StoreError, and then nothing was acknowledged. Reads see every write that was acknowledged before
 * them. (SPEC S1–S8)
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
   * begins again. `change` is pure and may be called several times.
   * @param lookUp a messageId: `change` is given the message stored under it in this session, as of the same moment
   * @returns what `change` returned as its result, or null when the session does not exist
   */
  changeSession<T>(
    sessionId: string,
    change: (head: Head, found: ChatMessage | null) => SessionChange<T>,
    lookUp?: string,
  ): Promise<T | null>;

  readCurrentSession(businessId: string, userId: string): Promise<CurrentSession | null>;

  /**
   * Compare-and-set: makes `next` the user's current session if the current one is still `expected` (a sessionId, or
   * null for none). @returns the one that is current now; the loser of a race gets the winner's
   */
  replaceCurrentSession(
    key: { readonly businessId: string; readonly userId: string },
    expected: string | null,
    next: CurrentSession,
  ): Promise<CurrentSession>;

  /** Writes which message a client's id stands for, unless that is written already. @returns what is written now */
  claimClientMessage(
    key: { readonly businessId: string; readonly userId: string; readonly clientMessageId: string },
    claim: ClientMessage,
  ): Promise<ClientMessage>;

  findMessage(messageId: string): Promise<ChatMessage | null>;

  /**
   * Messages of a session by offset, oldest first. With `before`: the newest ones below it. With `after`: the oldest
   * ones above it. With neither: the newest. The cost does not grow with the session.
   */
  readMessages(
    sessionId: string,
    range: { readonly after?: number; readonly before?: number; readonly limit: number },
  ): Promise<Page<ChatMessage>>;

  /** The offset of the first message whose timestamp is not before `timestamp`; one past the last if all are. */
  offsetAt(sessionId: string, timestamp: string): Promise<number>;

  /** The newest messages of a chat window of a user, across sessions, oldest first. */
  readWindow(
    key: { readonly businessId: string; readonly userId: string; readonly chatId: string },
    limit: number,
  ): Promise<readonly ChatMessage[]>;

  /** Active sessions of a business, the one with the latest message first. @param after the last one of the page before */
  readActiveSessions(
    businessId: string,
    page: { readonly limit: number; readonly after?: { readonly lastMessageAt: string; readonly sessionId: string } },
  ): Promise<Page<Session>>;

  countActiveSessions(businessId: string): Promise<number>;

  /** Sessions of a user that were created in `[from, to)`, oldest first. */
  readSessionsOf(
    user: { readonly businessId: string; readonly userId: string },
    range: { readonly from: string; readonly to: string },
  ): Promise<readonly Session[]>;

  /** Ids of sessions with open turns, in pages. @param after the last id of the page before */
  readSessionsWithWork(page: { readonly limit: number; readonly after?: string }): Promise<Page<string>>;

  /** Outcomes of a business after a cursor, oldest first. Those older than a day may be gone. */
  readEvents(
    businessId: string,
    range: { readonly after: string; readonly limit: number },
  ): Promise<Page<ProcessedEvent>>;

  readUser(businessId: string, userId: string): Promise<User | null>;

  /** Writes a user unless there is one. @returns the one that is there now */
  createUser(user: User): Promise<User>;

  updateUser(
    key: { readonly businessId: string; readonly userId: string },
    change: (user: User) => User,
  ): Promise<void>;

  /** Waits for writes under way, then lets go of the store. */
  close(): Promise<void>;
}
