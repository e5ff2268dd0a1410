import type { Clock } from "../clock.js";

/** What a job that works in steps waits for between them, until it is told to end. */
export interface Pauses {
  readonly isStopped: boolean;
  /** So that those who are talking have the store to themselves most of the time. */
  pause(): Promise<void>;
  /** Ends those that are under way; from now on there are none. */
  stop(): void;
}

const pauseMs = 50;

export function createPauses(clock: Clock): Pauses {
  const sleepers = new Set<() => void>();
  let isStopped = false;
  return {
    get isStopped() {
      return isStopped;
    },
    async pause() {
      if (isStopped) return;
      await new Promise<void>((resolve) => {
        const wake = () => {
          cancel();
          sleepers.delete(wake);
          resolve();
        };
        const cancel = clock.after(pauseMs, wake);
        sleepers.add(wake);
      });
    },
    stop() {
      isStopped = true;
      for (const wake of sleepers) wake();
    },
  };
}
