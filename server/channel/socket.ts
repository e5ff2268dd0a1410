import { closeCode, refusal, reserved } from "../../protocol/events.js";
import { Frame } from "../../protocol/frame.js";
import { DecodeError } from "../../protocol/errors.js";
import type { Message, Ref } from "../../protocol/message.js";
import type { Serializer } from "../../protocol/serializer.js";
import type { Clock } from "../clock.js";
import type { PubSub, Unsubscribe } from "../pubsub/pubsub.js";
import type { Telemetry } from "../telemetry.js";
import { type ChannelFactory, ended, type Reply, type SocketHandle } from "./channel.js";
import { ChannelProcess } from "./channel-process.js";
import { ChannelTable } from "./channel-table.js";
import type { ChannelHost } from "./host.js";
import { inspect, isLonger } from "./inspect.js";
import type { SocketLimits } from "./limits.js";
import { route } from "./route.js";
import type { Topics } from "./topics.js";
import type { Transport } from "./transport.js";

/** What all sockets of a mount share. */
export interface SocketContext {
  readonly mount: string;
  readonly topics: Topics;
  readonly limits: SocketLimits;
  readonly pubsub: PubSub;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** What `connect` decided. */
export interface SocketIdentity {
  readonly id: string | null;
  readonly assigns: Readonly<Record<string, unknown>>;
}

/** One connected peer: decodes what it sends, decides by `route`, and holds its channels. */
export class Socket implements ChannelHost, SocketHandle {
  readonly id: string | null;
  readonly assigns: Readonly<Record<string, unknown>>;
  readonly #context: SocketContext;
  readonly #transport: Transport;
  readonly #channels = new ChannelTable();
  readonly #unlisten: Unsubscribe | null;
  #joining: ChannelProcess | null = null;
  #inbox: Message[] | null = null;
  #unsettled: (() => void)[] | null = null;
  #held: Frame[] | null = null;
  #heldBytes = 0;
  #paused = false;
  #draining = false;
  #closed = false;

