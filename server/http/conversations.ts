import type { Request, Response } from "express";
import { z } from "zod";
import { isAgentId } from "../../protocol/conversation.js";
import { isBusinessId, isUserId } from "../../protocol/payloads.js";
import { type Action, may } from "../auth/access.js";
import type { Identity } from "../auth/identity.js";
import type { Clock } from "../clock.js";
import type { Broadcast } from "../messaging/broadcast.js";
import type { AgentConversations } from "../messaging/conversation/agent-conversations.js";
import type { Attendance } from "../messaging/conversation/attendance.js";
import { partyOf } from "../messaging/conversation/conversation-channel.js";
import { conversationOf, tellConversation } from "../messaging/conversation/members.js";
import { comeIn, isOpenTo, letIn, type Party, takeOut, takesPart } from "../messaging/conversation/participants.js";
import type { Head } from "../messaging/head.js";
import { readHistory, withoutWriter } from "../messaging/history.js";
import { type Session, sessionStatuses } from "../messaging/model.js";
import { findHead } from "../messaging/sessions.js";
import type { IndexPage, IndexRange, Store } from "../messaging/store.js";
import { keyOf } from "./idempotency-key.js";
import { identityOf, isAllowed } from "./identify.js";
import { sendProblem, sendRefusal } from "./problem.js";
import { cursorOf, offsetCursor, parseCursor, parseLimit, parsePosition, refuseLookalikes } from "./query.js";
import type { Route } from "./route.js";
import { chatMessage, conversation, pagination } from "./schemas.js";
import { patchSession, type SessionDeps, sessionPatch } from "./session.js";

export interface ConversationsDeps extends SessionDeps {
  readonly conversations: AgentConversations;
  readonly attendance: Attendance;
  readonly clock: Clock;
  readonly broadcast: Broadcast;
  readonly maxHistoryPage: number;
}

const pageDefault = 50;
const pageMax = 200;
/** Of the store, for one page of a list that leaves sessions out. */
const readsMax = 10;
/** On an open server a coordinator has no id, and over HTTP no socket whose id would be theirs. */
const connectionId = "http";

const text = (name: string, max: number) =>
  z
    .string(`${name} is a text`)
    .trim()
    .min(1, `${name} is empty`)
    .max(max, `${name} is at most ${max} characters`)
    .transform((given) => given.toWellFormed());

const agentId = z.string("agentId is missing").refine(isAgentId, "agentId is not 1 to 64 of [A-Za-z0-9._-]");

const listQuery = z.object({
  businessId: z.string().optional().meta({ description: "Yours, unless you are of all businesses" }),
  "filter[agentId]": agentId.optional(),
  "filter[status]": z.enum(sessionStatuses, `filter[status] is one of ${sessionStatuses.join(", ")}`).optional(),
  limit: z.string().optional(),
  cursor: z.string().optional(),
});

const createBody = z.strictObject({
  agentId,
  businessId: z.string().refine(isBusinessId, "businessId is none").optional(),
  title: text("title", 200).optional(),
  description: text("description", 1000).optional(),
});

const participantBody = z.strictObject({
  participantType: z.enum(["user", "agent", "coordinator"], "participantType is user, agent or coordinator"),
  participantId: z.string("participantId is missing").refine(isUserId, "participantId is none"),
});

const messagesQuery = z.object({
  limit: z.string().optional(),
  before: z.string().optional(),
  after: z.string().optional(),
});

/** `/conversations`: those of agents, over HTTP. (SPEC H40–H43) */
export function conversationRoutes(deps: ConversationsDeps): readonly Route[] {
  return ["", "/api"].flatMap((prefix) => routesUnder(`${prefix}/conversations`, deps));
}

function routesUnder(path: string, deps: ConversationsDeps): readonly Route[] {
  const one = `${path}/:conversationId`;
  const missing = "session_not_found";
  return [
    {
      ...{ method: "get", path, action: "conversation.read" },
      doc: {
        summary: "Conversations of agents, the latest created first",
        query: listQuery,
        answers: { 200: z.strictObject({ data: z.array(conversation), pagination }) },
      },
      handle: (request, response) => list(deps, request, response),
    },
    {
      ...{ method: "post", path, action: "conversation.create", repeated: "once" },
      doc: {
        summary: "One more conversation of an agent",
        body: createBody,
        answers: { 200: conversation, 201: conversation },
        problems: [422],
      },
      handle: (request, response) => create(deps, request, response),
    },
    {
      ...{ method: "get", path: one, action: "conversation.read" },
      doc: { summary: "One conversation", answers: { 200: conversation } },
      handle: async (request, response) => {
        const head = await find(deps, request, "conversation.read");
        sendConversation(response, head?.session ?? null);
      },
    },
    {
      ...{ method: "patch", path: one, action: "conversation.change", missing },
      doc: {
        summary: "Another status, another title",
        body: sessionPatch,
        answers: { 200: conversation },
        problems: [409],
      },
      handle: (request, response) => change(deps, request, response),
    },
    {
      ...{ method: "delete", path: one, action: "conversation.change" },
      doc: { summary: "Gone, with all its messages", answers: { 204: null } },
      handle: (request, response) => remove(deps, request, response),
    },
    {
      ...{ method: "get", path: `${one}/messages`, action: "conversation.read" },
      doc: {
        summary: "What was said in it, oldest first within the page",
        query: messagesQuery,
        answers: { 200: z.strictObject({ messages: z.array(chatMessage), pagination }) },
      },
      handle: (request, response) => messages(deps, request, response),
    },
    ...(["add", "remove"] as const).map((deed): Route => ({
      ...{
        method: "post",
        path: `${one}/participants/${deed}`,
        action: "conversation.invite",
        missing,
        repeated: "harmless",
      },
      doc: {
        summary: deed === "add" ? "Somebody takes part from now on" : "Somebody takes part no more",
        body: participantBody,
        answers: { 200: conversation },
      },
      handle: (request, response) => participate(deps, request, response, deed),
    })),
  ];
}

