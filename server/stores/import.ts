import { isDeepStrictEqual } from "node:util";
import type { Head } from "../messaging/head.js";
import type { Aside, ChatMessage } from "../messaging/model.js";
import { type Store, StoreError } from "../messaging/store.js";
import { type ExportCounts, readExport } from "./export-format.js";
import { revokedPrefix } from "../messaging/revocations.js";
import type { ExportedRecord } from "./export-schema.js";

/** Writes on their way at once. Of one session there is one, so that its head comes first. */
const inFlightMax = 64;
/** Messages and asides. */
const partRowsMax = 100;
/** Of the lines of one write. With what is in flight and the ids in the file, this is the memory that an import takes. */
const partBytesMax = 2 ** 20;
/** At what may pass, as a network that is gone for a moment. */
const attemptsMax = 5;
/** After the first attempt, and twice as long after each other one: 15 s in all. */
const firstPauseMs = 1000;

/** What became of what an export holds. */
export interface ImportCounts {
  readonly written: ExportCounts;
  /** It was there before, and is as it was. */
  readonly there: ExportCounts;
  /** Sessions that were there and are not as the export has them: older ones, or newer ones. */
  readonly otherSessions: number;
  /** Messages and asides of those, which lie beyond what they hold and were not written. */
  readonly leftOut: number;
}

/** The store kept failing. What was written stays, and running the import again goes on from there. */
export class ImportGaveUp extends Error {
  override readonly name = "ImportGaveUp";

  constructor(cause: StoreError) {
    const seconds = (firstPauseMs * (2 ** (attemptsMax - 1) - 1)) / 1000;
    super(
      `gave up after ${attemptsMax} attempts within ${seconds} s; what was written stays, and the same import goes on ` +
        "from there",
      { cause },
    );
  }
}

/**
 * Writes what an export holds into a store. The whole of the file is looked at before anything is written. What the
 * store has already stays as it is, so it can be run again, also after it was interrupted. A write that may succeed
 * later is repeated a few times.
 * @param pause waits so many ms
 * @throws DamagedExport; ImportGaveUp; StoreError of what no repetition mends
 */
export async function importInto(
  store: Store,
  path: string,
  pause: (ms: number) => Promise<unknown>,
): Promise<ImportCounts> {
  await readExport(path, () => undefined);
  const writes = new Writes(inFlightMax);
  const target: Target = { store, attempts: new Attempts(pause), tally: new Tally() };
  const sessions = new Sessions(target, writes);
  try {
    await readExport(path, (entry, bytes) => {
      if ("message" in entry || "aside" in entry) return sessions.row(entry, bytes);
      if ("head" in entry) return sessions.head(entry.head);
      return writes.add(() => writeRecord(target, entry.record));
    });
    await sessions.finish();
  } finally {
    await writes.settled();
  }
  return target.tally;
}

interface Target {
  readonly store: Store;
  readonly attempts: Attempts;
  readonly tally: Tally;
}

class Tally implements ImportCounts {
  readonly written = { records: 0, sessions: 0, messages: 0, asides: 0 };
  readonly there = { records: 0, sessions: 0, messages: 0, asides: 0 };
  otherSessions = 0;
  leftOut = 0;
}

/** Repeats what failed and may succeed. Every write of an import can be repeated. */
class Attempts {
  readonly #pause: (ms: number) => Promise<unknown>;
  #isOver = false;

  constructor(pause: (ms: number) => Promise<unknown>) {
    this.#pause = pause;
  }

  /** @param attempt told whether there was one before, which may have been done though it failed */
  async make<T>(attempt: (isRepeated: boolean) => Promise<T>): Promise<T> {
    for (let count = 1; ; count += 1) {
      try {
        return await attempt(count > 1);
      } catch (cause) {
        await this.#recover(cause, count);
      }
    }
  }

  // Once one has given up, none of the others goes on.
  async #recover(cause: unknown, count: number): Promise<void> {
    const isHopeless = !(cause instanceof StoreError) || !cause.retryable;
    if (!isHopeless && count < attemptsMax && !this.#isOver) {
      await this.#pause(firstPauseMs * 2 ** (count - 1));
      return;
    }
    this.#isOver = true;
    throw isHopeless ? cause : new ImportGaveUp(cause);
  }
}

async function writeRecord({ store, attempts, tally }: Target, { partition, id, value }: ExportedRecord) {
  const isOurs = await attempts.make(async (isRepeated) => {
    const { isWritten, record } = await store.writeRecord({ partition, id }, null, value);
    if (!isWritten && revokesMore(partition, value, record?.value)) {
      return (await store.writeRecord({ partition, id }, record!.rev, value)).isWritten;
    }
    // What an attempt wrote whose answer was lost is there for the next one.
    return isWritten || (isRepeated && isDeepStrictEqual(record?.value, value));
  });
  (isOurs ? tally.written : tally.there).records += 1;
}

// What is there stays, but a token that was taken back anywhere is good nowhere.
function revokesMore(partition: string, given: unknown, there: unknown): boolean {
  if (!partition.startsWith(revokedPrefix)) return false;
  const [ours, theirs] = [given, there].map((value) => (value as { readonly before?: unknown } | undefined)?.before);
  return typeof ours === "number" && (typeof theirs !== "number" || ours > theirs);
}

/** A session of the file on its way into the store. */
class SessionImport {
  readonly #head: Head;
  readonly #target: Target;
  /** What the store had before anything was written. Undefined: nobody has looked. */
  #found: Head | null | undefined;

  constructor(head: Head, target: Target) {
    this.#head = head;
    this.#target = target;
  }

