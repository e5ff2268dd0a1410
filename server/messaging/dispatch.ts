import { type Clock, deadline, pause } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Whom } from "./audience.js";
import type { Business } from "./business.js";
import { Gate } from "./gate.js";
import type { Head } from "./head.js";
import { withoutWriter } from "./history.js";
import type { ChatMessage } from "./model.js";
import type { Nodes } from "./nodes.js";
import { claimOutbound, noteSent, type Outbound, type Progress } from "./outbound.js";
import type { Line, Piece, Platforms, Taken } from "./platforms.js";
import { type SessionChange, type Store, StoreError } from "./store.js";
import type { Mark } from "./undelivered.js";

/**
 * Sends what users must read to the platforms from which they speak: of a session in its order, one piece after the
 * other; sessions side by side. What has left is noted in the head, piece by piece, so that what a process had not
 * noted when it ended is sent by the next one: at most one piece twice, and none never. (SPEC M110–M113)
 */
export interface Dispatch {
  /** There may be something to send in a session. Costs next to nothing when that is known. */
  wake(sessionId: string): void;
  /** Begins nothing any more, and waits for what is being sent, at most `timeoutMs`. The rest is for whoever comes next. */
  stop(timeoutMs: number): Promise<void>;
}

/** Sessions in which something is sent, or waits to be sent again. Others are found again by whoever looks for work. */
const sessionsMax = 1000;
/** Requests to platforms at once. */
const sendsMax = 16;
const sendMs = 15_000;
const retryMs = 1000;
const retryMaxMs = 5 * 60_000;
/** Of one piece, by one process. */
const triesMax = 500;
/** Attempts to note that a piece has left. */
const notesMax = 20;
/** As long as Telegram keeps what it has for us: then an answer is no answer any more. */
const ageMaxMs = 24 * 60 * 60_000;
const rowsPage = 50;

interface Run {
  /** It was woken meanwhile. */
  again: boolean;
}

