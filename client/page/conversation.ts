import type { ChatEntry } from "../entry.js";
import { type BubbleHandlers, drawBubble } from "./bubble.js";
import type { Labels } from "./labels.js";

/** How near to its end, in pixels, a conversation counts as read to the end. */
const endPx = 80;

/** The list of bubbles, kept in the order of the messages. */
export class Conversation {
  readonly #scroll: HTMLElement;
  readonly #log: HTMLElement;
  readonly #labels: Labels;
  readonly #handlers: BubbleHandlers;
  readonly #bubbles = new Map<string, HTMLElement>();
  #atEnd = true;

  constructor(parts: { scroll: HTMLElement; log: HTMLElement }, labels: Labels, handlers: BubbleHandlers) {
    this.#scroll = parts.scroll;
    this.#log = parts.log;
    this.#labels = labels;
    this.#handlers = handlers;
    this.#scroll.addEventListener("scroll", () => (this.#atEnd = this.#isAtEnd()), { passive: true });
    // The input grows, the phone's keyboard opens: who was reading the end still sees it.
    new ResizeObserver(() => this.#atEnd && this.toEnd()).observe(this.#scroll);
  }

  /** Draws one message that is new or has changed. `all` are the messages in order. */
  show(entry: ChatEntry, all: readonly ChatEntry[]): void {
    const bubble = drawBubble(entry, this.#labels, this.#handlers);
    const follow = entry.state === "sending" || this.#atEnd;
    this.#bubbles.get(entry.id)?.remove();
    this.#bubbles.set(entry.id, bubble);
    this.#log.insertBefore(bubble, this.#after(entry, all));
    this.#forget(all);
    if (follow) this.toEnd();
  }

  /** Runs what adds older messages on top, and keeps in view what is in view. */
  keepingPlace(add: () => void): void {
    const fromEnd = this.#scroll.scrollHeight - this.#scroll.scrollTop;
    add();
    this.#scroll.scrollTop = this.#scroll.scrollHeight - fromEnd;
  }

  toEnd(): void {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#atEnd = true;
  }

  #after(entry: ChatEntry, all: readonly ChatEntry[]): HTMLElement | null {
    const index = all.findLastIndex(({ id }) => id === entry.id);
    const next = all.slice(index + 1).find(({ id }) => this.#bubbles.has(id));
    return next === undefined ? null : this.#bubbles.get(next.id)!;
  }

  // The timeline drops its oldest at its limit, and so does the page.
  #forget(all: readonly ChatEntry[]): void {
    if (this.#bubbles.size <= all.length) return;
    const kept = new Set(all.map(({ id }) => id));
    for (const [id, bubble] of this.#bubbles) {
      if (kept.has(id)) continue;
      bubble.remove();
      this.#bubbles.delete(id);
    }
  }

  #isAtEnd(): boolean {
    return this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight < endPx;
  }
}
