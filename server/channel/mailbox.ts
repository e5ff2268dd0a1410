/**
 * Runs one item at a time, first in first out. An item whose work ends at once is never awaited, and costs no
 * allocation; while one is awaited, the others wait.
 */
export class Mailbox<Item> {
  readonly #run: (item: Item) => void | Promise<void>;
  readonly #onIdle: () => void;
  #waiting: Item[] = [];
  #busy = false;
  #closed = false;

  /** @param run must not throw or reject; @param onIdle called when, after waiting, nothing waits any more */
  constructor(run: (item: Item) => void | Promise<void>, onIdle: () => void) {
    this.#run = run;
    this.#onIdle = onIdle;
  }

  /** Items that wait for the one being run. */
  get length(): number {
    return this.#waiting.length;
  }

  post(item: Item): void {
    if (this.#closed) return;
    if (this.#busy) {
      this.#waiting.push(item);
      return;
    }
    this.#busy = true;
    const work = this.#run(item);
    if (work !== undefined) void work.then(this.#next);
    else if (this.#waiting.length > 0) this.#next();
    else this.#busy = false;
  }

  /** Forgets what waits; later items are dropped. The item being run is not interrupted. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
  }

  readonly #next = (): void => {
    // Items that a running one posted come here too; the loop keeps the stack flat.
    while (this.#waiting.length > 0) {
      const work = this.#run(this.#waiting.shift()!);
      if (work !== undefined) {
        void work.then(this.#next);
        return;
      }
    }
    this.#busy = false;
    this.#onIdle();
  };
}
