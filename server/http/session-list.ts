import type { Request, Response } from "express";
import { z } from "zod";
import { isBusinessId, isUserId } from "../../protocol/payloads.js";
import { withLatest } from "../messaging/latest.js";
import { type Session, sessionStatuses } from "../messaging/model.js";
import { findHead } from "../messaging/sessions.js";
import type { IndexPage, IndexRange, Store } from "../messaging/store.js";
import { identityOf, isAllowed } from "./identify.js";
import { sendProblem } from "./problem.js";
import { cursorOf, parseCursor, parseLimit, refuseLookalikes } from "./query.js";
import type { LookupDeps } from "./session-lookup.js";
import { shownTo } from "./shown-session.js";

const pageDefault = 50;
const pageMax = 200;
/** Of the store, for one page of a list that leaves sessions out. */
const readsMax = 10;
/** Messages of a chat window whose sessions are found. */
const windowMax = 500;
const clientIdBytesMax = 128;

const once = (name: string) => z.string(`${name} is given once`);

/** What may be asked of the list. (SPEC H20) */
export const listQuery = z.object({
  businessId: once("businessId").optional().meta({ description: "Yours, unless you are of all businesses" }),
  userId: once("userId")
    .optional()
    .meta({ description: "Yours, for a user; for others everybody's unless it is given" }),
  status: z.enum(sessionStatuses, `status is one of ${sessionStatuses.join(", ")}`).optional(),
  q: once("q")
    .refine((text) => folded(text) !== "" && text.length <= 128, "q is 1 to 128 characters")
    .optional()
    .meta({ description: "A piece of the title, the userId or the sessionId, whatever its case and accents" }),
  chatId: once("chatId")
    .refine((text) => text !== "" && Buffer.byteLength(text) <= clientIdBytesMax, "chatId is 1 to 128 bytes")
    .optional()
    .meta({ description: "Those in which the newest messages of this chat window of a user were said" }),
  include: z
    .literal("latest", "include is latest")
    .optional()
    .meta({ description: "What was said last, and what is open" }),
  limit: once("limit")
    .optional()
    .meta({ type: "integer", minimum: 1, maximum: 9999, description: `${pageDefault}, at most ${pageMax}` }),
  cursor: once("cursor").optional().meta({ description: "`nextCursor` of the page before" }),
});

interface Question {
  readonly businessId: string;
  /** Null: of everybody. */
  readonly userId: string | null;
  readonly chatId: string | null;
  readonly isAsked: (session: Session) => boolean;
}

/** `GET /api/sessions`: one's own sessions, or those of a business. (SPEC H20) */
export async function list(deps: LookupDeps, request: Request, response: Response): Promise<void> {
  const known = refuseLookalikes(request.query, Object.keys(listQuery.shape));
  const parsed = listQuery.safeParse(request.query);
  const size = parseLimit(request.query.limit, { fallback: pageDefault, max: pageMax });
  const wrong = !known.ok ? known.reason : !parsed.success ? parsed.error.issues[0]?.message : null;
  if (!parsed.success || wrong !== null) return sendProblem(response, "invalid_payload", wrong ?? undefined);
  if (!size.ok) return sendProblem(response, "invalid_payload", size.reason);
  const identity = identityOf(request);
  const { businessId = identity.businessId, chatId = null, cursor } = parsed.data;
  const userId = parsed.data.userId ?? (identity.role === "user" ? identity.userId : null);
  if (businessId === null) return sendProblem(response, "missing_parameters", "businessId is missing");
  const isVisible =
    isBusinessId(businessId) &&
    (userId === null || isUserId(userId)) &&
    isAllowed(deps.telemetry, request, "session.read", { businessId, userId }) &&
    deps.businessOf(businessId) !== null;
  if (!isVisible) return sendProblem(response, "not_found");
  if (chatId !== null && userId === null) {
    return sendProblem(response, "missing_parameters", "userId is missing: a chatId is one of a user's");
  }
  const name = `sessions ${businessId} ${userId ?? "*"} ${chatId === null ? "all" : "window"}`;
  const from = parseCursor(name, cursor);
  if (from === undefined) return sendProblem(response, "invalid_payload", "cursor is not one that was given out here");
  const question = { businessId, userId, chatId, isAsked: filterOf(parsed.data) };
  const { items, next } = await readList(deps.store, question, { limit: size.value, from });
  const sessions = parsed.data.include === "latest" ? await withLatest(deps.store, items) : items;
  response.json({
    sessions: sessions.map((session) => shownTo(identity, session)),
    pagination: { hasMore: next !== null, nextCursor: next === null ? null : cursorOf(name, next) },
  });
}

function filterOf({ status, q }: Pick<z.infer<typeof listQuery>, "status" | "q">): Question["isAsked"] {
  const word = q === undefined ? null : folded(q);
  return (session) => {
    if (status !== undefined && session.status !== status) return false;
    const { title = "", userId = "", sessionId } = session;
    return word === null || [title, userId, sessionId].some((text) => folded(text).includes(word));
  };
}

function folded(text: string): string {
  return text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase().trim();
}

// A session is where it was created, so nothing that is said moves one from page to page.
async function readList(store: Store, question: Question, range: IndexRange): Promise<IndexPage<Session>> {
  const { businessId, userId, chatId, isAsked } = question;
  const read =
    chatId !== null && userId !== null
      ? await windowReader(store, { businessId, userId, chatId })
      : (part: IndexRange) =>
          userId === null
            ? store.readSessionsOfBusiness(businessId, part)
            : store.readSessionsOf({ businessId, userId }, part);
  const items: Session[] = [];
  let next = range.from ?? null;
  for (let reads = 0; reads < readsMax; reads += 1) {
    const page = await read({ limit: range.limit - items.length, from: next });
    items.push(...page.items.filter(isAsked));
    next = page.next;
    if (next === null || items.length === range.limit) break;
  }
  return { items, next };
}

/** Reads the sessions in which the newest messages of a window were said, as the store reads those of an owner. */
async function windowReader(
  store: Store,
  window: { readonly businessId: string; readonly userId: string; readonly chatId: string },
): Promise<(range: IndexRange) => Promise<IndexPage<Session>>> {
  const messages = await store.readWindow(window, windowMax);
  const ids = [...new Set(messages.map(({ sessionId }) => sessionId))];
  const heads = await Promise.all(ids.map((sessionId) => findHead(store, sessionId)));
  const placed = heads
    .filter((head) => head !== null)
    .map(({ session }) => ({ session, place: `${session.createdAt}#${session.sessionId}` }))
    .sort((one, other) => (one.place < other.place ? 1 : -1));
  return ({ limit, from = null }) => {
    const rest = from === null ? placed : placed.filter(({ place }) => place < from);
    const page = rest.slice(0, limit);
    const next = rest.length > limit ? page.at(-1)!.place : null;
    return Promise.resolve({ items: page.map(({ session }) => session), next });
  };
}
