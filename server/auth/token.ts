import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey, SignJWT } from "jose";
import { isBusinessId, isUserId } from "../../protocol/payloads.js";
import type { Code } from "../../protocol/codes.js";
import { failure, type Result, success } from "../../protocol/result.js";
import type { Clock } from "../clock.js";
import { type Identity, isRole, type Role } from "./identity.js";
import { createKeySet, KeysUnavailable } from "./jwks.js";

export { KeysUnavailable };

/** Who somebody is by a token, and for how long. */
export interface TokenIdentity extends Identity {
  readonly userId: string;
  /** `exp` in ms since 1970: at this moment it is over. */
  readonly expiresAt: number;
  /** `iat` in seconds; 0 when the token does not say. A revocation ends what was issued before it. */
  readonly issuedAt: number;
}

export interface TokenClaims {
  readonly sub: string;
  readonly role: Role;
  readonly businessId: string | null;
}

export interface IssuedToken {
  readonly token: string;
  /** In ms since 1970. */
  readonly expiresAt: number;
}

export type TokenFault = Extract<Code, "forbidden" | "token_expired">;

export interface Tokens {
  /**
   * Checks a token and reads who it is for. `token_expired`, or `forbidden` for whatever else is wrong with it.
   * @throws KeysUnavailable when nobody can say, because the keys cannot be had
   */
  verify(token: string): Promise<Result<TokenIdentity, TokenFault>>;
  /**
   * Signs a token; null where we have no secret to do it with.
   * @param after the second from which tokens of this subject are good, where some were revoked
   */
  readonly issue: ((claims: TokenClaims, lifeMs: number, after?: number) => Promise<IssuedToken>) | null;
}

/** What tokens are signed with. */
export interface TokenKeys {
  /** What we sign with; null: others sign. */
  readonly secret: string | null;
  /** What we signed with before. It is taken, so that one secret can follow another, and signs nothing. */
  readonly previousSecret: string | null;
  readonly jwksUrl: string | null;
}

const tokenLengthMax = 4096;
/** How far another clock may be ahead of ours. Our own says when a token ends. */
export const skewSeconds = 60;
const latestSeconds = 8.64e12;
export const asymmetric = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
/** They say where else to find a key, or what else a token means, which none may. */
const refusedHeaders = ["crit", "jku", "jwk", "x5u", "x5c"];

type Key = Uint8Array | JWTVerifyGetKey;

/**
 * Tokens signed with a shared secret (HS256), or by the keys of a JWKS. The algorithm chooses which of the two, and
 * nothing else in a token does: no key is good for both. `exp` and `sub` are required. (SPEC X4)
 */
export function createTokens(
  keys: TokenKeys,
  { clock, audience }: { readonly clock: Clock; readonly audience?: string | undefined },
): Tokens {
  const signing = keys.secret === null ? null : bytesOf(keys.secret);
  const previous = keys.previousSecret === null ? null : bytesOf(keys.previousSecret);
  const secrets = [signing, previous].filter((secret) => secret !== null);
  const remote = keys.jwksUrl === null ? null : keySetOf(keys.jwksUrl, clock);
  return {
    verify,
    issue: signing === null ? null : (claims, lifeMs, after = 0) => issue(signing, claims, lifeMs, after),
  };

  async function verify(token: string): Promise<Result<TokenIdentity, TokenFault>> {
    const header = headerOf(token);
    if (header === null) return failure("forbidden");
    let fault: TokenFault = "forbidden";
    for (const key of keysFor(header)) {
      const checked = await verifyWith(key, token);
      if (checked.ok) return checked;
      if (checked.reason === "token_expired") fault = "token_expired";
    }
    return failure(fault);
  }

  function keysFor({ alg }: Readonly<Record<string, unknown>>): readonly Key[] {
    if (alg === "HS256") return secrets;
    return remote !== null && asymmetric.includes(alg as string) ? [remote] : [];
  }

  async function verifyWith(key: Key, token: string): Promise<Result<TokenIdentity, TokenFault>> {
    const now = clock.now();
    const options = {
      algorithms: key instanceof Uint8Array ? ["HS256"] : asymmetric,
      // Beyond `exp`, too: what is over is told below, to the second.
      currentDate: new Date(now),
      clockTolerance: skewSeconds,
      requiredClaims: ["exp", "sub"],
      ...(audience === undefined ? {} : { audience }),
    };
    try {
      const { payload } = await (key instanceof Uint8Array
        ? jwtVerify(token, key, options)
        : jwtVerify(token, key, options));
      return identityOf(payload, now);
    } catch (cause) {
      if (cause instanceof KeysUnavailable) throw cause;
      if (cause instanceof errors.JWTExpired) return failure("token_expired");
      if (!(key instanceof Uint8Array) && isAboutKeys(cause))
        throw new KeysUnavailable("a key of AUTH_JWKS_URL cannot be used", { cause });
      return failure("forbidden");
    }
  }

  async function issue(
    key: Uint8Array,
    { sub, role, businessId }: TokenClaims,
    lifeMs: number,
    after: number,
  ): Promise<IssuedToken> {
    const now = Math.floor(clock.now() / 1000);
    const issuedAt = Math.max(now, after);
    const exp = now + Math.ceil(lifeMs / 1000);
    const jwt = new SignJWT({ role, ...(businessId === null ? {} : { businessId }) })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setSubject(sub)
      .setIssuedAt(issuedAt)
      .setExpirationTime(exp);
    if (audience !== undefined) jwt.setAudience(audience);
    return { token: await jwt.sign(key), expiresAt: exp * 1000 };
  }
}

