import type { Cancel, Clock } from "../../server/clock.js";

interface Timer {
  readonly callback: () => void;
  readonly everyMs: number | null;
  at: number;
  /** Timers of the same moment run in the order in which they were set. */
  order: number;
}

/** Time that moves only when it is told to. */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now: number;
  #monotonic = 0;
  #order = 0;

  constructor(now = Date.parse("2026-03-02T10:00:00.000Z")) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, callback: () => void): Cancel {
    return this.#set(ms, null, callback);
  }

  every(ms: number, callback: () => void): Cancel {
    return this.#set(ms, ms, callback);
  }

  /** Timers that are set. */
  get timerCount(): number {
    return this.#timers.size;
  }

  /** Lets time pass. What falls due runs at its own moment, in its order. */
  advance(ms: number): void {
    const end = this.#monotonic + ms;
    for (let timer = this.#nextUntil(end); timer !== null; timer = this.#nextUntil(end)) {
      this.#moveTo(timer.at);
      if (timer.everyMs === null) this.#timers.delete(timer);
      else this.#schedule(timer, timer.at + timer.everyMs);
      timer.callback();
    }
    this.#moveTo(end);
  }

  /** Lets time pass while the process stands still: what fell due meanwhile runs once, afterwards. */
  skip(ms: number): void {
    this.#moveTo(this.#monotonic + ms);
    for (const timer of this.#timers) timer.at = Math.max(timer.at, this.#monotonic);
  }

  /** Sets the wall clock, as somebody does by hand; timers and durations do not notice. */
  jumpTo(now: number): void {
    this.#now = now;
  }

  #set(ms: number, everyMs: number | null, callback: () => void): Cancel {
    if (everyMs !== null && everyMs <= 0) throw new RangeError("a timer that repeats needs time in between");
    const timer: Timer = { callback, everyMs, at: 0, order: 0 };
    this.#schedule(timer, this.#monotonic + Math.max(0, ms));
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  #schedule(timer: Timer, at: number): void {
    timer.at = at;
    timer.order = this.#order += 1;
  }

  #nextUntil(end: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (next === null || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  }

  #moveTo(monotonic: number): void {
    this.#now += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}
