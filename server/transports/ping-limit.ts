const windowMs = 1000;

/** Counts the pings of a peer in a second, which begins with the first of them. */
export class PingLimit {
  readonly #max: number;
  #count = 0;
  #endsAt = -Infinity;

  constructor(max: number) {
    this.#max = max;
  }

  /** @param now monotonic ms @returns false when it is one too many */
  take(now: number): boolean {
    if (now >= this.#endsAt) {
      this.#count = 0;
      this.#endsAt = now + windowMs;
    }
    this.#count += 1;
    return this.#count <= this.#max;
  }
}
