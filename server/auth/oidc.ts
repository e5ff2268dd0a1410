import { jwtVerify } from "jose";
import { z } from "zod";
import type { Clock } from "../clock.js";
import { createKeySet, fetchJson, KeysUnavailable } from "./jwks.js";
import { asymmetric, headerOf, isAboutKeys, skewSeconds } from "./token.js";

/** Says whether whoever calls is who may: a task queue, or another program of the operator's. */
export interface Oidc {
  /**
   * Whether an OpenID Connect token is of our issuer, for us, and good now.
   * @throws KeysUnavailable when nobody can say, because the issuer's keys cannot be had
   */
  isGood(token: string): Promise<boolean>;
}

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

/**
 * Tokens of one issuer for one audience. Its keys are where `<issuer>/.well-known/openid-configuration` says that they
 * are, as OpenID Connect Discovery has it. (SPEC X16)
 */
export function createOidc(
  { issuer, audience }: { readonly issuer: string; readonly audience: string },
  clock: Clock,
): Oidc {
  const keys = createKeySet({ name: "OIDC_ISSUER", find: findKeys }, clock);

  return { isGood };

  async function findKeys(): Promise<string> {
    const found = await fetchJson(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, clock);
    const { issuer: named, jwks_uri } = discovery.parse(found);
    if (named !== issuer) throw new Error("the issuer there calls itself something else");
    return jwks_uri;
  }

  async function isGood(token: string): Promise<boolean> {
    const header = headerOf(token);
    if (header === null || !asymmetric.includes(header.alg as string)) return false;
    try {
      await jwtVerify(token, keys, {
        algorithms: asymmetric,
        issuer,
        audience,
        currentDate: new Date(clock.now()),
        clockTolerance: skewSeconds,
        requiredClaims: ["exp", "sub"],
      });
      return true;
    } catch (cause) {
      if (cause instanceof KeysUnavailable) throw cause;
      if (isAboutKeys(cause)) throw new KeysUnavailable("a key of OIDC_ISSUER cannot be used", { cause });
      return false;
    }
  }
}
