import { limits } from "./limits.js";

/** Those who want to hear of one kind of thing. */
export class Subscribers<Args extends unknown[]> {
  readonly #callbacks = new Set<(...args: Args) => void>();

  /** @returns how to hear no more */
  add(callback: (...args: Args) => void): () => void {
    if (this.#callbacks.size >= limits.subscribersMax)
      throw new Error("too many subscriptions: one is never given back");
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  tell(...args: Args): void {
    for (const callback of [...this.#callbacks]) {
      try {
        callback(...args);
      } catch (error) {
        // Told where such faults are told; the conversation goes on.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
