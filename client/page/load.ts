import { retryDelayMs } from "../limits.js";

/** So long what is to be drawn waits for its part; after that it is drawn without, and anew once the part is there. */
const headStartMs = 800;

/** A part of the page that most conversations do without. */
export class Lazy<Part> {
  /** Null until it is loaded. */
  now: Part | null = null;
  readonly #name: string;
  #tries = 0;
  #trying: Promise<unknown> | null = null;

  /** @param name as it is built: with a query */
  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Loads it, however often that takes.
   * @param failed told of each failure
   * @param isWanted asked before each further try
   * @returns null when it is not wanted any more
   */
  async load(failed: () => void, isWanted: () => boolean): Promise<Part | null> {
    for (;;) {
      await this.#try();
      if (this.now !== null) return this.now;
      failed();
      await wait(retryDelayMs(this.#tries));
      if (!isWanted()) return null;
    }
  }

  /** The first try. @returns its end, or that of its head start; null when there is nothing to wait for */
  begin(): Promise<unknown> | null {
    const isOver = this.#tries > 0 && this.#trying === null;
    return isOver ? null : Promise.race([this.#try(), wait(headStartMs)]);
  }

  // What failed to load is tried again under another name, since browsers remember a failure.
  #try(): Promise<unknown> {
    if (this.#trying !== null) return this.#trying;
    const name = this.#tries === 0 ? this.#name : `${this.#name}&${this.#tries}`;
    this.#tries += 1;
    const loaded = (part: Part) => (this.now = part);
    return (this.#trying = import(name).then(loaded, () => undefined).finally(() => (this.#trying = null)));
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
