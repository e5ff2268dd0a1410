import type { Cancel, Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Deletion } from "./deletion.js";
import { forgetRecords } from "./forget-records.js";
import { abandon, beginDeletion } from "./head.js";
import { createJob } from "./job.js";
import type { Nodes } from "./nodes.js";
import { createPauses } from "./pauses.js";
import { cleanupTimes, type SessionLife } from "./session-policy.js";
import { changeAndTell, type IntentListener, type SessionListener } from "./sessions.js";
import { dayOf, statsDayOf, statsDays } from "./stats-records.js";
import type { SessionPhase, Store } from "./store.js";

/**
 * Abandons sessions in which nothing is said any more, and deletes those that ended long ago, with all that belongs to
 * them. One node does it at a time; if two did, or one ended half-way, nothing would be lost or left. (SPEC M22)
 */
export interface Cleanup {
  /** Does so every minute, from now until `stop`. */
  start(): void;
  /** One round of it, if it is ours to do and none is under way. It never rejects. */
  run(): Promise<void>;
  /** Waits for the step under way, of the deletion too, and leaves the rest to others. */
  stop(): Promise<void>;
}

const tickMs = 60_000;
const sessionsPerTick = 200;
const sessionPage = 50;
/** Days of businesses whose figures go in one tick. */
const statsDaysPerTick = 50;
/** After so many in a row it is not the sessions. */
const failuresMax = 3;
/** Beyond this hour, since the index goes by the hour. */
const aheadMs = 2 * 60 * 60 * 1000;

/** What one round over the sessions of a phase does with each. They go on in the next tick where this one ended. */
interface Task {
  readonly name: "resume" | "finish" | "delete" | "abandon";
  readonly phase: SessionPhase;
  readonly before: string;
  readonly visit: (sessionId: string) => Promise<void>;
}

interface Position {
  readonly before: string;
  readonly from: string;
}

export function createCleanup(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly telemetry: DeskTelemetry;
  readonly nodes: Pick<Nodes, "isGone">;
  /** Names this process among those that share the store. */
  readonly node: string;
  readonly life: SessionLife;
  readonly deletion: Deletion;
  /** Told of those that are abandoned. */
  readonly onChanged: SessionListener;
  /** Told of what was going on in them. */
  readonly onIntent: IntentListener;
}): Cleanup {
  const { store, clock, telemetry, life, deletion } = deps;
  const positions = new Map<Task["name"], Position>();
  const job = createJob("cleanup", deps);
  /** What is being deleted may have been left half-way: by whoever had the job before us, or by a failure of ours. */
  let isResuming = true;
  let running: Promise<void> | null = null;
  const pauses = createPauses(clock);
  let cancel: Cancel = () => undefined;

  return { start, run, stop };

  function start(): void {
    cancel = clock.every(tickMs, () => void run());
  }

  function run(): Promise<void> {
    if (pauses.isStopped) return Promise.resolve();
    running ??= tick()
      .catch((error: unknown) => telemetry.emit("store.failed", { operation: "clean up", error }))
      .finally(() => (running = null));
    return running;
  }

  async function stop(): Promise<void> {
    pauses.stop();
    cancel();
    await Promise.all([deletion.stop(), running]);
    try {
      await job.giveUp();
    } catch (error) {
      // Whoever finds that we are gone takes it.
      telemetry.emit("store.failed", { operation: "give the cleanup up", error });
    }
  }

  async function tick(): Promise<void> {
    if (!(await job.holds())) {
      isResuming = true;
      positions.clear();
      return;
    }
    for (const task of tasks()) await work(task);
    await forgetStats();
  }

  function tasks(): readonly Task[] {
    const now = clock.now();
    const { idleBefore, endedBefore, deletedBefore } = cleanupTimes(now, life);
    const allBefore = new Date(now + aheadMs).toISOString();
    // While it resumes it looks at all of them, and no session twice in one tick.
    const unfinished = isResuming
      ? ({ name: "resume", before: allBefore } as const)
      : ({ name: "finish", before: deletedBefore } as const);
    return [
      { ...unfinished, phase: "deleting", visit: (sessionId) => deletion.finish(sessionId) },
      { name: "delete", phase: "over", before: endedBefore, visit: begin },
      { name: "abandon", phase: "active", before: idleBefore, visit: abandonIdle },
    ];
  }

  async function work({ name, phase, before, visit }: Task): Promise<void> {
    const position = positions.get(name);
    const question = { before: position?.before ?? before, limit: sessionPage };
    let next = position?.from ?? null;
    let [visited, failed, failedInARow] = [0, false, 0];
    do {
      const page = await store.readSessionsUnchanged(phase, { ...question, from: next });
      for (const sessionId of page.items) {
        if (pauses.isStopped) return;
        const isDone = await attempt(visit, sessionId);
        failed ||= !isDone;
        failedInARow = isDone ? 0 : failedInARow + 1;
        if (failedInARow >= failuresMax) break;
        await pauses.pause();
      }
      visited += page.items.length;
      next = page.next;
    } while (next !== null && visited < sessionsPerTick && failedInARow < failuresMax);
    if (next === null) positions.delete(name);
    else positions.set(name, { before: question.before, from: next });
    if (failed) isResuming = true;
    else if (name === "resume" && next === null) isResuming = false;
  }

  async function attempt(visit: Task["visit"], sessionId: string): Promise<boolean> {
    try {
      await visit(sessionId);
      return true;
    } catch (error) {
      telemetry.emit("store.failed", { operation: "clean up a session", error });
      return false;
    }
  }

  async function abandonIdle(sessionId: string): Promise<void> {
    const now = clock.now();
    const { idleBefore } = cleanupTimes(now, life);
    const businessId = await changeAndTell(deps, sessionId, (head) => {
      const change = abandon(head, idleBefore, now);
      return { ...change, result: change.result ? head.session.businessId : null };
    });
    if (businessId !== null) telemetry.emit("session.abandoned", { businessId, sessionId });
  }

  /** Once its head says that it is being deleted nothing is added to it, and it cannot come back to life. (SPEC M22) */
  async function begin(sessionId: string): Promise<void> {
    const now = clock.now();
    const { endedBefore } = cleanupTimes(now, life);
    const isBegun = await store.changeSession(sessionId, (head) => beginDeletion(head, endedBefore, now));
    if (isBegun === true) await deletion.finish(sessionId);
  }

  /** Figures of days that ended before the time of retention. (SPEC H11) */
  async function forgetStats(): Promise<void> {
    const firstKept = dayOf(Math.max(0, clock.now() - life.retentionMs));
    const { items } = await store.listRecords(statsDays, { limit: statsDaysPerTick });
    for (const { id, rev } of items) {
      const { day, partition } = statsDayOf(id);
      // What names a day goes last, so that a process that ends in between leaves nothing that nobody finds.
      if (day >= firstKept || pauses.isStopped || !(await forgetRecords({ store, pauses }, partition))) return;
      await store.writeRecord({ partition: statsDays, id }, rev, null);
      await pauses.pause();
    }
  }
}
