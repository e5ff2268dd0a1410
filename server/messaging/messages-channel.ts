import { type Code, codes } from "../../protocol/codes.js";
import {
  isBusinessId,
  type JoinRequest,
  parseJoin,
  parseNewMessage,
  type NewMessage,
} from "../../protocol/payloads.js";
import { failure, type Result, success } from "../../protocol/result.js";
import { type ConnectClaims, type Identity, belongsTo, identifyJoin, mayCoordinate } from "../auth/identity.js";
import { Channel, error, type HandleResult, type JoinResult, ok } from "../channel/channel.js";
import type { Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { audience } from "./audience.js";
import { acceptedEvent, acceptedReply, type Broadcast, errorPayload } from "./broadcast.js";
import type { Business } from "./business.js";
import type { Accepted, Conversations, UserMessage } from "./conversations.js";
import type { Resumption } from "./resume.js";
import { StoreError } from "./store.js";
import type { Turns } from "./turns.js";

/** What a socket of the desk was assigned when it connected. */
export interface SocketAssigns {
  readonly token: Identity | null;
  readonly claims: ConnectClaims;
  readonly connectionId: string;
}

export interface MessagesChannelDeps {
  readonly conversations: Conversations;
  readonly resumption: Resumption;
  readonly turns: Turns;
  readonly businessOf: (businessId: string) => Business | null;
  readonly broadcast: Broadcast;
  readonly clock: Clock;
  readonly telemetry: DeskTelemetry;
  readonly maxMessageBytes: number;
}

const topicPrefix = "messages:";
const retryMs: Readonly<Partial<Record<Code, number>>> = { busy: 1000, storage_unavailable: 5000 };

/** `messages:<businessId>`: a business's customers and its coordinators. Who hears what is in `audience`. */
export class MessagesChannel extends Channel {
  readonly #deps: MessagesChannelDeps;
  #member: Member | null = null;

  constructor(deps: MessagesChannelDeps) {
    super();
    this.#deps = deps;
  }

  /** @see SPEC M12, X2, X3 */
  override async join(payload: unknown): Promise<JoinResult> {
    const { token, claims, connectionId } = this.socket.assigns as unknown as SocketAssigns;
    const request = parseJoin(payload);
    if (!request.ok) return error({ reason: request.reason });
    const identity = identifyJoin(token, claims, request.value);
    if (!identity.ok) return error({ reason: identity.reason });
    const business = this.#businessOf(identity.value);
    if (business === null) return error({ reason: "not_found" satisfies Code });
    const { role, userId } = identity.value;
    const isCoordinator = mayCoordinate(identity.value, business.businessId);
    if (!isCoordinator && (role !== "user" || userId === null)) return error({ reason: "forbidden" satisfies Code });
    this.#member = { business, connectionId, userId: isCoordinator ? null : userId };
    try {
      return await (isCoordinator
        ? this.#joinCoordinator(business, request.value)
        : this.#joinUser(business, userId!, request.value));
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      this.#deps.telemetry.emit("store.failed", { operation: "join", error: cause });
      return error({ reason: "storage_unavailable" satisfies Code });
    }
  }

  // A business of somebody else's and one that does not exist take the same path.
  #businessOf(identity: Identity): Business | null {
    const businessId = this.topic.slice(topicPrefix.length);
    if (!isBusinessId(businessId) || !belongsTo(identity, businessId)) return null;
    return this.#deps.businessOf(businessId);
  }

  async #joinUser(business: Business, userId: string, request: JoinRequest): Promise<JoinResult> {
    const { connectionId } = this.#member!;
    // Subscribed before anything is read, and held back until the reply: nothing falls between the two.
    this.socket.subscribe(audience.user(business.businessId, userId), { as: this.topic });
    const state = await this.#deps.resumption.ofUser(business, userId, request);
    return ok({ role: "user", userId, connectionId, ...state, running: [], intent: state.intent });
  }

  async #joinCoordinator(business: Business, { resume }: JoinRequest): Promise<JoinResult> {
    this.socket.subscribe(audience.console(business.businessId), { as: this.topic });
    const state = await this.#deps.resumption.ofCoordinator(business);
    if (resume !== null && "cursor" in resume) this.send({ replayAfter: resume.cursor });
    return ok({ role: "coordinator", ...state });
  }

  override async handleInfo(message: unknown): Promise<void> {
    const { replayAfter } = message as { readonly replayAfter: string };
    const { business } = this.#member!;
    for await (const event of this.#deps.resumption.missedEvents(business, replayAfter)) {
      this.push("message_processed", { ...event });
    }
  }

  override handleIn(event: string, payload: unknown, ref: unknown): HandleResult | Promise<HandleResult> {
    if (event === "new_message") return this.#newMessage(payload, ref);
    this.#refuse(ref, "unknown_event", codes.unknown_event, {});
    return undefined;
  }

  async #newMessage(payload: unknown, ref: unknown): Promise<void> {
    const startedAt = this.#deps.clock.monotonic();
    const parsed = parseNewMessage(payload, this.#deps.maxMessageBytes);
    const clientMessageId = clientMessageIdOf(payload);
    const refuse = (code: Code, words: string, retryAfterMs?: number) =>
      this.#refuse(ref, code, words, { retryAfterMs, clientMessageId });
    if (!parsed.ok) return refuse(parsed.reason.code, parsed.reason.error);
    const { business, userId } = this.#member!;
    const { businessId } = business;
    if (parsed.value.businessId !== businessId || parsed.value.userId !== userId)
      return refuse("forbidden", codes.forbidden);
    const place = this.#deps.turns.reserve(businessId);
    const accepted = await this.#accept(parsed.value, place !== null);
    if (!accepted.ok) {
      place?.release();
      return refuse(accepted.reason, codes[accepted.reason], retryMs[accepted.reason]);
    }
    this.#accepted(ref, accepted.value, parsed.value.locationId);
    // The turn starts only now that its sender has been told: reply, message_accepted, answer, in this order. (SPEC M14)
    if (accepted.value.duplicate || place === null) place?.release();
    else this.#deps.turns.admitted(accepted.value, place);
    const { sessionId } = accepted.value.message;
    const durationMs = this.#deps.clock.monotonic() - startedAt;
    this.#deps.telemetry.emit("message.accepted", {
      businessId,
      sessionId,
      duplicate: accepted.value.duplicate,
      durationMs,
    });
  }

  // A duplicate needs no place: it is answered already, or will be.
  async #accept(message: NewMessage, hasPlace: boolean): Promise<Result<Accepted, Code>> {
    const { conversations, telemetry } = this.#deps;
    try {
      if (hasPlace) return await conversations.accept(this.#userMessage(message));
      const found = await conversations.findAccepted(this.#userMessage(message));
      if (!found.ok) return found;
      return found.value === null ? failure("busy") : success(found.value);
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      telemetry.emit("store.failed", { operation: "accept a message", error: cause });
      return failure("storage_unavailable");
    }
  }

  #userMessage(message: NewMessage): UserMessage {
    const { business, connectionId } = this.#member!;
    const { clientMessageId, clientTimestamp, chatId } = message;
    return {
      business,
      userId: message.userId,
      locationId: message.locationId,
      content: message.message,
      sessionId: message.sessionId,
      clientMessageId,
      context: message.context,
      metadata: {
        source: "websocket",
        connectionId,
        ...(clientMessageId === null ? {} : { clientMessageId }),
        ...(clientTimestamp === null ? {} : { clientTimestamp }),
        ...(chatId === null ? {} : { chatId }),
      },
    };
  }

  #accepted(ref: unknown, accepted: Accepted, locationId: string): void {
    const { businessId } = this.#member!.business;
    const event = acceptedEvent(accepted, locationId);
    this.reply(ref, ok(acceptedReply(accepted)));
    if (accepted.duplicate) {
      // The others have had it; this client may have missed both the reply and the event.
      this.push("message_accepted", event);
      return;
    }
    this.#deps.broadcast(audience.user(businessId, accepted.message.userId), "message_accepted", event);
    this.#deps.broadcast(audience.console(businessId), "message_accepted", event);
  }

  // The error is pushed too, because old clients see no replies.
  #refuse(ref: unknown, code: Code, words: string, { retryAfterMs, clientMessageId }: RefusalDetails): void {
    const { business, userId } = this.#member!;
    const details = {
      ...(clientMessageId === undefined ? {} : { clientMessageId }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    const payload = { ...errorPayload(code, business, words), ...details };
    this.reply(ref, error({ ...payload, reason: code }));
    if (userId === null) this.push("error", payload);
    else this.#deps.broadcast(audience.user(business.businessId, userId), "error", payload);
    this.#deps.telemetry.emit("message.refused", { businessId: business.businessId, code });
  }
}

/** Who joined. A coordinator has no userId. */
interface Member {
  readonly business: Business;
  readonly connectionId: string;
  readonly userId: string | null;
}

interface RefusalDetails {
  readonly retryAfterMs?: number | undefined;
  readonly clientMessageId?: string | undefined;
}

// Told back even when the rest of the payload is no good, so that the client knows which of its messages it was.
function clientMessageIdOf(payload: unknown): string | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  const { clientMessageId } = payload as { readonly clientMessageId?: unknown };
  const isTold = typeof clientMessageId === "string" && clientMessageId !== "" && clientMessageId.length <= 128;
  return isTold ? clientMessageId.toWellFormed() : undefined;
}
