import type { Clock } from "../clock.js";

/** What a limit said: 0 is yes, else how long to wait before it can be. */
export type WaitMs = number;

/** A bucket of `burst` that fills at `perSecond`: as one number, so that every socket can have one. (GCRA) */
export class TokenBucket {
  readonly #intervalMs: number;
  readonly #capacityMs: number;
  /** When it is full again. */
  #fullAt = -Infinity;

  /** @param perSecond 0: no limit */
  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }) {
    this.#intervalMs = perSecond === 0 ? 0 : 1000 / perSecond;
    // A burst of none would let nothing through, ever.
    this.#capacityMs = this.#intervalMs * Math.max(1, burst);
  }

  /** @param now monotonic ms */
  wait(now: number): WaitMs {
    return Math.max(0, Math.ceil(this.#fullAt + this.#intervalMs - this.#capacityMs - now));
  }

  /** Only after `wait` said 0. */
  take(now: number): void {
    this.#fullAt = Math.max(this.#fullAt, now) + this.#intervalMs;
  }
}

interface Window {
  readonly endsAt: number;
  count: number;
}

/**
 * So many of each key in a window of time, which begins with the first of them. At most `keysMax` keys are remembered:
 * the oldest is forgotten first.
 */
export class WindowLimit {
  readonly #windowMs: number;
  readonly #windows = new Map<string, Window>();

  constructor(
    windowMs: number,
    private readonly keysMax: number = 100_000,
  ) {
    this.#windowMs = windowMs;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#windows.size;
  }

  /** @param max in one window; 0: no limit @param now monotonic ms */
  wait(key: string, max: number, now: number): WaitMs {
    const window = this.#windows.get(key);
    if (max === 0 || window === undefined || window.count < max || now >= window.endsAt) return 0;
    return Math.ceil(window.endsAt - now);
  }

  /** Counts one. */
  take(key: string, now: number): void {
    const window = this.#windows.get(key);
    if (window !== undefined && now < window.endsAt) {
      window.count += 1;
      return;
    }
    // Behind the others: windows are of one length, so the first to be over stands first.
    this.#windows.delete(key);
    this.#windows.set(key, { endsAt: now + this.#windowMs, count: 1 });
    this.#forget(now);
  }

  #forget(now: number): void {
    for (const [key, { endsAt }] of this.#windows) {
      if (now < endsAt && this.#windows.size <= this.keysMax) return;
      this.#windows.delete(key);
    }
  }
}

export interface RateLimitOptions {
  readonly perSecondPerSocket: number;
  readonly burstPerSocket: number;
  readonly eventsPerSecondPerSocket: number;
  readonly perMinutePerUser: number;
  readonly perSecondPerBusiness: number;
}

/** Whose message it is, and what their business says of limits. */
export interface Sender {
  readonly businessId: string;
  readonly userId: string;
  readonly limits?: { readonly messagesPerMinutePerUser?: number; readonly messagesPerSecond?: number } | undefined;
}

/** How often a user may speak, on one node. (SPEC L15–L17) */
export class RateLimits {
  readonly #clock: Clock;
  readonly #options: RateLimitOptions;
  readonly #users = new WindowLimit(60_000);
  readonly #businesses = new WindowLimit(1000);

  constructor(clock: Clock, options: RateLimitOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** What one socket has to itself. */
  ofSocket(): SocketRate {
    const { perSecondPerSocket: perSecond, burstPerSocket: burst, eventsPerSecondPerSocket } = this.#options;
    return new SocketRate(new TokenBucket({ perSecond, burst }), eventsPerSecondPerSocket, this.#clock);
  }

  /** Counts a message if all three limits let it through. What is refused counts for none of them. */
  take(socket: SocketRate | null, { businessId, userId, limits }: Sender): WaitMs {
    const now = this.#clock.monotonic();
    const user = `${businessId}#${userId}`;
    const wait = Math.max(
      socket?.bucket.wait(now) ?? 0,
      this.#users.wait(user, narrower(this.#options.perMinutePerUser, limits?.messagesPerMinutePerUser), now),
      this.#businesses.wait(businessId, narrower(this.#options.perSecondPerBusiness, limits?.messagesPerSecond), now),
    );
    if (wait > 0) return wait;
    socket?.bucket.take(now);
    this.#users.take(user, now);
    this.#businesses.take(businessId, now);
    return 0;
  }
}

/** A business can take less upon itself than the server would, and not more. 0: the server has no limit. */
function narrower(ofServer: number, ofBusiness = Infinity): number {
  return Math.min(ofServer === 0 ? Infinity : ofServer, ofBusiness);
}

/** Of whatever a socket pushes. */
const eventsBurst = 100;
/** Refusals for which a socket is not closed, and how many a second are forgotten again. */
const refusals = { burst: 100, perSecond: 10 };

/** How often one socket has spoken, and how often it was told that this was too much. */
export class SocketRate {
  readonly bucket: TokenBucket;
  readonly #events: TokenBucket;
  readonly #refusals = new TokenBucket(refusals);
  readonly #clock: Clock;

  /** @param eventsPerSecond of any kind; 0: no limit */
  constructor(bucket: TokenBucket, eventsPerSecond: number, clock: Clock) {
    this.bucket = bucket;
    this.#events = new TokenBucket({ perSecond: eventsPerSecond, burst: eventsBurst });
    this.#clock = clock;
  }

  /** Counts an event, of whatever kind. @returns how long to wait if it is one too many */
  event(): WaitMs {
    const now = this.#clock.monotonic();
    const wait = this.#events.wait(now);
    if (wait === 0) this.#events.take(now);
    return wait;
  }

  /** Counts a refusal. @returns true when there were so many that it is no mistake (SPEC L18) */
  refused(): boolean {
    const now = this.#clock.monotonic();
    if (this.#refusals.wait(now) > 0) return true;
    this.#refusals.take(now);
    return false;
  }
}
