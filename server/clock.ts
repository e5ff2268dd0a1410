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

/** About 25 days. */
const timerMaxMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    // Node takes what is longer for no time at all.
    const timer = setTimeout(callback, Math.min(ms, timerMaxMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
  every(ms, callback) {
    const timer = setInterval(callback, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** What is so late was not waited for: the process stood still. */
export const stallMs = 500;
/** How long what arrived while the process stood still has to be read. */
const graceMs = 1000;

/**
 * Runs `onOver` when somebody has had `ms` for something and is to be judged. A process that stood still until after
 * that reads first what arrived meanwhile: then it runs a second later. (T-05)
 */
export function deadline(ms: number, clock: Clock, onOver: () => void): Cancel {
  const dueAt = clock.monotonic() + ms;
  let cancel = clock.after(ms, () => {
    if (clock.monotonic() - dueAt <= stallMs) onOver();
    else cancel = clock.after(graceMs, onOver);
  });
  return () => cancel();
}

/** Resolves after `ms`. @throws the signal's reason */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      cancel();
      reject(signal.reason as Error);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    signal.addEventListener("abort", stop, { once: true });
  });
}
