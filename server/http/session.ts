import type { Request, Response } from "express";
import { z } from "zod";
import type { Coordination } from "../messaging/coordinator-events.js";
import { withLatest } from "../messaging/latest.js";
import type { Session } from "../messaging/model.js";
import type { SessionChanges } from "../messaging/session-changes.js";
import { identityOf } from "./identify.js";
import { sendProblem, sendRefusal } from "./problem.js";
import { parseIncludeLatest } from "./query.js";
import { findSession, type LookupDeps } from "./session-lookup.js";
import { shownTo } from "./shown-session.js";

export interface SessionDeps extends LookupDeps {
  /** What becomes of a session, by the same rules as on a channel. */
  readonly deeds: Coordination["deeds"];
  readonly changes: SessionChanges;
}

const titleLengthMax = 200;

const deedTo = { active: "reopen", resolved: "resolve", closed: "close" } as const;

export const titleSchema = z
  .string(`title is 1 to ${titleLengthMax} characters`)
  .trim()
  .min(1, "title is empty")
  .max(titleLengthMax, `title is at most ${titleLengthMax} characters`)
  .transform((title) => title.toWellFormed());

/** Strict, or a name that is misspelt would be taken for nothing to do. */
export const sessionPatch = z
  .strictObject({
    status: z.enum(["active", "resolved", "closed"], "status is active, resolved or closed").optional(),
    title: z
      .string(`title is 1 to ${titleLengthMax} characters, or null`)
      .trim()
      .min(1, "title is empty; null takes it away")
      .max(titleLengthMax, `title is at most ${titleLengthMax} characters`)
      .transform((title) => title.toWellFormed())
      .nullable()
      .optional(),
  })
  .refine(({ status, title }) => status !== undefined || title !== undefined, "status or title is missing");

/** On an open server a coordinator has no id, and over HTTP no socket whose id would be theirs. */
const connectionId = "http";

/** Of what shows sessions. (SPEC H28) */
export const include = z.string().optional().meta({ description: "`latest`: what was said last, and what is open" });

/** `GET /api/sessions/:sessionId` (SPEC H21, H28) */
export async function readSession(deps: LookupDeps, request: Request, response: Response): Promise<void> {
  const isWithLatest = parseIncludeLatest(request.query.include);
  if (!isWithLatest.ok) return sendProblem(response, "invalid_payload", isWithLatest.reason);
  const session = (await findSession(deps, request, "session.read"))?.session ?? null;
  if (session === null || !isWithLatest.value) return sendSession(request, response, session);
  const [listed = null] = await withLatest(deps.store, [session]);
  sendSession(request, response, listed);
}

/** `PATCH /api/sessions/:sessionId` (SPEC H22) */
export async function changeSession(deps: SessionDeps, request: Request, response: Response): Promise<void> {
  const found = await findSession(deps, request, "session.change");
  const send = (session: Session | null) => sendSession(request, response, session);
  await patchSession(deps, found?.session ?? null, { request, response, send });
}

interface Patching {
  readonly request: Request;
  readonly response: Response;
  /** Answers with the session as it is then; null: it is gone. */
  readonly send: (session: Session | null) => void;
}

/** Does to a session what a body asks for, or says why not, whatever it is shown as. (SPEC H22) */
export async function patchSession(
  deps: SessionDeps,
  session: Session | null,
  { request, response, send }: Patching,
): Promise<void> {
  const business = session === null ? null : deps.businessOf(session.businessId);
  if (session === null || business === null) return sendProblem(response, "session_not_found");
  const parsed = sessionPatch.safeParse(request.body);
  if (!parsed.success) return sendProblem(response, "invalid_payload", parsed.error.issues[0]?.message);
  const { status, title } = parsed.data;
  const { sessionId } = session;
  if (status !== undefined) {
    const doer = { business, identity: identityOf(request), connectionId };
    const done = await deps.deeds[deedTo[status]](doer, { sessionId });
    if (!done.ok) return sendRefusal(response, done.reason);
    if (title === undefined) return send(done.value.session as Session);
  }
  send(await deps.changes.rename(sessionId, title ?? null));
}

/** `DELETE /api/sessions/:sessionId`: whoever meant only a part of it must not lose all. (SPEC H23) */
export async function deleteSession(deps: SessionDeps, request: Request, response: Response): Promise<void> {
  const session = (await findSession(deps, request, "session.delete"))?.session ?? null;
  if (session === null) return sendProblem(response, "session_not_found");
  if (Object.keys(request.query).length > 0) {
    return sendProblem(response, "invalid_payload", "a session is deleted whole: there are no parameters");
  }
  if (await deps.changes.remove(session.sessionId)) response.status(204).end();
  else sendProblem(response, "session_not_found");
}

function sendSession(request: Request, response: Response, session: Session | null): void {
  if (session === null) sendProblem(response, "session_not_found");
  else response.json(shownTo(identityOf(request), session));
}
