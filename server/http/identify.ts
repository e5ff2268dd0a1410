import type { IncomingHttpHeaders } from "node:http";
import type { Request, RequestHandler } from "express";
import { type Action, may, type Resource } from "../auth/access.js";
import type { Door } from "../auth/door.js";
import { type Identity, isRole } from "../auth/identity.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { isBusinessId, isUserId } from "../../protocol/payloads.js";
import { sendProblem } from "./problem.js";

const identities = new WeakMap<Request, Identity>();

/** Who sent this request. Only behind `identify`. */
export function identityOf(request: Request): Identity {
  return identities.get(request)!;
}

/**
 * Finds out who sent a request: by Bearer token, or on an open server by what its headers say; who says nothing is a
 * coordinator there. Without a valid token where one is needed: 401. (SPEC X2, X4)
 */
export function identify(door: Door, telemetry: DeskTelemetry): RequestHandler {
  return async (request, response, next) => {
    const entered = await door.enter(bearerOf(request));
    if (!entered.ok) {
      telemetry.emit("token.refused", { door: "http", reason: entered.reason });
      const error = entered.reason === "missing" ? "" : ' error="invalid_token"';
      sendProblem(response.set("www-authenticate", `Bearer${error}`), "unauthorized");
      return;
    }
    const identity = entered.value ?? openIdentity(request.headers);
    if (identity !== null) proceed(request, identity, next);
    else sendProblem(response, "invalid_payload", "X-User-Id, X-Role or X-Business-Id is not what it must be");
  };
}

/** Who sent a request that everybody may send; null when it has no token that is good. */
export async function identityGiven(door: Door, request: Request): Promise<Identity | null> {
  const entered = await door.enter(bearerOf(request));
  return entered.ok ? entered.value : null;
}

/** Whether its sender may do this; that somebody may not is told, because operators look for it. */
export function isAllowed(telemetry: DeskTelemetry, request: Request, action: Action, resource: Resource): boolean {
  const identity = identityOf(request);
  if (may(identity, action, resource)) return true;
  telemetry.emit("access.denied", {
    action,
    role: identity.role,
    businessId: identity.businessId,
    userId: identity.userId,
  });
  return false;
}

export function bearerOf(request: Request): string | null {
  return /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? null;
}

function proceed(request: Request, identity: Identity, next: () => void): void {
  identities.set(request, identity);
  next();
}

function openIdentity(headers: IncomingHttpHeaders): Identity | null {
  const [userId, role, businessId] = ["x-user-id", "x-role", "x-business-id"].map((name) => headers[name]);
  if (businessId !== undefined && !isBusinessId(businessId)) return null;
  if (userId !== undefined && !isUserId(userId)) return null;
  if (role !== undefined && !isRole(role)) return null;
  const known = role ?? (userId === undefined ? "coordinator" : "user");
  if (known === "coordinator") return { role: known, userId: null, businessId: businessId ?? null };
  if ((known === "user" || known === "agent") && userId === undefined) return null;
  return { role: known, userId: userId ?? null, businessId: businessId ?? null };
}
