import { type Code, codes } from "../../protocol/codes.js";
import { parseNewMessage, type NewMessage } from "../../protocol/payloads.js";
import { failure, type Result, success } from "../../protocol/result.js";
import { may } from "../auth/access.js";
import type { Identity } from "../auth/identity.js";
import type { Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Blocklist } from "./blocklist.js";
import type { Business } from "./business.js";
import type { Chats } from "./chats.js";
import type { Accepted, Conversations, UserMessage } from "./conversations.js";
import type { ChatMessage, ChatMessageMetadata } from "./model.js";
import type { Quota, Taken } from "./quota.js";
import type { RateLimits, SocketRate } from "./rate-limits.js";
import { StoreError } from "./store.js";
import type { Turns } from "./turns.js";

/** Why something that a client wanted was not done. */
export interface Refusal {
  readonly code: Code;
  /** In plain words, for the author of the client; those of the code unless they are given. */
  readonly words?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** What else its client needs to know. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** By which door a message came, and from whom. */
export interface Sender {
  readonly business: Business;
  readonly identity: Identity;
  readonly source: ChatMessageMetadata["source"];
  readonly connectionId: string | null;
  /** Of its socket, where there is one. */
  readonly rate: SocketRate | null;
}

export interface Admitted {
  readonly accepted: Accepted;
  readonly locationId: string;
  /** Starts the turn. To be called once its sender has been told: reply, message_accepted, answer, in this order. (SPEC M14) */
  readonly begin: () => void;
}

/** The first step of a turn: what is refused here is told with its code and not stored. (SPEC M13, M14) */
export interface Admission {
  /** @param payload of `new_message` */
  admit(sender: Sender, payload: unknown): Promise<Result<Admitted, Refusal>>;
  /** The same of a message that has been read. */
  take(sender: Sender, message: ReadMessage): Promise<Result<Admitted, Refusal>>;
}

/** A message that has been read, with what only the server itself says of it. */
export type ReadMessage = NewMessage & Pick<UserMessage, "data" | "isBound"> & Pick<ChatMessageMetadata, "externalId">;

const retryMs: Readonly<Partial<Record<Code, number>>> = { busy: 1000, storage_unavailable: 5000 };

/** A refusal with the time after which it is worth another try, where there is one. */
export function refusal(code: Code, words: string = codes[code]): Refusal {
  return { code, words, retryAfterMs: retryMs[code] };
}

export function createAdmission(deps: {
  readonly conversations: Conversations;
  readonly turns: Turns;
  readonly rateLimits: RateLimits;
  readonly blocklist: Blocklist;
  readonly quota: Quota;
  readonly chats: Pick<Chats, "remember">;
  readonly clock: Clock;
  readonly telemetry: DeskTelemetry;
  readonly maxMessageBytes: number;
}): Admission {
  const { conversations, turns, rateLimits, clock, telemetry } = deps;
  return { admit, take };

  async function admit(sender: Sender, payload: unknown): Promise<Result<Admitted, Refusal>> {
    const parsed = parseNewMessage(payload, deps.maxMessageBytes);
    return parsed.ok ? take(sender, parsed.value) : failure(refusal(parsed.reason.code, parsed.reason.error));
  }

  async function take(sender: Sender, message: ReadMessage): Promise<Result<Admitted, Refusal>> {
    const startedAt = clock.monotonic();
    const { business, identity, rate } = sender;
    const { businessId } = business;
    const isOwn = message.businessId === businessId && may(identity, "message.send", message);
    if (!isOwn) return failure(refusal("forbidden"));
    const blocked = await isBlocked(message);
    if (blocked !== false) return failure(refusal(blocked === true ? "blocked" : blocked));
    const share = await shareOf(business, message);
    if (share === "storage_unavailable") return failure(refusal(share));
    const waitMs = rateLimits.take(rate, { businessId, userId: message.userId, limits: business.limits });
    if (waitMs > 0) {
      await giveBack(share);
      return failure({ ...refusal("rate_limited"), retryAfterMs: waitMs });
    }
    const place = turns.reserve(message);
    const accepted = await accept(userMessage(sender, message), place !== null && share?.kind !== "spent");
    if (!accepted.ok || accepted.value.duplicate) await giveBack(share);
    if (!accepted.ok) {
      place?.release();
      const isSpent = accepted.reason === "busy" && share?.kind === "spent";
      if (isSpent) return failure({ ...refusal("quota_exceeded"), retryAfterMs: share.retryAfterMs });
      return failure(refusal(accepted.reason));
    }
    const { duplicate, message: stored, head } = accepted.value;
    // What is said to a chat as such is remembered by whoever takes it there.
    if (head?.session.kind === "chat" && message.isBound !== true) await remember(stored);
    const durationMs = clock.monotonic() - startedAt;
    telemetry.emit("message.accepted", { businessId, sessionId: stored.sessionId, duplicate, durationMs });
    const begin = () => {
      if (duplicate || place === null) place?.release();
      else turns.admitted(accepted.value, place);
    };
    return success({ accepted: accepted.value, locationId: message.locationId, begin });
  }

  // A turn that is not remembered is run all the same, though not by a queue elsewhere. (SPEC H34)
  async function remember(message: ChatMessage): Promise<void> {
    try {
      await deps.chats.remember(message);
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      telemetry.emit("store.failed", { operation: "remember a turn", error: cause });
    }
  }

  /** Null where a user may say as much as they like. */
  function shareOf(business: Business, { userId }: NewMessage): Promise<Taken | "storage_unavailable"> | null {
    const taking = deps.quota.take(business, userId);
    if (taking === null) return null;
    return taking.catch((cause: unknown) => {
      if (!(cause instanceof StoreError)) throw cause;
      telemetry.emit("store.failed", { operation: "count a message", error: cause });
      return "storage_unavailable";
    });
  }

  async function isBlocked(message: NewMessage): Promise<boolean | Code> {
    try {
      return await deps.blocklist.has(message);
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      telemetry.emit("store.failed", { operation: "read a user", error: cause });
      return "storage_unavailable";
    }
  }

  // A duplicate needs no place: it is answered already, or will be.
  async function accept(message: UserMessage, hasPlace: boolean): Promise<Result<Accepted, Code>> {
    try {
      if (hasPlace) return await conversations.accept(message);
      const found = await conversations.findAccepted(message);
      if (!found.ok) return found;
      return found.value === null ? failure("busy") : success(found.value);
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      telemetry.emit("store.failed", { operation: "accept a message", error: cause });
      return failure("storage_unavailable");
    }
  }
}

// What was not stored was not said, and a retry was counted before.
async function giveBack(share: Taken | null): Promise<void> {
  if (share?.kind === "taken") await share.giveBack();
}

function userMessage({ business, source, connectionId }: Sender, message: ReadMessage): UserMessage {
  const { data, clientMessageId, clientTimestamp, chatId, externalId } = message;
  return {
    business,
    userId: message.userId,
    locationId: message.locationId,
    content: message.message,
    ...(data === undefined ? {} : { data }),
    sessionId: message.sessionId,
    isBound: message.isBound,
    clientMessageId,
    context: message.context,
    metadata: {
      source,
      ...(connectionId === null ? {} : { connectionId }),
      ...(clientMessageId === null ? {} : { clientMessageId }),
      ...(clientTimestamp === null ? {} : { clientTimestamp }),
      ...(chatId === null ? {} : { chatId }),
      ...(externalId === undefined ? {} : { externalId }),
    },
  };
}
