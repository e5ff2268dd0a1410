import { asRecord, text } from "./fields.js";
import { type Holder, readHolder } from "./session.js";

/**
 * What went wrong. `code` is the server's, or the SDK's own: `already_sending, outbox_full, expired, undelivered,
 * offline, busy, token_unavailable, left`.
 */
export class ChatError extends Error {
  override readonly name = "ChatError";
  readonly code: string;
  readonly messageId: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** Of `invalid_values`: which fields of a form, and why. */
  readonly fields: readonly InvalidField[];
  /** Of `held_by_other`: who has the session. */
  readonly holder: Holder | null;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    this.messageId = details.messageId;
    this.retryAfterMs = details.retryAfterMs;
    this.fields = details.fields ?? [];
    this.holder = details.holder ?? null;
  }
}

export interface InvalidField {
  readonly name: string;
  readonly error: "required" | "unknown" | "invalid";
}

interface ErrorDetails {
  readonly messageId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly fields?: readonly InvalidField[];
  readonly holder?: Holder | null;
}

/** Reads an error reply, a refused join or an `error` push. The engine's own have only a `reason`. */
export function readError(raw: unknown): ChatError {
  const { code, reason, message, error, messageId, retryAfterMs, fields, holder } = asRecord(raw);
  const name = text(code) ?? text(reason) ?? "unknown";
  return new ChatError(name, text(message) ?? text(error) ?? name, {
    messageId: text(messageId),
    retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : undefined,
    fields: Array.isArray(fields) ? fields.flatMap(readInvalidField) : [],
    holder: readHolder(holder),
  });
}

function readInvalidField(raw: unknown): InvalidField[] {
  const { name, error } = asRecord(raw);
  if (typeof name !== "string") return [];
  return [{ name, error: error === "required" || error === "unknown" ? error : "invalid" }];
}
