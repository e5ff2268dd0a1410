import type { Cancel, Clock } from "../clock.js";
import { type Beat, beatKey } from "./records.js";
import type { Store } from "./store.js";

/**
 * Which of the processes that share a store live. Each counts up a record of its own; one whose count stands still for
 * as long as we have watched it ourselves is gone, whatever the clocks say. (SPEC M24)
 */
export interface Nodes {
  /**
   * Says that this process lives, from now on. Only then may it take a lease.
   * @throws StoreError when it could not be said for the first time
   */
  start(): Promise<void>;
  /** Says that it has ended: the others need not wait. */
  stop(): Promise<void>;
  /** A node is watched from the first time that it is asked for; until it was watched long enough it is not gone. */
  isGone(node: string): boolean;
  /** Runs whenever a node is found to be gone. */
  onGone(callback: (node: string) => void): void;
}

const beatMs = 3000;
const watchMs = 1000;
const goneAfterMs = 12_000;
/** What one look can say of the time before it. While we stood still we saw nothing, and maybe all stood still. */
const lookCountsMs = 3 * watchMs;
/** Longer than whoever asks for a node waits before it asks again. */
const forgetAfterMs = 5 * 60_000;
const attemptsMax = 3;

interface Watched {
  count: number | null;
  /** When the last look began, by our own monotonic clock; null before the first. */
  lookedAt: number | null;
  unchangedMs: number;
  askedAt: number;
  isGone: boolean;
  isLooking: boolean;
}

export function createNodes(deps: {
  readonly store: Store;
  readonly clock: Clock;
  /** Names this process. No other has ever had this name. */
  readonly node: string;
  readonly onError: (operation: string, error: unknown) => void;
}): Nodes {
  const { store, clock, node, onError } = deps;
  const watched = new Map<string, Watched>();
  const callbacks: ((node: string) => void)[] = [];
  let timers: readonly Cancel[] = [];
  let rev: number | null = null;
  let count = 0;
  let beating: Promise<void> | null = null;

  return { start, stop, isGone, onGone: (callback) => void callbacks.push(callback) };

  async function start(): Promise<void> {
    await beat();
    timers = [clock.every(beatMs, () => void keepBeating()), clock.every(watchMs, watch)];
  }

  async function stop(): Promise<void> {
    for (const cancel of timers) cancel();
    timers = [];
    try {
      await beating;
      for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
        const { isWritten, record } = await store.writeRecord<Beat>(beatKey(node), rev, null);
        if (isWritten || record === null) return;
        rev = record.rev;
      }
    } catch (error) {
      // The others find out by themselves.
      onError("say that this process has ended", error);
    }
  }

  async function keepBeating(): Promise<void> {
    if (beating !== null) return;
    beating = beat().catch((error: unknown) => onError("say that this process lives", error));
    await beating;
    beating = null;
  }

  async function beat(): Promise<void> {
    count += 1;
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const { isWritten, record } = await store.writeRecord<Beat>(beatKey(node), rev, { count });
      rev = record?.rev ?? null;
      if (isWritten) return;
      // An earlier beat was written after all, or somebody took us for dead and cleared up.
    }
  }

  function isGone(name: string): boolean {
    if (name === node) return false;
    const known = watched.get(name);
    if (known !== undefined) {
      known.askedAt = clock.monotonic();
      return known.isGone;
    }
    const entry: Watched = {
      count: null,
      lookedAt: null,
      unchangedMs: 0,
      askedAt: clock.monotonic(),
      isGone: false,
      isLooking: false,
    };
    watched.set(name, entry);
    void look(name, entry);
    return false;
  }

  function watch(): void {
    for (const [name, entry] of watched) {
      if (clock.monotonic() - entry.askedAt > forgetAfterMs) void forget(name, entry);
      else if (!entry.isLooking) void look(name, entry);
    }
  }

  async function look(name: string, entry: Watched): Promise<void> {
    entry.isLooking = true;
    const now = clock.monotonic();
    try {
      const record = await store.readRecord<Beat>(beatKey(name));
      const wasGone = entry.isGone;
      Object.assign(entry, seen(entry, record?.value ?? null, now));
      if (entry.isGone && !wasGone) for (const callback of callbacks) callback(name);
    } catch (error) {
      // What could not be read is not known to stand still.
      onError("see whether another process lives", error);
    }
    entry.isLooking = false;
  }

  /** Nobody asks for it any more. What it left, if it is gone, is cleared up: nobody else would. */
  async function forget(name: string, { isGone: wasGone, count: lastCount }: Watched): Promise<void> {
    watched.delete(name);
    if (!wasGone || lastCount === null) return;
    try {
      const record = await store.readRecord<Beat>(beatKey(name));
      if (record?.value.count === lastCount) await store.writeRecord<Beat>(beatKey(name), record.rev, null);
    } catch (error) {
      onError("clear up after a process that is gone", error);
    }
  }
}

/** What a look makes of a watched node. @param now when the look began */
function seen({ count, lookedAt, unchangedMs }: Watched, beat: Beat | null, now: number): Partial<Watched> {
  if (beat === null) return { count: null, lookedAt: now, unchangedMs: 0, isGone: true };
  if (lookedAt === null || beat.count !== count)
    return { count: beat.count, lookedAt: now, unchangedMs: 0, isGone: false };
  const unchanged = unchangedMs + Math.min(now - lookedAt, lookCountsMs);
  return { lookedAt: now, unchangedMs: unchanged, isGone: unchanged >= goneAfterMs };
}

/** For a store that has one process at a time: whoever else there was has ended. */
export function onlyNode(node: string): Nodes {
  return {
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    isGone: (name) => name !== node,
    onGone: () => undefined,
  };
}
