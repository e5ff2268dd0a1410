import type { Chat } from "../chat.js";
import type { ChatEntry } from "../entry.js";
import { History } from "../history.js";
import type { Conversation } from "./conversation.js";
import type { Part } from "./place.js";
import type { Visitor } from "./visitor.js";

/** How near to the top, in pixels, what is older is fetched. */
const topPx = 200;

interface EarlierPlace {
  readonly part: Part;
  readonly baseUrl: string;
  readonly conversation: Conversation;
  prepare(this: void, entries: readonly ChatEntry[]): Promise<unknown> | null;
  failed(this: void): void;
}

/** What was said before: fetched when somebody scrolls up to it, or asks for it. */
export class Earlier {
  readonly #chat: Chat;
  readonly #visitor: Visitor;
  readonly #conversation: Conversation;
  readonly #prepare: (entries: readonly ChatEntry[]) => Promise<unknown> | null;
  readonly #failed: () => void;
  readonly #baseUrl: string;
  readonly #button: HTMLButtonElement;
  #history: History | null = null;

  /** @param place.prepare loads what draws them, so that they come as high as they stay */
  constructor(chat: Chat, visitor: Visitor, place: EarlierPlace) {
    const { part, conversation, prepare, failed } = place;
    this.#baseUrl = place.baseUrl;
    this.#button = part("earlier", HTMLButtonElement);
    this.#chat = chat;
    this.#visitor = visitor;
    this.#conversation = conversation;
    this.#prepare = prepare;
    this.#failed = failed;
    this.#button.addEventListener("click", () => void this.#older());
    const scroll = part("scroll");
    scroll.addEventListener("scroll", () => void (scroll.scrollTop < topPx && this.#older()), { passive: true });
  }

  /** The session of today: its newest page at first, and after a gap what lies in it. */
  async joined(sessionId: string, first: boolean): Promise<void> {
    const history = new History({ ...this.#visitor, baseUrl: this.#baseUrl, sessionId });
    this.#history = history;
    const isShown = this.#alreadyShown();
    await this.#read(() => (first ? history.older() : history.since(isShown)));
    if (first) this.#conversation.toEnd();
  }

  async #older(): Promise<void> {
    if (this.#button.disabled || this.#button.hidden || this.#history === null) return;
    await this.#read(() => this.#history!.older());
  }

  async #read(read: () => ReturnType<History["older"]>): Promise<void> {
    this.#button.disabled = true;
    try {
      const entries = await read();
      await this.#prepare(entries);
      this.#conversation.keepingPlace(() => this.#chat.merge(entries));
    } catch {
      this.#failed();
    }
    this.#button.hidden = !(this.#history?.hasMore ?? false);
    this.#button.disabled = false;
  }

  // As of now: what is pushed while the gap is read lies behind it and must not end the reading.
  #alreadyShown(): (entry: { readonly messageId?: string }) => boolean {
    const shown = new Set(this.#chat.messages.map(({ messageId }) => messageId));
    return ({ messageId }) => shown.has(messageId);
  }
}
