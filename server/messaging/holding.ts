import {
  after,
  append,
  type Head,
  isOpen,
  later,
  leased,
  letGo,
  processedEvent,
  type Questions,
  questionOf,
  released,
  takeOver,
} from "./head.js";
import { counterpartOf } from "./ids.js";
import { suspend, suspendedBy } from "./intents.js";
import type { ChatMessage, ChatMessageMetadata, Intent, ProcessedEvent, Session, SessionStatus } from "./model.js";
import { commandsIn, type OpenTurn, questionsIn } from "./open-turns.js";
import type { SessionChange } from "./store.js";

/** Who has a session in hand, and until when. */
export type Holder = NonNullable<Session["holder"]>;

/** So long without the holder doing anything, and the session is the agent's again. */
export const holdingMs = 5 * 60_000;

/** Who does something to a session, and when. */
export interface Actor {
  /** Null: its user, whom no holding keeps out. */
  readonly coordinatorId: string | null;
  /** Wall time in ms. */
  readonly now: number;
  /** Whoever held it under this id is gone, and nobody can come back under it. Left out: nobody is. (SPEC M30) */
  readonly isGone?: (coordinatorId: string) => boolean;
}

/** Why nothing was done. */
export type NotDone =
  | { readonly kind: "held_by_other"; readonly holder: Holder }
  /** Being deleted: it is not there for anybody. */
  | { readonly kind: "gone" }
  /** Resolved or closed, or of a business day that has passed. */
  | { readonly kind: "over" };

/** What is open is not what it was: to be read, and decided on again. */
export interface Unread {
  readonly kind: "unread";
  /** Of user messages whose text is needed for what is to be done. */
  readonly messageIds: readonly string[];
  readonly respondsTo: Saying["respondsTo"];
}

export interface Done {
  readonly kind: "done";
  readonly session: Session;
  /** What was said with it; null when nothing was. */
  readonly said: Said | null;
  /** The intent that is abandoned, because its session ended. */
  readonly suspended?: Intent;
}

export interface Said {
  readonly message: ChatMessage;
  /** One of each turn that ended with it. */
  readonly events: readonly ProcessedEvent[];
}

export type Held = Done | NotDone;

/** What is to be said as the outcome of all open questions. */
export interface Saying {
  /** Of what responds to nothing. */
  readonly messageId: string;
  /** As `respondsToIn` has it: its place is there already, and has an id. */
  readonly respondsTo: string | null;
  readonly responseId: string;
  readonly content: string;
  /** For a message that answers nobody's. */
  readonly cursor: string;
  readonly inReplyTo: string | null;
  /** Where the conversation goes on, when nobody waits for an answer: of the last message. */
  readonly source: ChatMessageMetadata["source"];
  readonly chatId: string | null;
}

/** Of a chat, the newest open question: what ends it, and those before it, is its response. (SPEC H32) */
export function respondsToIn(head: Head): string | null {
  return head.session.kind === "chat" ? (questionsIn(head).at(-1)?.messageId ?? null) : null;
}

/** The messageId under which it is stored. */
export function storedIdOf({ messageId, respondsTo }: Pick<Saying, "messageId" | "respondsTo">): string {
  return respondsTo === null ? messageId : counterpartOf(respondsTo);
}

/** Takes the session, or goes on holding it. The open questions wait from then on. (SPEC M30) */
export function hold(before: Head, actor: Actor & { readonly coordinatorId: string }): SessionChange<Held> {
  const refused = refusedTo(before, actor);
  if (refused !== null) return { result: refused };
  const head = taken(before, actor);
  return head === null ? { result: { kind: "over" } } : done(head);
}

/** Gives the session back: its newest open question is the agent's, and the earlier ones end with it. (SPEC M33) */
export function handBack(head: Head, actor: Actor): SessionChange<Held> {
  const refused = refusedTo(head, actor);
  if (refused !== null) return { result: refused };
  if (head.session.holder === undefined) return { result: { kind: "done", session: head.session, said: null } };
  return done(touched(letGo(head), actor.now));
}

/**
 * A coordinator says something: the outcome of all open questions, if there are any. A session that nobody holds is taken by
 * it. (SPEC M31)
 */
export function reply(
  before: Head,
  saying: Saying,
  { questions, ...actor }: Actor & { readonly coordinatorId: string; readonly questions: Questions },
): SessionChange<Held | Unread> {
  const refused = refusedTo(before, actor);
  if (refused !== null) return { result: refused };
  const { now } = actor;
  const head = taken(before, actor);
  if (head === null) return { result: { kind: "over" } };
  const status = head.session.status === "abandoned" ? "active" : head.session.status;
  return say(head, saying, { coordinatorId: actor.coordinatorId, status, now, questions });
}

/**
 * Ends the session, or, without a status, only what is being answered in it. Open questions end as one `system`
 * message; commands are still carried out. A session that is over stays as it is. (SPEC M34)
 */
export function end(
  before: Head,
  saying: Saying,
  {
    status,
    questions,
    ...actor
  }: Actor & { readonly status: "resolved" | "closed" | null; readonly questions: Questions },
): SessionChange<Held | Unread> {
  const refused = refusedTo(before, actor);
  if (refused !== null) return { result: refused };
  const { now } = actor;
  const hasNothing = status === null ? questionsIn(before).length === 0 : !isOpen(before);
  if (hasNothing) return { result: { kind: "done", session: before.session, said: null } };
  const next = status ?? before.session.status;
  const head = status === null ? before : letGo(before);
  const change =
    questionsIn(head).length > 0
      ? say(head, saying, { coordinatorId: null, status: next, now, questions })
      : done(touched({ ...head, session: { ...head.session, status: next } }, now));
  return status === null ? change : withoutIntent(change);
}

