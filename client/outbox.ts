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
  /** Why it was not taken: it is not sent again unless its author wants that. */
  readonly code?: string;
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

/** Unsent messages, oldest first: those that are sent when they can be, and those that failed. */
export class Outbox {
  readonly #storage: KeyValueStorage | null;
  /** The storage has what is here. */
  #isKept: boolean;
  readonly #key: string;
  #all: readonly Unsent[];

  constructor(storage: KeyValueStorage | null, key: string) {
    this.#storage = storage;
    this.#isKept = storage !== null;
    this.#key = key;
    this.#all = storage === null ? [] : restore(storage, key);
  }

  get all(): readonly Unsent[] {
    return this.#all;
  }

  get waiting(): readonly Unsent[] {
    return this.#all.filter(({ code }) => code === undefined);
  }

  /** One that failed waits again. @returns false when it is full, or the message waits already */
  add(unsent: Unsent): boolean {
    const known = this.find(unsent.clientMessageId);
    if (this.waiting.length >= limits.outboxMax || (known !== undefined && known.code === undefined)) return false;
    const others = this.#all.filter((each) => each !== known);
    // What failed gives way, the oldest first.
    const gone = others.length < limits.outboxMax ? undefined : others.find(({ code }) => code !== undefined);
    this.#keep([...others.filter((each) => each !== gone), unsent]);
    return true;
  }

  find(clientMessageId: string): Unsent | undefined {
    return this.#all.find((unsent) => unsent.clientMessageId === clientMessageId);
  }

  /** It is not sent any more, but kept for its author. */
  fail(unsent: Unsent, code: string): void {
    if (this.#all.includes(unsent)) this.#keep(this.#all.map((each) => (each === unsent ? { ...each, code } : each)));
  }

  remove(unsent: Unsent): void {
    if (this.#all.includes(unsent)) this.#keep(this.#all.filter((each) => each !== unsent));
  }

  /**
   * Lets go of everything, without a word to the storage: the next outbox may be using it already.
   * @returns what was waiting, and whether the storage has it for the next
   */
  close(): { readonly waiting: readonly Unsent[]; readonly isKept: boolean } {
    const left = { waiting: this.waiting, isKept: this.#isKept };
    this.#all = [];
    return left;
  }

  #keep(all: readonly Unsent[]): void {
    this.#all = all;
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(all));
      this.#isKept = this.#storage !== null;
    } catch {
      // A full or forbidden storage only means that a reload forgets them; in memory they are still sent.
      this.#isKept = false;
    }
  }
}

/** Of one user: where somebody else writes, it is another one. */
export function outboxOf(storage: KeyValueStorage | null, businessId: string, userId: string): Outbox {
  return new Outbox(storage, `bennu.unsent:${businessId}:${userId}`);
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
  const why = optional("code", text(row.code));
  return [{ clientMessageId, text: content, createdAtMs, ...optional("submit", readSubmit(row.submit)), ...why }];
}

function readSubmit(raw: unknown): Submit | undefined {
  const { componentId, values } = asRecord(raw);
  const id = text(componentId);
  return id === undefined ? undefined : { componentId: id, values: asRecord(values) };
}
