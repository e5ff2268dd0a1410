import type { ChatEntry } from "../entry.js";
import type * as Forms from "./form.js";
import { Lazy } from "./load.js";
import { isMarked, markdown } from "./text.js";

export const forms = new Lazy<typeof Forms>("./form.js");

/** @returns what loads what draws them, or null when that is there, or cannot be had at present */
export function prepare(entries: readonly ChatEntry[]): Promise<unknown> | null {
  const needed = [
    entries.some(({ from, content }) => from === "agent" && isMarked(content)) ? markdown.begin() : null,
    entries.some(({ components }) => components.length > 0) ? forms.begin() : null,
  ].filter((loading) => loading !== null);
  return needed.length === 0 ? null : Promise.all(needed);
}

/** What comes is drawn in its order, and at once as it stays: what is drawn without its part moves when that comes. */
export class Arrivals {
  readonly #draw: (entry: ChatEntry) => void;
  #held: ChatEntry[] = [];

  constructor(draw: (entry: ChatEntry) => void) {
    this.#draw = draw;
  }

  /** The messages whose answers are there, and not drawn yet. */
  get answered(): ReadonlySet<string | undefined> {
    return new Set(this.#held.map(({ inReplyTo }) => inReplyTo));
  }

  add(entry: ChatEntry): void {
    // One's own words wait for nothing.
    if (entry.state === "sending") return this.#draw(entry);
    const loading = prepare([entry]);
    this.#held.push(entry);
    if (loading !== null) void loading.then(() => this.#flush());
    else if (this.#held.length === 1) this.#flush();
  }

  #flush(): void {
    const held = this.#held;
    this.#held = [];
    for (const entry of held) this.#draw(entry);
  }
}
