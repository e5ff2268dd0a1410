import type { ChatMessage, ChatMessageMetadata, Intent, ProcessedEvent, Session, SessionStatus } from "./model.js";
import type { SessionChange, SessionPhase } from "./store.js";

/** A user message that has no outcome yet. */
export interface OpenTurn {
  readonly messageId: string;
  readonly offset: number;
  readonly admittedAt: string;
  readonly locationId: string;
  readonly source: ChatMessageMetadata["source"];
  readonly context: Readonly<Record<string, unknown>>;
}

/** Who is answering the session's turns. The fence only grows, so an outcome of an earlier holder is known as such. */
export interface Lease {
  readonly owner: string;
  readonly fence: number;
}

/** Everything about a session that must be decided together. It is read whole and written whole. (SPEC S1) */
export interface Head {
  /** Grows by one with every write. */
  readonly rev: number;
  readonly session: Session;
  /** The business day of a `daily` session. */
  readonly day: string | null;
  /** In offset order. */
  readonly turns: readonly OpenTurn[];
  readonly fence: number;
  readonly lease: Lease | null;
  readonly intent: Intent | null;
  /** Since when it is being deleted. Final: nothing is accepted any more, and nobody is shown it. */
  readonly deletingSince: string | null;
}

export interface NewUserMessage {
  readonly messageId: string;
  readonly userId: string;
  readonly locationId: string;
  readonly content: string;
  readonly data?: unknown;
  readonly context: Readonly<Record<string, unknown>>;
  readonly metadata: ChatMessageMetadata;
}

export interface AdmissionTerms {
  /** Wall time in ms. */
  readonly now: number;
  /** The process that is to answer, if nobody else does. */
  readonly node: string;
  /** The session's business day has passed. */
  readonly isOver: boolean;
  /** This session was decided on by an earlier attempt: it takes the message even when it is over. */
  readonly isFinal: boolean;
}

export type Admission =
  | { readonly kind: "admitted"; readonly message: ChatMessage; readonly head: Head }
  | { readonly kind: "duplicate"; readonly message: ChatMessage }
  /** The session is over: the message belongs into another one. */
  | { readonly kind: "over" }
  /** More is waiting for an answer than a session may hold. */
  | { readonly kind: "full" };

/** Open turns of a session. A head is one record, and no store takes records of any size. */
const openTurnsMax = 100;
/** Bytes of JSON of the contexts of all open turns. */
const contextBytesMax = 128 * 1024;

/**
 * A user says something: message, offset and open turn in one change. An abandoned session comes back to life. When
 * nobody answers the session's turns, `node` takes the lease along, which saves a write. (SPEC M4, M6, S2)
 */
export function admit(
  head: Head,
  found: ChatMessage | null,
  message: NewUserMessage,
  { now, node, isOver, isFinal }: AdmissionTerms,
): SessionChange<Admission> {
  if (found !== null) return { result: { kind: "duplicate", message: found } };
  const { status } = head.session;
  const isOpen = status === "active" || status === "abandoned";
  if (head.deletingSince !== null || (!isFinal && (isOver || !isOpen))) return { result: { kind: "over" } };
  if (isFull(head, message)) return { result: { kind: "full" } };
  const stored = append(head, now, { ...message, type: "user" });
  const turn: OpenTurn = {
    messageId: stored.messageId,
    offset: stored.offset,
    admittedAt: stored.timestamp,
    locationId: message.locationId,
    source: message.metadata.source,
    context: message.context,
  };
  const lease = head.lease ?? { owner: node, fence: head.fence + 1 };
  const next: Head = {
    ...after(head, stored, { status: isOpen ? "active" : status, context: message.context }),
    turns: [...head.turns, turn],
    lease,
    fence: lease.fence,
  };
  return { result: { kind: "admitted", message: stored, head: next }, head: next, messages: [stored] };
}

function isFull({ turns }: Head, { context }: NewUserMessage): boolean {
  if (turns.length >= openTurnsMax) return true;
  const contexts = [context, ...turns.map((turn) => turn.context)].filter((each) => Object.keys(each).length > 0);
  const bytes = contexts.reduce((sum, each) => sum + Buffer.byteLength(JSON.stringify(each)), 0);
  return contexts.length > 1 && bytes > contextBytesMax;
}

/** Takes the session's turns over. @returns the head under our lease, or null when there is nothing to do or another has it */
export function claim(head: Head, node: string, isAbandoned: (lease: Lease) => boolean): SessionChange<Head | null> {
  if (head.turns.length === 0 || head.session.holder !== undefined) return { result: null };
  if (head.lease?.owner === node) return { result: head };
  if (head.lease !== null && !isAbandoned(head.lease)) return { result: null };
  const lease = { owner: node, fence: head.fence + 1 };
  const next = { ...head, lease, fence: lease.fence };
  return { result: next, head: next };
}

export interface Outcome {
  readonly messageId: string;
  readonly responseId: string;
  readonly type: "agent" | "system";
  readonly content: string;
  readonly tokens: number;
  readonly metadata: ChatMessageMetadata;
  /** Undefined: as it was. */
  readonly intent?: Intent | null;
}

export interface Answered {
  readonly message: ChatMessage;
  readonly event: ProcessedEvent;
  /** The session as it is now. */
  readonly head: Head;
}

