import { parseMark } from "../../protocol/payloads.js";
import { failure, success } from "../../protocol/result.js";
import { may } from "../auth/access.js";
import type { Cancel, Clock } from "../clock.js";
import { refusal } from "./admission.js";
import { tell, type Whom } from "./audience.js";
import type { Broadcast } from "./broadcast.js";
import type { EventHandler, EventResult, Speaker } from "./events.js";
import type { Head } from "./head.js";
import { findHead } from "./sessions.js";
import { type SessionChange, type Store, StoreError } from "./store.js";
import type { Mark } from "./undelivered.js";

/** Up to where a user's sockets have taken what they must read, and up to where it was read. */
export interface Marks {
  readonly delivered: number;
  readonly read: number;
}

/**
 * What users have been given, and what not yet. Marks are kept here and written a little later: those that are lost mean
 * that an answer is given again, never that it is not given. (SPEC M26–M29)
 */
export interface Delivery {
  /** Up to where a session has been delivered, be it written or not. */
  deliveredIn(head: Head): number;
  /** A socket of the user's has taken everything up to there. */
  taken(whom: Whom, mark: Mark): void;
  /** What the clients say themselves. */
  readonly events: { readonly delivered: EventHandler; readonly read: EventHandler };
  /** Writes what is not written yet. */
  stop(): Promise<void>;
}

const writeEveryMs = 5000;
const receiptEveryMs = 1000;
/** Sessions whose marks are kept. Beyond, those that moved longest ago are forgotten. */
const sessionsMax = 10_000;
const writersMax = 16;

export function createDelivery(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly broadcast: Broadcast;
  /** Told of what failed beside the way, where nobody waits for it. */
  readonly onError: (operation: string, error: unknown) => void;
}): Delivery {
  const { store, clock } = deps;
  const entries = new Map<string, Entry>();
  /** Sessions whose marks are higher here than in the store. */
  const unwritten = new Set<string>();
  let timer: Cancel | null = null;
  let writing: Promise<void> | null = null;
  let isStopped = false;

  return {
    deliveredIn: (head) => known(head).marks.delivered,
    taken: (whom, { sessionId, offset }) => raise(entryOf(sessionId, whom), { delivered: offset, read: 0 }),
    events: {
      delivered: (speaker, payload) => acknowledge(speaker, payload, (offset) => ({ delivered: offset, read: 0 })),
      read: (speaker, payload) => acknowledge(speaker, payload, (offset) => ({ delivered: offset, read: offset })),
    },
    stop,
  };

  function known(head: Head): Entry {
    const { sessionId, businessId, userId = "" } = head.session;
    const entry = entryOf(sessionId, { businessId, userId });
    entry.marks = higher(entry.marks, head);
    return entry;
  }

  function entryOf(sessionId: string, { businessId, userId }: Whom): Entry {
    const entry = entries.get(sessionId) ?? {
      sessionId,
      whom: { businessId, userId },
      marks: { delivered: 0, read: 0 },
      receipt: null,
      isUntold: false,
    };
    entries.delete(sessionId);
    entries.set(sessionId, entry);
    if (entries.size > sessionsMax) forget(entries.values().next().value!);
    return entry;
  }

  function forget({ sessionId, receipt }: Entry): void {
    receipt?.();
    entries.delete(sessionId);
    unwritten.delete(sessionId);
  }

  async function acknowledge(
    { identity, business }: Speaker,
    payload: unknown,
    marksAt: (offset: number) => Marks,
  ): Promise<EventResult> {
    const parsed = parseMark(payload);
    if (!parsed.ok) return failure(refusal(parsed.reason.code, parsed.reason.error));
    const { sessionId, offset } = parsed.value;
    const head = await findHead(store, sessionId);
    const isTheirs =
      head?.session.businessId === business.businessId && may(identity, "message.acknowledge", head.session);
    // Somebody else's is answered as one that is not there. (SPEC X7)
    if (!isTheirs) return failure(refusal("session_not_found"));
    const entry = known(head);
    // What has not been said yet nobody can have taken.
    if (offset <= head.session.offset) raise(entry, marksAt(offset));
    return success({ sessionId, ...entry.marks });
  }

  function raise(entry: Entry, to: Marks): void {
    const { delivered, read } = entry.marks;
    entry.marks = higher(entry.marks, to);
    if (entry.marks.delivered === delivered && entry.marks.read === read) return;
    unwritten.add(entry.sessionId);
    writeLater();
    entry.isUntold = true;
    if (entry.receipt === null) tellReceipt(entry);
  }

  // A busy session is told of once a second, with what holds by then.
  function tellReceipt(entry: Entry): void {
    entry.receipt = null;
    if (!entry.isUntold || isStopped) return;
    entry.isUntold = false;
    const { sessionId, whom, marks } = entry;
    tell(deps.broadcast, "receipt", whom, { sessionId, userId: whom.userId, ...marks });
    entry.receipt = clock.after(receiptEveryMs, () => tellReceipt(entry));
  }

  function writeLater(): void {
    if (timer !== null || writing !== null || isStopped) return;
    timer = clock.after(writeEveryMs, () => {
      timer = null;
      void write();
    });
  }

  function write(): Promise<void> {
    writing ??= writeAll().finally(() => {
      writing = null;
      if (unwritten.size > 0) writeLater();
    });
    return writing;
  }

  async function writeAll(): Promise<void> {
    const sessionIds = [...unwritten].values();
    let hasFailed = false;
    const writer = async () => {
      for (const sessionId of sessionIds) {
        if (hasFailed) return;
        const isWritten = await writeOne(sessionId);
        hasFailed ||= !isWritten;
      }
    };
    await Promise.all(Array.from({ length: writersMax }, writer));
  }

  /** @returns false when the store cannot: all that is left waits */
  async function writeOne(sessionId: string): Promise<boolean> {
    const entry = entries.get(sessionId);
    if (entry === undefined) return true;
    const { marks } = entry;
    try {
      await store.changeSession(sessionId, (head) => raiseMarks(head, marks));
      if (entry.marks === marks) unwritten.delete(sessionId);
      return true;
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      deps.onError("write what was delivered", cause);
      return false;
    }
  }

  async function stop(): Promise<void> {
    isStopped = true;
    timer?.();
    for (const { receipt } of entries.values()) receipt?.();
    await writing;
    if (unwritten.size > 0) await write();
  }
}

interface Entry {
  readonly sessionId: string;
  readonly whom: Whom;
  marks: Marks;
  /** Until it runs out nothing is told of this session. */
  receipt: Cancel | null;
  isUntold: boolean;
}

/** Moves a session's marks on, never back, and never beyond its end. Nothing else of the session changes by it. */
export function raiseMarks(head: Head, to: Marks): SessionChange<Marks> {
  const { delivered, read } = higher(head, to);
  const { offset } = head.session;
  const marks = { delivered: Math.min(delivered, offset), read: Math.min(read, offset) };
  const isSame = marks.delivered === head.delivered && marks.read === head.read;
  if (isSame || head.deletingSince !== null) return { result: { delivered: head.delivered, read: head.read } };
  return { result: marks, head: { ...head, ...marks } };
}

function higher(one: Marks, other: Marks): Marks {
  const read = Math.max(one.read, other.read);
  const delivered = Math.max(one.delivered, other.delivered, read);
  return delivered === one.delivered && read === one.read ? one : { delivered, read };
}
