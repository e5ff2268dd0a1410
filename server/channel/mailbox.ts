/** Does the work of a mailbox. */
export interface Worker<Item> {
  /** Must not throw or reject. */
  run(item: Item): void | Promise<void>;
  /** Called when, after waiting, nothing waits any more. */
  idle(): void;
}

/**
 * Runs one item at a time, first in first out. An item whose work ends at once is never awaited, and costs no
 * allocation; while one is awaited, the others wait.
 */
export class Mailbox<Item> {
  readonly #worker: Worker<Item>;
  #waiting: Item[] | null = null;
  #busy = false;
  #closed = false;

  constructor(worker: Worker<Item>) {
    this.#worker = worker;
  }

  /** Items that wait for the one being run. */
  get length(): number {
    return this.#waiting === null ? 0 : this.#waiting.length;
  }

  post(item: Item): void {
    if (this.#closed) return;
    if (this.#busy) {
      if (this.#waiting === null) this.#waiting = [item];
      else this.#waiting.push(item);
      return;
    }
    this.#busy = true;
    const work = this.#worker.run(item);
    if (work !== undefined) void work.then(() => this.#next());
    else if (this.length > 0) this.#next();
    else this.#busy = false;
  }

  /** Forgets what waits; later items are dropped. The item being run is not interrupted. */
  close(): void {
    this.#closed = true;
    this.#waiting = null;
  }

  #next(): void {
    // Items that a running one posted come here too; the loop keeps the stack flat.
    while (this.#waiting !== null && this.#waiting.length > 0) {
      const work = this.#worker.run(this.#waiting.shift()!);
      if (work !== undefined) {
        void work.then(() => this.#next());
        return;
      }
    }
    this.#busy = false;
    this.#worker.idle();
  }
}
