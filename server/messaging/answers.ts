import type { Clock } from "../clock.js";
import { userTopic } from "./audience.js";
import { overseersTopic } from "./conversation/members.js";
import type { ChatMessage } from "./model.js";
import { parseCommand } from "./steps/command.js";
import type { Store } from "./store.js";

/** The outcomes of users' messages, for those who have no socket on which they would be told. */
export interface Answers {
  /** The stored outcome of a user's message; null as long as there is none. @throws StoreError */
  find(question: ChatMessage): Promise<ChatMessage | null>;
  /**
   * The same, waiting for it until `signal` aborts, or for 25 s. When too many wait already it does not.
   * @returns `deleted` as soon as the session is: there will be none
   * @throws StoreError
   * @see SPEC H25
   */
  wait(question: ChatMessage, signal: AbortSignal): Promise<ChatMessage | null | "deleted">;
}

/** What is told on an internal topic. */
export type Listen = (
  topic: string,
  listener: (broadcast: { readonly event: string; readonly payload: unknown }) => void,
) => () => void;

const waitMs = 25_000;
const waitingMax = 1000;
/** At most so many turns of a session are open (SPEC L14); before its own outcome come their messages and outcomes. */
const rowsMax = 300;

export function createAnswers({
  store,
  clock,
  listen,
}: {
  readonly store: Pick<Store, "readMessages">;
  readonly clock: Clock;
  readonly listen: Listen;
}): Answers {
  let waiting = 0;

  return { find, wait };

  async function find(question: ChatMessage): Promise<ChatMessage | null> {
    const { sessionId, offset } = question;
    const { items } = await store.readMessages(sessionId, { after: offset, limit: rowsMax });
    return outcomeAmong(items, question);
  }

  async function wait(question: ChatMessage, signal: AbortSignal): Promise<ChatMessage | null | "deleted"> {
    if (waiting >= waitingMax) return find(question);
    waiting += 1;
    const { businessId, userId, sessionId } = question;
    const bell = new Bell();
    let isDeleted = false;
    const onAbort = () => bell.end();
    const onDeleted = () => {
      isDeleted = true;
      bell.end();
    };
    // Heard before it is looked for: nothing falls between the two.
    const unlisten = listen(userTopic({ businessId, userId }), ({ event, payload }) => {
      const told = payload as { readonly sessionId?: unknown; readonly deleted?: unknown };
      if (told.sessionId !== sessionId) return;
      if (event === "new_message") bell.ring();
      if (event === "session_updated" && told.deleted === true) onDeleted();
    });
    // Of a conversation whoever asked may take no part any more.
    const unlistenHere = listen(overseersTopic(sessionId), ({ event, payload }) => {
      if (event === "message:new") bell.ring();
      if (event === "conversation:updated" && (payload as { readonly deleted?: unknown }).deleted === true) onDeleted();
    });
    const cancel = clock.after(waitMs, onAbort);
    signal.addEventListener("abort", onAbort);
    try {
      for (;;) {
        const { isOver } = bell;
        const found = await find(question);
        // What is left of its rows is nobody's answer.
        if (isDeleted) return "deleted";
        if (found !== null || isOver || signal.aborted) return found;
        await bell.rung();
      }
    } finally {
      waiting -= 1;
      unlisten();
      unlistenHere();
      cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }
}

/**
 * Of what was said after a user's message, its outcome: what answers it; or, when it ended together with others, what a
 * coordinator said then, or what answers a later one. Questions of a session have their outcomes in their order; a
 * command has one of its own, and is nobody else's. What is said in a conversation beside that has no `responseId`, and is
 * the outcome of nothing. (SPEC M7, M33, M43)
 */
export function outcomeAmong(
  later: readonly ChatMessage[],
  { messageId, content }: Pick<ChatMessage, "messageId" | "content">,
): ChatMessage | null {
  const isCommand = parseCommand(content) !== null;
  const questions = new Set([messageId]);
  for (const message of later) {
    const { type, metadata } = message;
    const answersIt = questions.has(metadata.inReplyTo ?? "");
    if (type === "user") {
      if (!isCommand && parseCommand(message.content) === null) questions.add(message.messageId);
    } else if (metadata.responseId === undefined) continue;
    else if (type === "coordinator" ? !isCommand : answersIt) return message;
  }
  return null;
}

/** Whoever comes after it has rung need not wait. */
class Bell {
  isOver = false;
  #hasRung = false;
  #wake: () => void = () => undefined;

  ring(): void {
    this.#hasRung = true;
    this.#wake();
  }

  end(): void {
    this.isOver = true;
    this.ring();
  }

  async rung(): Promise<void> {
    if (!this.#hasRung) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#hasRung = false;
  }
}
