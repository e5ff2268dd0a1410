import type { Code } from "../../protocol/codes.js";
import type { Clock } from "../clock.js";
import type { TokenIdentity } from "./token.js";

/** Why a socket may nothing any more. */
export type Ending = Extract<Code, "token_expired" | "forbidden">;

/** A channel that lives by a credential. Called outside its handlers. */
export interface Holder {
  /** The token ends soon, at this time in ms since 1970. */
  expiring(expiresAt: number): void;
  /** The token has ended, and may still be renewed. Told within a second. */
  expired(): void;
  /** The token is another one, after this channel has heard nothing since then; null: it has missed nothing. */
  renewed(missedSince: number | null): void;
  /** It is of another role: what this channel may is to be decided anew. */
  changed(): void;
  /** It is over, for good. */
  ended(reason: Ending): void;
}

/**
 * By what right a socket is here: its token, or on an open server what it said. It is asked at every message and every
 * delivery, because the right may end at any moment. (SPEC X9)
 */
export class Credential {
  readonly #clock: Clock;
  readonly #holders = new Set<Holder>();
  #identity: TokenIdentity | null;
  #isRevoked = false;

  /** @param identity null: an open server, on which nobody is asked */
  constructor(identity: TokenIdentity | null, clock: Clock) {
    this.#identity = identity;
    this.#clock = clock;
  }

  /** Who the token says it is; null where there is none. */
  get identity(): TokenIdentity | null {
    return this.#identity;
  }

  /** Null: good until further notice. */
  get ending(): Ending | null {
    if (this.#isRevoked) return "forbidden";
    return this.#identity !== null && this.#clock.now() >= this.#identity.expiresAt ? "token_expired" : null;
  }

  get holders(): ReadonlySet<Holder> {
    return this.#holders;
  }

  /** @returns a function that ends it */
  hold(holder: Holder): () => void {
    this.#holders.add(holder);
    return () => void this.#holders.delete(holder);
  }

  /** Takes a new token in place of the old one. Only for the same somebody. */
  renew(identity: TokenIdentity): void {
    const old = this.#identity!;
    const missedSince = this.#clock.now() >= old.expiresAt ? old.expiresAt : null;
    this.#identity = identity;
    for (const holder of [...this.#holders]) {
      if (old.role === identity.role) holder.renewed(missedSince);
      else holder.changed();
    }
  }

  /** From now on it is good for nothing. */
  revoke(): void {
    this.#isRevoked = true;
    this.end("forbidden");
  }

  /** Tells those who live by it. */
  end(reason: Ending): void {
    for (const holder of [...this.#holders]) holder.ended(reason);
  }
}
