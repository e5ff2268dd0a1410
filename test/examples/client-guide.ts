import { type Chat, ChatError, type History } from "bennu/client";

/** Says what was written. @returns why it cannot be said, for the one who wrote it; null when it was */
export async function say(chat: Chat, text: string): Promise<string | null> {
  const excess = chat.excess(text);
  if (excess > 0) return `${excess} characters too long`;
  const clientMessageId = crypto.randomUUID();
  try {
    await chat.send(text, { clientMessageId });
    return null;
  } catch (cause) {
    if (!(cause instanceof ChatError)) throw cause;
    // What was refused stands in the field again, to be changed. Of these it may yet turn out that it was said.
    if (!["expired", "left", "undelivered"].includes(cause.code)) chat.discard(clientMessageId);
    return cause.message;
  }
}

/** Shows a page of what was said before. @returns whether there is more */
export async function showEarlier(chat: Chat, history: History): Promise<boolean> {
  chat.merge(await history.older());
  return history.hasMore;
}
