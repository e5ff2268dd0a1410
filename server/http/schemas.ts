import { z } from "zod";
import { codes } from "../../protocol/codes.js";
import { roles } from "../auth/identity.js";
import { latestLengthMax } from "../messaging/latest.js";
import { sessionStatuses } from "../messaging/model.js";
import { httpCodes } from "./problem.js";

// The shapes of what HTTP answers, for its description; the tests hold every answer to them. Strict: a field that is not
// described is one that nobody decided to tell.

const id = z.string();
const count = z.int().min(0);
const timestamp = z.iso.datetime().meta({ description: "ISO 8601, UTC, with milliseconds" });
const anything = z.record(z.string(), z.unknown());

export const problem = z
  .strictObject({
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.int(),
    code: z.enum([...namesOf(codes), ...namesOf(httpCodes)]),
    detail: z.string().optional(),
    errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem", description: "RFC 9457, with a code of a closed table" });

export const pagination = z
  .strictObject({ hasMore: z.boolean(), nextCursor: z.string().nullable() })
  .meta({ id: "Pagination" });

const participant = z.strictObject({ type: z.enum(["user", "agent", "coordinator"]), id, joined: timestamp });

export const session = z
  .strictObject({
    sessionId: id,
    businessId: id,
    locationId: id,
    userId: id.optional(),
    agentId: id.optional(),
    kind: z.enum(["daily", "agent", "chat"]),
    threadId: id,
    title: z.string().optional(),
    teamId: id.optional(),
    description: z.string().optional(),
    status: z.enum(sessionStatuses),
    participants: z.array(participant),
    holder: z
      .strictObject({ coordinatorId: id.optional(), expiresAt: timestamp })
      .optional()
      .meta({ description: "The coordinator who has it in hand; its user is not told who" }),
    offset: count.meta({ description: "Of its last message" }),
    previousSessionId: id.optional(),
    totals: z.strictObject({ messages: count, tokens: count, cost: z.number() }),
    createdAt: timestamp,
    updatedAt: timestamp,
    lastMessageAt: timestamp,
    createdBy: id,
    metadata: z.strictObject({ businessType: z.string(), context: anything }),
  })
  .meta({ id: "Session" });

export const listedSession = session
  .extend({
    latest: z
      .strictObject({
        type: z.enum(["user", "agent", "coordinator", "system"]),
        content: z.string().max(latestLengthMax),
        timestamp,
        code: z.string().optional().meta({ description: "Of a failure" }),
      })
      .nullable()
      .optional()
      .meta({ description: "The beginning of what was said last; null: nothing" }),
    openQuestions: z
      .array(z.strictObject({ messageId: id, timestamp }))
      .optional()
      .meta({ description: "Those that have no outcome yet, the earliest first" }),
  })
  .meta({ id: "ListedSession", description: "With `include=latest`, what was said last and what is open, too" });

export const conversation = z
  .strictObject({
    _id: id,
    title: z.string(),
    description: z.string(),
    agentId: id.optional(),
    conversationType: z.literal("chat"),
    status: z.enum(sessionStatuses),
    totalTokens: count,
    totalMessages: count,
    totalCost: z.number(),
    participants: z.array(participant),
    orgId: id,
    createdBy: id,
    updatedBy: id,
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: "Conversation" });

const source = z.enum(["websocket", "webhook", "cron", "http"]);
const action = z.strictObject({
  type: z.string(),
  label: z.string(),
  value: z.string().optional(),
  url: z.string().optional(),
});

const messageMetadata = z.strictObject({
  source,
  node: z.enum(["command", "onboarding", "agent", "echo", "coordinator"]).optional(),
  externalId: id.optional(),
  responseId: id.optional(),
  inReplyTo: id.optional(),
  clientMessageId: id.optional(),
  clientTimestamp: z.string().optional(),
  chatId: id.optional(),
  connectionId: id.optional(),
  intentId: id.optional(),
  coordinatorId: id.optional(),
  agentId: id.optional(),
  toolCalls: z.array(z.unknown()).optional(),
  sources: z.array(z.string()).optional(),
  tokens: z.number().optional(),
  durationMs: z.number().optional(),
  actions: z.array(action).optional(),
  code: z.string().optional(),
  isComplete: z.boolean().optional(),
  feedback: z
    .strictObject({ score: z.union([z.literal(-1), z.literal(1)]), comment: z.string().optional(), timestamp })
    .optional(),
});

const said = {
  messageId: id,
  sessionId: id,
  businessId: id,
  userId: id.meta({ description: 'The user; "agent", "coordinator" or "system" for what they said' }),
  content: z.string(),
  data: z.unknown().optional(),
  timestamp,
  metadata: messageMetadata,
};

export const chatMessage = z
  .strictObject({
    ...said,
    offset: count,
    type: z.enum(["user", "agent", "coordinator", "system"]),
    status: z.string().optional(),
  })
  .meta({ id: "ChatMessage" });

export const aside = z
  .strictObject({ ...said, afterOffset: count, type: z.enum(["thinking", "note", "draft"]) })
  .meta({ id: "Aside", description: "What hangs on the message at `afterOffset`" });

const figures = z
  .strictObject({
    from: timestamp,
    to: timestamp,
    messages: count,
    answered: count,
    failed: count,
    human: count,
    answerMs: z.strictObject({ p50: z.number().nullable(), p95: z.number().nullable() }),
    agentShare: z.number().nullable(),
    messagesPerMinute: z.number(),
  })
  .meta({ id: "Figures" });

export const businessFigures = z
  .strictObject({
    businessId: id,
    timeZone: z.string(),
    by: z.enum(["hour", "day"]),
    from: timestamp,
    to: timestamp,
    figures: z.array(figures),
    today: figures,
    yesterday: figures,
  })
  .meta({ id: "BusinessFigures" });

export const newMessage = z
  .looseObject({
    businessId: id,
    locationId: id,
    userId: id,
    message: z.string(),
    sessionId: id.optional(),
    timestamp: z.string().optional(),
    clientMessageId: id.optional(),
    chatId: id.optional(),
    context: anything.optional(),
  })
  .meta({ id: "NewMessage" });

const reply = { messageId: id, sessionId: id, offset: count, timestamp, duplicate: z.literal(true).optional() };

export const acceptedMessage = z.strictObject(reply).meta({ id: "AcceptedMessage" });

export const answeredMessage = z
  .strictObject({
    ...reply,
    answer: z.strictObject({
      responseId: id,
      message: z.string(),
      actions: z.array(action),
      timestamp,
      sessionId: id,
      messageId: id,
      inReplyTo: id.optional(),
      offset: count,
      from: z.enum(["agent", "coordinator", "system"]),
      isComplete: z.boolean(),
    }),
  })
  .meta({ id: "AnsweredMessage" });

export const chat = z
  .strictObject({
    _id: id,
    userId: id,
    teamId: id.optional(),
    title: z.string(),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: "Chat" });

export const shownChatMessage = z
  .strictObject({
    _id: id,
    chatSessionId: id,
    messageType: z.enum(["user", "ai_report", "ai_error", "system"]),
    content: z.string(),
    status: z.enum(["pending", "done", "failed"]),
    createdAt: timestamp,
  })
  .meta({ id: "MessageOfChat" });

export const schedule = z
  .strictObject({
    scheduleId: id,
    businessId: id,
    userId: id,
    locationId: id,
    message: z.string(),
    at: timestamp.optional(),
    cron: z.string().optional(),
    nextAt: timestamp,
    createdAt: timestamp,
  })
  .meta({ id: "Schedule" });

export const user = z
  .strictObject({
    businessId: id,
    userId: id,
    name: z.string().optional(),
    locale: z.enum(["ro", "en"]).optional(),
    blocked: z.boolean(),
    platforms: z.array(z.string()),
    createdAt: timestamp,
    lastSeenAt: timestamp,
  })
  .meta({ id: "User" });

export const issuedToken = z
  .strictObject({ token: z.string(), sub: id, role: z.enum(roles), businessId: id.nullable(), expiresAt: timestamp })
  .meta({ id: "Token" });

function namesOf<T extends object>(table: T): (keyof T & string)[] {
  return Object.keys(table) as (keyof T & string)[];
}
