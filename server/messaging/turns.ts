import type { Cancel, Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { type Backlog, type BacklogLimits, createBacklog, type Place } from "./backlog.js";
import type { Business } from "./business.js";
import type { Accepted } from "./conversations.js";
import { type Answered, claim as claimHead, type Head, type Lease } from "./head.js";
import type { ChatMessage, Session } from "./model.js";
import { dueTurn } from "./open-turns.js";
import { isUnsent } from "./outbound.js";
import { createRecovery, type TakenUp } from "./recovery.js";
import type { Responder, TurnRun } from "./respond.js";
import type { AgentSlots } from "./steps/agent-slots.js";
import type { SessionChange, Store } from "./store.js";

/**
 * Sees to it that every open turn gets its outcome: the turns of a session one after another, in offset order;
 * sessions side by side. (SPEC M7, M20)
 */
export interface Turns extends Backlog {
  /** A message was accepted, and its sender told so: answer it. */
  admitted(accepted: Accepted, place: Place): void;
  /** Nobody holds the session any more: what waited in it is answered now. */
  handedBack(sessionId: string): void;
  /** A coordinator holds the session: what is about to be asked there is not, and nothing waits for what was. */
  takenOver(sessionId: string): void;
  /**
   * Takes up the turns that nobody answers: those of processes that are gone, and our own that were cut off; and has
   * written what another left unwritten. Resolves once they are claimed, not answered, or when no more may be taken up
   * at once: then the others follow. It never rejects.
   */
  recover(): Promise<void>;
  /** Does so every few seconds, from now until `drain`. */
  watch(): void;
  /**
   * Starts no turn any more, and waits for those whose agent is being asked. The others, and what is left after
   * `timeoutMs`, stay open for whoever comes next.
   */
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
  /** Whether a coordinator took the session since its head was looked at. */
  takeover: Takeover;
  /** By messageId. A turn that an earlier process left open has none. */
  readonly places: Map<string, Place>;
  /** Told whether a session that was taken up is ours to work on; null once it is, and where something was said. */
  onClaimed: ((isOurs: boolean) => void) | null;
  /** Told, maybe more than once, that a turn of it waits for an agent that is left alone. */
  readonly onAway: () => void;
}

export function createTurns(
  deps: BacklogLimits & {
    readonly store: Store;
    readonly clock: Clock;
    readonly telemetry: DeskTelemetry;
    readonly responder: Responder;
    readonly businessOf: (businessId: string) => Business;
    /** Names this process as the owner of leases. */
    readonly node: string;
    /** Whoever held this lease is gone for good. */
    readonly isAbandoned: (lease: Lease) => boolean;
    /** Told of a session that was taken up because the time of the coordinator who held it was over. */
    readonly onReleased: (session: Session) => void;
    /** Told of a session that was found with something to send: whoever was about to may be gone. */
    readonly onUnsent: (sessionId: string) => void;
    readonly slots: Pick<AgentSlots, "close">;
    /** Sessions that are taken up and worked on at once. */
    readonly maxTakenUp: number;
    /** Beside these, such as wait for an agent that is left alone. */
    readonly maxAway: number;
  },
): Turns {
  const { store, clock, telemetry, responder, node } = deps;
  const working = new Map<string, Work>();
  const running = new Set<Promise<void>>();
  let draining = false;
  const recovery = createRecovery({ ...deps, takeUp });

  return {
    ...createBacklog(deps),
    admitted,
    handedBack,
    takenOver,
    recover: () => recovery.recover(),
    watch: () => recovery.watch(),
    drain,
  };

  function admitted({ message, head }: Accepted, place: Place): void {
    const work = working.get(message.sessionId);
    if (work !== undefined) {
      work.again = true;
      // Taken over on another node.
      if (head?.session.holder !== undefined) work.takeover.happens();
      work.places.set(message.messageId, place);
      return;
    }
    const places = new Map([[message.messageId, place]]);
    void start(workOn(message.sessionId, { head, question: message, places }));
  }

  function handedBack(sessionId: string): void {
    const work = working.get(sessionId);
    if (work !== undefined) work.again = true;
    else if (!draining) void start(workOn(sessionId));
  }

  function takenOver(sessionId: string): void {
    working.get(sessionId)?.takeover.happens();
  }

  function takeUp(sessionId: string): TakenUp | null {
    if (draining || working.has(sessionId)) return null;
    let onClaimed: (isOurs: boolean) => void = () => undefined;
    const claimed = new Promise<boolean>((resolve) => (onClaimed = resolve));
    let onAway = () => undefined as void;
    const away = new Promise<void>((resolve) => (onAway = resolve));
    return { claimed, away, done: start(workOn(sessionId, { onClaimed, onAway })) };
  }

  async function drain(timeoutMs: number): Promise<void> {
    draining = true;
    recovery.stop();
    deps.slots.close();
    let cancel: Cancel = () => undefined;
    const late = new Promise<void>((resolve) => (cancel = clock.after(timeoutMs, resolve)));
    await Promise.race([idle(), late]);
    cancel();
  }

  // What is taken over meanwhile is finished beside its session's work, which is over with that.
  async function idle(): Promise<void> {
    while (running.size > 0) await Promise.all(running);
  }

  function start(work: Work): Promise<void> {
    working.set(work.sessionId, work);
    const done = run(work).finally(() => running.delete(done));
    running.add(done);
    return done;
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
    const { takeover } = work;
    const answer = answerOf(work, run);
    // What an agent still makes of a question that is a coordinator's now is a draft: no command waits for it. (SPEC M43)
    const answered = run.turn.isCommand === true ? await answer : await takeover.unless(answer);
    if (answered === null && takeover.isHappened) finishBeside(answer);
    work.head = work.again ? null : (answered?.head ?? null);
    recovery.succeeded(work.sessionId);
    return work.again || answered === null || dueTurn(answered.head) !== null;
  }

  async function answerOf(work: Work, run: TurnRun): Promise<Answered | null> {
    const answered = await responder.respond(run);
    const { messageId } = run.turn;
    work.places.get(messageId)?.release();
    work.places.delete(messageId);
    if (answered !== null) told(answered);
    return answered;
  }

  function finishBeside(answer: Promise<unknown>): void {
    const done: Promise<void> = answer
      .then(
        () => undefined,
        (error: unknown) => telemetry.emit("store.failed", { operation: "keep a draft", error }),
      )
      .finally(() => running.delete(done));
    running.add(done);
  }

  async function nextTurn(work: Work): Promise<TurnRun | null> {
    work.again = false;
    if (work.takeover.isHappened) work.head = null;
    const takeover = new Takeover();
    work.takeover = takeover;
    const head = work.head?.lease?.owner === node ? work.head : await claimed(work);
    const turn = head === null ? null : dueTurn(head);
    if (head === null || turn === null) return null;
    const known = work.question?.messageId === turn.messageId ? work.question : null;
    work.question = null;
    const question = known ?? (await store.findMessage(work.sessionId, turn.messageId));
    if (question === null) throw new Error(`the open turn ${turn.messageId} has no message`);
    const business = deps.businessOf(question.businessId);
    return { head, turn, question, business, isTaken: () => takeover.isHappened, onAway: work.onAway };
  }

  /** The session under our lease; null when it is not for us. */
  async function claimed(work: Work): Promise<Head | null> {
    const { sessionId, onClaimed } = work;
    // One of our own that was found may have been stored this moment: its sender is told before it is answered. (SPEC M14)
    const mayBeNew = onClaimed !== null && !recovery.isLeftOver(sessionId);
    const claim = await store.changeSession(sessionId, (seen): SessionChange<{ seen: Head; ours: Head | null }> => {
      if (mayBeNew && seen.lease?.owner === node) return { result: { seen, ours: null } };
      const change = claimHead(seen, node, deps.isAbandoned, clock.now());
      return { ...change, result: { seen, ours: change.result } };
    });
    const isReleased = claim?.ours?.session.holder === undefined && claim?.seen.session.holder !== undefined;
    if (claim?.ours != null && isReleased) deps.onReleased(claim.ours.session);
    const ours = claim?.ours ?? null;
    onClaimed?.(ours !== null);
    // From here on what is said in it is ours to answer, like what is said in any other that we work on.
    if (ours !== null) work.onClaimed = null;
    else if (claim !== null && onClaimed !== null) await leave(claim.seen);
    return ours;
  }

  async function leave(head: Head): Promise<void> {
    if (isUnsent(head)) deps.onUnsent(head.session.sessionId);
    await recovery.leave(head);
  }

  function told({ message, event, earlier }: Answered): void {
    const from = message.metadata.node ?? message.type;
    for (const { businessId, sessionId, status, durationMs } of [...earlier, event]) {
      const outcome = from === "command" ? "command" : status;
      telemetry.emit("turn.answered", { businessId, sessionId, node: from, outcome, durationMs });
    }
  }
}

/** That a coordinator takes a session, which happens once or never. */
class Takeover {
  isHappened = false;
  #tell: () => void = () => undefined;

  happens(): void {
    this.isHappened = true;
    this.#tell();
  }

  /** As the answer, or null as soon as it happens. */
  unless<T>(answer: Promise<T>): Promise<T | null> {
    return new Promise((resolve, reject) => {
      this.#tell = () => resolve(null);
      if (this.isHappened) this.#tell();
      answer.then(resolve, reject);
    });
  }
}

function workOn(sessionId: string, known: Partial<Work> = {}): Work {
  const nothing = { head: null, question: null, again: false, onClaimed: null, onAway: () => undefined };
  return { sessionId, places: new Map(), takeover: new Takeover(), ...nothing, ...known };
}
