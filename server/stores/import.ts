import type { Head } from "../messaging/head.js";
import type { ChatMessage } from "../messaging/model.js";
import type { Store } from "../messaging/store.js";
import { type ExportCounts, type ExportedRecord, readExport } from "./export-format.js";

/** Writes on their way at once. Of one session there is one, so that its head comes first. */
const inFlightMax = 64;
const partMessagesMax = 100;
/** Of the lines of one write. With what is in flight, this is the memory that an import takes. */
const partBytesMax = 2 ** 20;

/**
 * Writes what an export holds into a store. The whole of the file is looked at before anything is written. What the
 * store has already stays as it is, so it can be run again, also after it was interrupted.
 * @throws DamagedExport; StoreError
 */
export async function importInto(store: Store, path: string): Promise<ExportCounts> {
  await readExport(path, () => undefined);
  const writes = new Writes(inFlightMax);
  const sessions = new Sessions(store, writes);
  try {
    const counts = await readExport(path, (entry, bytes) => {
      if ("message" in entry) return sessions.message(entry.message, bytes);
      if ("head" in entry) return sessions.head(entry.head);
      return writes.add(() => writeRecord(store, entry.record));
    });
    await sessions.finish();
    return counts;
  } finally {
    await writes.settled();
  }
}

async function writeRecord(store: Store, { partition, id, value }: ExportedRecord): Promise<void> {
  await store.writeRecord({ partition, id }, null, value);
}

/** Gathers each session's messages into parts. */
class Sessions {
  readonly #store: Store;
  readonly #writes: Writes;
  #head: Head | null = null;
  #part: ChatMessage[] = [];
  #partBytes = 0;
  /** The write of the session's part before. */
  #before: Promise<void> = Promise.resolve();

  constructor(store: Store, writes: Writes) {
    this.#store = store;
    this.#writes = writes;
  }

  async head(head: Head): Promise<void> {
    await this.finish();
    this.#head = head;
    this.#before = Promise.resolve();
  }

  message(message: ChatMessage, bytes: number): void | Promise<void> {
    this.#part.push(message);
    this.#partBytes += bytes;
    if (this.#part.length >= partMessagesMax || this.#partBytes >= partBytesMax) return this.#write(this.#head!);
  }

  /** Writes what has been gathered. */
  async finish(): Promise<void> {
    if (this.#head !== null) await this.#write(this.#head);
    this.#head = null;
  }

  #write(head: Head): Promise<void> {
    const [part, before] = [this.#part, this.#before];
    this.#part = [];
    this.#partBytes = 0;
    return this.#writes.add(() => {
      const write = before.then(() => this.#store.importSession(head, part));
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
