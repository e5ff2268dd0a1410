import type { Database, Key, RootDatabase } from "lmdb";
import type { GroupCommit } from "./group-commit.js";
import { decodeRecord, encodeRecord } from "./record.js";

/** One named set of checked records. `put` and `remove` only inside a write of the group commit. */
export class Table<T> {
  readonly #name: string;
  readonly #database: Database<Buffer>;
  readonly #commit: GroupCommit;

  constructor(root: RootDatabase, name: string, commit: GroupCommit) {
    this.#name = name;
    this.#database = root.openDB<Buffer, Key>({ name, encoding: "binary" });
    this.#commit = commit;
  }

  get(key: Key): T | null {
    const record = this.#database.get(key, this.#commit.readOptions);
    return record === undefined ? null : this.#decode(key, record);
  }

  put(key: Key, value: T): void {
    void this.#database.put(key, encodeRecord(value));
  }

  remove(key: Key): void {
    void this.#database.remove(key);
  }

  /** Records in key order; with `reverse`, `start` is above `end`. `start` is included, `end` is not. */
  range(bounds: { readonly start: Key; readonly end: Key; readonly reverse?: boolean; readonly limit?: number }): T[] {
    return [...this.entries(bounds)].map(({ value }) => value);
  }

  *entries(bounds: {
    readonly start: Key;
    readonly end: Key;
    readonly reverse?: boolean;
    readonly limit?: number;
  }): Generator<{ key: Key[]; value: T }> {
    for (const { key, value } of this.#database.getRange({ ...bounds, ...this.#commit.readOptions })) {
      yield { key: key as Key[], value: this.#decode(key, value) };
    }
  }

  count(bounds: { readonly start: Key; readonly end: Key }): number {
    return this.#database.getKeysCount({ ...bounds, ...this.#commit.readOptions });
  }

  #decode(key: Key, record: Uint8Array): T {
    return decodeRecord<T>(record, () => `${JSON.stringify(key)} of ${this.#name}`);
  }
}
