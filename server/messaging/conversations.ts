import { createHash } from "node:crypto";
import { threadIdOf } from "./steps/onboarding.js";
import type { Code } from "../../protocol/codes.js";
import { failure, type Result, success } from "../../protocol/result.js";
import type { Clock } from "../clock.js";
import type { Business } from "./business.js";
import { type Admission, admit, close, type Head, type NewUserMessage } from "./head.js";
import type { Ids } from "./ids.js";
import type { ChatMessage, ChatMessageMetadata } from "./model.js";
import { businessDay, isDayOver } from "./session-policy.js";
import type { Store } from "./store.js";

export interface UserMessage {
  readonly business: Business;
  readonly userId: string;
  readonly locationId: string;
  readonly content: string;
  readonly sessionId: string | null;
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
}

/** Someone else may close the session, or begin the day's, between our looking and our writing; each time we look again. */
const attemptsMax = 5;

export function createConversations(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Names this process among those that answer. */
  readonly node: string;
  /** Told of what failed beside the way, where nobody waits for it. */
  readonly onError: (operation: string, error: unknown) => void;
}): Conversations {
  const { store, clock, ids, node } = deps;

  return { today, accept };

  async function today(business: Business, userId: string): Promise<Head | null> {
    const current = await store.readCurrentSession(business.businessId, userId);
    if (current?.day !== dayOf(business)) return null;
    const head = await store.readHead(current.sessionId);
    return head !== null && isOpen(head) ? head : null;
  }

  async function accept(message: UserMessage): Promise<Result<Accepted, Code>> {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const sessionId = await resolve(message);
      const claim = await claimId(message, sessionId);
      if (claim === null) return failure("idempotency_mismatch");
      // An attempt that was cut off decided for another session: there it goes, even if that one is over by now.
      const isFinal = claim.sessionId !== sessionId;
      const admission = await store.changeSession(
        claim.sessionId,
        (head, found) => admit(head, found, newMessage(message, claim.messageId), now(head, message.business, isFinal)),
        claim.messageId,
      );
      const accepted = admission === null ? null : acceptedFrom(admission);
      if (accepted !== null) return success(accepted);
    }
    return failure("busy");
  }

  function now(head: Head, business: Business, isFinal: boolean): Parameters<typeof admit>[3] {
    return { now: clock.now(), node, isOver: !isFinal && isDayOver(head, dayOf(business)), isFinal };
  }

  // Without an id of the client's, every message is a new one.
  async function claimId(
    message: UserMessage,
    sessionId: string,
  ): Promise<{ messageId: string; sessionId: string } | null> {
    const { business, userId, clientMessageId, content } = message;
    const messageId = ids.sortable();
    if (clientMessageId === null) return { messageId, sessionId };
    const textHash = createHash("sha256").update(content).digest("base64url");
    const key = { businessId: business.businessId, userId, clientMessageId };
    const claimed = await store.claimClientMessage(key, { messageId, sessionId, textHash });
    return claimed.textHash === textHash ? claimed : null;
  }

  /** Which session a message belongs to. (SPEC M3) */
  async function resolve({ business, userId, locationId, sessionId }: UserMessage): Promise<string> {
    const given = sessionId === null ? null : await ownSession(business, userId, sessionId);
    if (given !== null && isOpen(given) && !isDayOver(given, dayOf(business))) return given.session.sessionId;
    const day = dayOf(business);
    const current = await store.readCurrentSession(business.businessId, userId);
    if (current !== null && current.day === day) {
      const head = (await store.readHead(current.sessionId)) ?? (await store.createHead(current.seed));
      if (isOpen(head)) return current.sessionId;
    }
    const previous = given?.session.sessionId ?? current?.sessionId ?? null;
    return begin({ business, userId, locationId, day, previous, replaced: current?.sessionId ?? null });
  }

  async function ownSession(business: Business, userId: string, sessionId: string): Promise<Head | null> {
    const head = await store.readHead(sessionId);
    const isOwn = head?.session.businessId === business.businessId && head.session.userId === userId;
    return isOwn ? head : null;
  }

  /** Begins the day's session. When two do so at once, one wins and both use it. (SPEC M2) */
  async function begin(options: NewSession & { readonly replaced: string | null }): Promise<string> {
    const { business, userId, day, replaced } = options;
    const seed = newHead(options, ids.random(), clock.now());
    const next = { sessionId: seed.session.sessionId, day, seed };
    const winner = await store.replaceCurrentSession({ businessId: business.businessId, userId }, replaced, next);
    await store.createHead(winner.seed);
    if (winner.sessionId === next.sessionId && replaced !== null) void closeReplaced(replaced, day);
    return winner.sessionId;
  }

  // Nothing hangs on it: a session of yesterday takes no message, closed or not.
  async function closeReplaced(sessionId: string, day: string): Promise<void> {
    try {
      await store.changeSession(sessionId, (head) =>
        isDayOver(head, day) ? close(head, "closed", clock.now()) : { result: head.session },
      );
    } catch (error) {
      deps.onError("close yesterday's session", error);
    }
  }

  function dayOf(business: Business): string {
    return businessDay(clock.now(), business.timeZone);
  }
}

function acceptedFrom(admission: Admission): Accepted | null {
  switch (admission.kind) {
    case "admitted":
      return { message: admission.message, duplicate: false, head: admission.head };
    case "duplicate":
      return { message: admission.message, duplicate: true, head: null };
    case "over":
      return null;
  }
}

function newMessage(message: UserMessage, messageId: string): NewUserMessage {
  const { userId, locationId, content, context, metadata } = message;
  return { messageId, userId, locationId, content, context, metadata };
}

function isOpen({ session }: Head): boolean {
  return session.status === "active" || session.status === "abandoned";
}

interface NewSession {
  readonly business: Business;
  readonly userId: string;
  readonly locationId: string;
  readonly day: string;
  readonly previous: string | null;
}

function newHead({ business, userId, locationId, day, previous }: NewSession, sessionId: string, now: number): Head {
  const { businessId } = business;
  const timestamp = new Date(now).toISOString();
  return {
    rev: 0,
    day,
    turns: [],
    fence: 0,
    lease: null,
    intent: null,
    session: {
      sessionId,
      businessId,
      locationId,
      userId,
      kind: "daily",
      threadId: threadIdOf(businessId, userId, "channel"),
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
  };
}
