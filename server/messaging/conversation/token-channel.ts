import { type Code, codes } from "../../../protocol/codes.js";
import type { Action } from "../../auth/access.js";
import type { Ending, Holder } from "../../auth/credential.js";
import type { Credentials } from "../../auth/credentials.js";
import type { Door } from "../../auth/door.js";
import type { Identity } from "../../auth/identity.js";
import {
  Channel,
  error,
  type HandleResult,
  type JoinResult,
  ok,
  Rejoin,
  type Reply,
  stop,
} from "../../channel/channel.js";
import type { DeskTelemetry } from "../../desk-telemetry.js";
import { type Refusal, refusal } from "../admission.js";
import { errorPayload } from "../broadcast.js";
import type { Business } from "../business.js";
import { tellDenied } from "../denial.js";
import type { EventResult } from "../events.js";
import type { SocketAssigns } from "../joining.js";
import { checkRenewal } from "../renewal.js";
import { StoreError } from "../store.js";

export interface TokenChannelDeps {
  readonly door: Door;
  readonly credentials: Credentials;
  readonly telemetry: DeskTelemetry;
}

/** What came of an event: it is replied, and then `after` is done. */
export interface Handled {
  readonly result: EventResult;
  readonly after?: () => void;
}

/** It is replied when this resolves, and holds up nothing else of the client's meanwhile. */
export interface Later {
  readonly later: Promise<EventResult>;
}

/** Handles one kind of event. A StoreError that it throws is replied as `storage_unavailable`. */
export type Handle = (payload: unknown) => Handled | Later | Promise<Handled | Later>;

const renewal = "access_token";

/**
 * A channel that lives by a token: it is asked at every message and every delivery, and whoever was not told of something
 * because of it joins again. (SPEC X9)
 */
export abstract class TokenChannel extends Channel implements Holder {
  readonly #tokenDeps: TokenChannelDeps;
  #isOutdated = false;
  #releases: (() => void)[] = [];

  constructor(deps: TokenChannelDeps) {
    super();
    this.#tokenDeps = deps;
  }

  protected get assigns(): SocketAssigns {
    return this.socket.assigns as unknown as SocketAssigns;
  }

  /** Who joins this topic, and what they are replied. A StoreError that it throws is `storage_unavailable`. */
  protected abstract enter(payload: unknown): Promise<Reply>;
  /** The business it is about, for the language of errors; null before the join. */
  protected abstract get business(): Business | null;
  /** By the names of events. */
  protected abstract readonly handlers: Readonly<Record<string, Handle>>;

  override async join(payload: unknown): Promise<JoinResult> {
    const result = await this.#join(payload);
    if (result.status !== "ok") this.#release();
    const { ending } = this.assigns.credential;
    // Its client would ask again for ever, and no later answer is another one.
    return ending === null ? result : stop("normal", error({ reason: ending }));
  }

  async #join(payload: unknown): Promise<Reply> {
    const { credential } = this.assigns;
    if (credential.ending !== null) return error({ reason: credential.ending });
    try {
      this.#releases.push(this.#tokenDeps.credentials.watch(credential, this));
      await this.#tokenDeps.door.check(credential);
      return await this.enter(payload);
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      this.#tokenDeps.telemetry.emit("store.failed", { operation: "join", error: cause });
      return error({ reason: "storage_unavailable" satisfies Code });
    }
  }

  /** To be called when the channel ends, or its join is refused after all. */
  protected atEnd(release: () => void): void {
    this.#releases.push(release);
  }

  override terminate(): void {
    this.#release();
  }

  #release(): void {
    for (const release of this.#releases.splice(0)) release();
  }

  /** Why nothing is accepted or delivered at this moment, or null. */
  protected get ending(): Ending | null {
    return this.#isOutdated ? "forbidden" : this.assigns.credential.ending;
  }

  /** What is broadcast on an internal topic goes to this client from now on, until that is called or the channel ends. */
  protected hear(topic: string): () => void {
    return this.socket.subscribe(topic, { as: this.topic, filter: () => this.ending === null });
  }

  /** Tells operators, and the client nothing that it could learn from. */
  protected denied(identity: Identity, action: Action, reason: Code): Reply {
    tellDenied(this.#tokenDeps.telemetry, identity, action);
    return error({ reason });
  }

  expiring(expiresAt: number): void {
    this.send({ expiresAt } satisfies Info);
  }

  expired(): void {
    this.socket.dropUnsent();
  }

  renewed(missedSince: number | null): void {
    if (missedSince !== null) this.stop(new Rejoin("something may have been told while its token had ended"));
  }

  changed(): void {
    this.#isOutdated = true;
    this.stop(new Rejoin("the token is of another role"));
  }

  ended(reason: Ending): void {
    this.socket.dropUnsent();
    this.stop(reason === "token_expired" ? new Rejoin(reason) : "shutdown");
  }

  override handleInfo(message: unknown): void | Promise<void> {
    this.push("token_expiring", { expiresAt: new Date((message as Info).expiresAt).toISOString() });
  }

  override handleIn(event: string, payload: unknown, ref: unknown): HandleResult | Promise<HandleResult> {
    const waitMs = this.assigns.rate.event();
    if (waitMs > 0) return this.refuse(ref, { ...refusal("rate_limited"), retryAfterMs: waitMs });
    const { ending } = this;
    if (ending !== null && event !== renewal) return this.refuse(ref, refusal(ending));
    if (event === renewal) return this.#renew(payload, ref);
    if (!Object.hasOwn(this.handlers, event)) return this.refuse(ref, refusal("unknown_event"));
    return this.#handle(this.handlers[event]!, payload, ref);
  }

  async #handle(handle: Handle, payload: unknown, ref: unknown): Promise<void> {
    try {
      const handled = await handle(payload);
      if ("later" in handled) {
        handled.later.then(
          (result) => this.#answer(ref, result),
          (cause: unknown) => this.#failed(ref, cause),
        );
        return;
      }
      this.#answer(ref, handled.result);
      handled.after?.();
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      this.#failed(ref, cause);
    }
  }

  #answer(ref: unknown, result: EventResult): void {
    if (result.ok) this.reply(ref, ok(result.value));
    else this.refuse(ref, result.reason);
  }

  #failed(ref: unknown, cause: unknown): void {
    if (!(cause instanceof StoreError)) return this.stop(cause);
    this.#tokenDeps.telemetry.emit("store.failed", { operation: "handle an event", error: cause });
    this.refuse(ref, refusal("storage_unavailable"));
  }

  async #renew(payload: unknown, ref: unknown): Promise<void> {
    const { credential } = this.assigns;
    const isForbidden = () => this.ending === "forbidden";
    const renewed = await checkRenewal(this.#tokenDeps, { credential, isForbidden }, payload);
    if (!renewed.ok) return this.refuse(ref, renewed.reason);
    const identity = renewed.value;
    this.reply(ref, ok({ expiresAt: identity === null ? null : new Date(identity.expiresAt).toISOString() }));
    if (identity !== null) credential.renew(identity);
  }

  protected refuse(ref: unknown, { code, words = codes[code], retryAfterMs, details }: Refusal): void {
    const locale = this.business?.locale ?? "en";
    const payload = {
      ...details,
      ...errorPayload(code, { locale }, words),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    this.reply(ref, error({ ...payload, reason: code }));
    if (code === "rate_limited" && this.assigns.rate.refused()) this.socket.close();
  }
}

interface Info {
  readonly expiresAt: number;
}
