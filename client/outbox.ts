import { asRecord, optional, text } from "./fields.js";
import { limits } from "./limits.js";

/** A message that the server has not confirmed. */
export interface Unsent {
  readonly clientMessageId: string;
  readonly text: string;
  /** Milliseconds since 1970, this clock. */
  readonly createdAtMs: number;
  /** It fills in a form; the server makes the text of it. */
  readonly submit?: Submit;
}

export interface Submit {
  readonly componentId: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Where unsent messages survive a reload, and `leave()`: `sessionStorage` has this shape. */
export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Unsent messages, oldest first. */
export class Outbox {
  readonly #storage: KeyValueStorage | null;
  /** The storage has what is waiting. */
  #isKept: boolean;
  readonly #key: string;
  #waiting: readonly Unsent[];

  constructor(storage: KeyValueStorage | null, key: string) {
    this.#storage = storage;
    this.#isKept = storage !== null;
    this.#key = key;
    this.#waiting = storage === null ? [] : restore(storage, key);
  }

  get waiting(): readonly Unsent[] {
    return this.#waiting;
  }

  /** @returns false when it is full, or already holds the message */
  add(unsent: Unsent): boolean {
    if (this.#waiting.length >= limits.outboxMax || this.find(unsent.clientMessageId) !== undefined) return false;
    this.#keep([...this.#waiting, unsent]);
    return true;
  }

  find(clientMessageId: string): Unsent | undefined {
    return this.#waiting.find((unsent) => unsent.clientMessageId === clientMessageId);
  }

  remove(clientMessageId: string): void {
    if (this.find(clientMessageId) === undefined) return;
    this.#keep(this.#waiting.filter((unsent) => unsent.clientMessageId !== clientMessageId));
  }

  /**
   * Lets go of everything, without a word to the storage: the next outbox may be using it already.
   * @returns what was waiting, and whether the storage has it for the next
   */
  close(): { readonly waiting: readonly Unsent[]; readonly isKept: boolean } {
    const left = { waiting: this.#waiting, isKept: this.#isKept };
    this.#waiting = [];
    return left;
  }

  #keep(waiting: readonly Unsent[]): void {
    this.#waiting = waiting;
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(waiting));
      this.#isKept = this.#storage !== null;
    } catch {
      // A full or forbidden storage only means that a reload forgets them; in memory they are still sent.
      this.#isKept = false;
    }
  }
}

function restore(storage: KeyValueStorage, key: string): readonly Unsent[] {
  try {
    const rows: unknown = JSON.parse(storage.getItem(key) ?? "[]");
    return Array.isArray(rows) ? rows.flatMap(readUnsent).slice(0, limits.outboxMax) : [];
  } catch {
    return [];
  }
}

function readUnsent(raw: unknown): Unsent[] {
  const row = asRecord(raw);
  const [clientMessageId, content, createdAtMs] = [text(row.clientMessageId), text(row.text), row.createdAtMs];
  if (clientMessageId === undefined || content === undefined || typeof createdAtMs !== "number") return [];
  return [{ clientMessageId, text: content, createdAtMs, ...optional("submit", readSubmit(row.submit)) }];
}

function readSubmit(raw: unknown): Submit | undefined {
  const { componentId, values } = asRecord(raw);
  const id = text(componentId);
  return id === undefined ? undefined : { componentId: id, values: asRecord(values) };
}
