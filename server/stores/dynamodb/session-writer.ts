import type { Cancel, Clock } from "../../clock.js";
import type { Head } from "../../messaging/head.js";
import type { ChatMessage } from "../../messaging/model.js";
import { type SessionChange, StoreError } from "../../messaging/store.js";
import { type EventLink, type Pending, pendingEvent, pendingMessage, type Prepared, rowsOf } from "./pending.js";
import type { Requests } from "./requests.js";
import { headItem, nextHead, type StoredHead, storedHead } from "./stored-head.js";
import type { TableNames } from "./tables.js";

export interface WriterDeps {
  readonly requests: Requests;
  readonly names: TableNames;
  readonly clock: Clock;
  /** Names a write, so that it can be told from everybody else's. */
  readonly newId: () => string;
  readonly findMessage: (stored: StoredHead, messageId: string) => Promise<ChatMessage | null>;
  /** Told of what failed where nobody waits for it. It is tried again. */
  readonly onError: (operation: string, error: unknown) => void;
}

interface Job {
  readonly change: (head: Head, found: ChatMessage | null) => SessionChange<unknown>;
  readonly lookUp: string | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What a batch of changes made of a head. */
interface Decision {
  readonly head: Head;
  readonly isChanged: boolean;
  readonly prepared: readonly Prepared[];
  readonly settled: readonly Settled[];
}

/** A change that is decided, and its caller, who waits to be told. */
interface Settled {
  readonly tell: () => void;
  readonly hasEvents: boolean;
}

/** Of one session; more are refused. */
const waitingMax = 1024;
const batchMax = 64;
/** Entries and bytes that a head may carry along before its rows are waited for, and that one write may add. */
const pendingMax = 32;
const pendingBytesMax = 64 * 1024;
/** How long a settled entry stays in the head, waiting for a write that takes it along. */
const clearAfterMs = 1000;
const settleRetryMs = 1000;
const deadlineMs = 10_000;

/**
 * Everything that this process writes to one session: one conditional write of its head at a time, in which all changes
 * that wait take part. The write is the promise; the rows follow from what it left pending. (docs/decisions/0003)
 */
export class SessionWriter {
  readonly #sessionId: string;
  readonly #deps: WriterDeps;
  #waiting: Job[] = [];
  #running: Promise<void> | null = null;
  /** As last written or read by us. Others may have written since: then our next write is refused, and we read again. */
  #known: StoredHead | null = null;
  /** Pending entries whose rows exist. */
  readonly #settled = new Set<string>();
  #settling: Promise<void> | null = null;
  #cancelTimer: Cancel | null = null;

  constructor(sessionId: string, deps: WriterDeps) {
    this.#sessionId = sessionId;
    this.#deps = deps;
  }

  /** True when nothing would be lost by forgetting this writer. */
  get isIdle(): boolean {
    return this.#running === null && this.#settling === null && this.#cancelTimer === null;
  }

