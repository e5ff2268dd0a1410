// From the module and not from the globals, which belong to whoever turns a fake clock.
import { clearImmediate, setImmediate } from "node:timers";
import { closeCode, refusal, reserved } from "../../protocol/events.js";
import { Frame } from "../../protocol/frame.js";
import { DecodeError } from "../../protocol/errors.js";
import type { Message, Ref } from "../../protocol/message.js";
import type { Serializer } from "../../protocol/serializer.js";
import type { Cancel, Clock } from "../clock.js";
import type { PubSub, Unsubscribe } from "../pubsub/pubsub.js";
import type { Telemetry } from "../telemetry.js";
import { type ChannelFactory, ended, type Reply, type SocketInfo } from "./channel.js";
import { ChannelProcess } from "./channel-process.js";
import { ChannelTable } from "./channel-table.js";
import type { ChannelHost } from "./host.js";
import { inspect, isLonger } from "./inspect.js";
import { joinTaken, joinWaitMs } from "./join-rate.js";
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

/** Something that waits in its turn among the frames that wait for a join. */
class InTurn {
  constructor(readonly run: () => void) {}
}

/** What is to be done with the first that waits in the inbox. */
type Turn = "take" | "wait" | "drop";

/** Joins that are taken from the inbox one after the other before anybody else has a turn. */
const joinsInARowMax = 8;

/** One connected peer: decodes what it sends, decides by `route`, and holds its channels. */
export class Socket implements ChannelHost, SocketInfo {
  readonly id: string | null;
  readonly assigns: Readonly<Record<string, unknown>>;
  readonly #context: SocketContext;
  readonly #transport: Transport;
  readonly #channels = new ChannelTable();
  readonly #unlisten: Unsubscribe | null;
  #joining: ChannelProcess | null = null;
  #inbox: (Message | InTurn)[] | null = null;
  #waitingFrames = 0;
  /** The inbox waits, until there is room for one more join, or others have had their turn. */
  #cancelWait: Cancel | null = null;
  #joinsFullAt = -Infinity;
  #joinsInARow = 0;
  #held: Frame[] | null = null;
  #heldBytes = 0;
  #heldFences: (() => void)[] | null = null;
  #paused = false;
  #draining = false;
  /** Its end waits in the inbox: nothing that comes now is before it. */
  #ending = false;
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

  get handle(): SocketInfo {
    return this;
  }

  get transport(): SocketInfo["transport"] {
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
    if (this.#closed || this.#ending) return;
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
    if (this.#closed || this.#ending) return;
    let message: Message;
    try {
      message = this.serializer.decodeBinary(bytes);
    } catch (cause) {
      this.#malformed(cause);
      return;
    }
    this.#accept(message);
  }

  /**
   * Calls back when all that has come so far has been taken: at once, or when the joins before it have been decided. Not
   * at all when that was the end of the socket.
   */
  whenSettled(callback: () => void): void {
    this.#inTurn(() => {
      if (!this.#closed) callback();
    });
  }

  /** The connection is gone: nothing is sent any more, and every channel ends, after what it was sent before. (SPEC C9) */
  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unlisten?.();
    this.#held = null;
    this.#joining?.cut();
    for (const channel of this.#channels.all()) channel.cut();
    if (!this.#isBusy) {
      this.#endChannels();
      return;
    }
    const cancel = this.linger(() => this.#giveUp());
    this.#inTurn(() => {
      cancel();
      this.#endChannels();
    });
    // What waits behind the next join need not any more: that is not taken.
    this.#stopWaiting();
  }

