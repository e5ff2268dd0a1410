/** Time, handed in, so that a test can turn it. */
export interface Clock {
  /** Wall time in ms since 1970, for people and records. It can jump. */
  now(): number;
  /** Monotonic time in ms, for durations and deadlines. */
  monotonic(): number;
  /** Runs `callback` once after `ms`; the returned function cancels it. The timer does not keep the process alive. */
  after(ms: number, callback: () => void): Cancel;
  /** Runs `callback` every `ms` until cancelled. */
  every(ms: number, callback: () => void): Cancel;
}

/** Undoes what gave it. Calling it twice is fine. */
export type Cancel = () => void;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  every(ms, callback) {
    const timer = setInterval(callback, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};