  /** Somebody read the head anyway. */
  observe(stored: StoredHead): void {
    if (this.#running === null && stored.head.rev >= (this.#known?.head.rev ?? 0)) this.#known = stored;
  }

  change<T>(
    change: (head: Head, found: ChatMessage | null) => SessionChange<T>,
    lookUp: string | undefined,
  ): Promise<T | null> {
    if (this.#waiting.length >= waitingMax) {
      const cause = new Error(`${waitingMax} changes of one session wait already`);
      return Promise.reject(new StoreError("changing a session", { retryable: true, cause }));
    }
    return new Promise<T | null>((resolve, reject) => {
      this.#waiting.push({ change, lookUp, resolve: resolve as (result: unknown) => void, reject });
      this.#running ??= Promise.resolve().then(() => this.#drain());
    });
  }

  /** Writes what a process that ended left pending, and takes it out of the head. */
  async settle(): Promise<void> {
    await this.#running;
    this.#known = await this.#read();
    if (this.#known === null) return;
    await this.#settleNow();
    await this.#clear();
  }

  /** Waits for what is under way, and takes out of the head what is settled. */
  async close(): Promise<void> {
    await this.#running;
    this.#cancel();
    try {
      await this.#settleNow();
      await this.#clear();
    } catch (error) {
      // Whoever comes next finds it in the head.
      this.#deps.onError("write the rows of a session", error);
    }
    this.#cancel();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchMax);
      try {
        await this.#write(batch);
      } catch (error) {
        // Whether the last write was applied is not known; what we knew of the head is not to be trusted.
        this.#known = null;
        this.#settleSoon(settleRetryMs);
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = null;
  }

  async #write(batch: Job[]): Promise<void> {
    const { clock, requests } = this.#deps;
    const deadline = clock.monotonic() + deadlineMs;
    let jobs: readonly Job[] = batch;
    for (let attempt = 0; jobs.length > 0; attempt += 1) {
      if (clock.monotonic() > deadline) throw new StoreError("changing a session", { retryable: true });
      // Others write to the same session: who waits a random while lets one of them through.
      if (attempt > 2) await requests.pause(attempt - 2);
      jobs = await this.#attempt(jobs);
    }
  }

  /** @returns those that have to be tried again, because somebody else wrote, or because there was no room for them */
  async #attempt(jobs: readonly Job[], isFresh = this.#known === null): Promise<readonly Job[]> {
    const before = isFresh ? await this.#read() : this.#known;
    if (before === null) {
      this.#known = null;
      for (const { resolve } of jobs) resolve(null);
      return [];
    }
    this.#known = before;
    if (isCrowded(this.#unsettled(before))) await this.#settleNow();
    const found = await Promise.all(jobs.map((job) => this.#find(before, job)));
    const decision = decide(before.head, jobs, found, (change, head) => this.#prepare(change, head));
    if (!decision.isChanged) {
      // What was decided not to be written must be decided on the head as it is, not as we remember it.
      if (!isFresh) return this.#attempt(jobs, true);
      for (const { tell } of decision.settled) tell();
      return jobs.slice(decision.settled.length);
    }
    if (!(await this.#put(before, decision))) return jobs;
    for (const { tell } of decision.settled.filter(({ hasEvents }) => !hasEvents)) tell();
    const tellers = decision.settled.filter(({ hasEvents }) => hasEvents);
    if (tellers.length > 0) void this.#settleThenTell(tellers);
    else this.#settleSoon(0);
    return jobs.slice(decision.settled.length);
  }

  // Whoever hears of an outcome must find its event in the store, too: so the row comes before it is told.
  async #settleThenTell(tellers: readonly Settled[]): Promise<void> {
    try {
      await this.#settleNow();
      this.#settleSoon(clearAfterMs);
    } catch (error) {
      // The promise is kept all the same.
      this.#deps.onError("write the rows of a session", error);
      this.#settleSoon(settleRetryMs);
    }
    for (const { tell } of tellers) tell();
  }

  async #find(before: StoredHead, { lookUp }: Job): Promise<ChatMessage | null> {
    return lookUp === undefined ? null : this.#deps.findMessage(before, lookUp);
  }

  #prepare({ messages = [], events = [] }: SessionChange<unknown>, { session }: Head): readonly Prepared[] {
    const { names } = this.#deps;
    const told = new Map(events.map((event) => [event.responseId, pendingEvent(names, event)]));
    const linkOf = ({ metadata: { responseId } }: ChatMessage): EventLink | null => {
      const event = responseId === undefined ? undefined : told.get(responseId);
      return event?.pending.kind === "event" ? { cursor: event.pending.cursor, parts: event.parts.length } : null;
    };
    return [
      ...messages.map((message) => pendingMessage(names, message, session.userId, linkOf(message))),
      ...told.values(),
    ];
  }

  /** @returns false when somebody else wrote first */
  async #put(before: StoredHead, { head, prepared }: Pick<Decision, "head" | "prepared">): Promise<boolean> {
    const { requests, clock, newId } = this.#deps;
    const write = newId();
    const next = nextHead(before, {
      head: { ...head, rev: before.head.rev + 1 },
      pending: [...this.#unsettled(before), ...prepared.map(({ pending }) => pending)],
      write,
      now: clock.now(),
    });
    const item = headItem(next);
    const parts = prepared.flatMap(({ parts }) => parts);
    if (parts.length > 0) await requests.writeAll(parts);
    const isWritten = await this.#putItem(item, before.head.rev, write);
    if (isWritten !== null) {
      this.#known = isWritten === "applied" ? next : isWritten;
      // What is no longer carried along, whoever took it out, need not be remembered.
      const carried = new Set(next.pending.map(idOf));
      for (const id of this.#settled) if (!carried.has(id)) this.#settled.delete(id);
      return true;
    }
    return false;
  }

  /** @returns the head that our write made, or "applied" for the item itself; null when somebody else wrote first */
  async #putItem(item: Record<string, unknown>, rev: number, write: string): Promise<StoredHead | "applied" | null> {
    const { requests, names } = this.#deps;
    const condition = { expression: "#rev = :rev", names: { "#rev": "rev" }, values: { ":rev": rev } };
    let failure: StoreError | null = null;
    try {
      if (await requests.put(names.sessions, item, condition)) return "applied";
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      failure = error;
    }
    // Refused, or without an answer: it may have been applied before the SDK sent it once more.
    const now = await this.#read();
    this.#known = now;
    if (now?.writes.includes(write) === true) return now;
    if (failure !== null) throw failure;
    return null;
  }

  async #read(): Promise<StoredHead | null> {
    const { requests, names } = this.#deps;
    const item = await requests.get(names.sessions, { sessionId: this.#sessionId });
    return item === null ? null : storedHead(item);
  }

  #unsettled({ pending }: StoredHead): readonly Pending[] {
    return pending.filter((entry) => !this.#settled.has(idOf(entry)));
  }

  #settleSoon(ms: number): void {
    this.#cancel();
    this.#cancelTimer = this.#deps.clock.after(ms, () => void this.#settleLater());
  }

  async #settleLater(): Promise<void> {
    this.#cancelTimer = null;
    try {
      this.#known ??= await this.#read();
      if (this.#known !== null && this.#unsettled(this.#known).length > 0) {
        await this.#settleNow();
        this.#settleSoon(clearAfterMs);
      } else {
        await this.#clear();
      }
    } catch (error) {
      this.#deps.onError("write the rows of a session", error);
      this.#settleSoon(settleRetryMs);
    }
  }

  /** Writes the rows of everything pending. One at a time: what is pending twice is written once. */
  async #settleNow(): Promise<void> {
    while (this.#settling !== null) await this.#settling.catch(() => undefined);
    const { requests, names } = this.#deps;
    const entries = this.#known === null ? [] : this.#unsettled(this.#known);
    if (entries.length === 0) return;
    this.#settling = requests.writeAll(entries.flatMap((entry) => rowsOf(names, this.#sessionId, entry)));
    try {
      await this.#settling;
      for (const entry of entries) this.#settled.add(idOf(entry));
    } finally {
      this.#settling = null;
    }
  }

  /** Takes out of the head what is settled. The next write would do so too; this one comes when there is none. */
  async #clear(): Promise<void> {
    if (this.#known === null || this.#known.pending.length === 0) return;
    await this.change((head) => ({ result: null, head }), undefined);
  }

  #cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }
}

/**
 * Each change sees what those before it decided. One that throws is refused alone. When the head has as much to carry as
 * it may, the others are left for the next write.
 */
function decide(
  before: Head,
  jobs: readonly Job[],
  found: readonly (ChatMessage | null)[],
  prepare: (change: SessionChange<unknown>, head: Head) => readonly Prepared[],
): Decision {
  let head = before;
  let isChanged = false;
  let bytes = 0;
  const prepared: Prepared[] = [];
  const settled: Settled[] = [];
  const said = new Map<string, ChatMessage>();
  for (const [index, { change, lookUp, resolve, reject }] of jobs.entries()) {
    if (bytes > pendingBytesMax || prepared.length >= pendingMax) break;
    try {
      const known = found[index] ?? (lookUp === undefined ? undefined : said.get(lookUp)) ?? null;
      const changed = change(head, known);
      const { result, head: next, messages = [], events = [] } = changed;
      if (next !== undefined) {
        const added = prepare(changed, next);
        bytes += bytesOf(added.map(({ pending }) => pending));
        prepared.push(...added);
        head = next;
        isChanged = true;
        for (const message of messages) said.set(message.messageId, message);
      }
      settled.push({ tell: () => resolve(result), hasEvents: events.length > 0 });
    } catch (error) {
      settled.push({ tell: () => reject(error), hasEvents: false });
    }
  }
  return { head, isChanged, prepared, settled };
}

function isCrowded(pending: readonly Pending[]): boolean {
  return pending.length >= pendingMax || bytesOf(pending) > pendingBytesMax;
}

/** As they lie in the head: a text in them is JSON within JSON, and quotes take four bytes. */
function bytesOf(pending: readonly Pending[]): number {
  return Buffer.byteLength(JSON.stringify(pending));
}

function idOf(entry: Pending): string {
  return entry.kind === "message" ? entry.messageId : entry.cursor;
}