/** Nothing goes on in a session that ended. (SPEC M69) */
function withoutIntent<Result extends Done | Unread>(change: SessionChange<Result>): SessionChange<Result> {
  if (change.head === undefined) return change;
  const head = suspend(change.head, change.head.session.updatedAt);
  const suspended = suspendedBy(change.head, head);
  return suspended === null ? change : { ...change, head, result: { ...change.result, suspended } };
}

/** A session that is over is active again, unless its business day is over. (SPEC M35) */
export function reopen(
  head: Head,
  { isDayOver, ...actor }: Actor & { readonly isDayOver: boolean },
): SessionChange<Held> {
  const { now } = actor;
  const refused = refusedTo(head, actor);
  if (refused !== null) return { result: refused };
  if (isDayOver) return { result: { kind: "over" } };
  if (head.session.status === "active") return { result: { kind: "done", session: head.session, said: null } };
  return done(touched({ ...head, session: { ...head.session, status: "active" } }, now));
}

/** @returns null for what may be done */
function refusedTo(head: Head, { coordinatorId, now, isGone }: Actor): NotDone | null {
  if (head.deletingSince !== null) return { kind: "gone" };
  const { holder } = released(head, now).session;
  if (holder === undefined || coordinatorId === null || holder.coordinatorId === coordinatorId) return null;
  if (isGone?.(holder.coordinatorId) === true) return null;
  return { kind: "held_by_other", holder };
}

/** The session in the hand of a coordinator who may have it; null when it is over, and was in nobody's before. */
function taken(before: Head, { coordinatorId, now }: Actor & { readonly coordinatorId: string }): Head | null {
  const holder = { coordinatorId, expiresAt: new Date(now + holdingMs).toISOString() };
  const { holder: holderBefore } = before.session;
  const isHeld = holderBefore !== undefined && released(before, now) === before;
  if (isHeld && holderBefore.coordinatorId === coordinatorId)
    return { ...before, session: { ...before.session, holder } };
  return isHeld || isOpen(before) ? (takeOver(before, holder, now).head ?? null) : null;
}

function say(
  head: Head,
  saying: Saying,
  {
    coordinatorId,
    status,
    now,
    questions,
  }: {
    /** Null: the server, in their place. */
    readonly coordinatorId: string | null;
    readonly status: SessionStatus;
    readonly now: number;
    readonly questions: Questions;
  },
): SessionChange<Done | Unread> {
  const turns = questionsIn(head);
  const unread = turns.filter(({ messageId }) => !questions.has(messageId)).map(({ messageId }) => messageId);
  const respondsTo = respondsToIn(head);
  if (unread.length > 0 || respondsTo !== saying.respondsTo) {
    return { result: { kind: "unread", messageIds: unread, respondsTo } };
  }
  const { responseId, content } = saying;
  const type = coordinatorId === null ? "system" : "coordinator";
  const stored = append(head, now, {
    messageId: storedIdOf(saying),
    userId: type,
    content,
    type,
    metadata: metadataOf(saying, turns, { coordinatorId, questions }),
  });
  const told = { stored, responseId, status: type === "system" ? "failed" : "human" } as const;
  const answers = turns.map((turn) => processedEvent(turn, questionOf(turn, questions), told));
  const events = answers.length > 0 ? answers : [unaskedEvent(head, saying, stored)];
  const next = leased({ ...after(head, stored, { status }), turns: commandsIn(head) });
  const result: Done = { kind: "done", session: next.session, said: { message: stored, events } };
  return { result, head: next, messages: [stored], events };
}

// As of an answer to the newest: it comes back by the same way, and is found in the same window.
function metadataOf(
  { responseId, inReplyTo, source, chatId }: Saying,
  turns: readonly OpenTurn[],
  { coordinatorId, questions }: { readonly coordinatorId: string | null; readonly questions: Questions },
): ChatMessageMetadata {
  const newest = turns.at(-1);
  const question = newest === undefined ? null : questionOf(newest, questions).message;
  const repliesTo = inReplyTo ?? question?.messageId;
  const window = question === null ? chatId : (question.metadata.chatId ?? null);
  return {
    source: question?.metadata.source ?? source,
    ...(coordinatorId === null ? {} : { node: "coordinator" as const, coordinatorId }),
    responseId,
    ...(repliesTo === undefined ? {} : { inReplyTo: repliesTo }),
    ...(window === null ? {} : { chatId: window }),
    isComplete: true,
  };
}

/** How coordinators hear of what nobody had asked for: an outcome of no message, under the id of what was said. */
function unaskedEvent({ session }: Head, { cursor, responseId, source }: Saying, stored: ChatMessage): ProcessedEvent {
  const { businessId, sessionId, messageId, content, timestamp } = stored;
  const { locationId, userId = "" } = session;
  return {
    cursor,
    businessId,
    locationId,
    userId,
    sessionId,
    messageId,
    message: "",
    responseId,
    answer: content,
    status: "human",
    timestamp,
    durationMs: 0,
    source,
  };
}

function touched(head: Head, now: number): Head {
  return { ...head, session: { ...head.session, updatedAt: later(now, head.session.updatedAt) } };
}

function done(head: Head): SessionChange<Done> {
  return { result: { kind: "done", session: head.session, said: null }, head };
}
