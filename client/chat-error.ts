import { asRecord, text } from "./fields.js";

/** What went wrong. `code` is the server's, or the SDK's own: `already_sending, outbox_full, expired, undelivered, left`. */
export class ChatError extends Error {
  override readonly name = "ChatError";
  readonly code: string;
  readonly messageId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: string,
    message: string,
    details: { messageId?: string | undefined; retryAfterMs?: number | undefined } = {},
  ) {
    super(message);
    this.code = code;
    this.messageId = details.messageId;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Reads an error reply, a refused join or an `error` push. The engine's own have only a `reason`. */
export function readError(raw: unknown): ChatError {
  const { code, reason, message, error, messageId, retryAfterMs } = asRecord(raw);
  const name = text(code) ?? text(reason) ?? "unknown";
  return new ChatError(name, text(message) ?? text(error) ?? name, {
    messageId: text(messageId),
    retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : undefined,
  });
}
