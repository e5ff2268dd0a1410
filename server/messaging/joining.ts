import type { Code } from "../../protocol/codes.js";
import { isBusinessId, type JoinRequest, parseJoin } from "../../protocol/payloads.js";
import { failure, type Result, success } from "../../protocol/result.js";
import { may } from "../auth/access.js";
import type { Credential } from "../auth/credential.js";
import { type ConnectClaims, type Identity, identifyJoin } from "../auth/identity.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Business } from "./business.js";
import { tellDenied } from "./denial.js";
import type { SocketRate } from "./rate-limits.js";

/** What a socket of the desk was assigned when it connected. */
export interface SocketAssigns {
  readonly credential: Credential;
  readonly claims: ConnectClaims;
  readonly connectionId: string;
  readonly rate: SocketRate;
}

/** Who is on the messages of a business. */
export interface Member {
  readonly business: Business;
  readonly connectionId: string;
  readonly identity: Identity;
}

export interface Joining {
  readonly member: Member;
  readonly request: JoinRequest;
}

/** Who it is that joins, and whether they may; what is refused is the reason on the wire. (SPEC M12, X2, X7) */
export function decideJoin(
  deps: { readonly businessOf: (businessId: string) => Business | null; readonly telemetry: DeskTelemetry },
  businessId: string,
  { credential, claims, connectionId }: SocketAssigns,
  payload: unknown,
): Result<Joining, Code> {
  if (credential.ending !== null) return failure(credential.ending);
  const request = parseJoin(payload);
  if (!request.ok) return request;
  const identified = identifyJoin(credential.identity, claims, request.value);
  if (!identified.ok) return identified;
  const identity = identified.value;
  // A business of somebody else's and one that does not exist take the same path.
  const isOther = identity.businessId !== null && identity.businessId !== businessId;
  const business = !isBusinessId(businessId) || isOther ? null : deps.businessOf(businessId);
  if (business !== null && may(identity, "messages.join", business)) {
    return success({ member: { business, connectionId, identity }, request: request.value });
  }
  tellDenied(deps.telemetry, identity, "messages.join");
  return failure(business === null ? "not_found" : "forbidden");
}
