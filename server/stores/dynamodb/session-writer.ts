import type { Cancel, Clock } from "../../clock.js";
import type { Head } from "../../messaging/head.js";
import type { ChatMessage, ProcessedEvent } from "../../messaging/model.js";
import { type LeftOver, type SessionChange, StoreError } from "../../messaging/store.js";
import { LeftOvers, type PendingEvent } from "./left-over.js";
import {
  type EventLink,
  eventLink,
  type Pending,
  pendingAside,
  pendingEvent,
  pendingMessage,
  type Prepared,
  rowsOf,
} from "./pending.js";
import { type Item, NotAsked, type Patience, type Requests } from "./requests.js";
import { headItem, isStill, nextHead, type StoredHead, storedHead } from "./stored-head.js";
import type { TableNames } from "./tables.js";

export interface WriterDeps {
  readonly requests: Requests;
  readonly names: TableNames;
  readonly clock: Clock;
  /** Names a write, so that it can be told from everybody else's. */
  readonly newId: () => string;
  readonly newCursor: () => string;
  readonly findMessage: (stored: StoredHead, messageId: string) => Promise<ChatMessage | null>;
  readonly readEvent: (entry: PendingEvent) => Promise<ProcessedEvent | null>;
  /** Told of an outcome that is written and that nobody else will tell of. */
  readonly onLeftOver: (outcome: LeftOver) => void;
  /** Told of what failed where nobody waits for it. It is tried again. */
  readonly onError: (operation: string, error: unknown) => void;
}

interface Job {
  readonly change: (head: Head, found: ChatMessage | null) => SessionChange<unknown>;
  readonly lookUp: string | undefined;
  /** By the monotonic clock: then it is refused, if it is not written by then. */
  readonly deadline: number;
  /** Its write is applied: its caller will be told so, however late. */
  readonly keep: () => void;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  isRefused: boolean;
  isKept: boolean;
}

/** What a batch of changes made of a head. */
interface Decision {
  /** Names the write, and what it puts where it is looked for by that name. */
  readonly write: string;
  readonly head: Head;
  readonly isChanged: boolean;
  readonly prepared: readonly Prepared[];
  readonly settled: readonly Settled[];
}

/** A change that is decided, and its caller, who waits to be told. */
interface Settled {
  readonly job: Job;
  readonly tell: () => void;
  readonly hasEvents: boolean;
  /** What it adds to what the head carries along. */
  readonly ids: readonly string[];
}

