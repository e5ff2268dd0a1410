import { type Cancel, type Clock, deadline } from "../../clock.js";
import type { Agent } from "../agent.js";
import { AgentFailure, TurnWithdrawn } from "./agent-failure.js";
import type { AgentHealths } from "./agent-health.js";
import type { CircuitBreaker } from "./circuit-breaker.js";

/** One turn's way to its agent: it waits for a slot, has it while the agent is asked, and gives it back. */
export interface AgentSlot {
  /** Aborted, with a TurnWithdrawn, by `withdraw`. */
  readonly withdrawn: AbortSignal;
  /** @throws TurnWithdrawn */
  throwIfWithdrawn(): void;
  /**
   * Resolves when the agent may be asked.
   * @throws AgentFailure `busy`, or `agent_unavailable` while the agent's circuit is open, after waiting as long as
   * may be; TurnWithdrawn; the signal's reason
   */
  enter(signal: AbortSignal): Promise<void>;
  /** The agent is not asked any more. It may be entered again; leaving it twice is fine. */
  leave(): void;
  /** Whatever waits for the slot, now or later, ends with TurnWithdrawn. Who is in it may stay. */
  withdraw(): void;
  /** The turn needs it no more. */
  end(): void;
}

interface Waiting {
  readonly circuit: CircuitBreaker;
  /** Wall time in ms. */
  readonly since: number;
  readonly go: () => void;
  readonly onAway: () => void;
}

/** Whose turn it is, as far as its slot depends on it. */
interface Turn {
  readonly businessId: string;
  /** How old it is: wall time in ms. */
  readonly since: number;
  /** Told, maybe more than once, that it waits without a slot for an agent that is left alone. */
  readonly onAway?: () => void;
}

/** The turns of one business, which all have the same agent. */
interface Line {
  /** Those whose agent is being asked. */
  running: number;
  /** The oldest first. */
  readonly waiting: Waiting[];
}

/**
 * Calls of agents side by side, so many at once and no more. A slot that is free goes to the business that has the
 * fewest, and there to the oldest turn: whoever has many waiting delays nobody else. Turns whose agent is not to be
 * asked now (its circuit) wait without a slot. As many wait as there are turns at work, which the backlog limits.
 * (SPEC A11, A14)
 */
export class AgentSlots {
  readonly #clock: Clock;
  readonly #healths: AgentHealths;
  readonly #max: number;
  readonly #waitMs: number;
  readonly #lines = new Map<string, Line>();
  readonly #open = new Set<AgentSlot>();
  #running = 0;
  #isClosed = false;
  #cancelTimer: Cancel = () => undefined;

  /** @param options `waitMs`: how long a turn waits for its slot */
  constructor(options: {
    readonly clock: Clock;
    readonly healths: AgentHealths;
    readonly max: number;
    readonly waitMs: number;
  }) {
    this.#clock = options.clock;
    this.#healths = options.healths;
    this.#max = options.max;
    this.#waitMs = options.waitMs;
  }

  slotFor(agent: Agent, { businessId, since, onAway = () => undefined }: Turn): AgentSlot {
    const { circuit } = this.#healths.of(agent);
    const slot: AgentSlot = new Slot({
      clock: this.#clock,
      waitMs: this.#waitMs,
      circuit,
      queue: (go) => this.#queue(businessId, { circuit, since, go, onAway }),
      leave: () => this.#leave(businessId, circuit),
      onAway,
      onEnd: () => void this.#open.delete(slot),
    });
    this.#open.add(slot);
    if (this.#isClosed) slot.withdraw();
    return slot;
  }

  /** Nobody enters any more; those who wait are withdrawn. */
  close(): void {
    this.#isClosed = true;
    for (const slot of this.#open) slot.withdraw();
  }

  /** @returns what takes it out again; it may have gone before that */
  #queue(businessId: string, waiting: Waiting): Cancel {
    const line = this.#lines.get(businessId) ?? { running: 0, waiting: [] };
    this.#lines.set(businessId, line);
    // Behind those of the same age. One that has waited before goes to where it was.
    const before = line.waiting.findLastIndex(({ since }) => since <= waiting.since);
    line.waiting.splice(before + 1, 0, waiting);
    this.#next();
    return () => this.#giveUp(businessId, waiting);
  }

  #giveUp(businessId: string, waiting: Waiting): void {
    const line = this.#lines.get(businessId);
    if (line === undefined) return;
    line.waiting.splice(line.waiting.indexOf(waiting), 1);
    this.#forget(businessId, line);
    // It may have been the one for whom the next probe was due.
    this.#next();
  }

