import type { Database, Key, RootDatabase, Transaction } from "lmdb";
import { DamagedRecord, decodeRecord, encodeRecord } from "./record.js";

export interface Bounds {
  readonly start: Key;
  readonly end: Key;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** Tells what reads see: the last state without, that of a transaction with one. */
export interface Reader {
  readonly readOptions?: { readonly transaction: Transaction } | undefined;
}

/** An entry as it is, also one that is damaged. */
export type Entry<T> = { readonly key: Key; readonly value: T } | { readonly key: Key; readonly damage: DamagedRecord };

/** Characters of all texts of a key. LMDB's own limit is 1978 bytes, and a character has up to three. */
const keyTextMax = 600;

/** One named set of checked records. `put` and `remove` only inside a write of the group commit. */
export class Table<T> {
  readonly name: string;
  readonly #database: Database<Buffer>;
  readonly #reader: Reader;

  constructor(root: RootDatabase, name: string, reader: Reader) {
    this.name = name;
    this.#database = root.openDB<Buffer, Key>({ name, encoding: "binary" });
    this.#reader = reader;
  }

  /** Null also for a key that is too long to have ever been written. */
  get(key: Key): T | null {
    if (!fits(key)) return null;
    const record = this.#database.get(key, this.#reader.readOptions);
    return record === undefined ? null : this.#decode(key, record);
  }

  /** @returns the bytes that it takes */
  put(key: Key, value: T): number {
    if (!fits(key)) throw new Error(`a key of ${this.name} is longer than ${keyTextMax} characters`);
    const record = encodeRecord(value);
    void this.#database.put(key, record);
    return record.length;
  }

  remove(key: Key): void {
    if (fits(key)) void this.#database.remove(key);
  }

  /** Records in key order; with `reverse`, `start` is above `end`. `start` is included, `end` is not. */
  range(bounds: Bounds): T[] {
    return [...this.entries(bounds)].map(({ value }) => value);
  }

  *entries(bounds: Bounds): Generator<{ key: Key[]; value: T }> {
    if (!fits(bounds.start) || !fits(bounds.end)) return;
    for (const { key, value } of this.#database.getRange({ ...bounds, ...this.#reader.readOptions })) {
      yield { key: key as Key[], value: this.#decode(key, value) };
    }
  }

  /** All that it holds, in key order. */
  *everything(): Generator<Entry<T>> {
    for (const { key, value } of this.#database.getRange({ ...this.#reader.readOptions })) {
      try {
        yield { key, value: this.#decode(key, value) };
      } catch (damage) {
        if (!(damage instanceof DamagedRecord)) throw damage;
        yield { key, damage };
      }
    }
  }

  count(bounds: Bounds): number {
    if (!fits(bounds.start) || !fits(bounds.end)) return 0;
    return this.#database.getKeysCount({ ...bounds, ...this.#reader.readOptions });
  }

  #decode(key: Key, record: Uint8Array): T {
    return decodeRecord<T>(record, () => `${JSON.stringify(key)} of ${this.name}`);
  }
}

function fits(key: Key): boolean {
  if (typeof key === "string") return key.length <= keyTextMax;
  if (!Array.isArray(key)) return true;
  let length = 0;
  for (const part of key) if (typeof part === "string") length += part.length;
  return length <= keyTextMax;
}
