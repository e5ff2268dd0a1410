import type { Code } from "../../protocol/codes.js";
import { failure, type Result, success } from "../../protocol/result.js";
import type { Credential } from "./credential.js";
import type { TokenIdentity, Tokens } from "./token.js";

/** Why somebody is not let in. `missing`: there is no token where one is needed. */
export type DoorFault = "missing" | Extract<Code, "forbidden" | "token_expired">;

/** Tokens that are over before their time. */
export interface RevokedTokens {
  /** @throws StoreError */
  isRevoked(identity: TokenIdentity): Promise<boolean>;
}

export interface Door {
  /**
   * Who a token says somebody is; null: nobody is asked here, and no token says otherwise. (SPEC X2, X4)
   * @throws KeysUnavailable, StoreError when nobody can say
   */
  enter(token: string | null): Promise<Result<TokenIdentity | null, DoorFault>>;
  /** Looks once more whether the token of an open socket was revoked, and ends it if so. @throws StoreError */
  check(credential: Credential): Promise<void>;
}

/**
 * The same for sockets, their renewals and HTTP. On an open server a token that is not ours says nothing, as everybody
 * there is whoever they say; one of ours that is over is refused, because its owner does not mean to be somebody else.
 */
export function createDoor(deps: {
  readonly tokens: Tokens;
  readonly revocations: RevokedTokens;
  readonly isOpen: boolean;
}): Door {
  const { tokens, revocations, isOpen } = deps;
  return { enter, check };

  async function check(credential: Credential): Promise<void> {
    const { identity } = credential;
    if (identity !== null && (await revocations.isRevoked(identity))) credential.revoke();
  }

  async function enter(token: string | null): Promise<Result<TokenIdentity | null, DoorFault>> {
    if (token === null || token === "") return isOpen ? success(null) : failure("missing");
    const verified = await tokens.verify(token);
    if (!verified.ok) return isOpen && verified.reason === "forbidden" ? success(null) : verified;
    return (await revocations.isRevoked(verified.value)) ? failure("forbidden") : verified;
  }
}
