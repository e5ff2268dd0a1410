import type { Clock } from "./clock.js";
import { limits } from "./limits.js";

/** What is told of one's own typing: that one types at most once in 2 s, and that one has stopped. (SPEC M61) */
export class TypingOut {
  readonly #clock: Clock;
  readonly #tell: (sessionId: string, typing: boolean) => void;
  readonly #toldAt = new Map<string, number>();

  constructor(clock: Clock, tell: (sessionId: string, typing: boolean) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** To be called at every key. */
  say(sessionId: string, typing: boolean): void {
    const toldAt = this.#toldAt.get(sessionId);
    if (!typing) {
      if (this.#toldAt.delete(sessionId)) this.#tell(sessionId, false);
      return;
    }
    const now = this.#clock.now();
    if (toldAt !== undefined && now - toldAt < limits.typingEveryMs && now >= toldAt) return;
    this.#toldAt.set(sessionId, now);
    if (this.#toldAt.size > limits.typistsMax) this.#toldAt.delete(this.#toldAt.keys().next().value!);
    this.#tell(sessionId, true);
  }

  /** The connection is lost: the server has ended it by itself. */
  forget(): void {
    this.#toldAt.clear();
  }
}

/** Who types, as long as they say so: 6 s after their last word nobody types any more. */
export class TypingIn {
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #typists = new Map<string, () => void>();

  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  get typists(): readonly string[] {
    return [...this.#typists.keys()];
  }

  heard(typist: string, typing: boolean): void {
    const known = this.#typists.get(typist);
    if (!typing && known === undefined) return;
    known?.();
    this.#typists.delete(typist);
    if (typing && this.#typists.size < limits.typistsMax) {
      this.#typists.set(
        typist,
        this.#clock.after(limits.typingEndsMs, () => this.heard(typist, false)),
      );
    }
    if ((known === undefined) === typing) this.#changed();
  }

  clear(): void {
    if (this.#typists.size === 0) return;
    for (const cancel of this.#typists.values()) cancel();
    this.#typists.clear();
    this.#changed();
  }
}
