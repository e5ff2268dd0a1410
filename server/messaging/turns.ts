import PQueue from "p-queue";
import type { Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Business } from "./business.js";
import type { Accepted } from "./conversations.js";
import { type Answered, claim as claimHead, type Head, type Lease } from "./head.js";
import type { ChatMessage } from "./model.js";
import { createRecovery, type TakenUp } from "./recovery.js";
import type { Responder, TurnRun } from "./respond.js";
import type { SessionChange, Store } from "./store.js";

/** Room for one more turn on this node. It is given back when the turn has its outcome, or by `release`. */
export interface Place {
  release(): void;
}

/**
 * Sees to it that every open turn gets its outcome: the turns of a session one after another, in offset order;
 * sessions side by side. (SPEC M7, M20)
 */
export interface Turns {
  /** Null when this node, or this business on it, has as many open turns as it may: nothing must be stored then. */
  reserve(businessId: string): Place | null;
  /** A message was accepted, and its sender told so: answer it. */
  admitted(accepted: Accepted, place: Place): void;
  /**
   * Takes up the turns that nobody answers: those of processes that are gone, and our own that were cut off; and has
   * written what another left unwritten. Resolves once they are claimed, not answered, or when no more may be taken up
   * at once: then the others follow. It never rejects.
   */
  recover(): Promise<void>;
  /** Does so every few seconds, from now until `drain`. */
  watch(): void;
  /** Starts no turn any more, and waits for those that run. What is left stays open for whoever comes next. */
  drain(timeoutMs: number): Promise<void>;
}

/** A session that is being worked on. */
interface Work {
  readonly sessionId: string;
  /** As far as we know it; null: read it. */
  head: Head | null;
  question: ChatMessage | null;
  /** Something was said meanwhile. */
  again: boolean;
  /** By messageId. A turn that an earlier process left open has none. */
  readonly places: Map<string, Place>;
  /** Told whether a session that was taken up is ours to work on; null for one in which something was said. */
  readonly onClaimed: ((isOurs: boolean) => void) | null;
}