/** What a conversation is to somebody: theirs, if they take part in it. */
function resourceOf(identity: Identity, session: Session) {
  const party = partyOf(identity, connectionId);
  const isTheirs = party !== null && takesPart(session, party);
  return { businessId: session.businessId, userId: isTheirs ? identity.userId : null };
}

/** Null for what is not there and for what is not theirs. (SPEC X7) */
async function find(deps: ConversationsDeps, request: Request, action: Action): Promise<Head | null> {
  const { conversationId } = request.params as { readonly conversationId: string };
  const head = conversationId.length > 512 ? null : await findHead(deps.store, conversationId);
  const isOne = head?.session.kind === "agent";
  const resource = isOne ? resourceOf(identityOf(request), head.session) : { businessId: null };
  return isAllowed(deps.telemetry, request, action, resource) && isOne ? head : null;
}

async function list(deps: ConversationsDeps, request: Request, response: Response): Promise<void> {
  const known = refuseLookalikes(request.query, ["businessId", "limit", "cursor"]);
  const parsed = listQuery.safeParse(request.query);
  const size = parseLimit(request.query.limit, { fallback: pageDefault, max: pageMax });
  const wrong = !known.ok ? known.reason : !parsed.success ? parsed.error.issues[0]?.message : null;
  if (!parsed.success || wrong !== null) return sendProblem(response, "invalid_payload", wrong ?? undefined);
  if (!size.ok) return sendProblem(response, "invalid_payload", size.reason);
  const identity = identityOf(request);
  const { businessId = identity.businessId, cursor } = parsed.data;
  if (businessId === null) return sendProblem(response, "missing_parameters", "businessId is missing");
  const { userId } = identity;
  const isVisible =
    isBusinessId(businessId) &&
    isAllowed(deps.telemetry, request, "conversation.read", { businessId, userId }) &&
    deps.businessOf(businessId) !== null;
  if (!isVisible) return sendProblem(response, "not_found");
  const ofAgent = parsed.data["filter[agentId]"] ?? null;
  const status = parsed.data["filter[status]"];
  const name = `conversations ${businessId} ${ofAgent ?? "*"}`;
  const from = parseCursor(name, cursor);
  if (from === undefined) return sendProblem(response, "invalid_payload", "cursor is not one that was given out here");
  const isAsked = (session: Session) =>
    session.kind === "agent" &&
    (status === undefined || session.status === status) &&
    may(identity, "conversation.read", resourceOf(identity, session));
  const page = await readList(deps.store, { businessId, agentId: ofAgent, isAsked }, { limit: size.value, from });
  response.json({
    data: page.items.map(conversationOf),
    pagination: { hasMore: page.next !== null, nextCursor: page.next === null ? null : cursorOf(name, page.next) },
  });
}

async function readList(
  store: Store,
  of: {
    readonly businessId: string;
    readonly agentId: string | null;
    readonly isAsked: (session: Session) => boolean;
  },
  range: IndexRange,
): Promise<IndexPage<Session>> {
  const { businessId, agentId: ofAgent, isAsked } = of;
  const items: Session[] = [];
  let next = range.from ?? null;
  for (let reads = 0; reads < readsMax; reads += 1) {
    const part = { limit: range.limit - items.length, from: next };
    const page =
      ofAgent === null
        ? await store.readSessionsOfBusiness(businessId, part)
        : await store.readSessionsOf({ businessId, agentId: ofAgent }, part);
    items.push(...page.items.filter(isAsked));
    next = page.next;
    if (next === null || items.length === range.limit) break;
  }
  return { items, next };
}

