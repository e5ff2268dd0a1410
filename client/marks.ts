import type { Clock } from "./clock.js";
import { limits } from "./limits.js";

interface Mark {
  readonly delivered: number;
  readonly read: number;
}

/** How far the conversation was taken and read, told to the server once a second at most. (SPEC M28) */
export class Marks {
  readonly #clock: Clock;
  readonly #tell: (event: "delivered" | "read", mark: { sessionId: string; offset: number }) => void;
  readonly #told = new Map<string, Mark>();
  readonly #due = new Map<string, Mark>();
  #isOpen = false;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, tell: (event: "delivered" | "read", mark: { sessionId: string; offset: number }) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Everything up to there is here. */
  delivered(sessionId: string, offset: number): void {
    this.#raise(sessionId, { delivered: offset, read: 0 });
  }

  /** Everything up to there was seen. */
  read(sessionId: string, offset: number): void {
    this.#raise(sessionId, { delivered: offset, read: offset });
  }

  /** The channel is joined: what is due is told. */
  open(): void {
    this.#isOpen = true;
    if (this.#due.size > 0) this.#schedule();
  }

  shut(): void {
    this.#isOpen = false;
    this.#cancel?.();
    this.#cancel = null;
  }

  #raise(sessionId: string, mark: Mark): void {
    const before = this.#due.get(sessionId) ?? this.#told.get(sessionId) ?? { delivered: 0, read: 0 };
    const next = { delivered: Math.max(before.delivered, mark.delivered), read: Math.max(before.read, mark.read) };
    if (next.delivered === before.delivered && next.read === before.read) return;
    this.#due.set(sessionId, next);
    forgetOldest(this.#due);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isOpen) this.#cancel ??= this.#clock.after(limits.markEveryMs, () => this.#flush());
  }

  // What was read was taken, so one word says both where they are the same.
  #flush(): void {
    this.#cancel = null;
    for (const [sessionId, { delivered, read }] of this.#due) {
      const told = this.#told.get(sessionId) ?? { delivered: 0, read: 0 };
      if (read > told.read) this.#tell("read", { sessionId, offset: read });
      if (delivered > Math.max(told.delivered, read)) this.#tell("delivered", { sessionId, offset: delivered });
      this.#told.set(sessionId, { delivered, read });
      forgetOldest(this.#told);
    }
    this.#due.clear();
  }
}

function forgetOldest(marks: Map<string, Mark>): void {
  if (marks.size > limits.marksMax) marks.delete(marks.keys().next().value!);
}