export function createDispatch(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly telemetry: DeskTelemetry;
  /** Names this process among those that share the store. */
  readonly node: string;
  readonly nodes: Pick<Nodes, "isGone">;
  readonly platforms: Platforms;
  readonly businessOf: (businessId: string) => Business | null;
  /** Told up to where a user has everything. */
  readonly onTaken: (whom: Whom, mark: Mark) => void;
  /** From 0 up to 1, so that what failed together is not sent again together. */
  readonly random?: () => number;
}): Dispatch {
  const { store, clock, telemetry, node, nodes, random = Math.random } = deps;
  const runs = new Map<string, Run>();
  const running = new Set<Promise<void>>();
  const gate = new Gate(sendsMax);
  /** Ends what waits. */
  const stopping = new AbortController();
  /** Ends what is being sent, too. */
  const ending = new AbortController();

  return { wake, stop };

  function wake(sessionId: string): void {
    if (stopping.signal.aborted) return;
    const known = runs.get(sessionId);
    if (known !== undefined) known.again = true;
    else if (runs.size < sessionsMax) start(sessionId);
  }

  function start(sessionId: string): void {
    const run: Run = { again: false };
    runs.set(sessionId, run);
    const done = work(sessionId, run)
      .catch((error: unknown) => {
        // The head says what is left; whoever looks for work finds it.
        if (!stopping.signal.aborted) telemetry.emit("store.failed", { operation: "send to a platform", error });
      })
      .finally(() => {
        runs.delete(sessionId);
        running.delete(done);
      });
    running.add(done);
  }

  async function stop(timeoutMs: number): Promise<void> {
    stopping.abort();
    const cancel = clock.after(timeoutMs, () => ending.abort());
    await Promise.all(running);
    cancel();
  }

  async function work(sessionId: string, run: Run): Promise<void> {
    do {
      run.again = false;
      const head = await claimed(sessionId);
      let outbound = head?.outbound ?? null;
      while (head !== null && outbound !== null && !stopping.signal.aborted) {
        outbound = await sendNext(head, outbound);
      }
    } while (run.again && !stopping.signal.aborted);
  }

  /** The session, where what is to be sent of it is ours to send. */
  function claimed(sessionId: string): Promise<Head | null> {
    return store.changeSession(sessionId, (head): SessionChange<Head | null> => {
      const change = claimOutbound(head, node, nodes.isGone);
      return { ...change, result: change.result === null ? null : { ...head, outbound: change.result } };
    });
  }

  /** @returns what is left */
  async function sendNext(head: Head, outbound: Outbound): Promise<Outbound | null> {
    const { sessionId } = head.session;
    const message = await nextOf(sessionId, outbound);
    // What was to be sent is not there any more.
    if (message === null) return note(head, { sent: outbound.due, pieces: 0, isTaken: false });
    const { offset: sent } = message;
    const business = deps.businessOf(message.businessId);
    const line = business === null ? null : deps.platforms.lineOf(business, outbound.platform);
    const pieces = line?.piecesOf(message) ?? [];
    const text = pieces[outbound.pieces];
    if (line === null) return giveUp(head, { outbound, sent, code: "no_platform" });
    // It was written by a server that made more pieces of it.
    if (text === undefined) return note(head, { sent, pieces: 0, isTaken: true });
    const said = await insist(line, { text, message, userId: head.session.userId ?? "" }, outbound);
    if (said.kind !== "taken") return giveUp(head, { outbound, sent, code: said.code });
    const isLast = outbound.pieces + 1 === pieces.length;
    return note(
      head,
      isLast ? { sent, pieces: 0, isTaken: true } : { ...outbound, pieces: outbound.pieces + 1, isTaken: false },
    );
  }

  /** What comes next of what the user must read. */
  async function nextOf(sessionId: string, { sent, due }: Outbound): Promise<ChatMessage | null> {
    let after = sent;
    while (after < due) {
      const { items } = await store.readMessages(sessionId, { after, limit: rowsPage });
      const found = items.find(({ type, offset }) => type !== "user" && offset <= due);
      if (found !== undefined) return withoutWriter(found);
      const last = items.at(-1);
      if (last === undefined) return null;
      after = last.offset;
    }
    return null;
  }

  /** Sends a piece until it is taken, refused for good, or too old. @throws what ends us */
  async function insist(line: Line, piece: Piece, { platform }: Outbound): Promise<Exclude<Taken, { kind: "failed" }>> {
    const { businessId, sessionId, timestamp } = piece.message;
    for (let tries = 1; ; tries += 1) {
      if (clock.now() - Date.parse(timestamp) > ageMaxMs) return { kind: "refused", code: "too_old" };
      const said = await gate.run(() => sendOnce(line, piece));
      if (said.kind === "taken") telemetry.emit("platform.sent", { businessId, sessionId, platform, tries });
      if (said.kind !== "failed") return said;
      if (tries === triesMax) return { kind: "refused", code: said.code };
      telemetry.emit("platform.failed", { businessId, sessionId, platform, code: said.code, isGivenUp: false });
      await pauseAfter(tries, said.retryAfterMs ?? 0);
    }
  }

  /** @throws what ends us */
  function pauseAfter(tries: number, atLeastMs = 0): Promise<void> {
    const backoffMs = Math.min(retryMs * 2 ** (tries - 1), retryMaxMs);
    // Longer than that nothing waits: it would be too old.
    const waitMs = Math.min(Math.max(atLeastMs, backoffMs), ageMaxMs);
    return pause(waitMs + random() * retryMs, clock, stopping.signal);
  }

  async function sendOnce(line: Line, piece: Piece): Promise<Taken> {
    stopping.signal.throwIfAborted();
    const late = new AbortController();
    const cancel = deadline(sendMs, clock, () => late.abort());
    try {
      return await line.send(piece, AbortSignal.any([ending.signal, late.signal]));
    } catch (cause) {
      ending.signal.throwIfAborted();
      if (!late.signal.aborted) throw cause;
      return { kind: "failed", code: "timeout", retryAfterMs: null };
    } finally {
      cancel();
    }
  }

  function giveUp(
    head: Head,
    { outbound, sent, code }: { readonly outbound: Outbound; readonly sent: number; readonly code: string },
  ): Promise<Outbound | null> {
    const { businessId, sessionId } = head.session;
    const { platform } = outbound;
    telemetry.emit("platform.failed", { businessId, sessionId, platform, code, isGivenUp: true });
    return note(head, { sent, pieces: 0, isTaken: false });
  }

  async function note({ session }: Head, progress: Progress): Promise<Outbound | null> {
    const { sessionId, businessId, userId = "" } = session;
    const left = await noted(sessionId, progress);
    if (progress.isTaken) deps.onTaken({ businessId, userId }, { sessionId, offset: progress.sent });
    return left;
  }

  /** What has left and is not noted leaves again: that it is noted is worth more than one attempt. */
  async function noted(sessionId: string, progress: Progress): Promise<Outbound | null> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await store.changeSession(sessionId, (head) => noteSent(head, node, progress));
      } catch (cause) {
        if (!(cause instanceof StoreError) || !cause.retryable || tries === notesMax) throw cause;
        telemetry.emit("store.failed", { operation: "note what was sent", error: cause });
        await pauseAfter(tries);
      }
    }
  }
}