  /** Its parts come one after another. */
  async write({ messages, asides }: Part): Promise<void> {
    const { store, attempts, tally } = this.#target;
    const isFirst = this.#found === undefined;
    const found =
      this.#found === undefined ? await attempts.make(() => store.readHead(this.#head.session.sessionId)) : this.#found;
    this.#found = found;
    const [known, knownAsides] = found === null ? [[], []] : [within(found, messages), within(found, asides)];
    const there = await attempts.make(() => this.#countThere(known));
    const asidesThere = await attempts.make(() => this.#countAsidesThere(knownAsides));
    await attempts.make(() => store.importSession(this.#head, messages, asides));
    const leftOut = found === null ? [0, 0] : [messages.length - known.length, asides.length - knownAsides.length];
    tally.leftOut += leftOut[0]! + leftOut[1]!;
    tally.there.messages += there;
    tally.written.messages += messages.length - leftOut[0]! - there;
    tally.there.asides += asidesThere;
    tally.written.asides += asides.length - leftOut[1]! - asidesThere;
    if (!isFirst) return;
    (found === null ? tally.written : tally.there).sessions += 1;
    if (found !== null && !isSameState(found, this.#head)) tally.otherSessions += 1;
  }

  async #countThere(known: readonly ChatMessage[]): Promise<number> {
    const [first, last] = [known[0], known.at(-1)];
    if (first === undefined || last === undefined) return 0;
    const range = { after: first.offset - 1, before: last.offset + 1, limit: known.length };
    return (await this.#target.store.readMessages(this.#head.session.sessionId, range)).items.length;
  }

  async #countAsidesThere(known: readonly Aside[]): Promise<number> {
    const [first, last] = [known[0], known.at(-1)];
    if (first === undefined || last === undefined) return 0;
    const ids = new Set(known.map(({ messageId }) => messageId));
    const there = new Set<string>();
    const range = { to: last.afterOffset, limit: partRowsMax };
    for (let from = first.afterOffset; ;) {
      const { items, hasMore } = await this.#target.store.readAsides(this.#head.session.sessionId, { ...range, from });
      for (const { messageId } of items) if (ids.has(messageId)) there.add(messageId);
      if (!hasMore) return there.size;
      // Those on the message with which the page ended may not have been all.
      from = Math.max(items.at(-1)!.afterOffset, from + 1);
    }
  }
}

/** What one write takes. */
interface Part {
  readonly messages: readonly ChatMessage[];
  readonly asides: readonly Aside[];
}

function within<T extends ChatMessage | Aside>(found: Head, rows: readonly T[]): readonly T[] {
  return rows.filter((row) => !isBeyond(found, row));
}

// A session that is there gets none that it does not know of, and one that is being deleted none at all.
function isBeyond({ deletingSince, session }: Head, row: ChatMessage | Aside): boolean {
  return deletingSince !== null || ("offset" in row ? row.offset : row.afterOffset) > session.offset;
}

/** But for who was answering it, which an import leaves behind. */
function isSameState(one: Head, other: Head): boolean {
  const [first, second] = [one, other].map(
    ({ session, day, turns, intent, suspended = null, deletingSince }): unknown =>
      // In a file there is no field without a value.
      JSON.parse(JSON.stringify({ session, day, turns, intent, suspended, deletingSince })),
  );
  return isDeepStrictEqual(first, second);
}

/** Gathers what each session holds into parts. */
class Sessions {
  readonly #target: Target;
  readonly #writes: Writes;
  #session: SessionImport | null = null;
  #messages: ChatMessage[] = [];
  #asides: Aside[] = [];
  #partBytes = 0;
  /** The write of the session's part before. */
  #before: Promise<void> = Promise.resolve();

  constructor(target: Target, writes: Writes) {
    this.#target = target;
    this.#writes = writes;
  }

  async head(head: Head): Promise<void> {
    await this.finish();
    this.#session = new SessionImport(head, this.#target);
    this.#before = Promise.resolve();
  }

  row(row: { readonly message: ChatMessage } | { readonly aside: Aside }, bytes: number): void | Promise<void> {
    if ("message" in row) this.#messages.push(row.message);
    else this.#asides.push(row.aside);
    this.#partBytes += bytes;
    const isFull = this.#messages.length + this.#asides.length >= partRowsMax || this.#partBytes >= partBytesMax;
    if (isFull) return this.#write(this.#session!);
  }

  /** Writes what has been gathered. */
  async finish(): Promise<void> {
    if (this.#session !== null) await this.#write(this.#session);
    this.#session = null;
  }

  #write(session: SessionImport): Promise<void> {
    const part: Part = { messages: this.#messages, asides: this.#asides };
    const before = this.#before;
    this.#messages = [];
    this.#asides = [];
    this.#partBytes = 0;
    return this.#writes.add(() => {
      const write = before.then(() => session.write(part));
      this.#before = write;
      return write;
    });
  }
}

/** So many writes at once. The first that fails ends it. */
class Writes {
  readonly #max: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly cause: unknown } | null = null;

  constructor(max: number) {
    this.#max = max;
  }

  /** Waits for a place, and begins. @throws what an earlier one was refused with */
  async add(begin: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#max) await Promise.race(this.#running);
    this.#check();
    const write: Promise<void> = begin()
      .catch((cause: unknown) => {
        this.#failure ??= { cause };
      })
      .finally(() => this.#running.delete(write));
    this.#running.add(write);
  }

  /** Waits for all. @throws what the first one was refused with */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
    this.#check();
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure.cause;
  }
}
