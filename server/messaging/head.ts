import { type NewAside, placedOn } from "./asides.js";
import { changeIntent, type Intents, suspend, suspendedBy } from "./intents.js";
import type { ChatMessage, ChatMessageMetadata, Intent, ProcessedEvent, Session, SessionStatus } from "./model.js";
import { dueTurn, joined, type OpenTurn, turnsOf } from "./open-turns.js";
import { isUnsent, type Outbound, outboundAfter } from "./outbound.js";
import { parseCommand } from "./steps/command.js";
import type { SessionChange, SessionPhase } from "./store.js";

/** Who is answering the session's turns. The fence only grows, so an outcome of an earlier holder is known as such. */
export interface Lease {
  readonly owner: string;
  readonly fence: number;
}

/** Everything about a session that must be decided together. It is read whole and written whole. (SPEC S1) */
export interface Head extends Intents {
  /** Grows by one with every write. */
  readonly rev: number;
  readonly session: Session;
  /** The business day of a `daily` session. */
  readonly day: string | null;
  /** In offset order. */
  readonly turns: readonly OpenTurn[];
  readonly fence: number;
  readonly lease: Lease | null;
  /** Everything up to this offset that the user must read has been taken by a socket of theirs. Never less than `read`. */
  readonly delivered: number;
  /** Up to this offset they have said that they read it. */
  readonly read: number;
  /** Since when it is being deleted. Final: nothing is accepted any more, and nobody is shown it. */
  readonly deletingSince: string | null;
  /** What leaves for the platform from which its user speaks; left out: they speak from none. */
  readonly outbound?: Outbound;
  /** Of a conversation: a user who took part was taken out, so that no user comes in any more who was not let in. (SPEC M93) */
  readonly isByInvitation?: true;
  /** How many notes and drafts hang on one message, if any ever did; of those on an earlier one it says nothing. */
  readonly asides?: { readonly afterOffset: number; readonly count: number };
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
  before: Head,
  found: ChatMessage | null,
  message: NewUserMessage,
  { now, node, isOver, isFinal }: AdmissionTerms,
): SessionChange<Admission> {
  if (found !== null) return { result: { kind: "duplicate", message: found } };
  const head = released(before, now);
  const mayGoOn = isOpen(head);
  if (head.deletingSince !== null || (!isFinal && (isOver || !mayGoOn))) return { result: { kind: "over" } };
  if (isFull(head, message)) return { result: { kind: "full" } };
  // For speed, what is new stands before what is copied. (CONTRIBUTING.md)
  const stored = append(head, now, { type: "user", ...message });
  const isCommand = parseCommand(message.content) !== null;
  const turn: OpenTurn = {
    messageId: stored.messageId,
    offset: stored.offset,
    admittedAt: stored.timestamp,
    locationId: message.locationId,
    source: message.metadata.source,
    context: message.context,
    ...(isCommand ? { isCommand } : {}),
  };
  // What is said to a coordinator waits for the coordinator.
  const waits = head.session.holder !== undefined && !isCommand;
  const lease = head.lease ?? (waits ? null : { owner: node, fence: head.fence + 1 });
  const next: Head = {
    ...after(head, stored, { status: mayGoOn ? "active" : head.session.status, context: message.context }),
    turns: [...head.turns, turn],
    lease,
    fence: lease?.fence ?? head.fence,
  };
  return { result: { kind: "admitted", message: stored, head: next }, head: next, messages: [stored] };
}

function isFull(head: Head, { context }: NewUserMessage): boolean {
  const turns = turnsOf(head);
  if (turns.length >= openTurnsMax) return true;
  const contexts = [context, ...turns.map((turn) => turn.context)].filter((each) => Object.keys(each).length > 0);
  const bytes = contexts.reduce((sum, each) => sum + Buffer.byteLength(JSON.stringify(each)), 0);
  return contexts.length > 1 && bytes > contextBytesMax;
}

/** The session as it is once nobody holds it; the turns that waited are the agent's. */
export function letGo(head: Head): Head {
  const session: { -readonly [Name in keyof Session]: Session[Name] } = { ...head.session };
  delete session.holder;
  return { ...head, session, turns: joined(head.turns) };
}

/** The same if the time of its holder is over. Whoever has seen to the session by then has renewed it. (SPEC M32) */
export function released(head: Head, now: number): Head {
  const { holder } = head.session;
  return holder !== undefined && Date.parse(holder.expiresAt) <= now ? letGo(head) : head;
}

/**
 * Takes the session's turns over. What a coordinator held, and holds no longer, is let go of by it.
 * @param now wall time in ms
 * @returns the head under our lease, or null when there is nothing to answer now or another has it
 */