  #leave(businessId: string, circuit: CircuitBreaker): void {
    const line = this.#lines.get(businessId)!;
    line.running -= 1;
    this.#running -= 1;
    this.#forget(businessId, line);
    this.#next();
    // Its call may have been the failure that opened it.
    if (circuit.isOpen) this.#tellAway(circuit);
  }

  #tellAway(of: CircuitBreaker): void {
    for (const { waiting } of this.#lines.values()) {
      for (const { circuit, onAway } of waiting) if (circuit === of) onAway();
    }
  }

  #forget(businessId: string, { running, waiting }: Line): void {
    if (running === 0 && waiting.length === 0) this.#lines.delete(businessId);
  }

  #next(): void {
    this.#cancelTimer();
    while (this.#running < this.#max) {
      const line = this.#fairest();
      if (line === null) return this.#wakeForProbe();
      const { circuit, go } = line.waiting.shift()!;
      line.running += 1;
      this.#running += 1;
      circuit.called();
      go();
    }
  }

  /** Of those whose oldest turn may go: who has the fewest slots, and among equals who has waited longest. */
  #fairest(): Line | null {
    let best: Line | null = null;
    for (const line of this.#lines.values()) {
      const [oldest] = line.waiting;
      if (oldest === undefined || oldest.circuit.waitMs > 0) continue;
      const isBetter =
        best === null ||
        line.running < best.running ||
        (line.running === best.running && oldest.since < best.waiting[0]!.since);
      if (isBetter) best = line;
    }
    return best;
  }

  // There is room, and whoever waits does so for an agent's circuit. Its success is noticed when its call leaves.
  #wakeForProbe(): void {
    const waits = [...this.#lines.values()].flatMap(({ waiting: [oldest] }) => oldest?.circuit.waitMs ?? []);
    if (waits.length > 0) this.#cancelTimer = this.#clock.after(Math.min(...waits), () => this.#next());
  }
}

interface SlotParts {
  readonly clock: Clock;
  readonly waitMs: number;
  readonly circuit: CircuitBreaker;
  /** Calls `go`, maybe at once, when the slot is there. @returns what ends the waiting */
  readonly queue: (go: () => void) => Cancel;
  readonly leave: () => void;
  readonly onAway: () => void;
  readonly onEnd: () => void;
}

class Slot implements AgentSlot {
  readonly #parts: SlotParts;
  /** Made for whoever asks: hardly any turn does. */
  #withdrawing: AbortController | null = null;
  #isWithdrawn = false;
  #stopWaiting: ((reason: Error) => void) | null = null;
  #isIn = false;

  constructor(parts: SlotParts) {
    this.#parts = parts;
  }

  get withdrawn(): AbortSignal {
    this.#withdrawing ??= new AbortController();
    if (this.#isWithdrawn) this.#withdrawing.abort(new TurnWithdrawn());
    return this.#withdrawing.signal;
  }

  throwIfWithdrawn(): void {
    if (this.#isWithdrawn) throw new TurnWithdrawn();
  }

  enter(signal: AbortSignal): Promise<void> {
    const { clock, waitMs, circuit, queue, onAway } = this.#parts;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      this.throwIfWithdrawn();
      let over: () => void = () => undefined;
      const leaveQueue = queue(() => {
        this.#isIn = true;
        over();
        resolve();
      });
      if (this.#isIn) return;
      if (circuit.isOpen) onAway();
      const stop = (reason: Error) => {
        over();
        leaveQueue();
        reject(reason);
      };
      const onAbort = () => stop(signal.reason as Error);
      const late = () => stop(new AgentFailure(circuit.isOpen ? "agent_unavailable" : "busy"));
      const cancel = deadline(waitMs, clock, late);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#stopWaiting = stop;
      over = () => {
        this.#stopWaiting = null;
        cancel();
        signal.removeEventListener("abort", onAbort);
      };
    });
  }

  leave(): void {
    if (!this.#isIn) return;
    this.#isIn = false;
    this.#parts.leave();
  }

  withdraw(): void {
    this.#isWithdrawn = true;
    this.#withdrawing?.abort(new TurnWithdrawn());
    this.#stopWaiting?.(new TurnWithdrawn());
  }

  end(): void {
    this.leave();
    this.#parts.onEnd();
  }
}
