import { codes } from "./codes.js";
import {
  byteLength,
  clientIdBytesMax,
  fault,
  type Fault,
  idBytesMax,
  isAbsent,
  isFields,
  isMissing,
  isSmallText,
} from "./payloads.js";
import { type Result, success } from "./result.js";

/** `[A-Za-z0-9._-]{1,64}` (SPEC M92) */
export function isAgentId(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(value);
}

export interface MessageSend {
  /** Null: the one in which its sender is at present. */
  readonly conversationId: string | null;
  /** As whom it is said; null: as whoever says it. */
  readonly role: string | null;
  readonly content: string;
  readonly inReplyTo: string | null;
  /** As they are given: whether they can be used is not known yet. */
  readonly toolCalls: unknown;
  readonly clientMessageId: string | null;
}

/**
 * The payload of `message:send`: `{conversationId?, role?, content, inReplyTo?, toolCalls?, clientMessageId?}`.
 * @param maxBytes of UTF-8; 0 takes any length
 * @see SPEC M96
 */
export function parseMessageSend(payload: unknown, maxBytes: number): Result<MessageSend, Fault> {
  if (!isFields(payload)) return fault("invalid_payload", "The payload is not an object");
  const { conversationId, role, content, inReplyTo, toolCalls, clientMessageId } = payload;
  if (isMissing(content)) return fault("missing_parameters", `${codes.missing_parameters}: content`);
  if (typeof content !== "string") return fault("invalid_payload", "content is not a string");
  const text = content.toWellFormed();
  if (maxBytes > 0 && byteLength(text) > maxBytes) {
    return fault("message_too_long", `${codes.message_too_long}: ${maxBytes} bytes`);
  }
  for (const [name, value] of Object.entries({ conversationId, role, inReplyTo })) {
    if (!isAbsent(value) && !isSmallText(value, idBytesMax)) return fault("invalid_payload", `${name} is not an id`);
  }
  if (!isAbsent(clientMessageId) && !isSmallText(clientMessageId, clientIdBytesMax)) {
    return fault("invalid_payload", "clientMessageId is not a string of 1 to 128 bytes");
  }
  return success({
    conversationId: textOf(conversationId),
    role: textOf(role),
    content: text,
    inReplyTo: textOf(inReplyTo),
    toolCalls,
    clientMessageId: textOf(clientMessageId)?.toWellFormed() ?? null,
  });
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

export interface ConversationTyping {
  /** Null: the one in which its sender is at present. */
  readonly conversationId: string | null;
  readonly typing: boolean;
}

/** The payload of `typing` in a conversation: `{conversationId?, typing}`. (SPEC M98) */
export function parseConversationTyping(payload: unknown): Result<ConversationTyping, Fault> {
  const { conversationId, typing } = isFields(payload) ? payload : {};
  if (isAbsent(typing)) return fault("missing_parameters", `${codes.missing_parameters}: typing`);
  if (typeof typing !== "boolean") return fault("invalid_payload", "typing is not true or false");
  if (!isAbsent(conversationId) && !isSmallText(conversationId, idBytesMax)) {
    return fault("invalid_payload", "conversationId is not an id");
  }
  return success({ conversationId: textOf(conversationId), typing });
}
