import type { ChatEntry } from "../entry.js";
import { type BubbleHandlers, drawBubble } from "./bubble.js";
import type { Labels } from "./labels.js";

/** How near to its end, in pixels, a conversation counts as read to the end. */
const endPx = 80;

interface Bubble {
  readonly element: HTMLElement;
  entry: ChatEntry;
  isOver: boolean;
}

/** The list of bubbles, kept in the order of the messages. */
export class Conversation {
  readonly #scroll: HTMLElement;
  readonly #log: HTMLElement;
  readonly #labels: Labels;
  readonly #handlers: BubbleHandlers;
  readonly #onEnd: (isAtEnd: boolean) => void;
  readonly #bubbles = new Map<string, Bubble>();
  #atEnd = true;

  /** @param parts.onEnd told when the end comes into view, or leaves it */
  constructor(
    parts: { scroll: HTMLElement; log: HTMLElement; onEnd: (isAtEnd: boolean) => void },
    labels: Labels,
    handlers: BubbleHandlers,
  ) {
    this.#scroll = parts.scroll;
    this.#log = parts.log;
    this.#onEnd = parts.onEnd;
    this.#labels = labels;
    this.#handlers = handlers;
    this.#scroll.addEventListener("scroll", () => this.#look(), { passive: true });
    // The input grows, the phone's keyboard opens, an answer becomes longer: who was reading the end still sees it.
    const follow = new ResizeObserver(() => this.#atEnd && this.toEnd());
    for (const each of [this.#scroll, ...this.#scroll.children]) follow.observe(each);
  }

  get isAtEnd(): boolean {
    return this.#atEnd;
  }

  /** Draws one message that is new or has changed. `all` are the messages in order. */
  show(entry: ChatEntry, all: readonly ChatEntry[]): void {
    const index = all.findLastIndex(({ id }) => id === entry.id);
    const isOver = all.slice(index + 1).some(isSaid);
    const follow = entry.state === "sending" || this.#atEnd;
    this.#draw(entry, isOver);
    this.#place(this.#bubbles.get(entry.id)!.element, all, index);
    if (isSaid(entry)) this.#endOffers(all.slice(0, Math.max(index, 0)));
    this.forget(all);
    if (follow) this.toEnd();
    else this.#look();
  }

  /** Runs what adds older messages on top: keeps in view what is in view, and reads nothing aloud. */
  keepingPlace(add: () => void): void {
    const fromEnd = this.#scroll.scrollHeight - this.#scroll.scrollTop;
    this.#log.ariaLive = "off";
    add();
    this.#scroll.scrollTop = this.#scroll.scrollHeight - fromEnd;
    requestAnimationFrame(() => (this.#log.ariaLive = "polite"));
  }

  /** The timeline drops its oldest at its limit and what is deleted, and so does the page. */
  forget(all: readonly ChatEntry[]): void {
    if (this.#bubbles.size <= all.length) return;
    const kept = new Set(all.map(({ id }) => id));
    for (const [id, { element }] of this.#bubbles) {
      if (kept.has(id)) continue;
      element.remove();
      this.#bubbles.delete(id);
    }
  }

  toEnd(): void {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#atEnd = true;
    this.#onEnd(true);
  }

  #draw(entry: ChatEntry, isOver: boolean): void {
    const known = this.#bubbles.get(entry.id);
    const bubble = known ?? { element: document.createElement("article"), entry, isOver };
    // It was read aloud when it came; that it is stored now need not be.
    if (known !== undefined) bubble.element.ariaLive = "off";
    this.#bubbles.set(entry.id, Object.assign(bubble, { entry, isOver }));
    drawBubble(bubble.element, entry, { labels: this.#labels, handlers: this.#handlers, isOver });
  }

  // What stands where it should is not touched: its focus would be lost, and it would be read aloud again.
  #place(bubble: HTMLElement, all: readonly ChatEntry[], index: number): void {
    const next = all.slice(index + 1).find(({ id }) => this.#bubbles.has(id));
    const after = next === undefined ? null : this.#bubbles.get(next.id)!.element;
    if (bubble.parentNode !== this.#log || bubble.nextSibling !== after) this.#log.insertBefore(bubble, after);
  }

  // What an earlier answer offered is over once its user has said something.
  #endOffers(before: readonly ChatEntry[]): void {
    for (const { id } of before) {
      const bubble = this.#bubbles.get(id);
      if (bubble === undefined || bubble.isOver) continue;
      const { actions, components } = bubble.entry;
      if (actions.length + components.length > 0) this.#draw(bubble.entry, true);
      bubble.isOver = true;
    }
  }

  #look(): void {
    this.#atEnd = this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight < endPx;
    this.#onEnd(this.#atEnd);
  }
}

function isSaid({ from, state }: ChatEntry): boolean {
  return from === "user" && state !== "failed";
}
