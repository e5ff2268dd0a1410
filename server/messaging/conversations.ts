import { threadIdOf } from "./steps/onboarding.js";
import type { Code } from "../../protocol/codes.js";
import { failure, type Result, success } from "../../protocol/result.js";
import type { Clock } from "../clock.js";
import type { Business } from "./business.js";
import { type Admission, admit, close, type Head, isOpen, type NewUserMessage } from "./head.js";
import type { Ids } from "./ids.js";
import { carriedOver, suspendIdle } from "./intents.js";
import type { ChatMessage, ChatMessageMetadata, Intent } from "./model.js";
import { newHead } from "./new-head.js";
import { carriedOutbound, threadPlatformOf } from "./outbound.js";
import { type ClientMessage, clientMessageKey, currentSessionKey, hashOf } from "./records.js";
import { businessDay, isDayOver } from "./session-policy.js";
import {
  changeAndTell,
  type CurrentSession,
  findHead,
  type IntentListener,
  readCurrentSession,
  type SessionListener,
} from "./sessions.js";
import type { RecordKey, SessionChange, Store, StoredRecord } from "./store.js";

export interface UserMessage {
  readonly business: Business;
  readonly userId: string;
  readonly locationId: string;
  readonly content: string;
  /** What was filled in, beside its text. */
  readonly data?: unknown;
  readonly sessionId: string | null;
  /** It goes into that session, or nowhere. Left out: where SPEC M3 says. */
  readonly isBound?: boolean | undefined;
  readonly clientMessageId: string | null;
  readonly context: Readonly<Record<string, unknown>>;
  readonly metadata: ChatMessageMetadata;
}

export interface Accepted {
  readonly message: ChatMessage;
  /** It had been accepted before, under the same clientMessageId. */
  readonly duplicate: boolean;
  /** The session with the message in it; null for a duplicate. */
  readonly head: Head | null;
}

export interface Conversations {
  /** The session of a user's business day, or null when nothing was said in it yet. */
  today(business: Business, userId: string): Promise<Head | null>;
  /**
   * Stores a user message in the session where it belongs. Resolves once message and open turn are durable.
   * @throws StoreError when it could not be stored
   * @see SPEC M1–M8
   */
  accept(message: UserMessage): Promise<Result<Accepted, Code>>;
  /** The same for what is stored already; null for what is new. Stores nothing. */
  findAccepted(message: UserMessage): Promise<Result<Accepted | null, Code>>;
}

/** Someone else may close the session, or begin the day's, between our looking and our writing; each time we look again. */
const attemptsMax = 5;

/** How long intents live, in ms. */
export interface IntentLife {
  /** Silence after which one is abandoned. */
  readonly idleMs: number;
  /** From then on, how long the user's next session still takes it over. */
  readonly keptMs: number;
}

