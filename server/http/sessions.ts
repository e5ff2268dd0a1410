import type { Request, Response } from "express";
import { z } from "zod";
import { may, type Resource } from "../auth/access.js";
import { withFeedback } from "../messaging/feedback.js";
import { type HistoryPage, type HistoryRange, readHistory, withoutWriter } from "../messaging/history.js";
import { withLatest } from "../messaging/latest.js";
import type { Aside } from "../messaging/model.js";
import type { Store } from "../messaging/store.js";
import { isBusinessId } from "../../protocol/payloads.js";
import { identityOf, isAllowed } from "./identify.js";
import { sendProblem } from "./problem.js";
import {
  cursorOf,
  offsetCursor,
  parseCursor,
  parseInclude,
  parseIncludeLatest,
  parseLimit,
  parsePosition,
  type Position,
  refuseLookalikes,
} from "./query.js";
import type { Route } from "./route.js";
import { aside, chatMessage, listedSession, pagination, session } from "./schemas.js";
import { changeSession, deleteSession, include, readSession, type SessionDeps, sessionPatch } from "./session.js";
import { list, listQuery } from "./session-list.js";
import { findSession } from "./session-lookup.js";

export interface SessionsDeps extends SessionDeps {
  readonly maxHistoryPage: number;
}

const historyDefault = 50;
const activeMax = 1000;

const historyAnswer = z.strictObject({
  sessionId: z.string(),
  businessId: z.string(),
  userId: z.string().nullable(),
  messages: z.array(z.union([chatMessage, aside])),
  pagination,
});

const path = "/api/sessions/:sessionId";
const missing = "session_not_found";

/** `/api/sessions`: lists of them, one, and what was said in it. (SPEC H2–H5, H20–H23) */
export function sessionRoutes(deps: SessionsDeps): readonly Route[] {
  return [
    {
      method: "get",
      path: "/api/sessions",
      doc: {
        summary: "One's own sessions, or those of a business, the latest created first",
        query: listQuery,
        answers: { 200: z.strictObject({ sessions: z.array(listedSession), pagination }) },
      },
      action: "session.read",
      handle: (request, response) => list(deps, request, response),
    },
    {
      method: "get",
      path,
      doc: { summary: "One session", query: z.object({ include }), answers: { 200: listedSession } },
      action: "session.read",
      handle: (request, response) => readSession(deps, request, response),
    },
    {
      method: "patch",
      path,
      doc: {
        summary: "Another status, another title",
        body: sessionPatch,
        answers: { 200: session },
        problems: [409],
      },
      action: "session.change",
      missing,
      handle: (request, response) => changeSession(deps, request, response),
    },
    {
      method: "delete",
      path,
      doc: { summary: "Gone, with all its messages", answers: { 204: null } },
      action: "session.delete",
      handle: (request, response) => deleteSession(deps, request, response),
    },
    {
      method: "get",
      path: "/api/sessions/business/:businessId/active",
      doc: {
        summary: "Active sessions of a business, the latest message first",
        query: z.object({ limit: z.string().optional(), cursor: z.string().optional(), include }),
        answers: {
          200: z.strictObject({ businessId: z.string(), activeSessions: z.array(listedSession), pagination }),
        },
      },
      action: "sessions.list",
      handle: (request, response) => active(deps, request, response),
    },
    {
      method: "get",
      path: `${path}/messages`,
      doc: {
        summary: "What was said in a session, oldest first within the page",
        query: z.object({
          limit: z.string().optional(),
          before: z.string().optional(),
          after: z.string().optional(),
          include: z.string().optional().meta({ description: "thinking, note, draft, with commas" }),
        }),
        answers: { 200: historyAnswer },
      },
      action: "session.read",
      handle: (request, response) => history(deps, request, response),
    },
  ];
}

