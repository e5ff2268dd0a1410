import { type Code, codes } from "./codes.js";
import { failure, type Result, success } from "./result.js";

type Fields = Readonly<Record<string, unknown>>;

/** What was wrong with a payload: the code for programs, the sentence for their authors. */
export interface Fault {
  readonly code: Code;
  readonly error: string;
}

const fault = (code: Code, error: string = codes[code]): { readonly ok: false; readonly reason: Fault } =>
  failure({ code, error });

/** `[A-Za-z0-9._-]{1,64}` (SPEC M11) */
export function isBusinessId(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(value);
}

/** 1 to 128 of `[A-Za-z0-9._@|+:-]` (SPEC M11) */
export function isUserId(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z0-9._@|+:-]{1,128}$/.test(value);
}

export interface JoinRequest {
  readonly userId: string | null;
  readonly isCoordinator: boolean;
  readonly chatId: string | null;
  readonly resume: Resume | null;
}

export type Resume =
  { readonly sessionId: string; readonly offset: number; readonly epoch: string | null } | { readonly cursor: string };

/** The payload of a join of `messages:<businessId>`: `{userId?, role?, chatId?, resume?}`. (SPEC M12) */
export function parseJoin(payload: unknown): Result<JoinRequest, Code> {
  if (payload === undefined || payload === null) return success(noJoinRequest);
  if (!isFields(payload)) return failure("invalid_payload");
  const { userId, role, chatId } = payload;
  if (!isAbsent(userId) && !isUserId(userId)) return failure("invalid_payload");
  if (!isAbsent(role) && typeof role !== "string") return failure("invalid_payload");
  if (!isAbsent(chatId) && !isSmallText(chatId, clientIdBytesMax)) return failure("invalid_payload");
  const resume = parseResume(payload.resume);
  if (!resume.ok) return resume;
  return success({
    userId: isAbsent(userId) ? null : userId,
    isCoordinator: role === "coordinator",
    chatId: isAbsent(chatId) ? null : chatId,
    resume: resume.value,
  });
}

const noJoinRequest: JoinRequest = { userId: null, isCoordinator: false, chatId: null, resume: null };

function parseResume(value: unknown): Result<Resume | null, Code> {
  if (value === undefined || value === null) return success(null);
  if (!isFields(value)) return failure("invalid_payload");
  const { sessionId, offset, epoch, cursor } = value;
  if (isSmallText(cursor, idBytesMax)) return success({ cursor });
  if (!isSmallText(sessionId, idBytesMax)) return failure("invalid_payload");
  if (typeof offset !== "number" || !Number.isSafeInteger(offset) || offset < 0) return failure("invalid_payload");
  if (epoch !== undefined && epoch !== null && typeof epoch !== "string") return failure("invalid_payload");
  return success({ sessionId, offset, epoch: epoch ?? null });
}

export interface NewMessage {
  readonly businessId: string;
  readonly locationId: string;
  readonly userId: string;
  readonly message: string;
  readonly sessionId: string | null;
  readonly clientMessageId: string | null;
  readonly clientTimestamp: string | null;
  readonly chatId: string | null;
  readonly context: Fields;
}

const required = ["businessId", "locationId", "userId", "message"] as const;
const idBytesMax = 512;
const clientIdBytesMax = 128;
const locationBytesMax = 128;
const timestampBytesMax = 64;

/**
 * The payload of `new_message`. Fields that are not listed are ignored, so nobody can set what the server sets.
 * @param maxMessageBytes of UTF-8; 0 takes any length
 * @see SPEC M13
 */
export function parseNewMessage(payload: unknown, maxMessageBytes: number): Result<NewMessage, Fault> {
  if (!isFields(payload)) return fault("invalid_payload", "The payload is not an object");
  const missing = required.filter((name) => isMissing(payload[name]));
  if (missing.length > 0) return fault("missing_parameters", `${codes.missing_parameters}: ${missing.join(", ")}`);
  const { businessId, locationId, userId, message, sessionId, clientMessageId, chatId, timestamp, context } = payload;
  const wrong = required.find((name) => typeof payload[name] !== "string");
  if (wrong !== undefined) return fault("invalid_payload", `${wrong} is not a string`);
  if (!isSmallText(locationId, locationBytesMax))
    return fault("invalid_payload", "locationId is longer than 128 bytes");
  const text = (message as string).toWellFormed();
  if (maxMessageBytes > 0 && byteLength(text) > maxMessageBytes) {
    return fault("message_too_long", `${codes.message_too_long}: ${maxMessageBytes} bytes`);
  }
  if (!isAbsent(clientMessageId) && !isSmallText(clientMessageId, clientIdBytesMax)) {
    return fault("invalid_payload", "clientMessageId is not a string of 1 to 128 bytes");
  }
  if (!isAbsent(chatId) && !isSmallText(chatId, clientIdBytesMax)) {
    return fault("invalid_payload", "chatId is not a string of 1 to 128 bytes");
  }
  if (!isAbsent(sessionId) && typeof sessionId !== "string")
    return fault("invalid_payload", "sessionId is not a string");
  if (!isAbsent(context) && !isFields(context)) return fault("invalid_payload", "context is not an object");
  return success({
    businessId: businessId as string,
    locationId: locationId.toWellFormed(),
    userId: userId as string,
    message: text,
    sessionId: isSmallText(sessionId, idBytesMax) ? sessionId : null,
    clientMessageId: isAbsent(clientMessageId) ? null : clientMessageId.toWellFormed(),
    clientTimestamp: isSmallText(timestamp, timestampBytesMax) ? timestamp.toWellFormed() : null,
    chatId: isAbsent(chatId) ? null : chatId.toWellFormed(),
    context: isAbsent(context) ? {} : context,
  });
}

// A text of nothing but white space says nothing.
function isMissing(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function isSmallText(value: unknown, maxBytes: number): value is string {
  return typeof value === "string" && value !== "" && byteLength(value) <= maxBytes;
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
