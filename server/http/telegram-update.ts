import { z } from "zod";

/** What somebody said to a bot, in a chat of the two. */
export interface TelegramMessage {
  readonly updateId: number;
  readonly messageId: number;
  readonly from: number;
  readonly name?: string;
  readonly locale?: "ro" | "en";
  readonly text: string;
  /** ISO 8601, UTC: to the second. */
  readonly sentAt: string;
}

const nameLengthMax = 200;
const int = z.int();

/** An update of the Bot API, so far as it is looked at. What else stands in it is left alone. */
export const telegramUpdate = z.looseObject({
  update_id: int.min(0),
  message: z.looseObject({}).optional(),
});

const textMessage = z.looseObject({
  message_id: int,
  date: int.min(0).max(8_640_000_000_000),
  text: z.string(),
  chat: z.looseObject({ id: int, type: z.literal("private") }),
  from: z.looseObject({
    id: int.min(1),
    is_bot: z.literal(false),
    first_name: z.string().optional(),
    last_name: z.string().optional(),
    language_code: z.string().optional(),
  }),
});

/**
 * What was said; null for what nobody said to the bot alone in words: edits, pictures, groups, other bots. They are left
 * out on purpose, and Telegram is not to send them again. (SPEC H37)
 */
export function saidIn({ update_id: updateId, message }: z.infer<typeof telegramUpdate>): TelegramMessage | null {
  const parsed = textMessage.safeParse(message);
  if (!parsed.success || parsed.data.text.trim() === "") return null;
  const { message_id: messageId, date, text, from } = parsed.data;
  const { id, first_name: first, last_name: last, language_code: language = "" } = from;
  const name = [first, last].filter(Boolean).join(" ").trim().slice(0, nameLengthMax).toWellFormed();
  const locale = /^(ro|en)(?:-|$)/i.exec(language)?.[1]?.toLowerCase() as "ro" | "en" | undefined;
  return {
    ...{ updateId, messageId, from: id, text: spoken(text), sentAt: new Date(date * 1000).toISOString() },
    ...(name === "" ? {} : { name }),
    ...(locale === undefined ? {} : { locale }),
  };
}

// `/help@OurBot` is `/help`; what stands behind `/start` says from where a user came, and is not for us.
function spoken(text: string): string {
  const bare = text.replace(/^(\/[a-z]{1,16})@\w{1,64}(?=\s|$)/i, "$1");
  return /^\/start(?:\s|$)/i.test(bare) ? "/start" : bare;
}
