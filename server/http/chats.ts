import type { Request, Response } from "express";
import { z } from "zod";
import type { Chats } from "../messaging/chats.js";
import type { Session } from "../messaging/model.js";
import type { SessionChanges } from "../messaging/session-changes.js";
import { findHead } from "../messaging/sessions.js";
import type { IndexPage, IndexRange, SessionOwner, Store } from "../messaging/store.js";
import { chatTitle } from "../messaging/texts.js";
import { identityOf, isAllowed } from "./identify.js";
import { keyOf } from "./idempotency-key.js";
import { sendProblem, sendRefusal } from "./problem.js";
import { cursorOf, parseCursor, parseLimit, refuseLookalikes } from "./query.js";
import type { Route } from "./route.js";
import { chat, pagination } from "./schemas.js";
import { titleSchema } from "./session.js";
import type { LookupDeps } from "./session-lookup.js";

export interface ChatsDeps extends LookupDeps {
  readonly chats: Chats;
  readonly changes: SessionChanges;
}

const pageDefault = 50;
const pageMax = 200;
/** Of the store, for one page: the sessions of a user that are no chats are left out. */
const readsMax = 10;

const newChat = z.strictObject({
  title: titleSchema.optional(),
  teamId: z
    .string("teamId is a text")
    .refine((id) => id !== "" && Buffer.byteLength(id) <= 128, "teamId is 1 to 128 bytes")
    .optional(),
});
const chatPatch = z.strictObject({ title: titleSchema });
export const pageQuery = z.object({
  limit: z.string("limit is given once").optional(),
  cursor: z.string("cursor is given once").optional(),
});

/** Both are the same: `/chats`, and with the rest of the API. */
export const chatPaths = ["/chats", "/api/chats"] as const;
const action = "chat.use";

/** `/chats`: a user's own conversations, as many as they like. (SPEC H30, H31) */
export function chatRoutes(deps: ChatsDeps): readonly Route[] {
  return chatPaths.flatMap((path): Route[] => [
    {
      method: "post",
      path,
      action,
      repeated: "once",
      doc: {
        summary: "A new chat",
        body: newChat,
        answers: { 201: chat },
        problems: [422],
      },
      handle: (request, response) => create(deps, request, response),
    },
    {
      method: "get",
      path,
      action,
      doc: {
        summary: "One's own chats, the latest created first",
        query: pageQuery,
        answers: { 200: z.strictObject({ chats: z.array(chat), pagination }) },
      },
      handle: (request, response) => list(deps, request, response),
    },
    {
      method: "get",
      path: `${path}/:sessionId`,
      action,
      doc: { summary: "One chat", answers: { 200: chat } },
      handle: async (request, response) => sendChat(deps, await findChat(deps, request), response),
    },
    {
      method: "patch",
      path: `${path}/:sessionId`,
      action,
      missing: "session_not_found",
      doc: { summary: "Another title", body: chatPatch, answers: { 200: chat } },
      handle: (request, response) => change(deps, request, response),
    },
    {
      method: "delete",
      path: `${path}/:sessionId`,
      action,
      doc: { summary: "Gone, with all its messages", answers: { 204: null } },
      handle: (request, response) => remove(deps, request, response),
    },
  ]);
}

/** The chat that a path names as `:sessionId`; null for what is none, not there or not yours: all take the same way. */
export async function findChat(deps: LookupDeps, request: Request): Promise<Session | null> {
  const { sessionId } = request.params as { readonly sessionId: string };
  if (sessionId.length > sessionIdLengthMax) return null;
  const session = (await findHead(deps.store, sessionId))?.session ?? null;
  const isTheirs = isAllowed(deps.telemetry, request, action, session ?? { businessId: null });
  return isTheirs && session?.kind === "chat" ? session : null;
}

const sessionIdLengthMax = 512;