function keySetOf(url: string, clock: Clock): JWTVerifyGetKey {
  return createKeySet({ name: "AUTH_JWKS_URL", find: () => Promise.resolve(url) }, clock);
}

function identityOf(payload: JWTPayload, now: number): Result<TokenIdentity, TokenFault> {
  const { sub, role, businessId, exp = 0, iat = 0 } = payload;
  if (!isRole(role) || !isUserId(sub)) return failure("forbidden");
  if (businessId !== undefined && !isBusinessId(businessId)) return failure("forbidden");
  // Only the service role is good for every business.
  if (businessId === undefined && role !== "service") return failure("forbidden");
  // A time that is no time ends never. One that the future issued is a mistake, or a trick.
  if (exp > latestSeconds || iat * 1000 > now + skewSeconds * 1000) return failure("forbidden");
  if (exp * 1000 <= now) return failure("token_expired");
  // A clock that is ahead must not save an open socket from a revocation.
  const issuedAt = Math.min(iat, now / 1000 + 1);
  return success({ role, userId: sub, businessId: businessId ?? null, expiresAt: exp * 1000, issuedAt });
}

function bytesOf(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}

/** The header of what may be a token; null for what is none, whoever signed it. */
export function headerOf(token: string): Readonly<Record<string, unknown>> | null {
  if (token.length > tokenLengthMax) return null;
  const parts = token.split(".");
  if (parts.length !== 3 || !parts.every(isCanonical)) return null;
  const [header, payload] = [objectOf(parts[0]!), objectOf(parts[1]!)];
  if (header === null || payload === null) return null;
  return refusedHeaders.some((name) => name in header) ? null : header;
}

// Bits that nobody reads, blanks and padding would let one token be written in many ways.
function isCanonical(part: string): boolean {
  return Buffer.from(part, "base64url").toString("base64url") === part;
}

/**
 * An object that a part of a token holds, or null. A name that is there twice makes it none: who made the token and who
 * reads it may take another one of the two. (SPEC X4)
 */
function objectOf(part: string): Readonly<Record<string, unknown>> | null {
  const text = Buffer.from(part, "base64url").toString();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return isUnambiguous(text) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Whether no object in it has a name twice, however that is written. @param json is known to be JSON */
function isUnambiguous(json: string): boolean {
  const namesOfOpen: Set<string>[] = [];
  for (const [piece] of json.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}]/g)) {
    if (piece === "{") namesOfOpen.push(new Set());
    else if (piece === "}") namesOfOpen.pop();
    else if (piece.endsWith(":")) {
      const names = namesOfOpen.at(-1)!;
      const name = JSON.parse(piece.slice(0, -1)) as string;
      if (names.has(name)) return false;
      names.add(name);
    }
  }
  return true;
}

// What a token can be to blame for, jose says by errors of its own.
export function isAboutKeys(cause: unknown): boolean {
  return cause instanceof errors.JWKSInvalid || !(cause instanceof errors.JOSEError);
}
