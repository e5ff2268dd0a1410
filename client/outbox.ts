import { asRecord, text } from "./fields.js";
import { limits } from "./limits.js";

/** A message that the server has not confirmed. */
export interface Unsent {
  readonly clientMessageId: string;
  readonly text: string;
  /** Milliseconds since 1970, this clock. */
  readonly createdAtMs: number;
}

/** Where unsent messages survive a reload: `sessionStorage` has this shape. */
export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Unsent messages, oldest first. */
export class Outbox {
  readonly #storage: KeyValueStorage | null;
  readonly #key: string;
  #waiting: readonly Unsent[];

  constructor(storage: KeyValueStorage | null, key: string) {
    this.#storage = storage;
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

  #keep(waiting: readonly Unsent[]): void {
    this.#waiting = waiting;
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(waiting));
    } catch {
      // A full or forbidden storage only means that a reload forgets them; in memory they are still sent.
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
  return [{ clientMessageId, text: content, createdAtMs }];
}
