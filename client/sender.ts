import type { Push } from "phoenix";
import { ChatError, readError } from "./chat-error.js";
import type { Clock } from "./clock.js";
import { cancelTimeout } from "./desk-channel.js";
import { limits } from "./limits.js";
import type { Outbox, Unsent } from "./outbox.js";
import { readReceipt, type Receipt } from "./receipt.js";

export type Outcome =
  { readonly ok: true; readonly receipt: Receipt } | { readonly ok: false; readonly error: ChatError };

/** Refusals that pass by themselves, and say when to ask again. */
const passing: ReadonlySet<string> = new Set(["rate_limited", "busy", "storage_unavailable"]);

/** @param isAwaited whoever sent it hears of it; else it was sent before a reload */
type Settled = (unsent: Unsent, outcome: Outcome, isAwaited: boolean) => void;

interface Waiter {
  resolve(receipt: Receipt): void;
  reject(error: ChatError): void;
}

/**
 * Sends what is in the outbox, one message at a time, so that the order of writing is the order of the conversation.
 * A try whose answer was lost is repeated with the same `clientMessageId`: the server stores it once.
 */
export class Sender {
  readonly #outbox: Outbox;
  readonly #settled: Settled;
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Waiter>();
  readonly #tries = new Map<string, number>();
  /** Since when the first of those that wait is told to wait: monotonic ms. */
  #refusedSince: number | null = null;
  #push: ((unsent: Unsent) => Push) | null = null;
  #inFlight: Push | null = null;
  /** The token has ended, and may yet be renewed; nor is anything sent until it is, or until the next join. */
  #awaitsToken = false;
  /** Told to wait; until then nothing is sent. */
  #endPause: (() => void) | null = null;

  constructor(outbox: Outbox, clock: Clock, settled: Settled) {
    this.#outbox = outbox;
    this.#clock = clock;
    this.#settled = settled;
  }

  /** Sends what was just put into the outbox. @returns its receipt, or rejects with a ChatError */
  send(unsent: Unsent): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      this.#waiters.set(unsent.clientMessageId, { resolve, reject });
      this.#pump();
    });
  }

  /** The channel is joined: what waits goes out through `push`. */
  open(push: (unsent: Unsent) => Push): void {
    this.#push = push;
    this.#forget();
    this.#pump();
  }

  /** The channel is gone: what was in flight waits for the next. */
  shut(): void {
    this.#push = null;
    this.#forget();
  }

  /** The token was renewed: what it was too old for is tried again. */
  renewed(): void {
    if (!this.#awaitsToken) return;
    this.#awaitsToken = false;
    this.#pump();
  }

  /** Another way than the reply told that this text is stored; the same id with another text is not ours to confirm. */
  confirm(said: { readonly clientMessageId: string; readonly text: string }, receipt: Receipt): void {
    const unsent = this.#outbox.find(said.clientMessageId);
    if (unsent === undefined || (unsent.submit === undefined && unsent.text !== said.text)) return;
    // It arrived after all.
    if (unsent.code !== undefined) return this.#outbox.remove(unsent);
    if (this.#outbox.waiting[0] === unsent) this.#forget();
    this.#settle(unsent, { ok: true, receipt });
  }

  /** Gives everything up with `left`; what a storage has is the next sender's. */
  end(): void {
    this.shut();
    const { waiting, isKept } = this.#outbox.close();
    const why = isKept ? "The chat was left; the next one sends the message." : "The message was not sent.";
    for (const unsent of waiting) this.#settle(unsent, failed("left", why));
  }

  get #isPaused(): boolean {
    return this.#endPause !== null || this.#awaitsToken;
  }

  #pump(): void {
    const unsent = this.#outbox.waiting[0];
    if (this.#push === null || this.#inFlight !== null || this.#isPaused || unsent === undefined) return;
    const tries = (this.#tries.get(unsent.clientMessageId) ?? 0) + 1;
    this.#tries.set(unsent.clientMessageId, tries);
    if (this.#clock.now() - unsent.createdAtMs > limits.unsentAgeMaxMs) {
      return this.#settle(unsent, failed("expired", "The message waited too long to be sent."));
    }
    if (tries > limits.sendTriesMax)
      return this.#settle(unsent, failed("undelivered", "The message could not be sent."));
    this.#try(unsent, this.#push);
  }

  #try(unsent: Unsent, push: (unsent: Unsent) => Push): void {
    const attempt = push(unsent);
    this.#inFlight = attempt;
    // An answer to an earlier try may still come in; only the one in flight counts.
    const answered = (then: (response: unknown) => void) => (response: unknown) => {
      if (this.#inFlight !== attempt) return;
      this.#inFlight = null;
      then(response);
    };
    attempt
      .receive(
        "ok",
        answered((response) => this.#settle(unsent, { ok: true, receipt: readReceipt(response) })),
      )
      .receive(
        "error",
        answered((response) => this.#refused(unsent, readError(response))),
      )
      .receive(
        "timeout",
        answered(() => this.#pump()),
      );
  }

  // Too fast, or too much at once, is no failure: a moment later it goes through, behind it what was written after it, and
  // who wrote it need not know. Nor is a token that ends: it can be renewed in place until the server ends the channel.
  // (SPEC X9)
  #refused(unsent: Unsent, error: ChatError): void {
    const { code, retryAfterMs = Infinity } = error;
    if (code === "token_expired") return void (this.#awaitsToken = true);
    this.#refusedSince ??= this.#clock.now();
    const isPatient = this.#clock.now() - this.#refusedSince < limits.refusedMaxMs;
    if (!passing.has(code) || retryAfterMs > limits.retryAfterMaxMs || !isPatient) {
      return this.#settle(unsent, { ok: false, error });
    }
    // It was answered: it is not what breaks the channel.
    this.#tries.delete(unsent.clientMessageId);
    this.#endPause = this.#clock.after(retryAfterMs, () => {
      this.#endPause = null;
      this.#pump();
    });
  }

  #forget(): void {
    this.#endPause?.();
    this.#endPause = null;
    this.#refusedSince = null;
    this.#awaitsToken = false;
    if (this.#inFlight !== null) cancelTimeout(this.#inFlight);
    this.#inFlight = null;
  }

  #settle(unsent: Unsent, outcome: Outcome): void {
    const waiter = this.#waiters.get(unsent.clientMessageId);
    if (outcome.ok || unsent.submit !== undefined) this.#outbox.remove(unsent);
    else this.#outbox.fail(unsent, outcome.error.code);
    this.#waiters.delete(unsent.clientMessageId);
    this.#tries.delete(unsent.clientMessageId);
    this.#refusedSince = null;
    this.#settled(unsent, outcome, waiter !== undefined);
    if (outcome.ok) waiter?.resolve(outcome.receipt);
    else waiter?.reject(outcome.error);
    this.#pump();
  }
}

function failed(code: string, message: string): Outcome {
  return { ok: false, error: new ChatError(code, message) };
}
