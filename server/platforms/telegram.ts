import { createHttpClient } from "../agents/http-client.js";
import type { Clock } from "../clock.js";
import { telegramIdOf } from "../messaging/outbound.js";
import type { Line } from "../messaging/platforms.js";
import { post } from "./post.js";
import { split } from "./split.js";

/** A bot of a business. */
export interface Bot {
  /** Stands in the address of every call: it goes into no log and no error. */
  readonly token: string;
  /** Telegram says it with every update. */
  readonly secret: string;
}

/** UTF-16 code units of one message. */
const textLengthMax = 4096;

/**
 * Answers users of Telegram by the Bot API's `sendMessage`, as plain text. Telegram knows no key by which a message
 * would be sent once: one whose answer was lost is sent again. (SPEC M112)
 * @param apiUrl where the Bot API is
 */
export function createTelegram({
  clock,
  apiUrl,
}: {
  readonly clock: Clock;
  readonly apiUrl: string;
}): (bot: Bot) => Line {
  const client = createHttpClient({ clock });
  return ({ token }) => ({
    piecesOf: ({ content }) => split(content, textLengthMax),
    async send({ text, userId }, signal) {
      const chatId = telegramIdOf(userId);
      // It was brought by a program, which said so.
      if (chatId === null) return { kind: "refused", code: "no_chat" };
      const body = Buffer.from(JSON.stringify({ chat_id: chatId, text }));
      const headers = { accept: "application/json", "content-type": "application/json", "content-length": body.length };
      const target = new URL(`${apiUrl.replace(/\/+$/, "")}/bot${token}/sendMessage`);
      return post({ client, clock }, target, { body, headers }, signal);
    },
  });
}
