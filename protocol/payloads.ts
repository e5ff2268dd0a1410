import { type Code, codes } from "./codes.js";
import { failure, type Result, success } from "./result.js";

export type Fields = Readonly<Record<string, unknown>>;

/** What was wrong with a payload: the code for programs, the sentence for their authors. */
export interface Fault {
  readonly code: Code;
  readonly error: string;
}

export const fault = (code: Code, error: string = codes[code]): { readonly ok: false; readonly reason: Fault } =>
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

/** The payload of `access_token`: `{token}`. (SPEC X9) */
export function parseAccessToken(payload: unknown): Result<string, Fault> {
  const token = isFields(payload) ? payload.token : undefined;
  if (isAbsent(token) || token === "") return fault("missing_parameters", `${codes.missing_parameters}: token`);
  return typeof token === "string" ? success(token) : fault("invalid_payload", "token is not a string");
}

/** The payload of `cancel`: `{messageId}`. (SPEC M42) */
export function parseCancel(payload: unknown): Result<{ readonly messageId: string }, Fault> {
  const messageId = isFields(payload) ? payload.messageId : undefined;
  if (isMissing(messageId)) return fault("missing_parameters", `${codes.missing_parameters}: messageId`);
  if (!isSmallText(messageId, idBytesMax)) return fault("invalid_payload", "messageId is not an id");
  return success({ messageId });
}

export interface Feedback {
  readonly messageId: string;
  readonly score: -1 | 1;
  readonly comment: string | null;
  /** Where the message is; null: to be found among the user's latest. */
  readonly sessionId: string | null;
}

const commentBytesMax = 2048;

/** The payload of `feedback`: `{messageId, score, comment?, sessionId?}`. (SPEC M62) */
export function parseFeedback(payload: unknown): Result<Feedback, Fault> {
  if (!isFields(payload)) return fault("invalid_payload", "The payload is not an object");
  const { messageId, score, comment, sessionId } = payload;
  const missing = ["messageId", "score"].filter((name) => isMissing(payload[name]));
  if (missing.length > 0) return fault("missing_parameters", `${codes.missing_parameters}: ${missing.join(", ")}`);
  if (!isSmallText(messageId, idBytesMax)) return fault("invalid_payload", "messageId is not an id");
  if (score !== -1 && score !== 1) return fault("invalid_payload", "score is neither -1 nor 1");
  if (!isAbsent(comment) && typeof comment !== "string") return fault("invalid_payload", "comment is not a string");
  const said = isMissing(comment) ? null : (comment as string).toWellFormed();
  if (said !== null && byteLength(said) > commentBytesMax) {
    return fault("message_too_long", `The comment is longer than ${commentBytesMax} bytes`);
  }
  if (!isAbsent(sessionId) && !isSmallText(sessionId, idBytesMax)) {
    return fault("invalid_payload", "sessionId is not an id");
  }
  return success({ messageId, score, comment: said, sessionId: sessionId ?? null });
}

/** The payload of `typing`: `{sessionId, typing}`. (SPEC M61) */
export function parseTyping(payload: unknown): Result<{ readonly sessionId: string; readonly typing: boolean }, Fault> {
  const session = parseSessionEvent(payload);
  if (!session.ok) return session;
  const { typing } = payload as Fields;
  if (isAbsent(typing)) return fault("missing_parameters", `${codes.missing_parameters}: typing`);
  if (typeof typing !== "boolean") return fault("invalid_payload", "typing is not true or false");
  return success({ ...session.value, typing });
}

export interface ComponentSubmit {
  readonly componentId: string;
  /** By the name of the field. Whether they are as they were asked for is not known yet. */
  readonly values: Fields;
  readonly clientMessageId: string | null;
}

/** A form has at most half as many fields. */
const valuesMax = 64;

