import type { Typist } from "./chat-view.js";
import type { Clock } from "./clock.js";
import type { ChatEntry } from "./entry.js";
import { asRecord } from "./fields.js";
import { Running, type RunningAnswer } from "./running.js";
import { type Holder, type Intent, readHolder, readIntent, readSessionUpdate, type SessionUpdate } from "./session.js";
import { TypingIn } from "./typing.js";

/** What is going on besides what was said: answers in the making, who types, who has the session, what it is about. */
export class Live {
  readonly #running = new Running();
  readonly #typing: TypingIn;
  #holder: Holder | null = null;
  #intent: Intent | null = null;

  constructor(clock: Clock, changed: () => void) {
    this.#typing = new TypingIn(clock, changed);
  }

  get running(): readonly RunningAnswer[] {
    return this.#running.answers;
  }

  get typists(): readonly Typist[] {
    return this.#typing.typists as readonly Typist[];
  }

  get holder(): Holder | null {
    return this.#holder;
  }

  get intent(): Intent | null {
    return this.#intent;
  }

  /** @param reply of the join */
  joined(reply: unknown): void {
    const { running, intent, holder } = asRecord(reply);
    this.#running.joined(running);
    this.#holder = readHolder(holder);
    this.#intent = readIntent(intent);
  }

  /** Nobody is known to type; what was in the making is, until the next join tells. */
  lost(): void {
    this.#typing.clear();
  }

  /** `thinking, message_delta, component, typing` */
  heard(event: "thinking" | "message_delta" | "component" | "typing", payload: unknown): void {
    switch (event) {
      case "thinking":
        return this.#running.thought(payload);
      case "message_delta":
        return this.#running.delta(payload);
      case "component":
        return this.#running.component(payload);
      case "typing":
        return this.#heardTyping(payload);
    }
  }

  /** @param isCurrent whether the update is of the session that is shown */
  heardSession(payload: unknown, isCurrent: (sessionId: string) => boolean): SessionUpdate | null {
    const update = readSessionUpdate(payload);
    if (update === null) return null;
    if (isCurrent(update.sessionId)) this.#holder = update.holder;
    const { holder, status, deleted } = update;
    if (holder !== null || status !== "active" || deleted) this.#running.silence(update.sessionId);
    return update;
  }

  heardIntent(payload: unknown): Intent | null {
    const intent = readIntent(payload);
    if (intent !== null) this.#intent = intent.status === "active" ? intent : null;
    return intent;
  }

  /**
   * A message came: whoever said it types no more, and what was in the making is over.
   * @returns the message with what was shown on the way to it, which its push leaves out
   */
  said(entry: ChatEntry): ChatEntry {
    const { from, inReplyTo, components, responseId } = entry;
    if (from === "agent" || from === "coordinator") this.#typing.heard(from, false);
    const running = inReplyTo === undefined ? null : this.#running.ended(inReplyTo);
    if (running === null || components.length > 0 || running.responseId !== responseId) return entry;
    return { ...entry, components: running.components };
  }

  #heardTyping(payload: unknown): void {
    const { from, typing } = asRecord(payload);
    if (from === "agent" || from === "coordinator") this.#typing.heard(from, typing === true);
  }
}
