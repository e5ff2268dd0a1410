import { type Cancel, type Clock, deadline, pause } from "../../clock.js";
import { type Agent, AgentError, type AgentEvent, type AgentTurn } from "../agent.js";
import { AgentEventReader, type CheckedAnswer, type Dropped, type ShownEvent } from "./agent-events.js";
import type { AgentHealth, AgentHealths } from "./agent-health.js";
import type { AgentSlot } from "./agent-slots.js";
import { AgentFailure, TurnWithdrawn } from "./agent-failure.js";

export { AgentFailure, TurnWithdrawn } from "./agent-failure.js";
export type { CheckedAnswer, Dropped, ShownEvent } from "./agent-events.js";

export interface AgentLimits {
  /** Of the whole call: asking again, and waiting for that, included. */
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
  /** What is known of each agent. Left out, every call stands for itself: it is never made again. */
  readonly healths?: AgentHealths;
}

export interface CallOptions extends AgentLimits {
  /** Entered already. It is left between two calls, and entered again for the next one. */
  readonly slot?: AgentSlot;
  /** Told what may be shown while the agent works; never after the end of the call. It must not throw. */
  readonly onEvent?: (event: ShownEvent) => void;
  /** Told once of each part of what the agent said that was left out. */
  readonly onDropped?: (part: Dropped) => void;
  /** Aborted when nobody wants the answer any more: the call ends as `cancelled`. And by the call, when it has to end. */
  readonly controller?: AbortController;
}

/** Calls to one agent for one turn: the first one, and those made again. */
const retriesMax = 2;
/** The first wait before a call is made again is up to this, the next up to twice as long. */
const backoffMs = 500;

/**
 * Calls the agent and waits for its one answer, but never beyond the deadline, whether or not it heeds the signal. The
 * only place where a call is made again: when the agent was not reached or could not take it, and nothing was shown.
 * @throws AgentFailure, or TurnWithdrawn when the slot was withdrawn before a call
 * @see SPEC A1, A8 to A11, M19
 */
export async function callAgent(
  agent: Agent,
  turn: AgentTurn,
  clock: Clock,
  options: CallOptions,
): Promise<CheckedAnswer> {
  const call = new Call(agent, turn, clock, options);
  try {
    return await call.run();
  } catch (cause) {
    throw failureOf(cause);
  } finally {
    call.dispose();
  }
}

/** @param reason of an abort: the call's own, or whatever somebody gave who does not want the answer any more */
function cancellation(reason: unknown): AgentFailure {
  return reason instanceof AgentFailure ? reason : new AgentFailure("cancelled", reason);
}

function failureOf(cause: unknown): AgentFailure | TurnWithdrawn {
  if (cause instanceof AgentFailure || cause instanceof TurnWithdrawn) return cause;
  const isAway = cause instanceof AgentError && cause.isRetryable;
  return new AgentFailure(isAway ? "agent_unavailable" : "agent_failed", cause);
}

/** One turn's way to its answer. */
class Call {
  readonly #agent: Agent;
  readonly #turn: AgentTurn;
  readonly #clock: Clock;
  readonly #options: CallOptions;
  readonly #health: AgentHealth | null;
  readonly #controller: AbortController;
  readonly #endsAt: number;
  /** Since when the agent has been asked; null while it is not. */
  #askedAt: number | null = null;
  #isShown = false;
  #cancelTimer: Cancel;
  #onAbort: () => void = () => undefined;

  constructor(agent: Agent, turn: AgentTurn, clock: Clock, options: CallOptions) {
    this.#agent = agent;
    this.#turn = turn;
    this.#clock = clock;
    this.#options = options;
    this.#health = options.healths?.of(agent) ?? null;
    this.#controller = options.controller ?? new AbortController();
    this.#endsAt = clock.monotonic() + options.timeoutMs;
    this.#cancelTimer = deadline(options.timeoutMs, clock, () => this.#timeOut());
  }

