import type { RootDatabase, Transaction } from "lmdb";
import type { Clock } from "../../clock.js";
import { StoreError } from "../../messaging/store.js";

interface Job {
  readonly operation: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Told what became of the writes that it has seen. */
export interface Follower {
  /** They are durable, and nobody has been told so yet. */
  acknowledged(): void;
  /** They are not there: they run again, or are refused. */
  undone(): void;
}

const groupMax = 1024;
const commitTimeoutMs = 30_000;

/**
 * Runs many small read-decide-write operations as one LMDB transaction, one transaction at a time: what waits while
 * one is being written goes into the next. A write resolves only after the flush. At the first failure of the disk
 * everything that waits is rejected and LMDB's writer is never used again, since it might hang; reads go on from the
 * last acknowledged state. (docs/decisions/0002, SPEC S3–S5)
 */
export class GroupCommit {
  readonly #root: RootDatabase;
  readonly #clock: Clock;
  readonly #onFailure: (cause: unknown) => void;
  #waiting: Job[] = [];
  #running: Promise<void> | null = null;
  #failure: StoreError | null = null;
  #snapshot: Transaction | null = null;
  #isWriting = false;
  readonly #followers: Follower[] = [];

  constructor(root: RootDatabase, clock: Clock, onFailure: (cause: unknown) => void) {
    this.#root = root;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Set once the disk has failed; a restart is needed. */
  get failure(): StoreError | null {
    return this.#failure;
  }

  /** For every read outside a write: nothing while all is well, the last acknowledged state after a failure. */
  get readOptions(): { readonly transaction: Transaction } | undefined {
    return this.#failure !== null && this.#snapshot !== null ? { transaction: this.#snapshot } : undefined;
  }

  /** Inside an operation: reads see what the group has written so far. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  follow(follower: Follower): void {
    this.#followers.push(follower);
  }

  /**
   * @param operation synchronous, and touches nothing but the store: it may run again when another one of its group
   * throws. What it throws rejects this write alone, and undoes what it had written.
   */
  write<T>(operation: () => T): Promise<T> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ operation, resolve: resolve as (value: unknown) => void, reject });
      // A microtask later, so that all writes of one turn of the event loop share a commit.
      this.#running ??= Promise.resolve().then(() => this.#drain());
    });
  }

  /** Resolves when no write is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, groupMax);
      try {
        await this.#commit(group);
      } catch (cause) {
        this.#fail(cause, group);
      }
    }
    this.#running = null;
  }

  async #commit(group: Job[]): Promise<void> {
    const results: unknown[] = [];
    let thrown: { readonly error: unknown } | null = null;
    this.#snapshot = this.#root.useReadTransaction();
    // A child transaction, because only that one is undone when an operation throws.
    const committed = this.#root.childTransaction(() => {
      this.#isWriting = true;
      try {
        for (const { operation } of group) results.push(operation());
      } catch (error) {
        thrown = { error };
        throw error;
      } finally {
        this.#isWriting = false;
      }
    });
    // Opened here, not below, so that it is handled also when the time limit comes first: a disk that hangs can still fail.
    const opened = committed.catch(async (error: unknown) => {
      throw await this.#causeOf(error);
    });
    try {
      await this.#within(commitTimeoutMs, opened);
    } catch (cause) {
      for (const follower of this.#followers) follower.undone();
      this.#refuseOne(group, results.length, thrown, cause);
      return;
    }
    for (const follower of this.#followers) follower.acknowledged();
    this.#releaseSnapshot();
    group.forEach(({ resolve }, index) => resolve(results[index]));
  }

  // Throws on unless it was the operation that threw: then the others of its group run again without it.
  #refuseOne(group: Job[], index: number, thrown: { readonly error: unknown } | null, cause: unknown): void {
    const isOfDisk =
      thrown === null || cause !== thrown.error || typeof (cause as { code?: unknown }).code === "number";
    if (isOfDisk) throw cause;
    this.#releaseSnapshot();
    group[index]!.reject(cause);
    this.#waiting.unshift(...group.toSpliced(index, 1));
  }

  // lmdb rejects with a wrapper whose `commitError` is another promise; unless that is handled too, Node ends the process.
  async #causeOf(error: unknown): Promise<unknown> {
    const wrapped = (error as { readonly commitError?: Promise<never> }).commitError;
    if (wrapped === undefined) return error;
    return this.#within(1000, wrapped).catch((inner: unknown) => inner);
  }

  #fail(cause: unknown, group: readonly Job[]): void {
    this.#failure = new StoreError("write", { retryable: false, cause });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of [...group, ...waiting]) reject(this.#failure);
    this.#onFailure(cause);
  }

  #releaseSnapshot(): void {
    this.#snapshot?.done();
    this.#snapshot = null;
  }

  #within<T>(ms: number, promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const cancel = this.#clock.after(ms, () =>
        reject(new StoreError(`a write that the disk did not answer within ${ms} ms`, { retryable: false })),
      );
      promise.then(resolve, reject).finally(cancel);
    });
  }
}
