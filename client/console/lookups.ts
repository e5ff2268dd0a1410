/** So many requests at once; the browser has six connections for all that the console does. */
const atOnceMax = 3;

/** Looks sessions up of which only an event has told, each once however often it is asked for meanwhile. */
export class Lookups {
  readonly #look: (sessionId: string) => Promise<void>;
  readonly #waiting = new Set<string>();
  #underWay = 0;

  /** @param look does not throw */
  constructor(look: (sessionId: string) => Promise<void>) {
    this.#look = look;
  }

  add(sessionId: string): void {
    this.#waiting.add(sessionId);
    if (this.#underWay < atOnceMax) void this.#run();
  }

  async #run(): Promise<void> {
    this.#underWay += 1;
    for (const sessionId of this.#waiting) {
      this.#waiting.delete(sessionId);
      await this.#look(sessionId);
    }
    this.#underWay -= 1;
  }
}
