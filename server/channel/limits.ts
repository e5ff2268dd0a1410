/** The limits of one socket. 0 switches one off, where that is possible. The defaults are Phoenix's; an app sets its own on its mount. */
export interface SocketLimits {
  /** Depth of the JSON in a frame; deeper is answered with `invalid_payload`. */
  readonly maxJsonDepth: number;
  /** UTF-8 bytes; a longer topic matches nothing. */
  readonly maxTopicBytes: number;
  /** UTF-8 bytes; a longer event is answered with an error. */
  readonly maxEventBytes: number;
  /** UTF-8 bytes of a ref or join_ref, which must then be a string, a safe integer or null; else the frame is malformed. */
  readonly maxRefBytes: number;
  /** One more is refused with `too many channels joined`. */
  readonly maxChannels: number;
  /** Joins a second, after as many at once as there may be channels, or 100; a further one waits, and the socket is not read. */
  readonly maxJoinsPerSecond: number;
  /** Frames that may wait for a join or a slow handler; from there on the socket is not read. */
  readonly maxWaitingFrames: number;
  /** Broadcasts and infos that may wait in one channel; one more crashes the channel. */
  readonly maxChannelBacklog: number;
  /** Bytes of frames held back during a join; one more closes the socket with 1013. */
  readonly maxHeldBytes: number;
  /**
   * Ms that handlers and a join may still take when their socket has gone, and a `terminate` before `phx_error`: then
   * the channel ends without them.
   */
  readonly maxLingerMs: number;
}

/**
 * The limits of a mount: Phoenix's where it sets none.
 * @throws RangeError that names the one that makes no sense
 */
export function socketLimits(given: Partial<SocketLimits> = {}): SocketLimits {
  const limits: Record<string, unknown> = { ...phoenixLimits };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(phoenixLimits, name)) throw new RangeError(`there is no limit ${name}`);
    if (value === undefined) continue;
    const least = withoutOff.has(name) ? 1 : 0;
    if (!Number.isSafeInteger(value) || value < least)
      throw new RangeError(`the limit ${name} is a whole number from ${least} on, not ${String(value)}`);
    limits[name] = value;
  }
  return limits as unknown as SocketLimits;
}

export const phoenixLimits: SocketLimits = {
  maxJsonDepth: 0,
  maxTopicBytes: 0,
  maxEventBytes: 0,
  maxRefBytes: 0,
  maxChannels: 100,
  maxJoinsPerSecond: 0,
  maxWaitingFrames: 1000,
  maxChannelBacklog: 10_000,
  maxHeldBytes: 16 * 1024 * 1024,
  maxLingerMs: 60_000,
};

/** What waits in memory always has a limit. */
const withoutOff: ReadonlySet<string> = new Set(["maxWaitingFrames", "maxChannelBacklog"]);
