import { createRemoteJWKSet, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from "jose";
import { isBusinessId, isUserId } from "../../protocol/payloads.js";
import type { Code } from "../../protocol/codes.js";
import { failure, type Result, success } from "../../protocol/result.js";
import type { Clock } from "../clock.js";
import type { Identity, Role } from "./identity.js";

export interface Tokens {
  /** Checks a token and reads who it is for. `token_expired`, or `forbidden` for whatever else is wrong with it. */
  verify(token: string): Promise<Result<Identity, Extract<Code, "forbidden" | "token_expired">>>;
}

const tokenLengthMax = 4096;
const roles: ReadonlySet<unknown> = new Set<Role>(["user", "coordinator", "agent", "service"]);

/** Tokens signed with a shared secret (HS256), or by the keys of a JWKS. `exp` and `sub` are required. (SPEC X4) */
export function createTokens(
  source: { readonly secret: string } | { readonly jwksUrl: string },
  { clock, audience }: { readonly clock: Clock; readonly audience?: string | undefined },
): Tokens {
  const isSecret = "secret" in source;
  const algorithms = isSecret ? ["HS256"] : ["RS256", "PS256", "ES256", "EdDSA"];
  const secret = isSecret ? new TextEncoder().encode(source.secret) : null;
  const keys = isSecret ? null : createRemoteJWKSet(new URL(source.jwksUrl));
  return { verify };

  async function verify(token: string): ReturnType<Tokens["verify"]> {
    if (token.length > tokenLengthMax) return failure("forbidden");
    const options = {
      algorithms,
      currentDate: new Date(clock.now()),
      requiredClaims: ["exp", "sub"],
      ...(audience === undefined ? {} : { audience }),
    };
    try {
      const { payload } =
        secret === null
          ? await jwtVerify(token, keys as JWTVerifyGetKey, options)
          : await jwtVerify(token, secret, options);
      return identityOf(payload);
    } catch (cause) {
      // jose says by its code what was wrong; a client learns only whether a newer token would help.
      return failure((cause as { code?: unknown }).code === "ERR_JWT_EXPIRED" ? "token_expired" : "forbidden");
    }
  }
}

function identityOf({ sub, role, businessId }: JWTPayload): Result<Identity, "forbidden"> {
  if (!roles.has(role) || !isUserId(sub)) return failure("forbidden");
  if (businessId !== undefined && !isBusinessId(businessId)) return failure("forbidden");
  // Only the service role is good for every business.
  if (businessId === undefined && role !== "service") return failure("forbidden");
  return success({ role: role as Role, userId: sub, businessId: businessId ?? null });
}