async function history(deps: SessionsDeps, request: Request, response: Response): Promise<void> {
  const { limit, before, after, include } = request.query;
  const size = parseLimit(limit, { fallback: historyDefault, max: deps.maxHistoryPage });
  const [older, newer] = [parsePosition("before", before), parsePosition("after", after)];
  const types = parseInclude(include);
  const known = refuseLookalikes(request.query, ["limit", "before", "after", "include"]);
  const wrong = [known, size, older, newer, types].find((result) => !result.ok);
  if (!known.ok || !size.ok || !older.ok || !newer.ok || !types.ok) {
    sendProblem(response, "invalid_payload", wrong?.ok === false ? wrong.reason : undefined);
    return;
  }
  const found = await findSession(deps, request, "session.read");
  if (found === null) {
    sendProblem(response, "session_not_found");
    return;
  }
  const { sessionId, businessId, userId } = found;
  const visible = visibleTypes(deps, request, types.value, found);
  const { items, next } =
    found.session !== null
      ? await readPage(deps.store, sessionId, { before: older.value, after: newer.value, limit: size.value }, visible)
      : { items: [], next: null };
  const shown = may(identityOf(request), "asides.read", found) ? items : items.map(withoutWriter);
  response.json({
    sessionId,
    businessId,
    userId,
    messages: await withFeedback(deps.store, shown),
    pagination: { hasMore: next !== null, nextCursor: next === null ? null : offsetCursor(next) },
  });
}

/** Whoever reads a session may see the steps in it; of the rest he is told as if there were none. (SPEC H8, X7) */
function visibleTypes(
  deps: SessionsDeps,
  request: Request,
  asked: ReadonlySet<Aside["type"]>,
  session: Resource,
): ReadonlySet<Aside["type"]> {
  const isForColleagues = asked.has("note") || asked.has("draft");
  if (!isForColleagues || isAllowed(deps.telemetry, request, "asides.read", session)) return asked;
  return new Set([...asked].filter((type) => type === "thinking"));
}

async function readPage(
  store: Store,
  sessionId: string,
  {
    before,
    after,
    limit,
  }: { readonly before: Position | null; readonly after: Position | null; readonly limit: number },
  types: ReadonlySet<Aside["type"]>,
): Promise<HistoryPage> {
  const above =
    after === null
      ? {}
      : { after: "offset" in after ? after.offset : (await store.offsetAt(sessionId, nextMs(after.timestamp))) - 1 };
  const below =
    before === null
      ? {}
      : { before: "offset" in before ? before.offset : await store.offsetAt(sessionId, before.timestamp) };
  const range: HistoryRange = { ...above, ...below, limit };
  return readHistory(store, sessionId, range, types);
}

function nextMs(timestamp: string): string {
  return new Date(Date.parse(timestamp) + 1).toISOString();
}

async function active(deps: SessionsDeps, request: Request, response: Response): Promise<void> {
  const { businessId } = request.params as { readonly businessId: string };
  const size = parseLimit(request.query.limit, { fallback: activeMax, max: activeMax });
  const from = parseCursor(activeList(businessId), request.query.cursor);
  const isWithLatest = parseIncludeLatest(request.query.include);
  const known = refuseLookalikes(request.query, ["limit", "cursor", "include"]);
  const wrong = [known, size, isWithLatest].find((result) => !result.ok);
  if (!known.ok || !size.ok || !isWithLatest.ok || from === undefined) {
    const reason = wrong?.ok === false ? wrong.reason : "cursor is not one that was given out here";
    sendProblem(response, "invalid_payload", reason);
    return;
  }
  const isVisible =
    isBusinessId(businessId) &&
    isAllowed(deps.telemetry, request, "sessions.list", { businessId }) &&
    deps.businessOf(businessId) !== null;
  if (!isVisible) {
    sendProblem(response, "not_found");
    return;
  }
  const { items, next } = await deps.store.readActiveSessions(businessId, { limit: size.value, from });
  const nextCursor = next === null ? null : cursorOf(activeList(businessId), next);
  const activeSessions = isWithLatest.value ? await withLatest(deps.store, items) : items;
  response.json({ businessId, activeSessions, pagination: { hasMore: next !== null, nextCursor } });
}

function activeList(businessId: string): string {
  return `active ${businessId}`;
}
