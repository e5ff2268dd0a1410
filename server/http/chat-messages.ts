import type { Request, Response } from "express";
import { z } from "zod";
import type { Answers } from "../messaging/answers.js";
import { beginTurn } from "../messaging/begin-turn.js";
import type { Broadcast } from "../messaging/broadcast.js";
import { shownMessage, shownResponse } from "../messaging/chat-messages.js";
import type { ChatSpeech } from "../messaging/chat-speech.js";
import { counterpartOf } from "../messaging/ids.js";
import type { ChatMessage, Session } from "../messaging/model.js";
import { turnsOf } from "../messaging/open-turns.js";
import { findHead } from "../messaging/sessions.js";
import { chatPaths, findChat, pageQuery } from "./chats.js";
import { identityOf } from "./identify.js";
import { keyOf } from "./idempotency-key.js";
import { sendProblem, sendRefusal } from "./problem.js";
import { offsetCursor, parseLimit, parsePosition, refuseLookalikes } from "./query.js";
import type { Route } from "./route.js";
import { pagination, shownChatMessage } from "./schemas.js";
import type { LookupDeps } from "./session-lookup.js";

export interface ChatMessagesDeps extends LookupDeps {
  readonly chatSpeech: ChatSpeech;
  readonly broadcast: Broadcast;
  readonly answers: Answers;
  readonly maxHistoryPage: number;
}

const pageDefault = 50;
const action = "chat.use";
const newMessage = z.strictObject({ content: z.string("content is a text") });

/** What is said in a chat, and what is answered. (SPEC H32, H33) */
export function chatMessageRoutes(deps: ChatMessagesDeps): readonly Route[] {
  return chatPaths.flatMap((chats): Route[] => {
    const path = `${chats}/:sessionId/messages`;
    return [
      {
        method: "post",
        repeated: "once",
        path,
        action,
        missing: "session_not_found",
        doc: {
          summary: "Says something in a chat; its answer follows",
          body: newMessage,
          answers: { 202: z.strictObject({ message: shownChatMessage, response: shownChatMessage }) },
          problems: [402, 413, 422, 429],
        },
        handle: (request, response) => say(deps, request, response),
      },
      {
        method: "get",
        path,
        action,
        doc: {
          summary: "What was said in a chat, oldest first within the page, the newest page first",
          query: pageQuery,
          answers: { 200: z.strictObject({ messages: z.array(shownChatMessage), pagination }) },
        },
        handle: (request, response) => list(deps, request, response),
      },
      {
        method: "get",
        path: `${path}/:messageId`,
        action,
        doc: { summary: "One message of a chat, or the response to one", answers: { 200: shownChatMessage } },
        handle: (request, response) => readOne(deps, request, response),
      },
    ];
  });
}

async function say(deps: ChatMessagesDeps, request: Request, response: Response): Promise<void> {
  const chat = await findChat(deps, request);
  const business = chat === null ? null : deps.businessOf(chat.businessId);
  if (chat === null || business === null) return sendProblem(response, "session_not_found");
  const body = newMessage.safeParse(request.body);
  if (!body.success) return sendProblem(response, "invalid_payload", body.error.issues[0]?.message);
  const key = keyOf(request);
  const { content } = body.data;
  if (content.trim() === "") return sendProblem(response, "missing_parameters", "content is missing");
  const sender = { business, identity: identityOf(request), source: "http", connectionId: null, rate: null } as const;
  const admitted = await deps.chatSpeech.say(sender, chat, { content, clientMessageId: key });
  if (!admitted.ok) return sendRefusal(response, admitted.reason);
  const { message, duplicate } = admitted.value.accepted;
  try {
    const outcome = duplicate ? await deps.answers.find(message) : null;
    response.status(202).json({ message: shownMessage(message), response: shownResponse(message, outcome) });
  } finally {
    // It is stored, so it is answered, whatever its sender was told.
    beginTurn(deps.broadcast, admitted.value);
  }
}

async function list(deps: ChatMessagesDeps, request: Request, response: Response): Promise<void> {
  const known = refuseLookalikes(request.query, Object.keys(pageQuery.shape));
  const size = parseLimit(request.query.limit, { fallback: pageDefault, max: deps.maxHistoryPage });
  const position = parsePosition("cursor", request.query.cursor);
  if (!known.ok) return sendProblem(response, "invalid_payload", known.reason);
  if (!size.ok) return sendProblem(response, "invalid_payload", size.reason);
  const before = position.ok ? position.value : null;
  if (!position.ok || (before !== null && !("offset" in before)))
    return sendProblem(response, "invalid_payload", "cursor is not one that was given out here");
  const chat = await findChat(deps, request);
  if (chat === null) return sendProblem(response, "session_not_found");
  // What is open is read before what was said, so that nothing answered meanwhile is missing.
  const open = before === null ? await openTurnsOf(deps, chat) : [];
  const range = { limit: size.value, ...(before === null ? {} : { before: before.offset }) };
  const { items, hasMore } = await deps.store.readMessages(chat.sessionId, range);
  const first = items[0]?.offset ?? 0;
  response.json({
    messages: [...items.map(shownMessage), ...pendingAmong(items, open)],
    pagination: { hasMore, nextCursor: hasMore ? offsetCursor(first) : null },
  });
}

async function openTurnsOf({ store }: ChatMessagesDeps, { sessionId }: Session): Promise<ReadonlySet<string>> {
  const head = await findHead(store, sessionId);
  return new Set(head === null ? [] : turnsOf(head).map(({ messageId }) => messageId));
}

/** Places for the responses that are still to come, behind what was said: an offset they have when they are there. */
function pendingAmong(messages: readonly ChatMessage[], open: Iterable<string>) {
  const isOpen = new Set(open);
  const answered = new Set(messages.map(({ metadata }) => metadata.inReplyTo));
  return messages
    .filter(({ messageId, type }) => type === "user" && isOpen.has(messageId) && !answered.has(messageId))
    .map((question) => shownResponse(question, null));
}

async function readOne(deps: ChatMessagesDeps, request: Request, response: Response): Promise<void> {
  const chat = await findChat(deps, request);
  if (chat === null) return sendProblem(response, "session_not_found");
  const { messageId } = request.params as { readonly messageId: string };
  const found = messageId.length > messageIdLengthMax ? null : await find(deps, chat.sessionId, messageId);
  if (found === null) sendProblem(response, "not_found");
  else response.json(found);
}

const messageIdLengthMax = 64;

/** What was said under that id, or else the response to what was said under its counterpart. */
async function find({ store, answers }: ChatMessagesDeps, sessionId: string, messageId: string) {
  const message = await store.findMessage(sessionId, messageId);
  if (message !== null) return shownMessage(message);
  const question = await store.findMessage(sessionId, counterpartOf(messageId));
  return question?.type === "user" ? shownResponse(question, await answers.find(question)) : null;
}
