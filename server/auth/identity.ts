import { isBusinessId, isUserId, type JoinRequest } from "../../protocol/payloads.js";
import type { Code } from "../../protocol/codes.js";
import { failure, type Result, success } from "../../protocol/result.js";

export type Role = "user" | "coordinator" | "agent" | "service";

/** Who someone is, as far as a token or an open server says so. (SPEC X2) */
export interface Identity {
  readonly role: Role;
  readonly userId: string | null;
  /** The only business it is good for; null: any. */
  readonly businessId: string | null;
}

/** What a socket said about itself when it connected to an open server. Nobody checked it. */
export interface ConnectClaims {
  readonly userId: unknown;
  readonly businessId: unknown;
  readonly role: unknown;
}

/**
 * Who joins a business's messages. A token decides where there is one; an open server believes the join, then the
 * connect parameters, and takes who names no user for a coordinator: that is how consoles connect. (SPEC X2)
 */
export function identifyJoin(token: Identity | null, claims: ConnectClaims, join: JoinRequest): Result<Identity, Code> {
  if (token !== null) return success(token);
  const { businessId = null, role } = claims;
  if (businessId !== null && !isBusinessId(businessId)) return failure("invalid_payload");
  const userId = join.userId ?? claims.userId ?? null;
  if (join.isCoordinator || role === "coordinator" || userId === null) {
    return success({ role: "coordinator", userId: null, businessId });
  }
  if (!isUserId(userId)) return failure("invalid_payload");
  return success({ role: "user", userId, businessId });
}

/** May this identity have anything to do with this business? */
export function belongsTo(identity: Identity, businessId: string): boolean {
  return identity.businessId === null || identity.businessId === businessId;
}

/** May it read a session of this business and user? */
export function mayRead(
  identity: Identity,
  session: { readonly businessId: string; readonly userId?: string | undefined },
): boolean {
  if (!belongsTo(identity, session.businessId)) return false;
  if (identity.role === "coordinator" || identity.role === "service") return true;
  return identity.role === "user" && identity.userId !== null && identity.userId === session.userId;
}

/** May it see everything that goes on in this business? */
export function mayCoordinate(identity: Identity, businessId: string): boolean {
  return belongsTo(identity, businessId) && (identity.role === "coordinator" || identity.role === "service");
}