export function createTurns(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly telemetry: DeskTelemetry;
  readonly responder: Responder;
  readonly businessOf: (businessId: string) => Business;
  /** Names this process as the owner of leases. */
  readonly node: string;
  /** Whoever held this lease is gone for good. */
  readonly isAbandoned: (lease: Lease) => boolean;
  readonly concurrency: number;
  /** Sessions that are taken up and worked on at once. */
  readonly maxTakenUp: number;
  /** How long a turn waits for a place to run before it ends as `busy`. */
  readonly waitMs: number;
  readonly maxBacklog: number;
  readonly maxBacklogPerBusiness: number;
}): Turns {
  const { store, clock, telemetry, responder, node } = deps;
  const slots = new PQueue({ concurrency: deps.concurrency });
  const working = new Map<string, Work>();
  const backlog = new Map<string, number>();
  let backlogTotal = 0;
  let draining = false;
  const recovery = createRecovery({ ...deps, takeUp });

  return { reserve, admitted, recover: () => recovery.recover(), watch: () => recovery.watch(), drain };

  function reserve(businessId: string): Place | null {
    const ofBusiness = backlog.get(businessId) ?? 0;
    if (backlogTotal >= deps.maxBacklog || ofBusiness >= deps.maxBacklogPerBusiness) {
      telemetry.emit("limit.reached", {
        limit: backlogTotal >= deps.maxBacklog ? "MAX_BACKLOG" : "MAX_BACKLOG_PER_BUSINESS",
      });
      return null;
    }
    backlogTotal += 1;
    backlog.set(businessId, ofBusiness + 1);
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      backlogTotal -= 1;
      const left = (backlog.get(businessId) ?? 1) - 1;
      if (left > 0) backlog.set(businessId, left);
      else backlog.delete(businessId);
    };
    return { release };
  }

  function admitted({ message, head }: Accepted, place: Place): void {
    const work = working.get(message.sessionId);
    if (work !== undefined) {
      work.again = true;
      work.places.set(message.messageId, place);
      return;
    }
    void start({
      sessionId: message.sessionId,
      head,
      question: message,
      again: false,
      places: new Map([[message.messageId, place]]),
      onClaimed: null,
    });
  }

  function takeUp(sessionId: string): TakenUp | null {
    if (draining || working.has(sessionId)) return null;
    let onClaimed: (isOurs: boolean) => void = () => undefined;
    const claimed = new Promise<boolean>((resolve) => (onClaimed = resolve));
    const done = start({ sessionId, head: null, question: null, again: false, places: new Map(), onClaimed });
    return { claimed, done };
  }

  async function drain(timeoutMs: number): Promise<void> {
    draining = true;
    recovery.stop();
    slots.pause();
    const running = slots.onPendingZero();
    await Promise.race([running, new Promise<void>((resolve) => void clock.after(timeoutMs, resolve))]);
  }

  function start(work: Work): Promise<void> {
    working.set(work.sessionId, work);
    return run(work);
  }

  async function run(work: Work): Promise<void> {
    try {
      // Asked again after the await, in one go with the leaving: a message may be admitted while its result is on the way.
      while (!draining && ((await answerNext(work)) || work.again)) continue;
    } catch (error) {
      // The turn stays open in the store, and is taken up again later: by us, or by the next process.
      telemetry.emit("store.failed", { operation: "answer a turn", error });
      recovery.failed(work.sessionId);
    }
    working.delete(work.sessionId);
    work.onClaimed?.(false);
    for (const place of work.places.values()) place.release();
  }

  /** @returns false when nothing was left to do */
  async function answerNext(work: Work): Promise<boolean> {
    const run = await nextTurn(work);
    if (run === null) return work.again;
    const answered = await inSlot(run);
    const { messageId } = run.turn;
    work.places.get(messageId)?.release();
    work.places.delete(messageId);
    work.head = work.again ? null : (answered?.head ?? null);
    if (answered !== null) told(answered);
    recovery.succeeded(work.sessionId);
    return work.again || answered === null || answered.head.turns.length > 0;
  }

  async function nextTurn(work: Work): Promise<TurnRun | null> {
    work.again = false;
    const head = work.head?.lease?.owner === node ? work.head : await claimed(work);
    const turn = head?.turns[0];
    if (head === null || turn === undefined) return null;
    const known = work.question?.messageId === turn.messageId ? work.question : null;
    work.question = null;
    const question = known ?? (await store.findMessage(work.sessionId, turn.messageId));
    if (question === null) throw new Error(`the open turn ${turn.messageId} has no message`);
    return { head, turn, question, business: deps.businessOf(question.businessId) };
  }

  /** The session under our lease; null when it is not for us. */
  async function claimed({ sessionId, onClaimed }: Work): Promise<Head | null> {
    // One of our own that was found may have been stored this moment: its sender is told before it is answered. (SPEC M14)
    const mayBeNew = onClaimed !== null && !recovery.isLeftOver(sessionId);
    const claim = await store.changeSession(sessionId, (seen): SessionChange<{ seen: Head; ours: Head | null }> => {
      if (mayBeNew && seen.lease?.owner === node) return { result: { seen, ours: null } };
      const change = claimHead(seen, node, deps.isAbandoned);
      return { ...change, result: { seen, ours: change.result } };
    });
    onClaimed?.(claim !== null && claim.ours !== null);
    if (claim?.ours === null && onClaimed !== null) await recovery.leave(claim.seen);
    return claim?.ours ?? null;
  }

  async function inSlot(run: TurnRun): Promise<Answered | null> {
    const waiting = new AbortController();
    const cancel = clock.after(deps.waitMs, () => waiting.abort());
    let isRunning = false;
    try {
      return await slots.add(
        () => {
          isRunning = true;
          cancel();
          return responder.respond(run);
        },
        { signal: waiting.signal },
      );
    } catch (error) {
      if (isRunning || !waiting.signal.aborted) throw error;
      // While draining it waits for whoever comes next, not for a place.
      return draining ? null : responder.fail(run, "busy");
    } finally {
      cancel();
    }
  }

  function told({ message, event }: Answered): void {
    const { businessId, sessionId, durationMs } = event;
    telemetry.emit("turn.answered", { businessId, sessionId, node: message.metadata.node ?? message.type, durationMs });
  }
}
