import { isBusinessId, isUserId, type JoinRequest } from "../../protocol/payloads.js";
import type { Code } from "../../protocol/codes.js";
import { failure, type Result, success } from "../../protocol/result.js";

export const roles = ["user", "coordinator", "agent", "service"] as const;
export type Role = (typeof roles)[number];

/** Who someone is, as far as a token or an open server says so. (SPEC X2) */
export interface Identity {
  readonly role: Role;
  /** The `sub` of the token: a user's, a coordinator's, an agent's or a service's own id. */
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
  const isByConnect = join.userId === null && (role === "coordinator" || userId === null);
  if (join.isCoordinator || isByConnect) {
    return success({ role: "coordinator", userId: null, businessId });
  }
  if (!isUserId(userId)) return failure("invalid_payload");
  return success({ role: "user", userId, businessId });
}

export function isRole(value: unknown): value is Role {
  return (roles as readonly unknown[]).includes(value);
}
