import { type Code, codes } from "../../protocol/codes.js";
import { closeCode } from "../../protocol/events.js";
import type { JoinRequest } from "../../protocol/payloads.js";
import type { Result } from "../../protocol/result.js";
import { type Action, may } from "../auth/access.js";
import type { Ending, Holder } from "../auth/credential.js";
import type { Credentials } from "../auth/credentials.js";
import type { Door } from "../auth/door.js";
import {
  Channel,
  error,
  type HandleResult,
  type JoinResult,
  ok,
  Rejoin,
  type Reply,
  stop,
} from "../channel/channel.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { type Admission, type Admitted, type Refusal, refusal, type Sender } from "./admission.js";
import { tell, topicsFor } from "./audience.js";
import { acceptedEvent, acceptedReply, answerEvent, type Broadcast, errorPayload, tellAccepted } from "./broadcast.js";
import type { Business } from "./business.js";
import type { Delivery } from "./delivery.js";
import { tellDenied } from "./denial.js";
import { Hearing } from "./hearing.js";
import { cursorAt } from "./ids.js";
import { decideJoin, type Member, type SocketAssigns } from "./joining.js";
import type { EventHandler, Speaker } from "./events.js";
import type { NewestSockets, Parkable } from "./newest-sockets.js";
import type { Online, OnlineFrame } from "./online.js";
import { checkRenewal } from "./renewal.js";
import type { Resumption } from "./resume.js";
import type { Runs } from "./runs.js";
import { StoreError } from "./store.js";
import type { Submissions } from "./submissions.js";
import type { Mark, Welcome } from "./undelivered.js";

export interface MessagesChannelDeps {
  /** Of a text, UTF-8; 0 for no limit. */
  readonly maxMessageBytes: number;
  readonly admission: Pick<Admission, "admit">;
  readonly submissions: Submissions;
  readonly runs: Runs;
  readonly events: Readonly<Record<DelegatedEvent, EventHandler>>;
  readonly resumption: Resumption;
  readonly delivery: Delivery;
  readonly businessOf: (businessId: string) => Business | null;
  readonly broadcast: Broadcast;
  readonly door: Door;
  readonly credentials: Credentials;
  readonly newestSockets: NewestSockets;
  readonly online: Online;
  readonly telemetry: DeskTelemetry;
}

/** What a client may push, and what it must be allowed for it. Whatever else it pushes is `unknown_event`. */
export const clientEvents = {
  new_message: "message.send",
  component_submit: "message.send",
  access_token: "token.renew",
  cancel: "message.cancel",
  feedback: "message.score",
  delivered: "message.acknowledge",
  read: "message.acknowledge",
  take_over: "session.hold",
  hand_back: "session.hold",
  reply: "session.hold",
  note: "session.note",
  resolve: "session.hold",
  reopen: "session.hold",
  close: "session.close",
  block: "user.block",
  watch: "session.watch",
  unwatch: "session.watch",
  typing: "session.type",
} as const satisfies Readonly<Record<string, Action>>;

export type ClientEvent = keyof typeof clientEvents;
/** Those that the channel does not handle itself. */
export type DelegatedEvent = Exclude<ClientEvent, "new_message" | "component_submit" | "access_token">;

const renewal: ClientEvent = "access_token";

function isClientEvent(event: string): event is ClientEvent {
  return Object.hasOwn(clientEvents, event);
}

function isDelegated(events: MessagesChannelDeps["events"], event: ClientEvent): event is DelegatedEvent {
  return Object.hasOwn(events, event);
}

/** What was made this long before a token ended may have been told after that. */
const lateMs = 10_000;
const topicPrefix = "messages:";
/** The topics of this channel. */
export const messagesTopics = `${topicPrefix}*`;

/** `messages:<businessId>`: a business's customers and its coordinators. Who hears what is in `audience`. */
export class MessagesChannel extends Channel implements Holder, Parkable {
  readonly #deps: MessagesChannelDeps;
  #member: Member | null = null;
  /** Of a user; coordinators are told everything as it comes. */
  #hearing: Hearing | null = null;
  /** Its token is of another role now, and this channel is about to end. */
  #isOutdated = false;
  /** Something that was on its way when its token ended was dropped: only a join brings it again. */
  #hasMissed = false;
  #releases: (() => void)[] = [];
  readonly #watching = new Map<string, () => void>();
  readonly #atEnd = new Map<string, () => void>();

