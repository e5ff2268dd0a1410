import { keysOf } from "../token-keys.js";
import { isRole, roles } from "../auth/identity.js";
import { createTokens } from "../auth/token.js";
import { systemClock } from "../clock.js";
import { ConfigError, readConfig } from "../config.js";
import { isBusinessId, isUserId } from "../../protocol/payloads.js";

export interface TokenRequest {
  readonly sub?: string | undefined;
  readonly role?: string | undefined;
  readonly business?: string | undefined;
  /** `30m`, `8h`, `7d`; an hour when it is left out. */
  readonly expires?: string | undefined;
}

/** What was asked for cannot be signed. */
export class TokenRequestError extends Error {
  override readonly name = "TokenRequestError";
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Signs a token with the secret that the server has in this environment, and prints it.
 * @throws TokenRequestError, ConfigError
 */
export async function printToken(request: TokenRequest): Promise<void> {
  const { sub, role, business = null, expires = "1h" } = request;
  if (!isRole(role)) throw new TokenRequestError(`--role is one of ${roles.join(", ")}`);
  if (!isUserId(sub)) throw new TokenRequestError("--sub is missing, or is not 1 to 128 of [A-Za-z0-9._@|+:-]");
  if (business !== null && !isBusinessId(business))
    throw new TokenRequestError("--business is not 1 to 64 of [A-Za-z0-9._-]");
  if (business === null && role !== "service")
    throw new TokenRequestError("--business is missing; only the role service does without");
  const life = /^([1-9]\d{0,5})([smhd])$/.exec(expires);
  if (life === null) throw new TokenRequestError("--expires is a time such as 30m, 8h or 7d");
  const config = readConfig(process.env);
  const { issue } = createTokens(await keysOf(config), { clock: systemClock, audience: config.AUTH_AUDIENCE });
  if (issue === null) throw new ConfigError("AUTH_SECRET is not set: tokens of AUTH_JWKS_URL are signed elsewhere");
  const { token } = await issue({ sub, role, businessId: business }, Number(life[1]) * unitMs[life[2]!]!);
  process.stdout.write(`${token}\n`);
}
