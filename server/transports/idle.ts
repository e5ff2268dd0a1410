import type { Cancel, Clock } from "../clock.js";

/** A connection that is closed when nothing has come from its peer for a while. */
export interface Idle {
  /** The sweep in which the peer was last heard. The transport sets it to `IdleSweep.current` at each frame. */
  heardAt: number;
  idle(): void;
}

/**
 * One timer for the idle timeouts of all connections of a mount. A connection notes the number of the current sweep
 * when it hears its peer, which costs nothing; each sweep looks who has been silent for too many.
 */
export class IdleSweep {
  current = 0;
  readonly #clock: Clock;
  readonly #connections = new Set<Idle>();
  readonly #periodMs: number;
  readonly #sweepsMax: number;
  #cancel: Cancel | null = null;

  /** @param timeoutMs silence after which a connection is closed, give or take a tenth; 0 never closes */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#periodMs = Math.min(1000, Math.max(10, timeoutMs / 15));
    this.#sweepsMax = timeoutMs === 0 ? Infinity : Math.ceil(timeoutMs / this.#periodMs);
  }

  add(connection: Idle): void {
    connection.heardAt = this.current;
    this.#connections.add(connection);
    this.#cancel ??= this.#clock.every(this.#periodMs, () => this.#sweep());
  }

  remove(connection: Idle): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#cancel?.();
    this.#cancel = null;
  }

  // Counting sweeps instead of milliseconds forgives a stall of the process: what was sent meanwhile is read before
  // the next sweep judges anybody.
  #sweep(): void {
    this.current += 1;
    for (const connection of this.#connections) {
      if (this.current - connection.heardAt > this.#sweepsMax) connection.idle();
    }
  }
}
