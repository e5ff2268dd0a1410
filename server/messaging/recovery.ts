import type { Cancel, Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Head, Lease } from "./head.js";
import { dueTurn } from "./open-turns.js";
import type { Store } from "./store.js";

/**
 * Finds the sessions that have something to do and that nobody does it for: of processes that are gone, of our own that
 * a failing store cut off. One round at a time goes through the store's index of them, page by page. (SPEC M20, M25)
 */
export interface Recovery {
  /** Resolves when what was found is claimed, or when no more may be worked on at once: the rest follows. Never rejects. */
  recover(): Promise<void>;
  /** Does so every few seconds, from now until `stop`. */
  watch(): void;
  stop(): void;
  /** Work on a session ended with an error: not again at once. */
  failed(sessionId: string): void;
  /** A turn of it has its outcome. */
  succeeded(sessionId: string): void;
  /** It was seen before, with nobody at work on it: whoever was about to do something with it has not. */
  isLeftOver(sessionId: string): boolean;
  /** There is nothing in it that we may answer now. Has written what another left unwritten. */
  leave(head: Head): Promise<void>;
}

/** A session that was taken up. */
export interface TakenUp {
  /** Whether it is ours to work on. */
  readonly claimed: Promise<boolean>;
  /** Resolves when it waits for an agent that is left alone, if it ever does. */
  readonly away: Promise<void>;
  /** None of these rejects. */
  readonly done: Promise<void>;
}

/** Why a session that has something to do is left alone for now. */
interface Note {
  /** By the monotonic clock. */
  readonly until: number;
  /** Whose it is: when that one is gone there is no more reason to wait. */
  readonly lease: Lease | null;
  /** How often it failed, one after another. */
  readonly failures: number;
  /** It was ours, or had nothing to answer and something to be written: whoever said it may be about to see to that. */
  readonly isSeen: boolean;
}

const watchMs = 3000;
const pageSize = 100;
const retryMs = 3000;
const retryMaxMs = 5 * 60_000;
/** Of a session that another node has, or that a coordinator holds, nothing needs to be known sooner. */
const lookAgainMs = 30_000;
/** Less than a round, so that the next one finds it due. */
const seenForMs = 2000;
const noteLifeMs = 60_000;
const notesMax = 10_000;