  constructor(
    context: SocketContext,
    transport: Transport,
    readonly serializer: Serializer,
    identity: SocketIdentity,
  ) {
    this.#context = context;
    this.#transport = transport;
    this.id = identity.id;
    this.assigns = identity.assigns;
    this.#unlisten =
      identity.id === null ? null : context.pubsub.listen(identity.id, ({ event }) => this.#onIdEvent(event));
  }

  get handle(): SocketHandle {
    return this;
  }

  get transport(): SocketHandle["transport"] {
    return this.#transport.kind;
  }

  get vsn(): string {
    return this.serializer.name;
  }

  get pubsub(): PubSub {
    return this.#context.pubsub;
  }

  get maxChannelBacklog(): number {
    return this.#context.limits.maxChannelBacklog;
  }

  get measures(): boolean {
    return this.#context.telemetry.listens("channel_handled_in");
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  // From the transport.

  receiveText(text: string): void {
    if (this.#closed) return;
    let message: Message;
    try {
      message = this.serializer.decodeText(text);
    } catch (cause) {
      this.#malformed(cause);
      return;
    }
    this.#accept(message);
  }

  receiveBinary(bytes: Uint8Array): void {
    if (this.#closed) return;
    let message: Message;
    try {
      message = this.serializer.decodeBinary(bytes);
    } catch (cause) {
      this.#malformed(cause);
      return;
    }
    this.#accept(message);
  }

  /** Calls back when no join is being decided: at once, or after those that wait. Not at all when the socket closes. */
  whenSettled(callback: () => void): void {
    if (this.#joining === null) callback();
    else (this.#unsettled ??= []).push(callback);
  }

  /** The connection is gone: every channel ends, nothing is sent any more. */
  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unlisten?.();
    this.#joining?.abandon();
    this.#inbox = null;
    this.#unsettled = null;
    this.#held = null;
    for (const channel of this.#channels.all()) channel.discard(ended.closed);
    this.#channels.clear();
  }

  close(code: number, reason: string): void {
    this.#transport.close(code, reason);
  }

  // From the channels.

  send(frame: Frame): void {
    if (this.#held === null) this.#transport.send(frame);
    else this.#hold(frame);
  }

  handledIn(topic: string, event: string): () => void {
    const { clock, telemetry } = this.#context;
    const startedAt = clock.monotonic();
    return () => telemetry.emit("channel_handled_in", { topic, event, durationMs: clock.monotonic() - startedAt });
  }

  crashed(topic: string, event: string, error: unknown): void {
    this.#context.telemetry.emit("channel_crashed", { topic, event, error });
  }

  channelIdle(): void {
    this.#resumeIfShort();
  }

  channelEnded(channel: object): void {
    const { topic } = channel as ChannelProcess;
    if (this.#channels.get(topic) === channel) this.#channels.delete(topic);
    this.#resumeIfShort();
  }

  // What cannot be decoded ends the connection: there is no ref to answer. (SPEC W7)
  #malformed(cause: unknown): void {
    if (!(cause instanceof DecodeError)) throw cause;
    this.close(closeCode.malformed, "");
  }

  #accept(message: Message): void {
    if (this.#joining === null) {
      this.#receive(message);
      return;
    }
    // A join holds up the whole socket, as in Phoenix: what comes after it may depend on it. (SPEC R8)
    this.#inbox ??= [];
    this.#inbox.push(message);
    if (this.#inbox.length >= this.#context.limits.maxWaitingFrames) this.#pause();
  }

  #receive(message: Message): void {
    const fault = inspect(message, this.#context.limits);
    if (fault !== null) {
      this.#refuseFaulty(message, fault);
      return;
    }
    const channel = this.#channels.get(message.topic);
    switch (route(message, channel)) {
      case "deliver":
        channel!.deliver(message);
        if (channel!.backlog >= this.#context.limits.maxWaitingFrames) this.#pause();
        break;
      case "heartbeat":
        this.#reply(null, message, { status: "ok" });
        break;
      case "join":
        this.#join(message, null);
        break;
      case "rejoin":
        this.#join(message, channel!);
        break;
      case "leave":
        channel!.leave(message.ref);
        break;
      case "leaveUnjoined":
        this.#reply(message.joinRef, message, { status: "ok" });
        break;
      case "unmatched":
        this.#refuse(null, message, refusal.unmatchedTopic);
        break;
      case "stale":
        break;
    }
  }

  #refuseFaulty(message: Message, fault: NonNullable<ReturnType<typeof inspect>>): void {
    if (fault === "malformed") this.close(closeCode.malformed, "");
    else if (fault === "tooDeep") this.#refuse(message.joinRef, message, refusal.invalidPayload);
    else this.#refuse(message.joinRef, message, refusal.eventTooLong);
  }

  #join(message: Message, old: ChannelProcess | null): void {
    const create = this.#factoryFor(message.topic);
    if (create === null) {
      this.#refuse(null, message, refusal.unmatchedTopic);
      return;
    }
    const { maxChannels } = this.#context.limits;
    if (old === null && maxChannels > 0 && this.#channels.size >= maxChannels) {
      this.#refuse(message.joinRef, message, refusal.tooManyChannels);
      return;
    }
    // From here to the reply nothing else leaves, so that the reply comes first: before the end of the channel that
    // this one replaces, and before what the new channel is subscribed to. (SPEC R5, R8)
    this.#held = [];
    if (old !== null) {
      old.discard(ended.duplicate);
      this.send(old.closeFrame());
    }
    const channel = new ChannelProcess(this, message.topic as string, message.joinRef, message.ref);
    this.#joining = channel;
    const { clock, telemetry } = this.#context;
    const startedAt = telemetry.listens("channel_joined") ? clock.monotonic() : null;
    const outcome = channel.join(create, message.payload);
    if (outcome instanceof Promise) {
      outcome
        .then((reply) => this.#joined(channel, message, reply, startedAt))
        .catch((cause) => this.#failed(channel.topic, cause));
    } else this.#joined(channel, message, outcome, startedAt);
  }

  // A reply that cannot be encoded, of this join or of what had waited for it. It costs this connection, not the
  // process: the same as when the transport is told of it.
  #failed(topic: string, cause: unknown): void {
    this.crashed(topic, reserved.join, cause);
    this.close(closeCode.malformed, "");
  }

  #factoryFor(topic: unknown): ChannelFactory | null {
    const { maxTopicBytes } = this.#context.limits;
    if (maxTopicBytes > 0 && typeof topic === "string" && isLonger(topic, maxTopicBytes)) return null;
    return this.#context.topics.match(topic);
  }

  #joined(channel: ChannelProcess, message: Message, reply: Reply, startedAt: number | null): void {
    if (this.#closed) return;
    const accepted = reply.status === "ok";
    if (accepted) {
      this.#channels.set(channel);
      channel.accept();
    }
    const held = this.#held ?? [];
    this.#held = null;
    this.#heldBytes = 0;
    this.#joining = null;
    this.#reply(message.joinRef, message, reply);
    for (const frame of held) this.#transport.send(frame);
    if (accepted) channel.begin();
    if (startedAt !== null) this.#tellJoined(channel.topic, accepted, startedAt);
    this.#drainInbox();
  }

  #tellJoined(topic: string, accepted: boolean, startedAt: number): void {
    const { clock, telemetry } = this.#context;
    const durationMs = clock.monotonic() - startedAt;
    telemetry.emit("channel_joined", { topic, result: accepted ? "ok" : "error", durationMs });
  }

  #drainInbox(): void {
    // A join in the inbox that is decided at once comes back here; the loop below goes on, so the stack stays flat.
    if (this.#draining) return;
    this.#draining = true;
    while (this.#inbox !== null && this.#inbox.length > 0 && this.#joining === null && !this.#closed)
      this.#receive(this.#inbox.shift()!);
    this.#draining = false;
    this.#resumeIfShort();
    if (this.#joining !== null || this.#unsettled === null) return;
    const settled = this.#unsettled;
    this.#unsettled = null;
    for (const callback of settled) callback();
  }

  /** @see SocketHandle.subscribe */
  subscribe(topic: string, { as }: { readonly as: string }): void {
    const channel = this.#joining?.topic === as ? this.#joining : this.#channels.get(as);
    if (channel === undefined) throw new Error(`this socket has no channel on ${as}`);
    channel.subscribe(topic);
  }

  #onIdEvent(event: string): void {
    if (event === "disconnect") this.close(closeCode.disconnected, "");
  }

  #refuse(joinRef: Ref, message: Message, reason: string): void {
    this.#reply(joinRef, message, { status: "error", response: { reason } });
  }

  #reply(joinRef: Ref, { ref, topic }: Message, { status, response = {} }: Reply): void {
    this.send(new Frame(this.serializer.encodeReply({ joinRef, ref, topic, status, response })));
  }

  #hold(frame: Frame): void {
    this.#held!.push(frame);
    this.#heldBytes += frame.data.length;
    const { maxHeldBytes } = this.#context.limits;
    if (maxHeldBytes > 0 && this.#heldBytes > maxHeldBytes) this.close(closeCode.slow, "");
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#transport.pause();
  }

  #resumeIfShort(): void {
    if (!this.#paused || this.#closed) return;
    const limit = this.#context.limits.maxWaitingFrames;
    if (this.#inbox !== null && this.#inbox.length >= limit) return;
    for (const channel of this.#channels.all()) if (channel.backlog >= limit) return;
    this.#paused = false;
    this.#transport.resume();
  }
}
