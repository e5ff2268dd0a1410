import { type Request, type Response, Router } from "express";
import { type Identity, mayCoordinate, mayRead } from "../auth/identity.js";
import type { Business } from "../messaging/business.js";
import type { ChatMessage, Session } from "../messaging/model.js";
import { dayOfMadeUpId, parseMadeUpId } from "../messaging/session-policy.js";
import { findHead, readCurrentSession } from "../messaging/sessions.js";
import type { Page, SessionOwner, Store } from "../messaging/store.js";
import { isBusinessId, isUserId } from "../../protocol/payloads.js";
import { identityOf } from "./identify.js";
import { sendProblem } from "./problem.js";
import { offsetCursor, parseLimit, parsePosition, type Position } from "./query.js";

export interface SessionsDeps {
  readonly store: Store;
  readonly businessOf: (businessId: string) => Business | null;
  readonly maxHistoryPage: number;
}

const historyDefault = 50;
const activeMax = 1000;
const sessionIdLengthMax = 512;

/** `/api/sessions`: history of one session, active sessions of a business. (SPEC H2–H5) */
export function sessionRoutes(deps: SessionsDeps): Router {
  const router = Router();
  router.get("/business/:businessId/active", (request, response) => active(deps, request, response));
  router.get("/:sessionId/messages", (request, response) => history(deps, request, response));
  return router;
}

async function history(deps: SessionsDeps, request: Request<{ sessionId: string }>, response: Response): Promise<void> {
  const { limit, before, after } = request.query;
  const size = parseLimit(limit, { fallback: historyDefault, max: deps.maxHistoryPage });
  const [older, newer] = [parsePosition("before", before), parsePosition("after", after)];
  const wrong = [size, older, newer].find((result) => !result.ok);
  if (!size.ok || !older.ok || !newer.ok) {
    sendProblem(response, "invalid_payload", wrong?.ok === false ? wrong.reason : undefined);
    return;
  }
  const found = await findSession(deps, request.params.sessionId, identityOf(request));
  if (found === null) {
    sendProblem(response, "session_not_found");
    return;
  }
  const { sessionId, businessId, userId } = found;
  const page = found.exists
    ? await readPage(deps.store, sessionId, { before: older.value, after: newer.value, limit: size.value })
    : { items: [], hasMore: false };
  const edge = newer.value === null ? page.items[0] : page.items.at(-1);
  const nextCursor = page.hasMore && edge !== undefined ? offsetCursor(edge.offset) : null;
  response.json({
    sessionId,
    businessId,
    userId,
    messages: page.items,
    pagination: { hasMore: page.hasMore, nextCursor },
  });
}

interface FoundSession {
  readonly sessionId: string;
  readonly businessId: string;
  readonly userId: string | null;
  /** False for the day's session of a user who has not said anything yet. */
  readonly exists: boolean;
}

/** Null for what is not there and for what is not yours: one answer for both. */
async function findSession(deps: SessionsDeps, id: string, identity: Identity): Promise<FoundSession | null> {
  if (id.length > sessionIdLengthMax) return null;
  const madeUp = parseMadeUpId(id);
  if (madeUp !== null) return findMadeUp(deps, id, madeUp, identity);
  const session = (await findHead(deps.store, id))?.session;
  return session !== undefined && mayRead(identity, session) ? foundFrom(session) : null;
}

async function findMadeUp(
  { store, businessOf }: SessionsDeps,
  id: string,
  madeUp: { readonly businessId: string; readonly userId: string; readonly ms: number },
  identity: Identity,
): Promise<FoundSession | null> {
  const { businessId, userId } = madeUp;
  if (!isBusinessId(businessId) || !isUserId(userId) || !mayRead(identity, madeUp)) return null;
  const business = businessOf(businessId);
  if (business === null) return null;
  const { day, from, to } = dayOfMadeUpId(madeUp, business.timeZone);
  const owner = { businessId, userId };
  const current = (await readCurrentSession(store, owner))?.value;
  const today = current?.day === day ? await findHead(store, current.sessionId) : null;
  const session = today?.session ?? (await latestDaily(store, owner, { from, to }));
  return session === null ? { sessionId: id, businessId, userId, exists: false } : foundFrom(session);
}

const latestPage = 50;

/** The latest daily session that was created within these moments. */
async function latestDaily(
  store: Store,
  owner: SessionOwner,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<Session | null> {
  const range = { createdFrom: new Date(from).toISOString(), createdTo: new Date(to).toISOString(), limit: latestPage };
  let next: string | null = null;
  do {
    const page = await store.readSessionsOf(owner, { ...range, from: next });
    for (const { kind, sessionId } of page.items) {
      const head = kind === "daily" ? await findHead(store, sessionId) : null;
      if (head !== null) return head.session;
    }
    next = page.next;
  } while (next !== null);
  return null;
}

function foundFrom({ sessionId, businessId, userId }: Session): FoundSession {
  return { sessionId, businessId, userId: userId ?? null, exists: true };
}

async function readPage(
  store: Store,
  sessionId: string,
  {
    before,
    after,
    limit,
  }: { readonly before: Position | null; readonly after: Position | null; readonly limit: number },
): Promise<Page<ChatMessage>> {
  const above =
    after === null
      ? {}
      : { after: "offset" in after ? after.offset : (await store.offsetAt(sessionId, nextMs(after.timestamp))) - 1 };
  const below =
    before === null
      ? {}
      : { before: "offset" in before ? before.offset : await store.offsetAt(sessionId, before.timestamp) };
  return store.readMessages(sessionId, { ...above, ...below, limit });
}

function nextMs(timestamp: string): string {
  return new Date(Date.parse(timestamp) + 1).toISOString();
}

async function active(deps: SessionsDeps, request: Request<{ businessId: string }>, response: Response): Promise<void> {
  const { businessId } = request.params;
  const size = parseLimit(request.query.limit, { fallback: activeMax, max: activeMax });
  const from = parseActiveCursor(businessId, request.query.cursor);
  if (!size.ok || from === undefined) {
    sendProblem(response, "invalid_payload", size.ok ? "cursor is not one that was given out here" : size.reason);
    return;
  }
  const isVisible =
    isBusinessId(businessId) && mayCoordinate(identityOf(request), businessId) && deps.businessOf(businessId) !== null;
  if (!isVisible) {
    sendProblem(response, "not_found");
    return;
  }
  const { items, next } = await deps.store.readActiveSessions(businessId, { limit: size.value, from });
  const nextCursor = next === null ? null : activeCursor(businessId, next);
  response.json({ businessId, activeSessions: items, pagination: { hasMore: next !== null, nextCursor } });
}

// A place in one business's list says nothing in another's.
function activeCursor(businessId: string, next: string): string {
  return Buffer.from(`${activeCursorPrefix(businessId)}${next}`).toString("base64url");
}

function activeCursorPrefix(businessId: string): string {
  return `active ${businessId} `;
}

/** Undefined for what is no cursor of ours. */
function parseActiveCursor(businessId: string, value: unknown): string | null | undefined {
  if (value === undefined) return null;
  if (typeof value !== "string" || !/^[\w-]{1,1024}$/.test(value)) return undefined;
  const text = Buffer.from(value, "base64url").toString();
  const prefix = activeCursorPrefix(businessId);
  return text.startsWith(prefix) && text.length > prefix.length ? text.slice(prefix.length) : undefined;
}
