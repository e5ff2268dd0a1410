import type { Head } from "../../messaging/head.js";
import type { ChatMessage } from "../../messaging/model.js";
import { DamagedFile, LmdbFile } from "./lmdb-file.js";
import { walkPages } from "./page-walk.js";
import { openSnapshot, storePaths } from "./store-files.js";
import type { Table } from "./table.js";
import { asideKey, indexKey, indexNames, type Tables, windowKey } from "./tables.js";

/** How much of what was read. */
export interface StoreCounts {
  sessions: number;
  messages: number;
  asides: number;
  records: number;
  events: number;
  openTurns: number;
}

/**
 * Reads everything that the store of a data directory holds, as of now, also beside a running server. LMDB may crash
 * over a damaged file, so this is for a process of its own.
 * @param onFinding told of each thing that is wrong, in one line
 */
export async function checkStore(directory: string, onFinding: (finding: string) => void): Promise<StoreCounts> {
  const { data } = storePaths(directory);
  const snapshot = await openSnapshot(directory).catch((cause: unknown) => {
    // Where it is broken says more than what LMDB makes of it.
    findInPages(data, onFinding);
    throw cause;
  });
  try {
    // The snapshot keeps the server from writing to pages that its state and all later ones refer to.
    const bytes = findInPages(data, onFinding);
    return new Check(snapshot.tables, onFinding, bytes / entryBytesMin).run();
  } finally {
    await snapshot.close();
  }
}

/** @returns bytes of the file */
function findInPages(path: string, onFinding: (finding: string) => void): number {
  let file: LmdbFile | null = null;
  try {
    file = new LmdbFile(path);
    walkPages(file);
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    onFinding(error.message);
  } finally {
    file?.close();
  }
  return file?.bytes ?? 0;
}

/** Of a key, a value and what LMDB adds. A damaged tree may go round in circles. */
const entryBytesMin = 12;

class Check {
  readonly #tables: Tables;
  readonly #onFinding: (finding: string) => void;
  readonly #entriesMax: number;
  readonly #counts: StoreCounts = { sessions: 0, messages: 0, asides: 0, records: 0, events: 0, openTurns: 0 };

  constructor(tables: Tables, onFinding: (finding: string) => void, entriesMax: number) {
    this.#tables = tables;
    this.#onFinding = onFinding;
    this.#entriesMax = entriesMax;
  }

