import { ChatPage, type PageOptions, type Seen } from "./chat-page.js";
import type { Payload } from "./phoenix.js";

/**
 * A page from years ago, over phoenix.js 1.4: it knows answers and the reply to what it says, and nothing of resuming,
 * of answers in the making, or of ids of its own. It reads its history when it is opened, and never again.
 */
export class OldPage extends ChatPage {
  protected readonly handlers = {};
  #isRead: boolean;

  constructor(options: PageOptions, seen: Seen, isRefreshed: boolean) {
    super(options, seen);
    this.#isRead = !isRefreshed;
  }

  say(text: string): void {
    const { businessId, userId } = this.options;
    this.push("new_message", { businessId, userId, locationId: "default", message: text })
      .receive("ok", ({ messageId, offset }) =>
        this.show({ messageId: String(messageId), offset: Number(offset), type: "user", content: text }),
      )
      .receive("error", (reason) => this.violate(`a message was refused: ${JSON.stringify(reason)}`));
  }

  protected joinPayload(): Payload {
    return { userId: this.options.userId };
  }

  protected joined(reply: Payload): void {
    const sessionId = reply.sessionId as string | null;
    if (this.#isRead || sessionId === null) return;
    this.#isRead = true;
    void this.readHistory(sessionId);
  }
}
