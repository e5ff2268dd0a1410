import type { Cancel, Clock } from "../clock.js";

/** One in so long is told; what changes meanwhile is told at the end of it, as it is then. */
const toldEveryMs = 2000;
/** So long without a word of it, and nobody is typing any more. */
const expiresMs = 6000;

export interface TypistPort {
  /** Tells the others. */
  tell(isTyping: boolean): void;
  /** There is nothing more to tell. */
  idle?(): void;
}

/** Somebody who writes, and how often the others are told of it. (SPEC M61, M98) */
export class Typist {
  readonly #clock: Clock;
  readonly #port: TypistPort;
  #isTyping = false;
  /** What they were told last. */
  #isTold = false;
  /** There is something to tell. */
  #isDue = false;
  /** Until it runs out nothing is told. */
  #pause: Cancel | null = null;
  #expiry: Cancel | null = null;

  constructor(clock: Clock, port: TypistPort) {
    this.#clock = clock;
    this.#port = port;
  }

  says(isTyping: boolean): void {
    this.#expiry?.();
    this.#expiry = isTyping ? this.#clock.after(expiresMs, () => this.says(false)) : null;
    this.#isTyping = isTyping;
    // Said again, it is told again: who came later sees it too.
    this.#isDue = isTyping || this.#isTold;
    if (this.#pause === null) this.#tell();
  }

  /** Ends at once, however short the last word of it is ago. */
  forget(): void {
    this.#endPause();
    this.says(false);
    this.#endPause();
  }

  #tell(): void {
    this.#pause = null;
    if (!this.#isDue) {
      if (!this.#isTyping) this.#port.idle?.();
      return;
    }
    this.#isDue = false;
    this.#isTold = this.#isTyping;
    this.#port.tell(this.#isTyping);
    this.#pause = this.#clock.after(toldEveryMs, () => this.#tell());
  }

  #endPause(): void {
    this.#pause?.();
    this.#pause = null;
  }
}