  run(): StoreCounts {
    const { heads, messages, asides, places, windows, events, records, meta } = this.#tables;
    this.#each(meta, () => undefined);
    this.#each(heads, (key, head) => this.#head(String(key), head));
    this.#messages(messages);
    this.#each(asides, (key: unknown[], aside) => {
      this.#counts.asides += 1;
      if (!isSame(asideKey(aside), key)) this.#wrong(asides, key, `holds aside ${aside.messageId}`);
      const head = this.#headOf(aside.sessionId);
      if (head === null) this.#wrong(asides, key, "is of a session that is not there");
      else if (aside.afterOffset > head.session.offset) {
        this.#wrong(asides, key, `hangs beyond the session's last, ${head.session.offset}`);
      }
    });
    this.#each(places, ([messageId, sessionId]: [string, string], { offset }) => {
      const message = this.#message(sessionId, offset);
      if (message?.messageId !== messageId) this.#wrong(places, [messageId, sessionId], `names offset ${offset}`);
    });
    this.#each(windows, (key: unknown[], [sessionId, offset]) => {
      const [head, message] = [this.#headOf(sessionId), this.#message(sessionId, offset)];
      const isRight = head !== null && message !== null && isSame(windowKey(head, message), key);
      if (!isRight) this.#wrong(windows, key, `names offset ${offset} of ${sessionId}`);
    });
    for (const name of indexNames) {
      const index = this.#tables.indexes[name];
      this.#each(index, (key: unknown[], sessionId) => {
        const head = this.#headOf(sessionId);
        if (head === null || !isSame(indexKey(name, head), key)) this.#wrong(index, key, `names ${sessionId}`);
      });
    }
    this.#each(events, (key: unknown[], { businessId, cursor }) => {
      this.#counts.events += 1;
      if (!isSame([businessId, cursor], key)) this.#wrong(events, key, `holds event ${cursor} of ${businessId}`);
    });
    this.#each(records, (key: unknown[], { rev }) => {
      this.#counts.records += 1;
      if (!Number.isSafeInteger(rev) || rev < 1) this.#wrong(records, key, `has rev ${rev}`);
    });
    return this.#counts;
  }

  #head(sessionId: string, head: Head): void {
    const { heads, indexes } = this.#tables;
    this.#counts.sessions += 1;
    this.#counts.openTurns += head.turns.length;
    if (head.session.sessionId !== sessionId) this.#wrong(heads, sessionId, `holds ${head.session.sessionId}`);
    for (const name of indexNames) {
      const key = indexKey(name, head);
      if (key !== null && this.#try(indexes[name], key) !== sessionId) {
        this.#wrong(heads, sessionId, `is not in ${name} at ${JSON.stringify(key)}`);
      }
    }
    // Those of a session that is being deleted go before its head does.
    if (head.deletingSince !== null) return;
    const { offset } = head.session;
    if (offset > 0 && this.#message(sessionId, offset) === null) {
      this.#wrong(heads, sessionId, `says that its last message is ${offset}, and there is none`);
    }
    for (const turn of head.turns) {
      const question = this.#message(sessionId, turn.offset);
      if (question?.messageId !== turn.messageId) {
        this.#wrong(heads, sessionId, `has an open turn ${turn.messageId} that is not its message ${turn.offset}`);
      }
    }
  }

  // In key order: each session's by offset.
  #messages(messages: Table<ChatMessage>): void {
    let sessionId: string | null = null;
    let head: Head | null = null;
    let expected = 1;
    for (const { key, ...found } of this.#entries(messages)) {
      const [keySession, keyOffset] = key as [string, number];
      if (keySession !== sessionId) {
        sessionId = keySession;
        head = this.#headOf(sessionId);
        if (head === null) this.#wrong(messages, key, "is of a session that is not there");
        expected = head?.deletingSince === null ? 1 : keyOffset;
      }
      if (head !== null && keyOffset !== expected && head.deletingSince === null) {
        this.#wrong(messages, key, `follows ${expected - 1}: there is a gap`);
      }
      if (head !== null && keyOffset > head.session.offset) {
        this.#wrong(messages, key, `is beyond the session's last, ${head.session.offset}`);
      }
      expected = keyOffset + 1;
      this.#counts.messages += 1;
      if ("damage" in found) this.#onFinding(found.damage.message);
      else if (head !== null) this.#messageOf(head, key as [string, number], found.value);
    }
  }

  #messageOf(head: Head, key: [string, number], message: ChatMessage): void {
    const { messages, places, windows } = this.#tables;
    const [sessionId, offset] = key;
    const { messageId } = message;
    if (message.sessionId !== sessionId || message.offset !== offset) {
      this.#wrong(messages, key, `holds offset ${message.offset} of ${message.sessionId}`);
    }
    if (this.#try(places, [messageId, sessionId])?.offset !== offset) {
      this.#wrong(messages, key, `is not found by its id ${messageId}`);
    }
    const window = windowKey(head, message);
    if (window !== null && !isSame(this.#try(windows, window), key)) this.#wrong(messages, key, "is not in its window");
  }

  #each<T, K>(table: Table<T>, look: (key: K, value: T) => void): void {
    for (const entry of this.#entries(table)) {
      if ("damage" in entry) this.#onFinding(entry.damage.message);
      else look(entry.key as K, entry.value);
    }
  }

  // What LMDB says of its own tree ends the table, not the check.
  *#entries<T>(table: Table<T>) {
    let count = 0;
    try {
      for (const entry of table.everything()) {
        count += 1;
        if (count > this.#entriesMax) throw new Error("it has no end");
        yield entry;
      }
    } catch (error) {
      this.#onFinding(`${table.name} cannot be read further: ${String(error)}`);
    }
  }

  #headOf(sessionId: string): Head | null {
    return this.#try(this.#tables.heads, sessionId);
  }

  #message(sessionId: string, offset: number): ChatMessage | null {
    return this.#try(this.#tables.messages, [sessionId, offset]);
  }

  // What is damaged is told of when its own table is read.
  #try<T>(table: Table<T>, key: Parameters<Table<T>["get"]>[0]): T | null {
    try {
      return table.get(key);
    } catch {
      return null;
    }
  }

  #wrong(table: Table<never> | Table<unknown>, key: unknown, what: string): void {
    this.#onFinding(`the record ${JSON.stringify(key)} of ${table.name} ${what}`);
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
