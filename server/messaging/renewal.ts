import type { Code } from "../../protocol/codes.js";
import { parseAccessToken } from "../../protocol/payloads.js";
import { failure, type Result, success } from "../../protocol/result.js";
import { may } from "../auth/access.js";
import type { Credential } from "../auth/credential.js";
import type { Door } from "../auth/door.js";
import { KeysUnavailable, type TokenIdentity } from "../auth/token.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { type Refusal, refusal } from "./admission.js";
import { tellDenied } from "./denial.js";
import { StoreError } from "./store.js";

export interface RenewalDeps {
  readonly door: Door;
  readonly telemetry: DeskTelemetry;
}

/**
 * Whether what `access_token` brought may take the place of a socket's token: good, and of the same somebody. (SPEC X9)
 * @param isForbidden asked last: whether the old one is over for good by then
 * @returns null on an open server, which asks nobody: there is nothing to renew
 */
export async function checkRenewal(
  { door, telemetry }: RenewalDeps,
  { credential, isForbidden }: { readonly credential: Credential; readonly isForbidden: () => boolean },
  payload: unknown,
): Promise<Result<TokenIdentity | null, Refusal>> {
  const token = parseAccessToken(payload);
  if (!token.ok) return failure({ code: token.reason.code, words: token.reason.error });
  const entered = await enter({ door, telemetry }, token.value);
  if (!entered.ok) return failure(refusal(entered.reason));
  const [old, identity] = [credential.identity, entered.value];
  if (old === null) return success(null);
  const isSame = identity !== null && identity.businessId === old.businessId && may(old, "token.renew", identity);
  if (isSame && !isForbidden()) return success(identity);
  tellDenied(telemetry, old, "token.renew");
  return failure(refusal("forbidden"));
}

async function enter({ door, telemetry }: RenewalDeps, token: string): Promise<Result<TokenIdentity | null, Code>> {
  try {
    const entered = await door.enter(token);
    if (entered.ok) return entered;
    return failure(entered.reason === "missing" ? "forbidden" : entered.reason);
  } catch (cause) {
    if (!(cause instanceof StoreError) && !(cause instanceof KeysUnavailable)) throw cause;
    telemetry.emit("store.failed", { operation: "renew a token", error: cause });
    return failure("storage_unavailable");
  }
}