/** Of one session; more are refused. */
const waitingMax = 1024;
const batchMax = 64;
/** Entries and bytes that a head may carry along before its rows are waited for, and that one write may add. */
const pendingMax = 32;
const pendingBytesMax = 64 * 1024;
/** Of more events than this in one change the texts lie elsewhere. */
const inlineEventsMax = 4;
/** How long a settled entry stays in the head, waiting for a write that takes it along. */
const clearAfterMs = 1000;
const settleRetryMs = 1000;
/** Left by a write, whose answer may be lost, of a change's time: for finding out what became of it. */
const afterPutMs = 1300;
const findOutMs = 500;
/** With less than this left nothing is tried any more: a write that is not heard of must leave time for that. */
const triedMs = findOutMs + 100;

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
  /**
   * Pending entries of changes whose callers are told, or will be, and since when, by the monotonic clock. All others
   * are told of by us.
   */
  readonly #own = new Map<string, number>();
  readonly #leftOvers: LeftOvers;
  #settling: Promise<void> | null = null;
  #cancelTimer: Cancel | null = null;

  constructor(sessionId: string, deps: WriterDeps) {
    this.#sessionId = sessionId;
    this.#deps = deps;
    this.#leftOvers = new LeftOvers(deps);
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
      this.#waiting.push(this.#newJob({ change, lookUp, resolve: resolve as (result: unknown) => void, reject }));
      this.#running ??= Promise.resolve().then(() => this.#drain());
    });
  }

  // Its time begins now, wherever it waits.
  #newJob(asked: Pick<Job, "change" | "lookUp" | "resolve" | "reject">): Job {
    const { clock, requests } = this.#deps;
    const { callMs } = requests;
    const cancel = clock.after(callMs, () => {
      job.isRefused = true;
      this.#waiting = this.#waiting.filter((each) => each !== job);
      asked.reject(outOfTime());
    });
    const job: Job = {
      ...asked,
      deadline: clock.monotonic() + callMs,
      keep: () => {
        cancel();
        job.isKept = true;
      },
      resolve: (result) => {
        cancel();
        asked.resolve(result);
      },
      reject: (error) => {
        cancel();
        job.isRefused = true;
        asked.reject(error);
      },
      isRefused: false,
      isKept: false,
    };
    return job;
  }

  /** Writes what a process that ended left pending, and takes it out of the head. */
  async settle(): Promise<void> {
    await this.#running;
    const before = this.#known;
    const now = await this.#read();
    // What we have written meanwhile is newer than what was read.
    const isOutdated = this.#known !== before && (this.#known?.head.rev ?? 0) > (now?.head.rev ?? 0);
    if (!isOutdated) this.#known = now;
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
        for (const { isKept, reject } of batch) if (!isKept) reject(error);
      }
    }
    this.#running = null;
  }

  async #write(batch: Job[]): Promise<void> {
    let jobs: readonly Job[] = batch;
    for (let attempt = 0; jobs.length > 0; attempt += 1) {
      // Others write to the same session: who waits a random while lets one of them through.
      if (attempt > 2) await this.#deps.requests.pause(attempt - 2);
      jobs = await this.#attempt(jobs);
    }
  }

  /** @returns those that have to be tried again, because somebody else wrote, or because there was no room for them */
  async #attempt(given: readonly Job[], isFresh = this.#known === null): Promise<readonly Job[]> {
    let jobs = given.filter(isWaitedFor);
    if (jobs.length === 0) return [];
    const before = isFresh ? await this.#read({ ms: this.#timeLeft(deadlineOf(jobs)) }) : this.#known;
    if (before === null) {
      this.#known = null;
      for (const { resolve } of jobs) resolve(null);
      return [];
    }
    this.#known = before;
    if (isCrowded(this.#unsettled(before))) await this.#settleNow();
    const found = await Promise.all(jobs.map((job) => this.#find(before, job)));
    const findings = new Map(jobs.map((job, index) => [job, found[index] ?? null]));
    jobs = jobs.filter(isWaitedFor);
    const write = this.#deps.newId();
    const decided = decide(before.head, jobs, findings, (change, head) => this.#prepare(change, head, write));
    const decision: Decision = { write, ...decided };
    if (!decision.isChanged) {
      // What was decided not to be written must be decided on the head as it is, not as we remember it.
      if (!isFresh) return this.#attempt(jobs, true);
      for (const { tell } of decision.settled) tell();
      return jobs.slice(decision.settled.length);
    }
    if (!(await this.#putOwn(before, decision))) return jobs;
    for (const { tell } of decision.settled.filter(({ hasEvents }) => !hasEvents)) tell();
    const tellers = decision.settled.filter(({ hasEvents }) => hasEvents);
    if (tellers.length > 0) void this.#settleThenTell(tellers);
    else this.#settleSoon(0);
    return jobs.slice(decision.settled.length);
  }

  /** Before the write, lest somebody take for left over what is about to be told. */
  async #putOwn(before: StoredHead, decision: Decision): Promise<boolean> {
    const now = this.#deps.clock.monotonic();
    for (const { ids } of decision.settled) for (const id of ids) this.#own.set(id, now);
    let isWritten = false;
    try {
      isWritten = await this.#put(before, decision, deadlineOf(decision.settled.map(({ job }) => job)));
    } finally {
      // Who was refused meanwhile will not tell of it, though it may be written.
      for (const { job, ids } of decision.settled) {
        if (isWritten && !job.isRefused) job.keep();
        else for (const id of ids) this.#disown(id);
      }
    }
    return isWritten;
  }

  #disown(id: string): void {
    this.#own.delete(id);
    // Whatever was written of it, nobody was told.
    this.#settled.delete(id);
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

  /** @param write what the parts of long bodies are named by: each attempt has its own, and touches no other's */
  #prepare(
    { messages = [], events = [], asides = [] }: SessionChange<unknown>,
    { session: { userId: ownerId } }: Head,
    write: string,
  ): readonly Prepared[] {
    const { names } = this.#deps;
    // An outcome of many turns has an event of each: their texts together may be more than a head carries.
    const inlineMax = events.length > inlineEventsMax ? 0 : undefined;
    const told = events.map((event) => ({ event, prepared: pendingEvent(names, event, write, inlineMax) }));
    const linkOf = ({ metadata: { responseId, inReplyTo } }: ChatMessage): EventLink | null => {
      const ofThis = told.filter(({ event }) => responseId !== undefined && event.responseId === responseId);
      const main = ofThis.find(({ event }) => event.messageId === inReplyTo) ?? ofThis[0];
      const others = ofThis.filter((each) => each !== main).map(({ prepared }) => eventLink(prepared));
      if (main === undefined) return null;
      return { ...eventLink(main.prepared), ...(others.length === 0 ? {} : { others }) };
    };
    return [
      ...messages.map((message) => pendingMessage(names, message, { ownerId, write, event: linkOf(message) })),
      ...told.map(({ prepared }) => prepared),
      ...asides.map((aside) => pendingAside(names, aside, () => write)),
    ];
  }

  /** @returns false when somebody else wrote first */
  async #put(before: StoredHead, { head, prepared, write }: Decision, deadline: number): Promise<boolean> {
    const { requests, clock } = this.#deps;
    const next = nextHead(before, {
      head: { ...head, rev: before.head.rev + 1 },
      pending: [...this.#unsettled(before), ...prepared.map(({ pending }) => pending)],
      write,
      now: clock.now(),
    });
    const item = headItem(next);
    const parts = prepared.flatMap(({ parts }) => parts);
    if (parts.length > 0) await requests.writeAll(parts);
    const isWritten = await this.#putItem(item, before, { write, deadline });
    if (isWritten !== null) {
      this.#known = isWritten === "applied" ? next : isWritten;
      // What is no longer carried along, whoever took it out, need not be remembered.
      const carried = new Set(next.pending.map(idOf));
      for (const id of this.#settled) if (!carried.has(id)) this.#settled.delete(id);
      for (const id of this.#own.keys()) if (!carried.has(id)) this.#own.delete(id);
      return true;
    }
    return false;
  }

  /** @returns the head that our write made, or "applied" for the item itself; null when somebody else wrote first */
  async #putItem(
    item: Item,
    before: StoredHead,
    { write, deadline }: { readonly write: string; readonly deadline: number },
  ): Promise<StoredHead | "applied" | null> {
    const { requests, names } = this.#deps;
    const left = this.#timeLeft(deadline);
    if (left < triedMs) throw outOfTime();
    let failure: StoreError | null = null;
    try {
      const ms = Math.min(requests.callMs - afterPutMs, left - findOutMs);
      if (await requests.put(names.sessions, item, isStill(before), { ms })) return "applied";
    } catch (error) {
      if (!(error instanceof StoreError) || error instanceof NotAsked) throw error;
      failure = error;
    }
    // Refused, or without an answer: it may have been applied before the SDK sent it once more.
    const now = await this.#read({ ms: Math.max(this.#timeLeft(deadline), findOutMs), evenInTheDark: true });
    this.#known = now;
    if (now?.writes.includes(write) === true) return now;
    if (failure !== null) throw failure;
    return null;
  }

  async #read(patience: Patience = {}): Promise<StoredHead | null> {
    const { requests, names } = this.#deps;
    const item = await requests.get(names.sessions, { sessionId: this.#sessionId }, patience);
    return item === null ? null : storedHead(item);
  }

  #timeLeft(deadline: number): number {
    return deadline - this.#deps.clock.monotonic();
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
    const stored = this.#known;
    const entries = stored === null ? [] : this.#unsettled(stored);
    if (stored === null || entries.length === 0) return;
    this.#settling = this.#writeRows(stored, entries);
    try {
      await this.#settling;
    } finally {
      this.#settling = null;
    }
  }

  /** An entry leaves the head only when its rows are there, and when it was told of, if that is left to us. */
  async #writeRows(stored: StoredHead, pending: readonly Pending[]): Promise<void> {
    const { requests, names, onLeftOver, onError } = this.#deps;
    const { entries, parts, leftOver, outdated } = await this.#leftOvers.settlement(stored, pending, this.#own);
    if (parts.length > 0) await requests.writeAll(parts);
    await requests.writeAll(entries.flatMap((entry) => rowsOf(names, this.#sessionId, entry)));
    if (outdated.length > 0) await requests.writeAll(outdated);
    for (const outcome of leftOver) {
      try {
        onLeftOver(outcome);
      } catch (error) {
        onError("tell of an outcome", error);
      }
    }
    for (const entry of pending) this.#settled.add(idOf(entry));
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
  found: ReadonlyMap<Job, ChatMessage | null>,
  prepare: (change: SessionChange<unknown>, head: Head) => readonly Prepared[],
): Omit<Decision, "write"> {
  let head = before;
  let isChanged = false;
  let bytes = 0;
  const prepared: Prepared[] = [];
  const settled: Settled[] = [];
  const said = new Map<string, ChatMessage>();
  for (const job of jobs) {
    if (bytes > pendingBytesMax || prepared.length >= pendingMax) break;
    const { change, lookUp, resolve, reject } = job;
    try {
      const ids: string[] = [];
      const known = found.get(job) ?? (lookUp === undefined ? undefined : said.get(lookUp)) ?? null;
      const changed = change(head, known);
      const { result, head: next, messages = [], events = [] } = changed;
      if (next !== undefined) {
        const added = prepare(changed, next);
        bytes += bytesOf(added.map(({ pending }) => pending));
        prepared.push(...added);
        ids.push(...added.map(({ pending }) => idOf(pending)));
        head = next;
        isChanged = true;
        for (const message of messages) said.set(message.messageId, message);
      }
      settled.push({ job, tell: () => resolve(result), hasEvents: events.length > 0, ids });
    } catch (error) {
      settled.push({ job, tell: () => reject(error), hasEvents: false, ids: [] });
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
  return entry.kind === "event" ? entry.cursor : entry.messageId;
}

function isWaitedFor({ isRefused }: Job): boolean {
  return !isRefused;
}

/** Until when there is time for those that may take longest; the others are refused by themselves. */
function deadlineOf(jobs: readonly Job[]): number {
  return Math.max(...jobs.map(({ deadline }) => deadline));
}

function outOfTime(): StoreError {
  const cause = new Error("it could not be written in time");
  return new StoreError("changing a session", { retryable: true, cause });
}
