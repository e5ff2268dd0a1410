import type { Cancel, Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { abandon, beginDeletion } from "./head.js";
import type { ChatMessage, Session } from "./model.js";
import type { Nodes } from "./nodes.js";
import { type ClientMessage, clientMessageKey, jobKey, type JobHolder, partitionOf } from "./records.js";
import { cleanupTimes, type SessionLife } from "./session-policy.js";
import { forgetCurrentSession, retireCurrentSession } from "./sessions.js";
import type { IndexPage, SessionOwner, SessionPhase, Store, StoredRecord } from "./store.js";

/**
 * Abandons sessions in which nothing is said any more, and deletes those that ended long ago, with all that belongs to
 * them. One node does it at a time; if two did, or one ended half-way, nothing would be lost or left. (SPEC M22)
 */
export interface Cleanup {
  /** Does so every minute, from now until `stop`. */
  start(): void;
  /** One round of it, if it is ours to do and none is under way. It never rejects. */
  run(): Promise<void>;
  /** Waits for the step under way, and leaves the rest to others. */
  stop(): Promise<void>;
}

const tickMs = 60_000;
const sessionsPerTick = 200;
const sessionPage = 50;
const stepMessages = 100;
/** Between steps, so that those who are talking have the store to themselves most of the time. */
const pauseMs = 50;
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
}): Cleanup {
  const { store, clock, telemetry, nodes, node, life } = deps;
  const positions = new Map<Task["name"], Position>();
  const job = jobKey("cleanup");
  /** What is being deleted may have been left half-way: by whoever had the job before us, or by a failure of ours. */
  let isResuming = true;
  let running: Promise<void> | null = null;
  let isStopped = false;
  let wake = () => {};
  let cancel: Cancel = () => undefined;

  return { start, run, stop };

  function start(): void {
    cancel = clock.every(tickMs, () => void run());
  }

  function run(): Promise<void> {
    if (isStopped) return Promise.resolve();
    running ??= tick()
      .catch((error: unknown) => telemetry.emit("store.failed", { operation: "clean up", error }))
      .finally(() => (running = null));
    return running;
  }

  async function stop(): Promise<void> {
    isStopped = true;
    cancel();
    wake();
    await running;
    try {
      const holder = await store.readRecord<JobHolder>(job);
      if (holder?.value.node === node) await store.writeRecord(job, holder.rev, null);
    } catch (error) {
      // Whoever finds that we are gone takes it.
      telemetry.emit("store.failed", { operation: "give the cleanup up", error });
    }
  }

  async function tick(): Promise<void> {
    if (!(await holdsJob())) {
      isResuming = true;
      positions.clear();
      return;
    }
    for (const task of tasks()) await work(task);
  }

  async function holdsJob(): Promise<boolean> {
    const holder = await store.readRecord<JobHolder>(job);
    if (holder?.value.node === node) return true;
    if (holder !== null && !nodes.isGone(holder.value.node)) return false;
    return (await store.writeRecord<JobHolder>(job, holder?.rev ?? null, { node })).isWritten;
  }

  function tasks(): readonly Task[] {
    const now = clock.now();
    const { idleBefore, endedBefore, deletedBefore } = cleanupTimes(now, life);
    const allBefore = new Date(now + aheadMs).toISOString();
    // While it resumes it looks at all of them, and no session twice in one tick.
    const deletion = isResuming
      ? ({ name: "resume", before: allBefore } as const)
      : ({ name: "finish", before: deletedBefore } as const);
    return [
      { ...deletion, phase: "deleting", visit: finish },
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
        if (isStopped) return;
        const isDone = await attempt(visit, sessionId);
        failed ||= !isDone;
        failedInARow = isDone ? 0 : failedInARow + 1;
        if (failedInARow >= failuresMax) break;
        await pause();
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
    const businessId = await store.changeSession(sessionId, (head) => {
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
    if (isBegun === true) await finish(sessionId);
  }

  /** Does what is left to do: its messages at once; its head a day later, when nobody can be writing to it any more. */
  async function finish(sessionId: string): Promise<void> {
    const head = await store.readHead(sessionId);
    if (head === null || head.deletingSince === null) return;
    const { session } = head;
    const isLast = head.deletingSince < cleanupTimes(clock.now(), life).deletedBefore;
    const owner = ownerOf(session);
    // What this leaves is left for a day, in which whoever had read it is done with it.
    const isForgotten = owner === null || !isLast || (await forgetCurrentSession(store, owner, sessionId));
    if (owner !== null) await retireCurrentSession(store, owner, sessionId);
    const messages = await sweep(sessionId);
    if (messages === null) return;
    const { businessId } = session;
    if (messages > 0) telemetry.emit("session.deleted", { businessId, sessionId, messages });
    if (isLast && isForgotten && (await forgetClaims(session))) await store.deleteHead(sessionId);
  }

  /** @returns how many messages there were; null when we were stopped before the last of them */
  async function sweep(sessionId: string): Promise<number | null> {
    await store.settle(sessionId);
    let [after, messages] = [0, 0];
    for (;;) {
      const { items, hasMore } = await store.readMessages(sessionId, { after, limit: stepMessages });
      // The ids first: they are found by way of the messages.
      for (const message of items) await forgetClientMessage(message);
      if (items.length > 0) await store.deleteMessages(sessionId, items);
      messages += items.length;
      after = items.at(-1)?.offset ?? after;
      if (!hasMore || items.length === 0) return messages;
      await pause();
      if (isStopped) return null;
    }
  }

  async function forgetClientMessage({ businessId, userId, messageId, metadata }: ChatMessage): Promise<void> {
    if (metadata.clientMessageId === undefined) return;
    const key = clientMessageKey(businessId, userId, metadata.clientMessageId);
    const claim = await store.readRecord<ClientMessage>(key);
    if (claim?.value.messageId === messageId) await store.writeRecord(key, claim.rev, null);
  }

  /** Client ids that were claimed for this session, and under which nothing was ever stored. @returns false when stopped */
  async function forgetClaims(session: Session): Promise<boolean> {
    const owner = ownerOf(session);
    if (owner === null) return true;
    const partition = partitionOf(owner);
    let from: string | null = null;
    do {
      const page: IndexPage<StoredRecord<Partial<ClientMessage>> & { readonly id: string }> = await store.listRecords(
        partition,
        { limit: stepMessages, from },
      );
      for (const { id, rev, value } of page.items) {
        const isClaim = value.messageId !== undefined && value.sessionId === session.sessionId;
        if (isClaim) await store.writeRecord({ partition, id }, rev, null);
      }
      from = page.next;
      if (from !== null) await pause();
    } while (from !== null && !isStopped);
    return from === null;
  }

  async function pause(): Promise<void> {
    if (isStopped) return;
    await new Promise<void>((resolve) => {
      const cancelPause = clock.after(pauseMs, resolve);
      wake = () => {
        cancelPause();
        resolve();
      };
    });
  }
}

function ownerOf({ businessId, userId, agentId }: Session): SessionOwner | null {
  if (userId !== undefined) return { businessId, userId };
  return agentId === undefined ? null : { businessId, agentId };
}
