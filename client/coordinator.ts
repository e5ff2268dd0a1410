import { type Channel, Presence } from "phoenix";
import { ChatError } from "./chat-error.js";
import { systemClock } from "./clock.js";
import type { ConnectionOptions } from "./connection.js";
import * as read from "./console-events.js";
import type { ConsoleEvents, CoordinatorStatus, OnlineMember, Session } from "./console-events.js";
import { DeskChannel } from "./desk-channel.js";
import { asRecord, text } from "./fields.js";
import { limits } from "./limits.js";
import { Outcomes } from "./outcomes.js";
import { readIntent, readSessionUpdate } from "./session.js";
import { Subscribers } from "./subscribers.js";
import { TypingOut } from "./typing.js";
import { Watched } from "./watched.js";

export interface CoordinatorOptions extends ConnectionOptions {
  /** `cursor` of an earlier console: outcomes since then are told first. */
  readonly cursor?: string;
}

/** A human at a console, who sees what is going on in a business and steps in. */
export class Coordinator {
  readonly #channel: DeskChannel;
  readonly #outcomes: Outcomes;
  readonly #watched: Watched;
  readonly #typing: TypingOut;
  readonly #receipts = new Map<string, read.ReadReceipt>();
  readonly #subscribers = new Map<keyof ConsoleEvents, Subscribers<never>>();
  #presence: { readonly channel: Channel; readonly list: () => readonly OnlineMember[] } | null = null;
  #activeSessions = 0;
  #connectionId: string | null = null;

