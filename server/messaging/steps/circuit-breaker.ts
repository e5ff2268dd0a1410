import type { Clock } from "../../clock.js";

/** Failures in a row after which nobody asks any more. */
const failuresMax = 5;
/** Since then one call in so long is let through, to see whether the agent is back. */
const probeMs = 5000;

/**
 * Whether an agent is worth asking. After some failures in a row it is left alone, but for one call now and then, until
 * one succeeds. Who waits for it, and in which order, is up to the slots (agent-slots.ts). (SPEC A11)
 */
export class CircuitBreaker {
  readonly #clock: Clock;
  readonly #onChange: (isOpen: boolean) => void;
  #failures = 0;
  /** Monotonic ms from which on the next probe may go; null while the circuit is closed. */
  #probeAt: number | null = null;

  /** @param onChange told when it opens, and when it closes */
  constructor(clock: Clock, onChange: (isOpen: boolean) => void = () => undefined) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Nobody may ask now, but for the probes. */
  get isOpen(): boolean {
    return this.#probeAt !== null;
  }

  /** In how many ms a call may be made; 0 for now. */
  get waitMs(): number {
    return this.#probeAt === null ? 0 : Math.max(0, this.#probeAt - this.#clock.monotonic());
  }

  /** A call is made. While the circuit is open it is a probe; one that hangs does not keep the next one from going. */
  called(): void {
    if (this.#probeAt !== null) this.#probeAt = this.#clock.monotonic() + probeMs;
  }

  succeeded(): void {
    this.#failures = 0;
    if (this.#probeAt === null) return;
    this.#probeAt = null;
    this.#onChange(false);
  }

  failed(): void {
    this.#failures += 1;
    if (this.#probeAt !== null || this.#failures < failuresMax) return;
    this.#probeAt = this.#clock.monotonic() + probeMs;
    this.#onChange(true);
  }
}
