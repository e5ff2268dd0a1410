import type { Request } from "express";
import { isBusinessId, isUserId } from "../../protocol/payloads.js";
import type { Action, Resource } from "../auth/access.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Business } from "../messaging/business.js";
import type { Session } from "../messaging/model.js";
import { dayOfMadeUpId, parseMadeUpId } from "../messaging/session-policy.js";
import { findHead, readCurrentSession } from "../messaging/sessions.js";
import type { SessionOwner, Store } from "../messaging/store.js";
import { isAllowed } from "./identify.js";

const sessionIdLengthMax = 512;

export interface LookupDeps {
  readonly store: Store;
  readonly businessOf: (businessId: string) => Business | null;
  readonly telemetry: DeskTelemetry;
}

/** What an id in a path names. */
export interface FoundSession {
  readonly sessionId: string;
  readonly businessId: string;
  readonly userId: string | null;
  /** Null for the day's session of a user who has not said anything yet. */
  readonly session: Session | null;
}

/** Whose a session is that is not there. */
const nobodys = { businessId: null };

/**
 * The session that a path names as `:sessionId`, for those who may do this to it. Null for what is not there and for what
 * is not yours: both take the same way, and the same time. (SPEC X7)
 */
export async function findSession(deps: LookupDeps, request: Request, action: Action): Promise<FoundSession | null> {
  const { sessionId: id } = request.params as { readonly sessionId: string };
  if (id.length > sessionIdLengthMax) return null;
  const isAllowedTo = (resource: Resource) => isAllowed(deps.telemetry, request, action, resource);
  const madeUp = parseMadeUpId(id);
  // It names its owner, so nothing need be read to know whether it may be.
  if (madeUp !== null) return isAllowedTo(madeUp) ? findMadeUp(deps, id, madeUp) : null;
  const session = (await findHead(deps.store, id))?.session;
  return isAllowedTo(session ?? nobodys) && session !== undefined ? foundFrom(session) : null;
}

async function findMadeUp(
  { store, businessOf }: LookupDeps,
  id: string,
  madeUp: { readonly businessId: string; readonly userId: string; readonly ms: number },
): Promise<FoundSession | null> {
  const { businessId, userId } = madeUp;
  if (!isBusinessId(businessId) || !isUserId(userId)) return null;
  const business = businessOf(businessId);
  if (business === null) return null;
  const { day, from, to } = dayOfMadeUpId(madeUp, business.timeZone);
  const owner = { businessId, userId };
  const current = (await readCurrentSession(store, owner))?.value;
  const today = current?.day === day ? await findHead(store, current.sessionId) : null;
  const session = today?.session ?? (await latestDaily(store, owner, { from, to }));
  return session === null ? { sessionId: id, businessId, userId, session: null } : foundFrom(session);
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

function foundFrom(session: Session): FoundSession {
  const { sessionId, businessId, userId = null } = session;
  return { sessionId, businessId, userId, session };
}