  constructor(options: CoordinatorOptions) {
    const { clock = systemClock } = options;
    this.#channel = new DeskChannel(options, {
      params: { businessId: options.businessId, role: "coordinator" },
      handlers: this.#handlers(),
      joinPayload: () => ({ role: "coordinator", ...this.#outcomes.joinPayload }),
      joined: (reply, channel) => this.#joined(reply, channel),
      lost: () => this.#lost(),
      statusChanged: () => this.#statusChanged(),
      failed: (error) => this.#tell("error", error),
    });
    const call = (event: string, payload: object) => this.#channel.call(event, payload);
    this.#watched = new Watched(clock, {
      call,
      running: (sessionId, answers) => this.#tell("running", sessionId, answers),
      typing: (sessionId, typists) => this.#tell("typing", sessionId, typists),
      failed: (error) => this.#tell("error", error),
    });
    this.#outcomes = new Outcomes(options.cursor ?? null, (sessionId) => this.#watched.fence(sessionId));
    // What cannot be told now is told with the next key.
    this.#typing = new TypingOut(clock, (sessionId, typing) => {
      void call("typing", { sessionId, typing }).catch(() => undefined);
    });
  }

  get status(): CoordinatorStatus {
    const { status } = this.#channel;
    return status.state === "online" ? { ...status, activeSessions: this.#activeSessions } : status;
  }

  /** Where another console could go on from: every outcome before it was told. Null before the first join. */
  get cursor(): string | null {
    return this.#outcomes.cursor;
  }

  /** Of the socket that joined last: on an open server it is who this coordinator is. Null before the first join. */
  get connectionId(): string | null {
    return this.#connectionId;
  }

  /** Who is online, as far as was told. */
  get online(): readonly OnlineMember[] {
    return this.#presence?.list() ?? [];
  }

  /** Joins, and keeps joined over lost connections; while one is lost it tries again at once. */
  connect(): void {
    this.#channel.connect();
  }

  /** Ends it. Resolves when the connection is closed. */
  leave(): Promise<void> {
    this.#watched.clear();
    return this.#channel.leave();
  }

  /** @returns how to hear no more */
  on<Event extends keyof ConsoleEvents>(event: Event, callback: (...told: ConsoleEvents[Event]) => void): () => void {
    return this.#of(event).add(callback);
  }

  /**
   * Hears the steps, deltas and typing of a session, until `unwatch`, over lost connections too. Of more than 100 the
   * oldest is not watched any more.
   * @throws ChatError `session_not_found`, and what `DeskChannel.call` throws
   */
  watch(sessionId: string): Promise<Session> {
    return this.#session(this.#watched.add(sessionId));
  }

  unwatch(sessionId: string): Promise<Session> {
    return this.#session(this.#watched.remove(sessionId));
  }

  /**
   * Holds a session for five minutes from the last thing done in it: its agent waits. This and what follows replies the
   * session as it is then, and is never repeated by itself.
   * @throws ChatError `held_by_other` with `holder`, `session_not_found`, `forbidden`; `offline`: nothing was asked;
   * `undelivered`: the connection was lost over it, and whether it was done is not known
   */
  takeOver(sessionId: string): Promise<Session> {
    return this.#command("take_over", { sessionId });
  }

  handBack(sessionId: string): Promise<Session> {
    return this.#command("hand_back", { sessionId });
  }

  /**
   * Says something to the user, as the outcome of all that is open. The event has no key by which the server could know a
   * second try: after `undelivered` look what the session has (`processed`, or its history) before saying it again.
   * @param options.inReplyTo a message of the session
   */
  reply(sessionId: string, message: string, options: { readonly inReplyTo?: string } = {}): Promise<Session> {
    this.typing(sessionId, false);
    return this.#command("reply", { sessionId, message, ...options });
  }

  /** Says something to the other coordinators. */
  note(sessionId: string, message: string): Promise<Session> {
    return this.#command("note", { sessionId, message });
  }

  resolve(sessionId: string): Promise<Session> {
    return this.#command("resolve", { sessionId });
  }

  reopen(sessionId: string): Promise<Session> {
    return this.#command("reopen", { sessionId });
  }

  /** Blocks the user of a session. */
  block(sessionId: string): Promise<Session> {
    return this.#command("block", { sessionId });
  }

  close(sessionId: string): Promise<Session> {
    return this.#command("close", { sessionId });
  }

  /** To be called at every key, and with false when what was written is gone. */
  typing(sessionId: string, typing: boolean): void {
    if (this.#channel.isOnline) this.#typing.say(sessionId, typing);
  }

  #command(event: string, payload: object): Promise<Session> {
    return this.#session(this.#channel.call(event, payload));
  }

  async #session(called: Promise<Readonly<Record<string, unknown>>>): Promise<Session> {
    const { session } = await called;
    if (text(asRecord(session).sessionId) === undefined) throw new ChatError("unknown", "The reply has no session.");
    return session as Session;
  }

  #handlers(): Readonly<Record<string, (payload: unknown) => void>> {
    return {
      message_processed: (payload) => {
        const turn = this.#outcomes.heard(payload);
        if (turn === null) return;
        this.#watched.ended(turn);
        this.#tell("processed", turn);
      },
      message_accepted: (payload) => this.#tell("accepted", read.readAccepted(payload)),
      session_updated: (payload) => {
        const update = readSessionUpdate(payload);
        if (update === null) return;
        this.#watched.updated(update);
        this.#tell("session", update);
      },
      intent_updated: (payload) => {
        const intent = readIntent(payload);
        if (intent !== null) this.#tell("intent", intent);
      },
      draft: (payload) => this.#tell("draft", read.readDraft(payload)),
      note: (payload) => this.#tell("note", read.readNote(payload)),
      receipt: (payload) => this.#heardReceipt(read.readReadReceipt(payload)),
      feedback: (payload) => this.#tell("feedback", read.readFeedback(payload)),
      typing: (payload) => this.#watched.heard("typing", payload),
      thinking: (payload) => this.#watched.heard("thinking", payload),
      message_delta: (payload) => this.#watched.heard("message_delta", payload),
    };
  }

  #joined(reply: unknown, channel: Channel): void {
    const { activeSessions, connectionId } = asRecord(reply);
    this.#connectionId = text(connectionId) ?? null;
    this.#activeSessions = typeof activeSessions === "number" ? activeSessions : 0;
    this.#outcomes.joined(reply);
    if (this.#presence?.channel === channel) return;
    const presence = new Presence(channel);
    this.#presence = { channel, list: () => presence.list(memberOf) };
    presence.onSync(() => this.#tell("presence", this.online));
  }

  #lost(): void {
    this.#typing.forget();
    this.#watched.lost();
  }

  #statusChanged(): void {
    this.#tell("status", this.status);
    if (this.#channel.isOnline) this.#watched.again();
  }

  // After a restart of the server one may name a lower mark than the one before: the highest counts. (SPEC M29)
  #heardReceipt(receipt: read.ReadReceipt): void {
    const known = this.#receipts.get(receipt.sessionId) ?? receipt;
    const delivered = Math.max(known.delivered, receipt.delivered);
    const next = { ...receipt, delivered, read: Math.max(known.read, receipt.read) };
    if (next.delivered === known.delivered && next.read === known.read && known !== receipt) return;
    this.#receipts.set(receipt.sessionId, next);
    if (this.#receipts.size > limits.marksMax) this.#receipts.delete(this.#receipts.keys().next().value!);
    this.#tell("receipt", next);
  }

  #tell<Event extends keyof ConsoleEvents>(event: Event, ...told: ConsoleEvents[Event]): void {
    this.#of(event).tell(...told);
  }

  #of<Event extends keyof ConsoleEvents>(event: Event): Subscribers<ConsoleEvents[Event]> {
    const known = this.#subscribers.get(event) as unknown as Subscribers<ConsoleEvents[Event]> | undefined;
    if (known !== undefined) return known;
    const made = new Subscribers<ConsoleEvents[Event]>();
    this.#subscribers.set(event, made as unknown as Subscribers<never>);
    return made;
  }
}

function memberOf(key: string, { metas }: { readonly metas: readonly unknown[] }): OnlineMember {
  const shown = metas.map(asRecord);
  const since = shown.map(({ onlineAt }) => text(onlineAt) ?? "").toSorted();
  const role = text(shown[0]?.role) ?? "";
  return { key, role, onlineAt: since[0] ?? "", connectionCount: metas.length };
}
