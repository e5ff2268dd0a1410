import type { Cancel, Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Head } from "./head.js";
import { suspendIdle } from "./intents.js";
import { changeAndTell, type IntentListener, type SessionListener } from "./sessions.js";
import type { Store } from "./store.js";

/**
 * Writes and tells that an intent is abandoned, because nothing was said for long. Whoever reads a head knows it by the
 * time alone (`suspendIdle`), so what a node forgets here is told late, and never decided otherwise. (SPEC M69)
 */
export interface IdleIntents {
  /** A session as an outcome left it. */
  answered(head: Head): void;
  /** Looks through the sessions once more for what a process that is gone had in mind. */
  recover(): void;
  /** Does its work every half minute, from now until `stop`. */
  start(): void;
  /** One round of it, or the one that is under way. It never rejects. */
  run(): Promise<void>;
  /** Waits for the step under way. */
  stop(): Promise<void>;
}

const tickMs = 30_000;
/** Sessions that are looked at in one tick. */
const visitsPerTick = 200;
const pageSize = 50;
/** Sessions with something going on that are remembered; the longest known gives way, and is told late. */
const knownMax = 50_000;
/** Beyond this hour, since the index goes by the hour. */
const aheadMs = 2 * 60 * 60 * 1000;

interface Search {
  readonly before: string;
  readonly from: string | null;
}

export function createIdleIntents(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly telemetry: DeskTelemetry;
  /** Silence after which an intent is abandoned, in ms. Infinity: never. */
  readonly idleMs: number;
  readonly onChanged: SessionListener;
  readonly onIntent: IntentListener;
}): IdleIntents {
  const { store, clock, telemetry, idleMs } = deps;
  /** When each is to be looked at, in ms. */
  const known = new Map<string, number>();
  /** Where the search goes on; null: there is none. */
  let search: Search | null = null;
  let running: Promise<void> | null = null;
  let isStopped = false;
  let cancel: Cancel = () => undefined;

  return { answered: note, recover, start, run, stop };

  function start(): void {
    if (idleMs === Infinity) return;
    recover();
    cancel = clock.every(tickMs, () => void run());
  }

  async function stop(): Promise<void> {
    isStopped = true;
    cancel();
    await running;
  }

  function recover(): void {
    search = { before: new Date(clock.now() + aheadMs).toISOString(), from: null };
  }

  function note(head: Head): void {
    const { sessionId, lastMessageAt } = head.session;
    known.delete(sessionId);
    if (head.intent === null || idleMs === Infinity) return;
    if (known.size >= knownMax) known.delete(known.keys().next().value!);
    const now = clock.now();
    const at = Date.parse(lastMessageAt) + idleMs;
    // Over, yet still going on: somebody waits for an answer there.
    known.set(sessionId, at > now ? at : now + idleMs);
  }

  function run(): Promise<void> {
    running ??= tick()
      // What was not written is tried again in the next tick.
      .catch((error: unknown) => telemetry.emit("store.failed", { operation: "abandon an intent", error }))
      .finally(() => (running = null));
    return running;
  }

  async function tick(): Promise<void> {
    const now = clock.now();
    const due = [...known].filter(([, at]) => at <= now).map(([sessionId]) => sessionId);
    for (const sessionId of due.slice(0, visitsPerTick)) {
      if (isStopped) return;
      await visit(sessionId);
    }
    for (let looked = 0; search !== null && looked < visitsPerTick && !isStopped; looked += pageSize) {
      await searchOn(search);
    }
  }

  async function searchOn(current: Search): Promise<void> {
    const { before, from } = current;
    const page = await store.readSessionsUnchanged("active", { before, limit: pageSize, from });
    for (const sessionId of page.items) {
      if (isStopped) return;
      if (!known.has(sessionId)) await visit(sessionId);
    }
    // Meanwhile it may have been told to begin again.
    if (search === current) search = page.next === null ? null : { before, from: page.next };
  }

  /** Never rejects: one that fails is tried again later, and holds up no other. */
  async function visit(sessionId: string): Promise<void> {
    try {
      const seen = await changeAndTell(deps, sessionId, (head) => {
        const next = suspendIdle(head, clock.now(), idleMs);
        return next === head ? { result: head } : { result: next, head: next };
      });
      known.delete(sessionId);
      if (seen !== null) note(seen);
    } catch (error) {
      telemetry.emit("store.failed", { operation: "abandon an intent", error });
      known.delete(sessionId);
      known.set(sessionId, clock.now() + tickMs);
    }
  }
}