export function createRecovery(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly telemetry: DeskTelemetry;
  readonly node: string;
  readonly isAbandoned: (lease: Lease) => boolean;
  /** Sessions that are worked on at once because they were found here. */
  readonly maxTakenUp: number;
  /** Those of them that wait for an agent that is left alone take up no room, up to so many. */
  readonly maxAway: number;
  /** Works on a session. Null when that is being done already, or must not be done any more. */
  readonly takeUp: (sessionId: string) => TakenUp | null;
}): Recovery {
  const { store, clock, telemetry, node, maxTakenUp, maxAway } = deps;
  const notes = new Map<string, Note>();
  /** Of the page that was read last, what is still to be looked at. */
  let left: string[] = [];
  let round: { readonly next: string | null; readonly claimed: number } | null = null;
  let looking: Promise<void> | null = null;
  let again = false;
  let takenUp = 0;
  /** Of those, such as have waited for an agent that was left alone. */
  let away = 0;
  let isStopped = false;
  let cancel: Cancel = () => undefined;

  return { recover, watch, stop, failed, succeeded, isLeftOver, leave };

  function recover(): Promise<void> {
    if (looking === null) looking = look();
    else again = true;
    return looking;
  }

  function watch(): void {
    cancel = clock.every(watchMs, () => {
      if (looking === null) void recover();
    });
  }

  function stop(): void {
    isStopped = true;
    cancel();
  }

  async function look(): Promise<void> {
    // What is asked in this loop's condition and what follows it happen at once: no end of a session is missed.
    do {
      again = false;
      await goOn();
    } while (!isStopped && (again || (left.length > 0 && hasRoom())));
    looking = null;
  }

  /** Goes on with the round under way, or begins one, until it is at its end or there is no room. */
  async function goOn(): Promise<void> {
    try {
      for (;;) {
        const claims = takeFromPage();
        const claimed = (await Promise.all(claims)).filter((isOurs) => isOurs).length;
        if (round !== null) round = { ...round, claimed: round.claimed + claimed };
        if (isStopped || (left.length > 0 && !hasRoom())) return;
        if (left.length > 0) continue;
        if (round?.next === null) return endRound(round.claimed);
        const page = await store.readSessionsWithWork({ limit: pageSize, from: round?.next ?? null });
        left = [...page.items];
        round = { next: page.next, claimed: round?.claimed ?? 0 };
      }
    } catch (error) {
      telemetry.emit("store.failed", { operation: "look for open turns", error });
      left = [];
      round = null;
    }
  }

  function takeFromPage(): Promise<boolean>[] {
    const claims: Promise<boolean>[] = [];
    while (left.length > 0 && hasRoom() && !isStopped) {
      const sessionId = left.shift()!;
      const work = isDue(sessionId) ? deps.takeUp(sessionId) : null;
      if (work === null) continue;
      claims.push(work.claimed);
      void hold(work);
    }
    return claims;
  }

  // Whoever has a dead agent would keep all others from being taken up, for as long as each of its turns may wait.
  function hasRoom(): boolean {
    return takenUp - Math.min(away, maxAway) < maxTakenUp;
  }

  async function hold(work: TakenUp): Promise<void> {
    takenUp += 1;
    const isAway = await Promise.race([work.away.then(() => true), work.done.then(() => false)]);
    if (isAway) {
      away += 1;
      goOnWithPage();
      await work.done;
      away -= 1;
    }
    takenUp -= 1;
    goOnWithPage();
  }

  function goOnWithPage(): void {
    if (left.length > 0 && looking === null && !isStopped) void recover();
  }

  function endRound(claimed: number): void {
    round = null;
    if (claimed > 0) telemetry.emit("turns.recovered", { sessions: claimed });
    for (const [sessionId, { until }] of notes) {
      if (until + noteLifeMs < clock.monotonic()) notes.delete(sessionId);
    }
  }

  function isDue(sessionId: string): boolean {
    const note = notes.get(sessionId);
    if (note === undefined || clock.monotonic() >= note.until) return true;
    return note.lease !== null && deps.isAbandoned(note.lease);
  }

  function failed(sessionId: string): void {
    const failures = (notes.get(sessionId)?.failures ?? 0) + 1;
    keep(sessionId, { failures, waitMs: Math.min(retryMs * 2 ** (failures - 1), retryMaxMs) });
  }

  function succeeded(sessionId: string): void {
    notes.delete(sessionId);
  }

  function isLeftOver(sessionId: string): boolean {
    const note = notes.get(sessionId);
    return note !== undefined && (note.isSeen || note.failures > 0);
  }

  async function leave(head: Head): Promise<void> {
    const { lease, session } = head;
    const { sessionId, holder } = session;
    const isOthers = dueTurn(head) !== null && lease?.owner !== node;
    if (isOthers) keep(sessionId, { lease, waitMs: lookAgainMs });
    else if (!isLeftOver(sessionId)) keep(sessionId, { isSeen: true, waitMs: seenForMs });
    else {
      await store.settle(sessionId);
      // What is held is nobody's when its time is over, and the next round after that finds it due.
      const heldMs = holder === undefined ? lookAgainMs : Date.parse(holder.expiresAt) - clock.now();
      keep(sessionId, { waitMs: Math.max(0, Math.min(lookAgainMs, heldMs)) });
    }
  }

  function keep(
    sessionId: string,
    { waitMs, lease = null, failures = 0, isSeen = false }: Partial<Note> & { readonly waitMs: number },
  ): void {
    notes.delete(sessionId);
    if (notes.size >= notesMax) notes.delete(notes.keys().next().value!);
    notes.set(sessionId, { until: clock.monotonic() + waitMs, lease, failures, isSeen });
  }
}
