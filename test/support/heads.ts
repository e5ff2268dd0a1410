import type { Business } from "../../server/messaging/business.js";
import type { UserMessage } from "../../server/messaging/conversations.js";
import type { Head, NewUserMessage } from "../../server/messaging/head.js";
import type { ChatMessage, Session } from "../../server/messaging/model.js";
import type { OpenTurn } from "../../server/messaging/open-turns.js";

export const headTime = "2026-03-02T10:00:00.000Z";

/** As of a desk that nobody configured, in ms. */
export const intentLife = { idleMs: 30 * 60_000, keptMs: 30 * 24 * 60 * 60_000 };

/** The head of a session in which nothing was said yet, but for what is given. */
export function headOf({
  session,
  ...rest
}: Partial<Omit<Head, "session">> & { session?: Partial<Session> } = {}): Head {
  return {
    rev: 0,
    day: "2026-03-02",
    turns: [],
    fence: 0,
    lease: null,
    intent: null,
    suspended: null,
    delivered: 0,
    read: 0,
    deletingSince: null,
    ...rest,
    session: {
      sessionId: "s1",
      businessId: "B1",
      locationId: "L1",
      userId: "ana",
      kind: "daily",
      threadId: "t1",
      status: "active",
      participants: [],
      offset: 0,
      totals: { messages: 0, tokens: 0, cost: 0 },
      createdAt: headTime,
      updatedAt: headTime,
      lastMessageAt: headTime,
      createdBy: "ana",
      metadata: { businessType: "general", context: {} },
      ...session,
    },
  };
}

export function turnOf(messageId: string, offset: number): OpenTurn {
  return { messageId, offset, admittedAt: headTime, locationId: "L1", source: "websocket", context: {} };
}

export function saidBy(userId: string, messageId: string, more: Partial<NewUserMessage> = {}): NewUserMessage {
  return {
    messageId,
    userId,
    locationId: "L1",
    content: `text of ${messageId}`,
    context: {},
    metadata: { source: "websocket" },
    ...more,
  };
}

export function questionOf(messageId: string, offset: number): ChatMessage {
  return {
    messageId,
    sessionId: "s1",
    offset,
    businessId: "B1",
    userId: "ana",
    content: `text of ${messageId}`,
    type: "user",
    timestamp: headTime,
    metadata: { source: "websocket" },
  };
}

/** What a user says who knows of no session and gives it no id. */
export function userMessageOf(business: Business, userId: string, content: string): UserMessage {
  return {
    business,
    userId,
    locationId: "L1",
    content,
    sessionId: null,
    clientMessageId: null,
    context: {},
    metadata: { source: "websocket" },
  };
}
