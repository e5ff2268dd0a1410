import type { Push } from "phoenix";
import { ChatError, readError } from "./chat-error.js";
import { asRecord, text } from "./fields.js";
import { limits } from "./limits.js";
import type { Outbox, Unsent } from "./outbox.js";

/** Where a message is, once it is stored. */
export interface Receipt {
  readonly messageId: string;
  readonly sessionId: string;
  readonly offset: number;
  readonly timestamp: string;
}

export type Outcome =
  { readonly ok: true; readonly receipt: Receipt } | { readonly ok: false; readonly error: ChatError };

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
  readonly #settled: (unsent: Unsent, outcome: Outcome) => void;
  readonly #waiters = new Map<string, Waiter>();
  readonly #tries = new Map<string, number>();
  #push: ((unsent: Unsent) => Push) | null = null;
  #inFlight: Push | null = null;

  constructor(outbox: Outbox, settled: (unsent: Unsent, outcome: Outcome) => void) {
    this.#outbox = outbox;
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

  /** Another way than the reply told that this text is stored; the same id with another text is not ours to confirm. */
  confirm(said: { readonly clientMessageId: string; readonly text: string }, receipt: Receipt): void {
    const unsent = this.#outbox.find(said.clientMessageId);
    if (unsent?.text !== said.text) return;
    if (this.#outbox.waiting[0] === unsent) this.#forget();
    this.#settle(unsent, { ok: true, receipt });
  }

  /** Gives everything up. */
  end(code: string): void {
    this.shut();
    for (const unsent of this.#outbox.waiting) this.#settle(unsent, failed(code, "The message was not sent."));
  }

  #pump(): void {
    const unsent = this.#outbox.waiting[0];
    if (this.#push === null || this.#inFlight !== null || unsent === undefined) return;
    const tries = (this.#tries.get(unsent.clientMessageId) ?? 0) + 1;
    this.#tries.set(unsent.clientMessageId, tries);
    if (Date.now() - unsent.createdAtMs > limits.unsentAgeMaxMs) {
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
        answered((response) => this.#settle(unsent, { ok: false, error: readError(response) })),
      )
      .receive(
        "timeout",
        answered(() => this.#pump()),
      );
  }

  // Nobody hears a forgotten try, but its timer would keep a Node process alive. phoenix has `cancelTimeout` in every
  // version; its published types leave it out.
  #forget(): void {
    (this.#inFlight as { cancelTimeout?(): void } | null)?.cancelTimeout?.();
    this.#inFlight = null;
  }

  #settle(unsent: Unsent, outcome: Outcome): void {
    const waiter = this.#waiters.get(unsent.clientMessageId);
    this.#outbox.remove(unsent.clientMessageId);
    this.#waiters.delete(unsent.clientMessageId);
    this.#tries.delete(unsent.clientMessageId);
    this.#settled(unsent, outcome);
    if (outcome.ok) waiter?.resolve(outcome.receipt);
    else waiter?.reject(outcome.error);
    this.#pump();
  }
}

function failed(code: string, message: string): Outcome {
  return { ok: false, error: new ChatError(code, message) };
}

function readReceipt(response: unknown): Receipt {
  const { messageId, sessionId, offset, timestamp } = asRecord(response);
  return {
    messageId: text(messageId) ?? "",
    sessionId: text(sessionId) ?? "",
    offset: typeof offset === "number" ? offset : 0,
    timestamp: text(timestamp) ?? "",
  };
}