export function claim(
  before: Head,
  node: string,
  isAbandoned: (lease: Lease) => boolean,
  now = -Infinity,
): SessionChange<Head | null> {
  const head = released(before, now);
  if (dueTurn(head) === null) return { result: null };
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
  /** Beside its text: what was shown with it. */
  readonly data?: unknown;
  readonly tokens: number;
  readonly metadata: ChatMessageMetadata;
  /** The steps that were shown on the way to it. */
  readonly thinking?: readonly NewAside[];
  /** Undefined: as it was; null: given up. */
  readonly intent?: Intent | null;
  /** Of the session from then on, if it is not over by then; undefined: as it was. */
  readonly status?: SessionStatus;
  /** What coordinators are to know of the session; undefined: as it was. */
  readonly context?: Readonly<Record<string, unknown>>;
}

export interface Answered {
  readonly message: ChatMessage;
  readonly event: ProcessedEvent;
  /** Of the earlier turns that ended with this one. */
  readonly earlier: readonly ProcessedEvent[];
  /** Of its user, where they are not as they were before. */
  readonly intents: readonly Intent[];
  /** The session as it is now. */
  readonly head: Head;
}

/** What the event of a turn is made of, and cannot be read while its session is changed. */
export interface Question {
  readonly message: ChatMessage;
  readonly cursor: string;
}

/** By messageId. */
export type Questions = ReadonlyMap<string, Question>;

/**
 * The one outcome of a turn: message, closed turn and event in one change. Null when the turn has its outcome already,
 * or when the lease is no longer the one that the answer was made under. (SPEC M7, M8)
 */
export function answer(
  head: Head,
  question: ChatMessage,
  outcome: Outcome,
  {
    now,
    fence,
    cursor,
    questions = noQuestions,
  }: {
    readonly now: number;
    readonly fence: number;
    readonly cursor: string;
    /** Those that end with this one. */
    readonly questions?: Questions;
  },
): SessionChange<Answered | null> {
  const turn = head.turns.find(({ messageId }) => messageId === question.messageId);
  if (turn === undefined || head.lease?.fence !== fence) return { result: null };
  if (head.session.holder !== undefined && turn.isCommand !== true) return { result: null };
  const { type, content, data, messageId, metadata } = outcome;
  const said = { messageId, userId: type, content, data, type, metadata };
  const stored = append(head, now, said, outcome.intent ?? head.intent);
  const { changed, ...left } = changeIntent(head, outcome.intent, stored.timestamp);
  const spoken = after(head, stored, {
    tokens: outcome.tokens,
    ...(outcome.status === undefined || !isOpen(head) ? {} : { status: outcome.status }),
    ...(outcome.context === undefined ? {} : { context: { ...head.session.metadata.context, ...outcome.context } }),
  });
  const ended = answered({ ...spoken, ...left }, turn);
  // Nothing goes on in a session that is over, whoever answered last.
  const next = isOpen(ended) ? ended : suspend(ended, stored.timestamp);
  const suspended = suspendedBy(ended, next);
  const intents = suspended === null ? changed : [...changed, suspended];
  const told = { stored, responseId: outcome.responseId, status: type === "system" ? "failed" : "answered" } as const;
  const event = processedEvent(turn, { message: question, cursor }, told);
  const earlier = (turn.earlier ?? []).map((each) => processedEvent(each, questionOf(each, questions), told));
  const result = { message: stored, event, earlier, intents, head: next };
  const change = { result, head: next, messages: [stored], events: [event, ...earlier] };
  return outcome.thinking === undefined ? change : { ...change, asides: placedOn(head, outcome.thinking) };
}

const noQuestions: Questions = new Map();

/** Without a turn that has its outcome. Nobody keeps a session that is over and in which nothing waits. */
function answered(before: Head, turn: OpenTurn): Head {
  const left = { ...before, turns: before.turns.filter(({ messageId }) => messageId !== turn.messageId) };
  const head = left.turns.length === 0 && !isOpen(left) ? letGo(left) : left;
  return leased(head);
}

/** A session in which nothing is to be answered now is nobody's to answer: whoever comes first may take it. */
export function leased(head: Head): Head {
  return head.lease === null || dueTurn(head) !== null ? head : { ...head, lease: null };
}

export function questionOf({ messageId }: OpenTurn, questions: Questions): Question {
  const question = questions.get(messageId);
  if (question === undefined) throw new Error(`the open turn ${messageId} ends without having been read`);
  return question;
}

/** @param outcome what was said, and whether it is an answer */
export function processedEvent(
  turn: OpenTurn,
  { message, cursor }: Question,
  outcome: { readonly stored: ChatMessage; readonly responseId: string; readonly status: ProcessedEvent["status"] },
): ProcessedEvent {
  const { stored, responseId, status } = outcome;
  return {
    cursor,
    businessId: stored.businessId,
    locationId: turn.locationId,
    userId: message.userId,
    sessionId: stored.sessionId,
    messageId: message.messageId,
    message: message.content,
    responseId,
    answer: stored.content,
    status,
    timestamp: stored.timestamp,
    durationMs: Math.max(0, Date.parse(stored.timestamp) - Date.parse(turn.admittedAt)),
    source: turn.source,
  };
}