/**
 * The one outcome of a turn: message, closed turn and event in one change. Null when the turn has its outcome already,
 * or when the lease is no longer the one that the answer was made under. (SPEC M7, M8)
 */
export function answer(
  head: Head,
  question: ChatMessage,
  outcome: Outcome,
  { now, fence, cursor }: { readonly now: number; readonly fence: number; readonly cursor: string },
): SessionChange<Answered | null> {
  const turn = head.turns.find(({ messageId }) => messageId === question.messageId);
  if (turn === undefined || head.lease?.fence !== fence || head.session.holder !== undefined) return { result: null };
  const { type, content, messageId, metadata } = outcome;
  const stored = append(head, now, { messageId, userId: type, content, type, metadata });
  const turns = head.turns.filter((open) => open !== turn);
  const next: Head = {
    ...after(head, stored, { tokens: outcome.tokens }),
    turns,
    lease: turns.length > 0 ? head.lease : null,
    intent: outcome.intent === undefined ? head.intent : outcome.intent,
  };
  const event: ProcessedEvent = {
    cursor,
    businessId: stored.businessId,
    locationId: turn.locationId,
    userId: question.userId,
    sessionId: stored.sessionId,
    messageId: question.messageId,
    message: question.content,
    responseId: outcome.responseId,
    answer: content,
    status: type === "system" ? "failed" : "answered",
    timestamp: stored.timestamp,
    durationMs: Math.max(0, Date.parse(stored.timestamp) - Date.parse(turn.admittedAt)),
    source: turn.source,
  };
  return { result: { message: stored, event, head: next }, head: next, messages: [stored], events: [event] };
}

/**
 * A coordinator takes the session: once this is written, no answer that an agent is working on can be stored any more.
 * @param expiresAt until when it is held
 */
export function takeOver(
  head: Head,
  holder: { readonly coordinatorId: string; readonly expiresAt: string },
  now: number,
): SessionChange<Session> {
  const session = { ...head.session, holder, updatedAt: later(now, head.session.updatedAt) };
  return { result: session, head: { ...head, session, lease: null, fence: head.fence + 1 } };
}

/** Nothing has been said since `before`: the session is abandoned, until somebody says something in it. */
export function abandon(head: Head, before: string, now: number): SessionChange<boolean> {
  const { lastMessageAt, updatedAt } = head.session;
  if (phaseOf(head) !== "active" || lastMessageAt >= before || head.turns.length > 0) return { result: false };
  const session = { ...head.session, status: "abandoned", updatedAt: later(now, updatedAt) } as const;
  return { result: true, head: { ...head, session } };
}

/** A session that ended before `before`, and has nothing left to answer, begins to be deleted. */
export function beginDeletion(head: Head, before: string, now: number): SessionChange<boolean> {
  if (head.deletingSince !== null) return { result: true };
  if (phaseOf(head) !== "over" || head.session.updatedAt >= before || head.turns.length > 0) return { result: false };
  return { result: true, head: { ...head, deletingSince: new Date(now).toISOString() } };
}

export function phaseOf({ deletingSince, session }: Head): SessionPhase {
  if (deletingSince !== null) return "deleting";
  return session.status === "active" ? "active" : "over";
}

/** When the session entered its phase, or in the active one: when something was last said. */
export function phaseSince({ deletingSince, session }: Head): string {
  return deletingSince ?? (session.status === "active" ? session.lastMessageAt : session.updatedAt);
}

/** Ends a session; its open turns are still answered. A session that is over stays as it is. */
export function close(head: Head, status: "resolved" | "closed", now: number): SessionChange<Session> {
  const isOpen = head.session.status === "active" || head.session.status === "abandoned";
  if (!isOpen || head.deletingSince !== null) return { result: head.session };
  const session = { ...head.session, status, updatedAt: later(now, head.session.updatedAt) };
  return { result: session, head: { ...head, session } };
}

type Said = Pick<ChatMessage, "messageId" | "userId" | "content" | "type" | "metadata"> & { readonly data?: unknown };

function append(head: Head, now: number, said: Said): ChatMessage {
  const { session } = head;
  const { messageId, userId, content, type, metadata, data } = said;
  return {
    messageId,
    sessionId: session.sessionId,
    offset: session.offset + 1,
    businessId: session.businessId,
    userId,
    content,
    ...(data === undefined ? {} : { data }),
    type,
    timestamp: later(now, session.lastMessageAt),
    metadata,
  };
}

function after(
  head: Head,
  said: ChatMessage,
  {
    status = head.session.status,
    tokens = 0,
    context = {},
  }: { status?: SessionStatus; tokens?: number; context?: Readonly<Record<string, unknown>> },
): Head {
  const { session } = head;
  const { totals, metadata } = session;
  const hasContext = Object.keys(context).length > 0;
  return {
    ...head,
    session: {
      ...session,
      status,
      offset: said.offset,
      totals: { ...totals, messages: totals.messages + 1, tokens: totals.tokens + tokens },
      updatedAt: said.timestamp,
      lastMessageAt: said.timestamp,
      metadata: hasContext ? { ...metadata, context } : metadata,
    },
  };
}

// Within a session time never goes back, so that a timestamp finds its offset by bisection. (SPEC M5)
function later(now: number, than: string): string {
  return new Date(Math.max(now, Date.parse(than))).toISOString();
}
