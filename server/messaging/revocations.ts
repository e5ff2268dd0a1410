import type { Cancel, Clock } from "../clock.js";
import { type RecordKey, type Store, StoreError } from "./store.js";
import type { Credentials } from "../auth/credentials.js";
import type { RevokedTokens } from "../auth/door.js";
import type { TokenIdentity } from "../auth/token.js";

/** Whose tokens. */
export interface Subject {
  readonly businessId: string | null;
  readonly userId: string;
}

/**
 * Tokens that are good no more before their time. The record of a subject is the truth, and is read at every door; a
 * list of the latest ones, which every node reads every two seconds, ends what is open. (SPEC X10)
 */
export interface Revocations extends RevokedTokens {
  /** Ends all tokens of a subject that were issued until now. @returns the second from which tokens are good again */
  revoke(subject: Subject): Promise<number>;
  /** The second from which tokens of a subject are good; 0 unless some were revoked. @throws StoreError */
  goodFrom(subject: Subject): Promise<number>;
  /** From now on what was revoked ends what is open. @throws StoreError */
  start(): Promise<void>;
  stop(): void;
}

interface Revoked {
  /** In seconds since 1970: tokens that were issued before are good no more. */
  readonly before: number;
}

interface Latest {
  /** How many there have ever been. */
  readonly count: number;
  /** The last of them, the oldest first. */
  readonly subjects: readonly (Subject & Revoked)[];
}

const lookMs = 2000;
const latestMax = 100;
const latestKey: RecordKey = { partition: "revocations", id: "latest" };
/** How often all that is open is looked at, whatever one was told. */
const checkAllMs = 60_000;
const checksAtOnce = 16;
const waitingMax = 1000;
const attemptsMax = 20;
const backoffMs = 20;

export function createRevocations(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly credentials: Credentials;
  readonly onError: (operation: string, error: unknown) => void;
}): Revocations {
  const { store, clock, credentials, onError } = deps;
  /** How many of them this node has seen; null: it has not looked yet. */
  let seen: number | null = null;
  let cancel: Cancel | null = null;
  let looking: Promise<void> | null = null;
  let checkedAt = clock.monotonic();
  /** Those that the other nodes are still to be told of. */
  const waiting: (Subject & Revoked)[] = [];
  let telling: Promise<void> = Promise.resolve();

  return { revoke, isRevoked, goodFrom, start, stop };

  async function start(): Promise<void> {
    await look();
    cancel ??= clock.every(lookMs, () => void lookAgain());
  }

  function stop(): void {
    cancel?.();
    cancel = null;
  }

  async function revoke({ businessId, userId }: Subject): Promise<number> {
    // Whatever was issued in this second is over, too.
    const before = Math.floor(clock.now() / 1000) + 1;
    const subject = { businessId, userId };
    await change<Revoked>(keyOf(subject), (old) => ({ before: Math.max(before, old?.before ?? 0) }));
    // From here on it is good at no door; what is open on this node need not wait for the others to be told.
    end([{ ...subject, before }]);
    waiting.push({ ...subject, before });
    // One write for all that wait while another one is under way.
    telling = telling.catch(() => undefined).then(tellOthers);
    await telling;
    return before;
  }

  async function tellOthers(): Promise<void> {
    const subjects = waiting.splice(0);
    if (subjects.length === 0) return;
    try {
      await change<Latest>(latestKey, (old) => ({
        count: (old?.count ?? 0) + subjects.length,
        subjects: [...(old?.subjects ?? []), ...subjects].slice(-latestMax),
      }));
    } catch (error) {
      // They are told with the next one, or find out by themselves when they look at all that is open.
      waiting.unshift(...subjects.slice(0, waitingMax - waiting.length));
      throw error;
    }
  }

  async function change<T>(key: RecordKey, next: (old: T | null) => T): Promise<void> {
    let old = await store.readRecord<T>(key);
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      // Who waits a random while lets another node through.
      if (attempt > 0) await pause(Math.random() * backoffMs * 2 ** Math.min(attempt, 5));
      const { isWritten, record } = await store.writeRecord<T>(key, old?.rev ?? null, next(old?.value ?? null));
      if (isWritten) return;
      old = record;
    }
    throw new StoreError("revoking a token", { retryable: true, cause: new Error("others kept writing") });
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => void clock.after(ms, resolve));
  }

  async function isRevoked(identity: TokenIdentity): Promise<boolean> {
    return identity.issuedAt < (await goodFrom(identity));
  }

  async function goodFrom(subject: Subject): Promise<number> {
    return (await store.readRecord<Revoked>(keyOf(subject)))?.value.before ?? 0;
  }

  async function lookAgain(): Promise<void> {
    if (looking !== null) return;
    looking = look().catch((error: unknown) => onError("look which tokens were revoked", error));
    await looking;
    looking = null;
  }

  async function look(): Promise<void> {
    const latest = (await store.readRecord<Latest>(latestKey))?.value ?? { count: 0, subjects: [] };
    const missed = seen === null ? 0 : latest.count - seen;
    // One that stood still for long may have missed some that the list holds no more; and whoever revoked may have come to
    // an end before it told anybody.
    const isDue = clock.monotonic() - checkedAt >= checkAllMs;
    if (isDue || missed > latest.subjects.length) await checkAll();
    else if (missed > 0) end(latest.subjects.slice(-missed));
    seen = latest.count;
  }

  function end(revoked: readonly (Subject & Revoked)[]): void {
    credentials.revoke((identity) => revoked.some((one) => isSame(one, identity) && identity.issuedAt < one.before));
  }

  async function checkAll(): Promise<void> {
    checkedAt = clock.monotonic();
    const subjects = credentials.subjects();
    for (let at = 0; at < subjects.length; at += checksAtOnce) {
      const some = subjects.slice(at, at + checksAtOnce);
      const records = await Promise.all(some.map((subject) => store.readRecord<Revoked>(keyOf(subject))));
      end(
        records.flatMap((record, index) => (record === null ? [] : [{ ...some[index]!, before: record.value.before }])),
      );
    }
  }
}

/** Of the partitions of all subjects whose tokens were revoked. */
export const revokedPrefix = "revoked#";

function keyOf({ businessId, userId }: Subject): RecordKey {
  return { partition: `${revokedPrefix}${businessId ?? ""}#${userId}`, id: "tokens" };
}

function isSame(one: Subject, other: Subject): boolean {
  return one.userId === other.userId && one.businessId === other.businessId;
}