async function create(deps: ConversationsDeps, request: Request, response: Response): Promise<void> {
  const parsed = createBody.safeParse(request.body);
  if (!parsed.success) return sendProblem(response, "invalid_payload", parsed.error.issues[0]?.message);
  const identity = identityOf(request);
  const { businessId = identity.businessId, title = null, description = null } = parsed.data;
  if (businessId === null) return sendProblem(response, "missing_parameters", "businessId is missing");
  const resource = { businessId, userId: parsed.data.agentId };
  const isTheirs = isAllowed(deps.telemetry, request, "conversation.create", resource);
  const business = deps.businessOf(businessId);
  if (!isTheirs || business === null) return sendProblem(response, "not_found");
  const createdBy = identity.userId ?? identity.role;
  const wanted = { title, description, createdBy, key: keyOf(request) };
  const made = await deps.conversations.create({ business, agentId: parsed.data.agentId }, wanted);
  if (!made.ok) return sendRefusal(response, { code: made.reason });
  const { head, isNew } = made.value;
  if (head.deletingSince !== null) return sendProblem(response, "session_not_found");
  response.status(isNew ? 201 : 200).json(conversationOf(head.session));
}

async function change(deps: ConversationsDeps, request: Request, response: Response): Promise<void> {
  const found = await find(deps, request, "conversation.change");
  const send = (session: Session | null) => sendConversation(response, session);
  await patchSession(deps, found?.session ?? null, { request, response, send });
}

async function remove(deps: ConversationsDeps, request: Request, response: Response): Promise<void> {
  const head = await find(deps, request, "conversation.change");
  if (head === null) return sendProblem(response, "session_not_found");
  if (await deps.changes.remove(head.session.sessionId)) response.status(204).end();
  else sendProblem(response, "session_not_found");
}

async function messages(deps: ConversationsDeps, request: Request, response: Response): Promise<void> {
  const { limit, before, after } = request.query;
  const known = refuseLookalikes(request.query, ["limit", "before", "after"]);
  const size = parseLimit(limit, { fallback: pageDefault, max: deps.maxHistoryPage });
  const [older, newer] = [parsePosition("before", before), parsePosition("after", after)];
  if (!known.ok || !size.ok || !older.ok || !newer.ok) {
    const wrong = [known, size, older, newer].find((result) => !result.ok);
    return sendProblem(response, "invalid_payload", wrong?.ok === false ? wrong.reason : undefined);
  }
  const head = await find(deps, request, "conversation.read");
  if (head === null) return sendProblem(response, "session_not_found");
  const { sessionId } = head.session;
  const place = async (position: typeof older.value, ofNext: boolean) =>
    position === null || "offset" in position
      ? position?.offset
      : (await deps.store.offsetAt(sessionId, position.timestamp)) - (ofNext ? 1 : 0);
  const [below, above] = [await place(older.value, false), await place(newer.value, true)];
  const range = {
    ...(below === undefined ? {} : { before: below }),
    ...(above === undefined ? {} : { after: above }),
    limit: size.value,
  };
  const { items, next } = await readHistory(deps.store, sessionId, range, new Set());
  const nextCursor = next === null ? null : offsetCursor(next);
  const { businessId } = head.session;
  const shown = may(identityOf(request), "asides.read", { businessId }) ? items : items.map(withoutWriter);
  response.json({ messages: shown, pagination: { hasMore: next !== null, nextCursor } });
}

/** Users let in and take out nobody but themselves, and come in as they would by joining. (SPEC M93, H43) */
async function participate(
  deps: ConversationsDeps,
  request: Request,
  response: Response,
  deed: "add" | "remove",
): Promise<void> {
  const identity = identityOf(request);
  const { conversationId } = request.params as { readonly conversationId: string };
  const parsed = participantBody.safeParse(request.body);
  const party: Party | null = parsed.success
    ? { type: parsed.data.participantType, id: parsed.data.participantId }
    : null;
  const head = conversationId.length > 512 ? null : await findHead(deps.store, conversationId);
  const isOwn = identity.role !== "user" || (party?.type === "user" && party.id === identity.userId);
  const comesIn = identity.role === "user" && party !== null && head !== null && isOpenTo(head, party);
  const { businessId, userId } =
    head === null ? { businessId: null, userId: null } : resourceOf(identity, head.session);
  const resource = { businessId, userId: comesIn ? identity.userId : userId };
  const isTheirs = isAllowed(deps.telemetry, request, "conversation.invite", resource);
  if (head?.session.kind !== "agent" || !isTheirs || !isOwn) return sendProblem(response, "session_not_found");
  if (party === null) return sendProblem(response, "invalid_payload", parsed.error?.issues[0]?.message);
  const decide = deed === "remove" ? takeOut : identity.role === "user" ? comeIn : letIn;
  const done = await deps.store.changeSession(conversationId, (now) => decide(now, party, deps.clock.now()));
  if (done?.kind === "full") return sendProblem(response, "busy", "As many take part as there can be");
  if (done?.kind !== "done") return sendProblem(response, "session_not_found");
  if (deed === "remove") deps.attendance.takeOut(conversationId, party);
  if (done.isChanged) tellConversation(deps.broadcast, done.session);
  sendConversation(response, done.session);
}

function sendConversation(response: Response, session: Session | null): void {
  if (session === null) sendProblem(response, "session_not_found");
  else response.json(conversationOf(session));
}
