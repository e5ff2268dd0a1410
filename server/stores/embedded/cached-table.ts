import type { Key, RootDatabase } from "lmdb";
import { LRUCache } from "lru-cache";
import type { GroupCommit } from "./group-commit.js";
import { Table } from "./table.js";

/** Bytes of records, as they are stored, whose values are kept. */
const cacheMaxBytes = 16 * 1024 * 1024;

/**
 * A table whose records are read again soon after they were written. What a write has put is kept as it was given, so
 * that the next read need not fetch, check and parse it: most of what a message costs would be that. Only what is
 * acknowledged is kept; what is being written is seen by the writes of its own group alone, as in LMDB.
 */
export class CachedTable<T extends object> extends Table<T> {
  readonly #commit: GroupCommit;
  readonly #cache = new LRUCache<string, Sized<T>>({
    maxSize: cacheMaxBytes,
    sizeCalculation: ({ bytes }) => bytes,
  });
  /** By the group that is being written; null: removed. */
  readonly #written = new Map<string, Sized<T> | null>();

  constructor(root: RootDatabase, name: string, commit: GroupCommit) {
    super(root, name, commit);
    this.#commit = commit;
    commit.follow({ acknowledged: () => this.#keep(), undone: () => this.#written.clear() });
  }

  override get(key: Key): T | null {
    const name = nameOf(key);
    const written = this.#commit.isWriting ? this.#written.get(name) : undefined;
    if (written !== undefined) return written?.value ?? null;
    return this.#cache.get(name)?.value ?? super.get(key);
  }

  override put(key: Key, value: T): number {
    const bytes = super.put(key, value);
    this.#written.set(nameOf(key), { value, bytes });
    return bytes;
  }

  override remove(key: Key): void {
    super.remove(key);
    this.#written.set(nameOf(key), null);
  }

  #keep(): void {
    for (const [name, written] of this.#written) {
      if (written === null) this.#cache.delete(name);
      else this.#cache.set(name, written);
    }
    this.#written.clear();
  }
}

interface Sized<T> {
  readonly value: T;
  readonly bytes: number;
}

function nameOf(key: Key): string {
  return Array.isArray(key) ? key.join("\n") : String(key);
}
