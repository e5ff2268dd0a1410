import type { Cancel, Clock } from "../clock.js";
import type { Credential, Holder } from "./credential.js";
import type { TokenIdentity } from "./token.js";

const sweepMs = 1000;
/** Before its end, at which the client is told that its token is running out. */
const noticeMs = 60_000;
/** After its end, in which it can still be renewed in place. */
const graceMs = 25_000;

interface Watched {
  readonly credential: Credential;
  /** The end that its holders have been told of. */
  noticed: number | null;
  /** The end that has come, and that they have been told of. */
  expired: number | null;
}

/**
 * The tokens of this node's channels. One sweep a second for all of them: what must be exact to the millisecond is asked
 * of the credential itself. (SPEC X9)
 */
export class Credentials {
  readonly #clock: Clock;
  readonly #watched = new Map<Credential, Watched>();
  #cancel: Cancel | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those by whose right a channel is joined. */
  get size(): number {
    return this.#watched.size;
  }

  start(): void {
    this.#cancel ??= this.#clock.every(sweepMs, () => this.#sweep());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Tells a channel what becomes of the right by which it is here. @returns a function that ends it */
  watch(credential: Credential, holder: Holder): Cancel {
    if (credential.identity === null) return () => undefined;
    const release = credential.hold(holder);
    const watched = this.#watched.get(credential);
    if (watched === undefined) this.#watched.set(credential, { credential, noticed: null, expired: null });
    // One that joins after the others were told is told by itself.
    else if (watched.noticed === credential.identity.expiresAt) holder.expiring(watched.noticed);
    this.#look(this.#watched.get(credential)!);
    return () => {
      release();
      if (credential.holders.size === 0) this.#watched.delete(credential);
    };
  }

  /** Ends the channels of tokens that match. */
  revoke(isRevoked: (identity: TokenIdentity) => boolean): void {
    for (const credential of [...this.#watched.keys()]) {
      if (isRevoked(credential.identity!)) credential.revoke();
    }
  }

  /** Whose tokens there are, each once. */
  subjects(): readonly TokenIdentity[] {
    const subjects = new Map<string, TokenIdentity>();
    for (const { identity } of this.#watched.keys()) {
      subjects.set(`${identity!.businessId ?? ""}#${identity!.userId}`, identity!);
    }
    return [...subjects.values()];
  }

  #sweep(): void {
    for (const watched of [...this.#watched.values()]) this.#look(watched);
  }

  #look(watched: Watched): void {
    const { credential } = watched;
    const { expiresAt } = credential.identity!;
    const now = this.#clock.now();
    if (now >= expiresAt + graceMs) {
      credential.end("token_expired");
    } else if (now >= expiresAt && watched.expired !== expiresAt) {
      watched.expired = expiresAt;
      for (const holder of [...credential.holders]) holder.expired();
    } else if (now < expiresAt && now >= expiresAt - noticeMs && watched.noticed !== expiresAt) {
      watched.noticed = expiresAt;
      for (const holder of [...credential.holders]) holder.expiring(expiresAt);
    }
  }
}
