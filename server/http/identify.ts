import type { IncomingHttpHeaders } from "node:http";
import type { Request, RequestHandler } from "express";
import type { Identity } from "../auth/identity.js";
import type { Tokens } from "../auth/token.js";
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
export function identify(tokens: Tokens | null): RequestHandler {
  return async (request, response, next) => {
    const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
    if (tokens === null) {
      const identity = openIdentity(request.headers);
      if (identity === null)
        sendProblem(response, "invalid_payload", "X-User-Id, X-Role or X-Business-Id is not what it must be");
      else proceed(request, identity, next);
      return;
    }
    const verified = bearer === undefined ? null : await tokens.verify(bearer);
    if (verified?.ok === true) proceed(request, verified.value, next);
    else sendProblem(response.set("www-authenticate", "Bearer"), "unauthorized");
  };
}

function proceed(request: Request, identity: Identity, next: () => void): void {
  identities.set(request, identity);
  next();
}

function openIdentity(headers: IncomingHttpHeaders): Identity | null {
  const [userId, role, businessId] = ["x-user-id", "x-role", "x-business-id"].map((name) => headers[name]);
  if (businessId !== undefined && !isBusinessId(businessId)) return null;
  if (userId !== undefined && !isUserId(userId)) return null;
  if (role !== undefined && role !== "user" && role !== "coordinator") return null;
  if (role === "user" && userId === undefined) return null;
  const isUser = userId !== undefined && role !== "coordinator";
  return { role: isUser ? "user" : "coordinator", userId: isUser ? userId : null, businessId: businessId ?? null };
}