  // A join that never ends holds nothing for ever, not even of who is gone. (SPEC L13)
  #giveUp(): void {
    this.#joining?.abandon();
    this.#joining = null;
    this.#inbox = null;
    this.#endChannels();
  }

  #endChannels(): void {
    const channels = this.#channels.all();
    this.#channels.clear();
    for (const channel of channels) channel.socketClosed();
  }

  /** A join is being decided or waits for its time, or what has waited for one is taken. */
  get #isBusy(): boolean {
    return this.#joining !== null || this.#draining || this.#cancelWait !== null;
  }

  #inTurn(run: () => void): void {
    if (this.#isBusy) (this.#inbox ??= []).push(new InTurn(run));
    else run();
  }

  // What came before is answered first, as Phoenix does. What comes after the end is nothing any more. (SPEC R8)
  #closeInTurn(code: number): void {
    if (this.#isBusy) this.#ending = true;
    this.#inTurn(() => this.close(code, ""));
    this.#stopWaiting();
  }

  #stopWaiting(): void {
    if (this.#cancelWait === null) return;
    this.#cancelWait();
    this.#wentOn();
  }

  close(code: number, reason: string): void {
    this.#transport.close(code, reason);
  }

  // From the channels.

  send(frame: Frame): void {
    if (this.#closed) return;
    if (this.#held === null) this.#transport.send(frame);
    else this.#hold(frame);
  }

  fence(done: () => void): void {
    if (this.#closed) return;
    // What is held back has not been sent yet.
    if (this.#held === null) this.#transport.fence(done);
    else (this.#heldFences ??= []).push(done);
  }

  dropUnsent(topic: unknown): boolean {
    const wasHeld = this.#dropHeld(topic);
    return (this.#transport.dropUnsent?.(topic) ?? false) || wasHeld;
  }

  #dropHeld(topic: unknown): boolean {
    if (this.#held === null) return false;
    const kept = this.#held.filter((frame) => frame.topic !== topic);
    const hasDropped = kept.length < this.#held.length;
    this.#held = kept;
    this.#heldBytes = kept.reduce((sum, { data }) => sum + data.length, 0);
    return hasDropped;
  }

  handledIn(topic: string, event: string): () => void {
    const { clock, telemetry } = this.#context;
    const startedAt = clock.monotonic();
    return () => telemetry.emit("channel_handled_in", { topic, event, durationMs: clock.monotonic() - startedAt });
  }

  crashed(topic: string, event: string, error: unknown): void {
    this.#context.telemetry.emit("channel_crashed", { topic, event, error });
  }

  channelOn(topic: string): ChannelProcess | undefined {
    return this.#joining?.topic === topic ? this.#joining : this.#channels.get(topic);
  }

  linger(callback: () => void): Cancel {
    const { clock, limits } = this.#context;
    return limits.maxLingerMs > 0 ? clock.after(limits.maxLingerMs, callback) : () => undefined;
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
    this.#closeInTurn(closeCode.malformed);
  }

  #accept(message: Message): void {
    if (!this.#isBusy && !this.#isTooSoon(message)) {
      this.#receive(message);
      return;
    }
    // A join holds up the whole socket, as in Phoenix: what comes after it may depend on it. (SPEC R8)
    this.#inbox ??= [];
    this.#inbox.push(message);
    this.#waitingFrames += 1;
    if (this.#waitingFrames >= this.#context.limits.maxWaitingFrames) this.#pause();
  }

  // One more join than a socket may ask for in that time is taken later, and what comes after it behind it. (SPEC L24)
  #isTooSoon(message: Message): boolean {
    const { clock, limits } = this.#context;
    if (message.event !== reserved.join || limits.maxJoinsPerSecond === 0) return false;
    const waitMs = this.#joinWaitMs();
    if (waitMs === 0) {
      this.#joinsFullAt = joinTaken(this.#joinsFullAt, clock.monotonic(), limits);
      return false;
    }
    this.#cancelWait = clock.after(waitMs, () => this.#wentOn());
    this.#pause();
    return true;
  }

  #joinWaitMs(): number {
    const { clock, limits } = this.#context;
    return limits.maxJoinsPerSecond === 0 ? 0 : joinWaitMs(this.#joinsFullAt, clock.monotonic(), limits);
  }

  // Joins that are decided at once, or by what is in memory, would keep everybody else waiting until the last of them.
  #hasHadItsTurn(): boolean {
    this.#joinsInARow += 1;
    if (this.#joinsInARow <= joinsInARowMax) return false;
    const next = setImmediate(() => this.#wentOn());
    this.#cancelWait = () => clearImmediate(next);
    return true;
  }

  #wentOn(): void {
    this.#cancelWait = null;
    this.#joinsInARow = 0;
    try {
      this.#drainInbox();
    } catch (cause) {
      this.#failed("(no topic)", cause);
    }
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
      this.send(old.closeFrame());
      old.discard(ended.duplicate);
    }
    const channel = new ChannelProcess(this, message.topic as string, message.joinRef, message.ref);
    if (this.#closed) channel.cut();
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

  #joined(channel: ChannelProcess, message: Message, asked: Reply, startedAt: number | null): void {
    // It was given up, with its socket.
    if (this.#joining !== channel) return;
    const [reply, frame] = this.#joinReply(channel, message, asked);
    const accepted = reply.status === "ok";
    if (accepted) {
      this.#channels.set(channel);
      channel.accept();
    }
    const held = this.#held ?? [];
    this.#held = null;
    this.#heldBytes = 0;
    this.#joining = null;
    this.send(frame);
    for (const waiting of held) this.send(waiting);
    if (channel.isForGood) this.send(channel.closeFrame());
    this.#fenceHeld();
    if (accepted) channel.begin();
    if (startedAt !== null) this.#tellJoined(channel.topic, accepted, startedAt);
    this.#drainInbox();
  }

  #fenceHeld(): void {
    const fences = this.#heldFences ?? [];
    this.#heldFences = null;
    for (const done of fences) this.fence(done);
  }

  #joinReply(channel: ChannelProcess, message: Message, reply: Reply): [Reply, Frame] {
    try {
      return [reply, this.#replyFrame(message.joinRef, message, reply)];
    } catch (cause) {
      const told = channel.unsayable(reply, cause);
      return [told, this.#crashedJoinFrame(message, told)];
    }
  }

  // Where not even that can be said, the fault is in what every answer echoes.
  #crashedJoinFrame(message: Message, told: Reply): Frame {
    try {
      return this.#replyFrame(message.joinRef, message, told);
    } catch (cause) {
      this.#joining = null;
      this.#held = null;
      throw cause;
    }
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
    try {
      while (this.#inbox !== null && this.#inbox.length > 0 && this.#joining === null) {
        const turn = this.#turnOf(this.#inbox[0]!);
        if (turn === "wait") break;
        this.#take(this.#inbox.shift()!, turn);
      }
    } catch (cause) {
      // What cannot be answered ends the connection, and what came after it is nothing any more.
      this.#inbox = null;
      throw cause;
    } finally {
      this.#draining = false;
    }
    this.#resumeIfShort();
  }

  #turnOf(item: Message | InTurn): Turn {
    if (item instanceof InTurn || item.event !== reserved.join) return "take";
    // A join that was not begun when its socket went is for nobody; and the end of a connection does not wait until there
    // is room for all the joins before it. (SPEC C9, L24)
    if (this.#closed || (this.#ending && this.#joinWaitMs() > 0)) return "drop";
    return this.#hasHadItsTurn() || this.#isTooSoon(item) ? "wait" : "take";
  }

  #take(item: Message | InTurn, turn: Turn): void {
    if (item instanceof InTurn) return item.run();
    this.#waitingFrames -= 1;
    if (turn === "take") this.#receive(item);
  }

  #onIdEvent(event: string): void {
    if (event === "disconnect") this.#closeInTurn(closeCode.disconnected);
  }

  #refuse(joinRef: Ref, message: Message, reason: string): void {
    this.#reply(joinRef, message, { status: "error", response: { reason } });
  }

  #reply(joinRef: Ref, message: Message, reply: Reply): void {
    this.send(this.#replyFrame(joinRef, message, reply));
  }

  #replyFrame(joinRef: Ref, { ref, topic }: Message, { status, response = {} }: Reply): Frame {
    return new Frame(this.serializer.encodeReply({ joinRef, ref, topic, status, response }), topic);
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
    if (!this.#paused || this.#closed || this.#cancelWait !== null) return;
    const limit = this.#context.limits.maxWaitingFrames;
    if (this.#waitingFrames >= limit) return;
    for (const channel of this.#channels.all()) if (channel.backlog >= limit) return;
    this.#paused = false;
    this.#transport.resume();
  }
}
