import type { SocketLimits } from "./limits.js";

/** A socket without a limit to its channels may join so many at once. */
const burstUnlimited = 100;

/**
 * How long a socket's next join has to wait, as a bucket that fills at `maxJoinsPerSecond` and holds as many as the socket
 * may have channels. All that a socket keeps of it is when it is full again. (GCRA; SPEC L24)
 * @param now monotonic ms
 */
export function joinWaitMs(fullAt: number, now: number, limits: SocketLimits): number {
  const intervalMs = intervalOf(limits);
  const burst = limits.maxChannels > 0 ? limits.maxChannels : burstUnlimited;
  return Math.max(0, Math.ceil(fullAt + intervalMs - intervalMs * burst - now));
}

/** When it is full again, after one more. */
export function joinTaken(fullAt: number, now: number, limits: SocketLimits): number {
  return Math.max(fullAt, now) + intervalOf(limits);
}

function intervalOf({ maxJoinsPerSecond }: SocketLimits): number {
  return maxJoinsPerSecond === 0 ? 0 : 1000 / maxJoinsPerSecond;
}
