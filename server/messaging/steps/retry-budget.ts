/** Calls that pay for one retry. */
const callsPerRetry = 10;
/** Retries that can be saved up; a new agent has as many. */
const savedMax = 10;

/**
 * How many calls to one agent may be made again. When everything fails, retries only add to the load that made it
 * fail: they are a tenth of the calls at most, and what was saved up. (SPEC A10)
 */
export class RetryBudget {
  /** In calls, which are whole numbers. */
  #saved = savedMax * callsPerRetry;

  /** A turn asks its agent for the first time. */
  called(): void {
    this.#saved = Math.min(savedMax * callsPerRetry, this.#saved + 1);
  }

  /** @returns false when there is no retry left */
  take(): boolean {
    if (this.#saved < callsPerRetry) return false;
    this.#saved -= callsPerRetry;
    return true;
  }
}