export function createConversations(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Names this process among those that answer. */
  readonly node: string;
  /** Told of what failed beside the way, where nobody waits for it. */
  readonly onError: (operation: string, error: unknown) => void;
  /** Told of one that came back to life, or was closed because a new day's began. */
  readonly onChanged: SessionListener;
  /** Told of what was going on, and is abandoned: nothing was said for long, or the session is over. */
  readonly onIntent: IntentListener;
  readonly intentLife: IntentLife;
}): Conversations {
  const { store, clock, ids, node, intentLife } = deps;

  return { today, accept, findAccepted };

  async function today(business: Business, userId: string): Promise<Head | null> {
    const current = await readCurrentSession(store, { businessId: business.businessId, userId });
    if (current?.value.day !== dayOf(business)) return null;
    const head = await findHead(store, current.value.sessionId);
    return head !== null && isOpen(head) ? head : null;
  }

  async function accept(message: UserMessage): Promise<Result<Accepted, Code>> {
    const renewable = new Set<string>();
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const found = await resolve(message);
      // For what is known already, or refused, no session begins.
      const isElsewhere = message.isBound === true && !isAt(found, message.sessionId);
      const known = found.isOpen && !isElsewhere ? success(null) : await findAccepted(message);
      if (!known.ok) return known;
      if (known.value !== null) return success(known.value);
      if (isElsewhere) return failure("session_not_found");
      const place = found.isOpen ? found.place : await begin(found.options, found.replaced);
      const claim = place === null ? null : await claimId(message, place);
      if (place === null || claim === null) continue;
      if (claim.rev !== null && claim.textHash !== textHashOf(message)) return failure("idempotency_mismatch");
      // An attempt that was cut off decided for another session: there it goes, even if that one is over by now.
      const isFinal = claim.sessionId !== place.sessionId;
      const admission = await admitTo(message, claim, isFinal);
      const result = admission === null ? null : resultOf(admission);
      if (result !== null) return result;
      // The session is being deleted. The claim of a message that was stored goes before the message: one that is there
      // when we look again is ours, or one that nothing was ever stored under, and nobody takes it away meanwhile.
      const mayRenew = isFinal && (admission === null || renewable.has(claim.messageId));
      renewable.add(mayRenew ? await renewClaim(message, claim, place) : claim.messageId);
    }
    return failure("busy");
  }

  async function admitTo(message: UserMessage, claim: Claim, isFinal: boolean): Promise<Admission | null> {
    const { messageId, sessionId, unusedAt } = claim;
    const admitIn = (before: Head, found: ChatMessage | null) => {
      // What the message finds going on is what was going on just before it.
      const head = suspendIdle(before, clock.now(), intentLife.idleMs);
      return admit(head, found, newMessage(message, messageId), terms(head, message.business, isFinal));
    };
    if (unusedAt !== null) {
      let isFirst = true;
      const admission = await changeAndTell(deps, sessionId, (head): SessionChange<Admission | "unsure"> => {
        // Asked again, what it said before may be written, though the store was never told so.
        const mayBeStored = !isFirst || head.session.offset > unusedAt;
        isFirst = false;
        return mayBeStored ? { result: "unsure" } : admitIn(head, null);
      });
      if (admission !== "unsure") return admission;
    }
    return changeAndTell(deps, sessionId, admitIn, messageId);
  }

  async function findAccepted(message: UserMessage): Promise<Result<Accepted | null, Code>> {
    if (message.clientMessageId === null) return success(null);
    const claim = (await store.readRecord<ClientMessage>(claimKey(message, message.clientMessageId)))?.value;
    if (claim === undefined) return success(null);
    if (claim.textHash !== textHashOf(message)) return failure("idempotency_mismatch");
    const found = await store.findMessage(claim.sessionId, claim.messageId);
    return success(found === null ? null : { message: found, duplicate: true, head: null });
  }

  function terms(head: Head, business: Business, isFinal: boolean): Parameters<typeof admit>[3] {
    return { now: clock.now(), node, isOver: !isFinal && isDayOver(head, dayOf(business)), isFinal };
  }

  /**
   * Decides once which message a client's id stands for, and where it goes. Without an id of the client's, every
   * message is a new one. Null when the claim that was there went away meanwhile.
   */
  async function claimId(message: UserMessage, { sessionId, offset }: Place): Promise<Claim | null> {
    const { clientMessageId } = message;
    const messageId = ids.sortable();
    if (clientMessageId === null) return { messageId, sessionId, textHash: "", unusedAt: Infinity, rev: null };
    const claim = { messageId, sessionId, textHash: textHashOf(message) };
    const { isWritten, record } = await store.writeRecord(claimKey(message, clientMessageId), null, claim);
    return record === null ? null : { ...record.value, unusedAt: isWritten ? offset : null, rev: record.rev };
  }

  /**
   * The session that was decided on is gone, with what was stored in it: the id stands for a new message. (SPEC M23)
   * @returns its messageId, if it was written
   */
  async function renewClaim(message: UserMessage, { rev, textHash }: Claim, { sessionId }: Place): Promise<string> {
    const claim = { messageId: ids.sortable(), sessionId, textHash };
    if (message.clientMessageId !== null)
      await store.writeRecord<ClientMessage>(claimKey(message, message.clientMessageId), rev, claim);
    return claim.messageId;
  }

  /** Which session a message belongs to, or which is to begin. (SPEC M3) */
  async function resolve({ business, userId, locationId, sessionId }: UserMessage): Promise<Resolved> {
    const given = sessionId === null ? null : await ownSession(business, userId, sessionId);
    if (given !== null && isOpen(given) && !isDayOver(given, dayOf(business))) return openAt(given);
    const day = dayOf(business);
    const current = await readCurrentSession(store, { businessId: business.businessId, userId });
    if (current?.value.day === day) {
      const head = (await store.readHead(current.value.sessionId)) ?? (await store.createHead(current.value.seed));
      if (isOpen(head)) return openAt(head);
    }
    const previous = given?.session.sessionId ?? (current === null ? null : await lastOf(current.value));
    return { isOpen: false, options: { business, userId, locationId, day, previous }, replaced: current };
  }

  /** The session before the next one: the current one, or if that was deleted, the one before it. */
  async function lastOf({ sessionId, seed }: CurrentSession): Promise<string | null> {
    return (await findHead(store, sessionId)) === null ? (seed.session.previousSessionId ?? null) : sessionId;
  }

  async function ownSession(business: Business, userId: string, sessionId: string): Promise<Head | null> {
    const head = await findHead(store, sessionId);
    const isOwn = head?.session.businessId === business.businessId && head.session.userId === userId;
    return isOwn ? head : null;
  }

  /** Begins the day's session. When two do so at once, one wins and both use it; null when it is gone already. (SPEC M2) */
  async function begin(options: NewSession, replaced: StoredRecord<CurrentSession> | null): Promise<Place | null> {
    const { business, userId, day } = options;
    const now = clock.now();
    const replacedHead = replaced === null ? null : await findHead(store, replaced.value.sessionId);
    // What an open turn is completing must not go on elsewhere: it would be done twice.
    const isSettled = replacedHead !== null && replacedHead.turns.length === 0;
    const suspended = isSettled ? carriedOver(replacedHead, now, intentLife.keptMs) : null;
    const seed = { ...dailyHead(options, ids.random(), now), suspended, ...carriedOutbound(replacedHead) };
    const next: CurrentSession = { sessionId: seed.session.sessionId, day, seed };
    const key = currentSessionKey({ businessId: business.businessId, userId });
    const { isWritten, record } = await store.writeRecord(key, replaced?.rev ?? null, next);
    if (record === null) return null;
    const head = await store.createHead(record.value.seed);
    if (isWritten && replaced !== null) void closeReplaced(replaced.value.sessionId, { day, now, suspended });
    return placeOf(head);
  }

  // Nothing hangs on it: a session of yesterday takes no message, closed or not.
  async function closeReplaced(sessionId: string, { day, now, suspended }: Replacement): Promise<void> {
    try {
      await changeAndTell(deps, sessionId, (head) =>
        isDayOver(head, day) ? close(head, "closed", now) : { result: head.session },
      );
      // It is the next session's from now on: this one may be opened again.
      if (suspended !== null) await store.changeSession(sessionId, (head) => handOver(head, suspended));
    } catch (error) {
      deps.onError("close yesterday's session", error);
    }
  }

  function dayOf(business: Business): string {
    return businessDay(clock.now(), business.timeZone);
  }
}

