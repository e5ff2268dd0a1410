import PQueue from "p-queue";
import type { Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Business } from "./business.js";
import type { Accepted } from "./conversations.js";
import { type Answered, claim, type Head, type Lease } from "./head.js";
import type { ChatMessage } from "./model.js";
import type { Responder, TurnRun } from "./respond.js";
import type { Store } from "./store.js";

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
  /** Takes up the turns that an earlier process left open. Resolves when all of them are known, not answered. */
  recover(): Promise<void>;
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
}

const recoveryPage = 100;

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

  return { reserve, admitted, recover, drain };

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
    start({
      sessionId: message.sessionId,
      head,
      question: message,
      again: false,
      places: new Map([[message.messageId, place]]),
    });
  }

  async function recover(): Promise<void> {
    let after: string | undefined;
    let sessions = 0;
    for (;;) {
      const page = await store.readSessionsWithWork({ limit: recoveryPage, ...(after === undefined ? {} : { after }) });
      for (const sessionId of page.items) {
        if (working.has(sessionId)) continue;
        sessions += 1;
        start({ sessionId, head: null, question: null, again: false, places: new Map() });
      }
      if (!page.hasMore) break;
      after = page.items.at(-1);
    }
    if (sessions > 0) telemetry.emit("turns.recovered", { sessions });
  }

  async function drain(timeoutMs: number): Promise<void> {
    draining = true;
    slots.pause();
    const running = slots.onPendingZero();
    await Promise.race([running, new Promise<void>((resolve) => void clock.after(timeoutMs, resolve))]);
  }

  function start(work: Work): void {
    working.set(work.sessionId, work);
    void run(work);
  }

  async function run(work: Work): Promise<void> {
    try {
      // Asked again after the await, in one go with the leaving: a message may be admitted while its result is on the way.
      while (!draining && ((await answerNext(work)) || work.again)) continue;
    } catch (error) {
      // The turn stays open in the store; the next process takes it up.
      telemetry.emit("store.failed", { operation: "answer a turn", error });
    }
    working.delete(work.sessionId);
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
    return work.again || answered === null || answered.head.turns.length > 0;
  }

  async function nextTurn(work: Work): Promise<TurnRun | null> {
    work.again = false;
    const { sessionId } = work;
    let head = work.head;
    if (head === null || head.lease?.owner !== node) {
      head = await store.changeSession(sessionId, (now) => claim(now, node, deps.isAbandoned));
    }
    const turn = head?.turns[0];
    if (head === null || turn === undefined) return null;
    const known = work.question?.messageId === turn.messageId ? work.question : null;
    work.question = null;
    const question = known ?? (await store.findMessage(turn.messageId));
    if (question === null) throw new Error(`the open turn ${turn.messageId} has no message`);
    return { head, turn, question, business: deps.businessOf(question.businessId) };
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