async function create(deps: ChatsDeps, request: Request, response: Response): Promise<void> {
  const { businessId, userId } = identityOf(request);
  if (businessId === null) return sendProblem(response, "missing_parameters", "nothing says of which business you are");
  const business = deps.businessOf(businessId);
  const isTheirs = isAllowed(deps.telemetry, request, action, { businessId, userId });
  if (!isTheirs || userId === null || business === null) return sendProblem(response, "not_found");
  const parsed = newChat.safeParse(request.body ?? {});
  if (!parsed.success) return sendProblem(response, "invalid_payload", parsed.error.issues[0]?.message);
  const key = keyOf(request);
  const { title = null, teamId = null } = parsed.data;
  const made = await deps.chats.create({ business, userId, title, teamId, key });
  if (made.ok) sendChat(deps, made.value, response.status(201));
  else sendRefusal(response, { code: made.reason });
}

async function list(deps: ChatsDeps, request: Request, response: Response): Promise<void> {
  const known = refuseLookalikes(request.query, Object.keys(pageQuery.shape));
  const size = parseLimit(request.query.limit, { fallback: pageDefault, max: pageMax });
  const { businessId, userId } = identityOf(request);
  const isTheirs = isAllowed(deps.telemetry, request, action, { businessId, userId });
  if (!isTheirs || userId === null) return sendProblem(response, "not_found");
  if (businessId === null) return sendProblem(response, "missing_parameters", "nothing says of which business you are");
  if (deps.businessOf(businessId) === null) return sendProblem(response, "not_found");
  const name = `chats ${businessId} ${userId}`;
  const from = parseCursor(name, request.query.cursor);
  if (!known.ok) return sendProblem(response, "invalid_payload", known.reason);
  if (!size.ok) return sendProblem(response, "invalid_payload", size.reason);
  if (from === undefined) return sendProblem(response, "invalid_payload", "cursor is not one that was given out here");
  const { items, next } = await readChats(deps.store, { businessId, userId }, { limit: size.value, from });
  response.json({
    chats: items.map((session) => shownChat(deps, session)),
    pagination: { hasMore: next !== null, nextCursor: next === null ? null : cursorOf(name, next) },
  });
}

async function readChats(store: Store, owner: SessionOwner, range: IndexRange): Promise<IndexPage<Session>> {
  const items: Session[] = [];
  let next = range.from ?? null;
  for (let reads = 0; reads < readsMax; reads += 1) {
    const page = await store.readSessionsOf(owner, { limit: range.limit - items.length, from: next });
    items.push(...page.items.filter(({ kind }) => kind === "chat"));
    next = page.next;
    if (next === null || items.length === range.limit) break;
  }
  return { items, next };
}

async function change(deps: ChatsDeps, request: Request, response: Response): Promise<void> {
  const session = await findChat(deps, request);
  if (session === null) return sendProblem(response, "session_not_found");
  const parsed = chatPatch.safeParse(request.body);
  if (!parsed.success) return sendProblem(response, "invalid_payload", parsed.error.issues[0]?.message);
  sendChat(deps, await deps.changes.rename(session.sessionId, parsed.data.title), response);
}

async function remove(deps: ChatsDeps, request: Request, response: Response): Promise<void> {
  const session = await findChat(deps, request);
  if (session === null) return sendProblem(response, "session_not_found");
  if (Object.keys(request.query).length > 0)
    return sendProblem(response, "invalid_payload", "a chat is deleted whole: there are no parameters");
  if (await deps.changes.remove(session.sessionId)) response.status(204).end();
  else sendProblem(response, "session_not_found");
}

function sendChat(deps: ChatsDeps, session: Session | null, response: Response): void {
  if (session === null) sendProblem(response, "session_not_found");
  else response.json(shownChat(deps, session));
}

function shownChat({ businessOf }: ChatsDeps, session: Session) {
  const { sessionId, businessId, userId, teamId, title, createdAt, updatedAt } = session;
  return {
    _id: sessionId,
    userId,
    ...(teamId === undefined ? {} : { teamId }),
    title: title ?? chatTitle(businessOf(businessId)?.locale ?? "en"),
    createdAt,
    updatedAt,
  };
}