/** What takes the place of a session. */
interface Replacement {
  readonly day: string;
  readonly now: number;
  /** What it took over. */
  readonly suspended: Intent | null;
}

function handOver(head: Head, { intentId }: Intent): SessionChange<null> {
  return head.suspended?.intentId === intentId
    ? { result: null, head: { ...head, suspended: null } }
    : { result: null };
}

/** Where a message goes. */
interface Place {
  readonly sessionId: string;
  readonly offset: number;
}

type Resolved =
  | { readonly isOpen: true; readonly place: Place }
  | { readonly isOpen: false; readonly options: NewSession; readonly replaced: StoredRecord<CurrentSession> | null };

function isAt(found: Resolved, sessionId: string | null): boolean {
  return found.isOpen && found.place.sessionId === sessionId;
}

function openAt(head: Head): Resolved {
  return { isOpen: true, place: placeOf(head) };
}

function placeOf({ session: { sessionId, offset } }: Head): Place {
  return { sessionId, offset };
}

interface Claim extends ClientMessage {
  /**
   * The session's offset from before we claimed it. Until something is said after that, the message cannot be stored,
   * which saves looking: whoever sends it at the same time may store it first. Null: it was claimed before.
   */
  readonly unusedAt: number | null;
  /** Null without an id of the client's: then there is nothing to compare either. */
  readonly rev: number | null;
}

function claimKey({ business, userId }: UserMessage, clientMessageId: string): RecordKey {
  return clientMessageKey(business.businessId, userId, clientMessageId);
}

// Different values can read the same, and what is said in one chat is not said in another.
function textHashOf({ content, data, isBound, sessionId }: UserMessage): string {
  if (isBound === true) return hashOf(JSON.stringify([content, data ?? null, sessionId]));
  return hashOf(data === undefined ? content : JSON.stringify([content, data]));
}

/** Null when the message belongs into another session. */
function resultOf(admission: Admission): Result<Accepted, Code> | null {
  switch (admission.kind) {
    case "admitted":
      return success({ message: admission.message, duplicate: false, head: admission.head });
    case "duplicate":
      return success({ message: admission.message, duplicate: true, head: null });
    case "full":
      return failure("busy");
    case "over":
      return null;
  }
}

function newMessage(message: UserMessage, messageId: string): NewUserMessage {
  const { userId, locationId, content, data, context, metadata } = message;
  return { messageId, userId, locationId, content, data, context, metadata };
}

interface NewSession {
  readonly business: Business;
  readonly userId: string;
  readonly locationId: string;
  readonly day: string;
  readonly previous: string | null;
}

function dailyHead({ business, userId, locationId, day, previous }: NewSession, sessionId: string, now: number): Head {
  const { businessId } = business;
  const timestamp = new Date(now).toISOString();
  return newHead(
    {
      sessionId,
      businessId,
      locationId,
      userId,
      kind: "daily",
      threadId: threadIdOf(businessId, userId, threadPlatformOf(userId)),
      status: "active",
      participants: [{ type: "user", id: userId, joined: timestamp }],
      offset: 0,
      ...(previous === null ? {} : { previousSessionId: previous }),
      totals: { messages: 0, tokens: 0, cost: 0 },
      createdAt: timestamp,
      updatedAt: timestamp,
      lastMessageAt: timestamp,
      createdBy: userId,
      metadata: { businessType: business.type, context: {} },
    },
    day,
  );
}