/**
 * A coordinator takes the session: once this is written, no answer that an agent is working on can be stored any more.
 * @param holder `expiresAt`: until when it is held
 * @returns the session; null, and nothing is written, when it is being deleted
 */
export function takeOver(
  head: Head,
  holder: { readonly coordinatorId: string; readonly expiresAt: string },
  now: number,
): SessionChange<Session | null> {
  if (head.deletingSince !== null) return { result: null };
  const { metadata, updatedAt } = head.session;
  // Whoever asked for a human has one. (SPEC M43)
  const context: Record<string, unknown> = { ...metadata.context };
  delete context.wantsHuman;
  const session = { ...head.session, holder, updatedAt: later(now, updatedAt), metadata: { ...metadata, context } };
  return { result: session, head: { ...head, session, lease: null, fence: head.fence + 1 } };
}

/** Nothing has been said since `before`: the session is abandoned, until somebody says something in it. */
export function abandon(head: Head, before: string, now: number): SessionChange<boolean> {
  const { lastMessageAt, updatedAt } = head.session;
  if (lastsUntilClosed(head) || phaseOf(head) !== "active" || lastMessageAt >= before || head.turns.length > 0)
    return { result: false };
  const session = { ...head.session, status: "abandoned", updatedAt: later(now, updatedAt) } as const;
  return { result: true, head: suspend({ ...head, session }, session.updatedAt) };
}

/** A session that ended before `before`, and has nothing left to answer, begins to be deleted. */
export function beginDeletion(head: Head, before: string, now: number): SessionChange<boolean> {
  if (head.deletingSince !== null) return { result: true };
  if (phaseOf(head) !== "over" || head.session.updatedAt >= before || head.turns.length > 0) return { result: false };
  return { result: true, head: { ...head, deletingSince: new Date(now).toISOString() } };
}

/** There is something to do in it: to answer, or to send. */
export function hasWork(head: Head): boolean {
  return head.turns.length > 0 || isUnsent(head);
}

/** Something may be said in it. */
export function isOpen({ deletingSince, session: { status } }: Head): boolean {
  return deletingSince === null && (status === "active" || status === "abandoned");
}

export function phaseOf({ deletingSince, session }: Head): SessionPhase {
  if (deletingSince !== null) return "deleting";
  return session.status === "active" ? "active" : "over";
}

/** After all that can be due. */
const never = "9999-12-31T23:59:59.999Z";

/**
 * When the session entered its phase, or in the active one: when something was last said. One that silence does not end is
 * never due in it, so nobody looks for it in vain.
 */
export function phaseSince(head: Head): string {
  const { deletingSince, session } = head;
  const activeSince = lastsUntilClosed(head) ? never : session.lastMessageAt;
  return deletingSince ?? (session.status === "active" ? activeSince : session.updatedAt);
}

/** What belongs to an agent, or to a chat, is abandoned by nobody. (SPEC M90) */
function lastsUntilClosed({ session }: Head): boolean {
  return session.kind !== "daily";
}

/**
 * Ends a session; its open turns are still answered, by whoever holds it. With none of them nobody holds it any more. A
 * session that is over stays as it is.
 */
export function close(before: Head, status: "resolved" | "closed", now: number): SessionChange<Session> {
  if (!isOpen(before)) return { result: before.session };
  const head = before.turns.length === 0 ? letGo(before) : before;
  const session = { ...head.session, status, updatedAt: later(now, head.session.updatedAt) };
  return { result: session, head: suspend({ ...head, session }, session.updatedAt) };
}

export type Said = Pick<ChatMessage, "messageId" | "userId" | "content" | "type" | "metadata"> & {
  readonly data?: unknown;
};

/** @param intent to which it belongs */
export function append(head: Head, now: number, said: Said, intent = head.intent): ChatMessage {
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
    metadata: intent === null ? metadata : { ...metadata, intentId: intent.intentId },
  };
}

export function after(
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
  // What the user asked for (M43) is not undone by what page they are on.
  const { wantsHuman } = metadata.context;
  const kept = wantsHuman === undefined ? context : { wantsHuman, ...context };
  const outbound = outboundAfter(head.outbound, said);
  return {
    ...head,
    ...(outbound === undefined ? {} : { outbound }),
    session: {
      ...session,
      status,
      offset: said.offset,
      totals: { ...totals, messages: totals.messages + 1, tokens: totals.tokens + tokens },
      updatedAt: said.timestamp,
      lastMessageAt: said.timestamp,
      metadata: hasContext ? { ...metadata, context: kept } : metadata,
    },
  };
}

// Within a session time never goes back, so that a timestamp finds its offset by bisection. (SPEC M5)
export function later(now: number, than: string): string {
  return new Date(Math.max(now, Date.parse(than))).toISOString();
}