  /** The answer, or why the call has to end without one, whichever comes first. */
  run(): Promise<CheckedAnswer> {
    const { signal } = this.#controller;
    return new Promise((resolve, reject) => {
      this.#onAbort = () => reject(cancellation(signal.reason));
      signal.addEventListener("abort", this.#onAbort, { once: true });
      if (signal.aborted) this.#onAbort();
      this.#answer().then(resolve, reject);
    });
  }

  async #answer(): Promise<CheckedAnswer> {
    const { slot } = this.#options;
    const { signal } = this.#controller;
    this.#health?.retries.called();
    for (let retries = 0; ; retries += 1) {
      slot?.throwIfWithdrawn();
      try {
        return await this.#ask();
      } catch (cause) {
        signal.throwIfAborted();
        const waitMs = this.#failed(cause, retries);
        slot?.leave();
        if (waitMs === null) throw cause;
        await pause(waitMs, this.#clock, slot === undefined ? signal : AbortSignal.any([signal, slot.withdrawn]));
        // While the agent is away the turn waits for it, as long as it would wait for its answer.
        await slot?.enter(signal);
      }
    }
  }

  dispose(): void {
    this.#cancelTimer();
    this.#controller.signal.removeEventListener("abort", this.#onAbort);
  }

  async #ask(): Promise<CheckedAnswer> {
    const { signal } = this.#controller;
    const { maxAnswerBytes, onDropped = () => undefined } = this.#options;
    const reader = new AgentEventReader(this.#turn, maxAnswerBytes, onDropped);
    this.#askedAt = this.#clock.monotonic();
    signal.throwIfAborted();
    const answer = await this.#read(this.#agent.answer(this.#turn, signal), reader);
    this.#health?.circuit.succeeded();
    return answer;
  }

  async #read(events: AsyncIterable<AgentEvent>, reader: AgentEventReader): Promise<CheckedAnswer> {
    const iterator = events[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await iterator.next();
        // Too late: the user was told already that there is no answer.
        this.#controller.signal.throwIfAborted();
        if (next.done === true) throw new AgentError("no_answer", { isThere: true });
        const event = reader.read(next.value);
        if (event?.type === "answer") return event;
        if (event !== null) this.#show(event);
      }
    } finally {
      leave(iterator);
    }
  }

  #show(event: ShownEvent): void {
    this.#isShown = true;
    this.#options.onEvent?.(event);
  }

  /** @returns how long to wait before asking again, or null for never */
  #failed(cause: unknown, retries: number): number | null {
    this.#askedAt = null;
    if (this.#health === null) return null;
    const { circuit, retries: budget } = this.#health;
    if (cause instanceof AgentError && cause.isThere) circuit.succeeded();
    else circuit.failed();
    if (!(cause instanceof AgentError) || !cause.isRetryable || this.#isShown || retries >= retriesMax) return null;
    const jitterMs = this.#options.healths!.random() * backoffMs * 2 ** retries;
    const waitMs = (cause.retryAfterMs ?? 0) + jitterMs;
    if (this.#clock.monotonic() + waitMs >= this.#endsAt) return null;
    // An open circuit lets through fewer calls than any budget, and has this one wait its turn.
    return circuit.isOpen || budget.take() ? waitMs : null;
  }

  #timeOut(): void {
    const { timeoutMs } = this.#options;
    if (this.#askedAt === null) {
      this.#end(new AgentFailure("agent_unavailable"));
      return;
    }
    // One that was asked at the last moment, after a long wait, is not to blame.
    if (this.#clock.monotonic() - this.#askedAt >= timeoutMs / 2) this.#health?.circuit.failed();
    this.#end(new AgentFailure("agent_timeout"));
  }

  #end(failure: AgentFailure): void {
    this.#controller.abort(failure);
  }
}

// Not awaited: an agent that takes long to clean up must not hold back its answer.
function leave(iterator: AsyncIterator<AgentEvent>): void {
  Promise.resolve()
    .then(() => iterator.return?.())
    .catch(() => undefined);
}
