/// <reference lib="dom" />
import { Chat } from "./chat.js";
import type { ChatOptions } from "./chat-view.js";
import type { ChatEntry } from "./entry.js";
import { History, type HistoryOptions } from "./history.js";

/** A message as pages of old know it. */
export interface SessionMessage {
  readonly messageId: string;
  readonly sessionId: string;
  readonly businessId: string;
  /** `agent` for an answer. */
  readonly userId: string;
  readonly content: string;
  readonly type: "user" | "agent" | "coordinator" | "system";
  readonly timestamp: string;
  readonly metadata: { readonly source: "websocket"; readonly responseId?: string };
}

export interface AISessionClientOptions extends Omit<ChatOptions, "url" | "businessId" | "userId"> {
  /** Default: `/socket` of the page's own server. */
  readonly url?: string;
  /** Where history is read; without a slash at its end. Default: the page's own server. */
  readonly baseUrl?: string;
}

/**
 * The client of pages that were written for the server before this one: the same names over `Chat`, so that they lose
 * nothing over a lost connection and open no second socket. New pages use `Chat`. A page overrides `displayMessage`.
 */
export class AISessionClient {
  readonly businessId: string;
  readonly userId: string;
  /** What is under it, for what this class has no name for. */
  readonly chat: Chat;
  messageHistory: SessionMessage[] = [];
  readonly #reading: Pick<HistoryOptions, "baseUrl" | "token">;
  readonly #shown = new Set<string>();

  constructor(businessId: string, userId: string, options: AISessionClientOptions = {}) {
    const { url = "/socket", baseUrl = "", ...rest } = options;
    this.businessId = businessId;
    this.userId = userId;
    this.#reading = { baseUrl, ...(rest.token === undefined ? {} : { token: rest.token }) };
    this.chat = new Chat({ ...rest, url, businessId, userId });
    this.chat.onMessage((entry) => this.#show(entry));
  }

  get isConnected(): boolean {
    return this.chat.status.state === "online";
  }

  /** Null until the first message is stored: the server makes the ids. */
  get currentSessionId(): string | null {
    return this.chat.sessionId;
  }

  connect(): void {
    this.chat.connect();
  }

  /** Without a connection it waits for one. @throws ChatError whose `code` says why it was not stored */
  async sendMessage(content: string): Promise<void> {
    await this.chat.send(content);
  }

  /** Shows what was said today, if anything was. @throws ChatError with the server's code */
  async loadTodaySession(): Promise<void> {
    if (this.currentSessionId !== null) await this.loadMessageHistory(this.currentSessionId);
  }

  /** Shows what was said in a session. @throws ChatError with the server's code */
  async loadMessageHistory(sessionId: string): Promise<void> {
    const { businessId, userId } = this;
    const history = new History({ ...this.#reading, sessionId, businessId, userId });
    const entries = await history.older();
    for (const { id } of entries) this.#shown.add(id);
    this.chat.merge(entries);
    this.messageHistory = this.chat.messages.map((entry) => this.#messageOf(entry));
    this.displayMessageHistory();
  }

  /** Shows one message in `#chat-container`, as text. To be overridden by a page that shows it otherwise. */
  displayMessage({ type, timestamp, content }: SessionMessage): void {
    const shown = element(`message ${type}-message`, "");
    const head = element("message-header", "");
    head.append(element("sender", type === "user" ? "Tu" : "AI Agent"), " ");
    head.append(element("time", new Date(timestamp).toLocaleTimeString()));
    shown.append(head, element("message-content", content));
    document.getElementById("chat-container")?.append(shown);
    shown.scrollIntoView({ behavior: "smooth" });
  }

  displayMessageHistory(): void {
    document.getElementById("chat-container")?.replaceChildren();
    for (const message of this.messageHistory) this.displayMessage(message);
  }

  disconnect(): Promise<void> {
    return this.chat.leave();
  }

  // One's own words are shown at once, as they always were, and not again when they are stored.
  #show(entry: ChatEntry): void {
    if (entry.state === "failed" || this.#shown.has(entry.id)) return;
    this.#shown.add(entry.id);
    const message = this.#messageOf(entry);
    this.messageHistory.push(message);
    this.displayMessage(message);
  }

  #messageOf({ id, from, content, timestamp, messageId, sessionId, responseId }: ChatEntry): SessionMessage {
    return {
      messageId: messageId ?? id,
      sessionId: sessionId ?? this.currentSessionId ?? "",
      businessId: this.businessId,
      userId: from === "user" ? this.userId : from,
      content,
      type: from,
      timestamp: timestamp === "" ? new Date().toISOString() : timestamp,
      metadata: { source: "websocket", ...(responseId === undefined ? {} : { responseId }) },
    };
  }
}

function element(className: string, content: string): HTMLElement {
  const made = document.createElement(className === "sender" || className === "time" ? "span" : "div");
  made.className = className;
  made.textContent = content;
  return made;
}