/** The payload of `component_submit`: `{componentId, values, clientMessageId?}`. (SPEC M64) */
export function parseComponentSubmit(payload: unknown): Result<ComponentSubmit, Fault> {
  if (!isFields(payload)) return fault("invalid_payload", "The payload is not an object");
  const { componentId, values, clientMessageId } = payload;
  const missing = ["componentId", "values"].filter((name) => isMissing(payload[name]));
  if (missing.length > 0) return fault("missing_parameters", `${codes.missing_parameters}: ${missing.join(", ")}`);
  if (!isSmallText(componentId, idBytesMax)) return fault("invalid_payload", "componentId is not an id");
  if (!isFields(values)) return fault("invalid_payload", "values is not an object");
  if (Object.keys(values).length > valuesMax)
    return fault("invalid_payload", `values has more than ${valuesMax} names`);
  if (!isAbsent(clientMessageId) && !isSmallText(clientMessageId, clientIdBytesMax)) {
    return fault("invalid_payload", "clientMessageId is not a string of 1 to 128 bytes");
  }
  const ownId = isAbsent(clientMessageId) ? null : clientMessageId.toWellFormed();
  return success({ componentId, values, clientMessageId: ownId });
}

/** The payload of what is done to one session: `{sessionId}`. (SPEC M30) */
export function parseSessionEvent(payload: unknown): Result<{ readonly sessionId: string }, Fault> {
  const sessionId = isFields(payload) ? payload.sessionId : undefined;
  if (isMissing(sessionId)) return fault("missing_parameters", `${codes.missing_parameters}: sessionId`);
  if (!isSmallText(sessionId, idBytesMax)) return fault("invalid_payload", "sessionId is not an id");
  return success({ sessionId });
}

export interface CoordinatorNote {
  readonly sessionId: string;
  readonly message: string;
}

/**
 * The payload of `note`: `{sessionId, message}`.
 * @param maxMessageBytes as of `new_message`
 * @see SPEC M51
 */
export function parseNote(payload: unknown, maxMessageBytes: number): Result<CoordinatorNote, Fault> {
  if (!isFields(payload)) return fault("invalid_payload", "The payload is not an object");
  const { sessionId, message } = payload;
  const missing = (["sessionId", "message"] as const).filter((name) => isMissing(payload[name]));
  if (missing.length > 0) return fault("missing_parameters", `${codes.missing_parameters}: ${missing.join(", ")}`);
  if (!isSmallText(sessionId, idBytesMax)) return fault("invalid_payload", "sessionId is not an id");
  if (typeof message !== "string") return fault("invalid_payload", "message is not a string");
  const text = message.toWellFormed();
  if (maxMessageBytes > 0 && byteLength(text) > maxMessageBytes) {
    return fault("message_too_long", `${codes.message_too_long}: ${maxMessageBytes} bytes`);
  }
  return success({ sessionId, message: text });
}

export interface CoordinatorReply extends CoordinatorNote {
  /** Of a message of the session. */
  readonly inReplyTo: string | null;
}

/**
 * The payload of `reply`: `{sessionId, message, inReplyTo?}`.
 * @param maxMessageBytes as of `new_message`
 * @see SPEC M31
 */
export function parseReply(payload: unknown, maxMessageBytes: number): Result<CoordinatorReply, Fault> {
  const said = parseNote(payload, maxMessageBytes);
  if (!said.ok) return said;
  const { inReplyTo } = payload as Fields;
  if (!isAbsent(inReplyTo) && !isSmallText(inReplyTo, idBytesMax)) {
    return fault("invalid_payload", "inReplyTo is not an id");
  }
  return success({ ...said.value, inReplyTo: isAbsent(inReplyTo) ? null : inReplyTo });
}

/** The payload of `delivered` and `read`: `{sessionId, offset}`. (SPEC M28) */
export function parseMark(payload: unknown): Result<{ readonly sessionId: string; readonly offset: number }, Fault> {
  if (!isFields(payload)) return fault("invalid_payload", "The payload is not an object");
  const missing = ["sessionId", "offset"].filter((name) => isMissing(payload[name]));
  if (missing.length > 0) return fault("missing_parameters", `${codes.missing_parameters}: ${missing.join(", ")}`);
  const { sessionId, offset } = payload;
  if (!isSmallText(sessionId, idBytesMax)) return fault("invalid_payload", "sessionId is not an id");
  const isOffset = typeof offset === "number" && Number.isSafeInteger(offset) && offset >= 0;
  return isOffset ? success({ sessionId, offset }) : fault("invalid_payload", "offset is not an offset");
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
export const idBytesMax = 512;
export const clientIdBytesMax = 128;
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
export function isMissing(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}

export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

export function isSmallText(value: unknown, maxBytes: number): value is string {
  return typeof value === "string" && value !== "" && byteLength(value) <= maxBytes;
}

const encoder = new TextEncoder();

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}