  constructor(deps: MessagesChannelDeps) {
    super();
    this.#deps = deps;
  }

  get #assigns(): SocketAssigns {
    return this.socket.assigns as unknown as SocketAssigns;
  }

  /** Who is on it, of the business as it is written down now: it may have been stored anew since the join. (SPEC B5) */
  get #current(): Member {
    const member = this.#member!;
    const business = this.#deps.businessOf(member.business.businessId) ?? member.business;
    if (business !== member.business) this.#member = { ...member, business };
    return this.#member!;
  }

  /** @see SPEC M12, X2, X3, X9 */
  override async join(payload: unknown): Promise<JoinResult> {
    const result = await this.#join(payload);
    if (result.status !== "ok") this.#release();
    const { ending } = this.#assigns.credential;
    // Its client would ask again for ever, and no later answer is another one.
    return ending === null ? result : stop("normal", error({ reason: ending }));
  }

  async #join(payload: unknown): Promise<Reply> {
    const assigns = this.#assigns;
    const decided = decideJoin(this.#deps, this.topic.slice(topicPrefix.length), assigns, payload);
    if (!decided.ok) return error({ reason: decided.reason });
    const { member, request } = decided.value;
    this.#member = member;
    try {
      // Watched first, and then looked for: nothing that is revoked falls between the two.
      this.#releases.push(this.#deps.credentials.watch(assigns.credential, this));
      await this.#deps.door.check(assigns.credential);
      return await this.#joined(member, request);
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      this.#deps.telemetry.emit("store.failed", { operation: "join", error: cause });
      return error({ reason: "storage_unavailable" satisfies Code });
    }
  }

  async #joined(member: Member, request: JoinRequest): Promise<Reply> {
    const { business, connectionId, identity } = member;
    const isConsole = may(identity, "console.hear", business);
    if (!isConsole) this.#hearing = this.#listen();
    // Subscribed before anything is read, and held back until the reply: nothing falls between the two.
    for (const topic of topicsFor(identity, business.businessId)) this.#hear(topic);
    this.send({ kind: "entered", isConsole } satisfies Info);
    if (isConsole) {
      const state = await this.#deps.resumption.ofCoordinator(business);
      if (request.resume !== null && "cursor" in request.resume) {
        this.send({ kind: "replay", after: request.resume.cursor } satisfies Info);
      }
      return ok({ role: "coordinator", connectionId, ...state });
    }
    const userId = identity.userId!;
    const { welcome, ...state } = await this.#deps.resumption.ofUser(business, userId, request);
    this.send({ kind: "welcome", welcome } satisfies Info);
    this.#park(business.businessId, userId);
    const running = this.#deps.runs.ofUser(business.businessId, userId);
    this.#hearing?.lookedUp();
    return ok({
      role: "user",
      userId,
      connectionId,
      ...state,
      running,
      intent: state.intent,
      businessName: business.name,
      maxMessageBytes: this.#deps.maxMessageBytes,
    });
  }

  #park(businessId: string, userId: string): void {
    const { newestSockets, telemetry } = this.#deps;
    const parked = () => telemetry.emit("limit.reached", { limit: "MAX_SOCKETS_PER_USER" });
    this.#releases.push(newestSockets.add(`${businessId}#${userId}`, this, parked));
  }

  override terminate(): void {
    this.#release();
  }

  #release(): void {
    for (const release of this.#releases.splice(0)) release();
    for (const end of this.#atEnd.values()) end();
  }

  /** Why nothing is accepted or delivered at this moment, or null. */
  get #ending(): Ending | null {
    return this.#isOutdated ? "forbidden" : this.#assigns.credential.ending;
  }

  // What becomes of the token and of the socket, told from outside.

  park(): void {
    this.stop("shutdown");
  }

  expiring(expiresAt: number): void {
    this.send({ kind: "expiring", expiresAt } satisfies Info);
  }

  renewed(missedSince: number | null): void {
    if (this.#hasMissed) {
      this.stop(new Rejoin("it had not taken everything when its token ended"));
      return;
    }
    if (missedSince !== null) this.send({ kind: "missed", since: missedSince } satisfies Info);
  }

  changed(): void {
    this.#isOutdated = true;
    this.stop(new Rejoin("the token is of another role"));
  }

  // What waits for a poll was sent while it was allowed, and would be had when it is not any more.
  expired(): void {
    if (this.socket.dropUnsent()) this.#hasMissed = true;
  }

  ended(reason: Ending): void {
    this.socket.dropUnsent();
    // After phx_error a client asks once more, with its new token if it has one; after phx_close never again.
    this.stop(reason === "token_expired" ? new Rejoin(reason) : "shutdown");
  }

  override async handleInfo(message: unknown): Promise<void> {
    const info = message as Info;
    switch (info.kind) {
      case "entered":
        return this.#entered(info.isConsole);
      case "online":
        return this.#tellOnline(info.frames);
      case "welcome":
        return this.#welcome(info.welcome);
      case "taken":
        return this.#taken(info.marks);
      case "replay":
        return this.#replay(info.after);
      case "missed":
        return this.#catchUp(info.since);
      case "expiring":
        this.push("token_expiring", { expiresAt: new Date(info.expiresAt).toISOString() });
    }
  }

  #entered(isConsole: boolean): void {
    const { online } = this.#deps;
    online.enter(this, this.#member!);
    if (isConsole) this.#tellOnline(online.frames(this.#member!.business.businessId));
  }

  // The next frame once the client has taken this one: all together may be more than may wait for a socket.
  #tellOnline(frames: Iterator<OnlineFrame, void>): void {
    if (this.#ending !== null) return;
    const frame = frames.next().value;
    if (frame === undefined) return;
    this.push(frame.event, frame.payload);
    this.socket.fence(() => this.send({ kind: "online", frames } satisfies Info));
  }

  // Whoever may hear nothing at this moment is not told of the past either, and has taken nothing of it.
  #welcome(welcome: Welcome): void {
    this.#hearing?.welcome(this.#ending === null ? welcome : { ...welcome, undelivered: [], sessions: [] });
  }

  #listen(): Hearing {
    return new Hearing({
      push: (event, payload) => this.push(event, payload),
      fence: (marks) => this.socket.fence(() => this.#passed(marks)),
      overflow: () => this.socket.close(closeCode.slow),
    });
  }

  // After what the client said before: a channel that it had left by then has taken nothing.
  #passed(marks: readonly Mark[]): void {
    queueMicrotask(() => this.send({ kind: "taken", marks } satisfies Info));
  }

  #taken(marks: readonly Mark[]): void {
    const { business, identity } = this.#member!;
    const whom = { businessId: business.businessId, userId: identity.userId! };
    for (const mark of marks) this.#deps.delivery.taken(whom, mark);
    this.#hearing?.passed();
  }

  async #replay(cursor: string): Promise<void> {
    for await (const event of this.#deps.resumption.missedEvents(this.#member!.business, cursor)) {
      if (this.#ending !== null) return;
      this.push("message_processed", { ...event });
    }
  }

  async #catchUp(since: number): Promise<void> {
    const { business, identity } = this.#member!;
    if (may(identity, "console.hear", business)) {
      this.#tellOnline(this.#deps.online.frames(business.businessId));
      return this.#replay(cursorAt(since));
    }
    for await (const message of this.#deps.resumption.messagesSince(business, identity.userId!, since - lateMs)) {
      if (this.#ending !== null) return;
      if (message.type !== "user") this.push("new_message", answerEvent({ message }));
      this.#hearing?.given(message);
    }
  }

  override handleIn(event: string, payload: unknown, ref: unknown): HandleResult | Promise<HandleResult> {
    const waitMs = this.#assigns.rate.event();
    if (waitMs > 0) {
      return this.#refuse(ref, { ...refusal("rate_limited"), retryAfterMs: waitMs }, clientMessageIdOf(payload));
    }
    const ending = this.#ending;
    // In the time of grace a new token is all that may still be said.
    if (ending !== null && event !== renewal) return this.#refuse(ref, refusal(ending));
    if (!isClientEvent(event)) return this.#refuse(ref, refusal("unknown_event"));
    if (isDelegated(this.#deps.events, event)) return this.#handle(this.#deps.events[event], payload, ref);
    switch (event) {
      case "new_message":
        return this.#say(payload, ref, (sender) => this.#deps.admission.admit(sender, payload));
      case "component_submit":
        return this.#say(payload, ref, (sender) => this.#deps.submissions.submit(sender, payload));
      case "access_token":
        return this.#renew(payload, ref);
    }
  }

  async #handle(handler: EventHandler, payload: unknown, ref: unknown): Promise<void> {
    try {
      const result = await handler(this.#speaker, payload);
      if (result.ok) this.reply(ref, ok(result.value));
      else this.#refuse(ref, result.reason);
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      this.#deps.telemetry.emit("store.failed", { operation: "handle an event", error: cause });
      this.#refuse(ref, refusal("storage_unavailable"));
    }
  }

  get #speaker(): Speaker {
    return {
      ...this.#current,
      rate: this.#assigns.rate,
      push: (event, payload) => this.push(event, payload),
      hear: (topic) => this.#hear(topic),
      watching: this.#watching,
      atEnd: this.#atEnd,
    };
  }

  #hear(topic: string): () => void {
    return this.socket.subscribe(topic, {
      as: this.topic,
      filter: (broadcast) => this.#ending === null && (this.#hearing?.hears(broadcast) ?? true),
    });
  }

  async #renew(payload: unknown, ref: unknown): Promise<void> {
    const { credential } = this.#assigns;
    const isForbidden = () => this.#ending === "forbidden";
    const renewed = await checkRenewal(this.#deps, { credential, isForbidden }, payload);
    if (!renewed.ok) return this.#refuse(ref, renewed.reason);
    const identity = renewed.value;
    const expiresAt = identity === null ? null : new Date(identity.expiresAt).toISOString();
    this.reply(ref, ok({ expiresAt }));
    if (identity !== null) credential.renew(identity);
  }

  async #say(payload: unknown, ref: unknown, admit: Admit): Promise<void> {
    const { business, connectionId, identity } = this.#current;
    const sender = { business, identity, source: "websocket", connectionId, rate: this.#assigns.rate } as const;
    const admitted = await admit(sender);
    if (!admitted.ok) {
      if (admitted.reason.code === "forbidden") tellDenied(this.#deps.telemetry, identity, "message.send");
      return this.#refuse(ref, admitted.reason, clientMessageIdOf(payload));
    }
    const { accepted, locationId, begin } = admitted.value;
    this.reply(ref, ok(acceptedReply(accepted)));
    // A duplicate the others have had; this client may have missed both the reply and the event.
    if (accepted.duplicate) this.push("message_accepted", acceptedEvent(accepted, locationId));
    else tellAccepted(this.#deps.broadcast, accepted, locationId);
    begin();
  }

  // The error is pushed too, because old clients see no replies.
  #refuse(ref: unknown, { code, words = codes[code], retryAfterMs, details }: Refusal, clientMessageId?: string): void {
    const { business, identity } = this.#current;
    const { businessId } = business;
    const payload = {
      ...details,
      ...errorPayload(code, business, words),
      ...(clientMessageId === undefined ? {} : { clientMessageId }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    this.reply(ref, error({ ...payload, reason: code }));
    const { role, userId } = identity;
    // Its own token and its own haste are the business of this socket alone.
    const isOwn = this.#ending !== null || code === "rate_limited";
    const isForAll = role === "user" && userId !== null && !isOwn;
    if (isForAll) tell(this.#deps.broadcast, "error", { businessId, userId }, payload);
    else this.push("error", payload);
    const { telemetry } = this.#deps;
    telemetry.emit("message.refused", { businessId, code });
    if (code === "rate_limited" && this.#assigns.rate.refused()) this.socket.close();
  }
}

/** What the channel tells itself. */
type Info =
  | { readonly kind: "entered"; readonly isConsole: boolean }
  | { readonly kind: "online"; readonly frames: Iterator<OnlineFrame, void> }
  | { readonly kind: "welcome"; readonly welcome: Welcome }
  | { readonly kind: "taken"; readonly marks: readonly Mark[] }
  | { readonly kind: "replay"; readonly after: string }
  | { readonly kind: "missed"; readonly since: number }
  | { readonly kind: "expiring"; readonly expiresAt: number };

type Admit = (sender: Sender) => Promise<Result<Admitted, Refusal>>;

// Told back even when the rest of the payload is no good, so that the client knows which of its messages it was.
function clientMessageIdOf(payload: unknown): string | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  const { clientMessageId } = payload as { readonly clientMessageId?: unknown };
  const isTold = typeof clientMessageId === "string" && clientMessageId !== "" && clientMessageId.length <= 128;
  return isTold ? clientMessageId.toWellFormed() : undefined;
}
