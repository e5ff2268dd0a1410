import { channelCrash, refusal, reserved } from "../../protocol/events.js";
import { Frame } from "../../protocol/frame.js";
import type { Message, OutBroadcast, Ref } from "../../protocol/message.js";
import type { Serializer } from "../../protocol/serializer.js";
import type { Subscriber, Unsubscribe } from "../pubsub/pubsub.js";
import {
  type Channel,
  type ChannelFactory,
  type ChannelPort,
  createChannel,
  ended,
  Killed,
  type Reply,
  type SocketHandle,
  type Stop,
} from "./channel.js";
import type { ChannelHost } from "./host.js";
import { Mailbox, type Worker } from "./mailbox.js";

type Status = "joining" | "joined" | "leaving" | "ending" | "ended";

/** Work for a channel that is not a message of its client. */
class Task {
  constructor(
    readonly event: string,
    readonly run: () => unknown,
  ) {}
}

/**
 * One topic that one socket has joined: joining → joined → leaving → ended. It runs one handler at a time, turns a
 * crash into `phx_error`, and leaves no subscription behind.
 */
export class ChannelProcess implements ChannelPort, Worker<Message | Task> {
  readonly #host: ChannelHost;
  readonly #serializer: Serializer;
  readonly #mailbox: Mailbox<Message | Task>;
  #subscriptions: Unsubscribe[] | null = null;
  /** Who wants to know when the channel has ended: presences. */
  #onEnded: (() => void)[] | null = null;
  /** What pushes and replies carry: a join without a join_ref lends its ref. */
  readonly #pushRef: Ref;
  #channel: Channel | null = null;
  #status: Status = "joining";
  /** The client has been told of the end, or cannot be: a `phx_error` that is still to come would be a second one. */
  #isDiscarded = false;
  /** A handler is on the stack or being awaited. */
  #isHandling = false;
  /** `terminate` is on the stack. */
  #isTerminating = false;
  #early: Task[] | null = [];

  /** @param joinRef as the client sent it: what its messages are compared with, and what the end of the channel carries */
  constructor(
    host: ChannelHost,
    readonly topic: string,
    readonly joinRef: Ref,
    ref: Ref,
  ) {
    this.#host = host;
    this.#serializer = host.serializer;
    this.#pushRef = joinRef ?? ref;
    this.#mailbox = new Mailbox(this);
  }

  get socket(): SocketHandle {
    return this.#host.handle;
  }

  /** Messages that wait for the handler that is running. */
  get backlog(): number {
    return this.#mailbox.length;
  }

  /** Asks the app. A crash comes back as the refusal it is on the wire; nothing is thrown. (SPEC C2) */
  join(create: ChannelFactory, payload: unknown): Reply | Promise<Reply> {
    try {
      this.#channel = createChannel(create, this);
      const result: unknown = this.#channel.join(payload);
      // Resolved, because the socket asks for a promise of this realm: a library's, or a test runner's, may be another.
      if (isPromise(result))
        return Promise.resolve(result).then(
          (reply) => this.#joined(reply),
          (cause) => this.#joinCrashed(cause),
        );
      return this.#joined(result);
    } catch (cause) {
      return this.#joinCrashed(cause);
    }
  }

  #joined(result: unknown): Reply {
    if (!isReply(result) || (result.status !== "ok" && result.status !== "error")) {
      return this.#joinCrashed(new TypeError("join returned neither ok() nor error()"));
    }
    if (result.status === "error") this.abandon();
    return result;
  }

  #joinCrashed(cause: unknown): Reply {
    this.#host.crashed(this.topic, reserved.join, cause);
    this.abandon();
    return { status: "error", response: { reason: refusal.joinCrashed } };
  }

  /** The join was accepted: from here on the topic's broadcasts arrive. Call `begin` once the reply has been sent. */
  accept(): void {
    this.#status = "joined";
    const intercepts = this.#channel!.intercepts;
    this.#subscribe(this.topic, intercepts.length > 0 ? intercepts : null);
  }

  /** Runs what the channel sent itself while joining, and ends it if it was stopped meanwhile. */
  begin(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const task of early) this.#enqueue(task);
  }

  /** Undoes a join that came to nothing. */
  abandon(): void {
    this.#status = "ended";
    this.#release();
  }

  /** A channel that is leaving takes nothing any more, not even what came in the packet of the leave. (SPEC R7) */
  deliver(message: Message): void {
    if (this.#status === "joined") this.#mailbox.post(message);
  }

  /**
   * Leaves after what is waiting, and after the frames that came in the same packet: a join among them makes the
   * leave pointless, and Phoenix then never answers it. (SPEC R6)
   */
  leave(ref: Ref): void {
    if (this.#status !== "joined") return;
    this.#status = "leaving";
    queueMicrotask(() => this.#mailbox.post(new Task(reserved.leave, () => this.#left(ref))));
  }

  #left(ref: Ref): void {
    if (this.#status !== "leaving") return;
    this.#sendReply(ref, { status: "ok" });
    this.#end(ended.left, reserved.close);
  }

  /** Ends it without a word to the client: its socket is gone, or a new join took its place. */
  discard(reason: unknown): void {
    this.#isDiscarded = true;
    this.#end(reason, null);
  }

  /** The frame that tells the client that this channel is over. */
  closeFrame(): Frame {
    return this.#lastFrame(reserved.close, {});
  }

  /**
   * Nothing is pushed any more. While the channel ends `terminate` may push, but not a handler that still runs, whose
   * process Phoenix would have killed. Which of the two does is known while `terminate` is on the stack. (SPEC C11)
   */
  get #isMute(): boolean {
    return this.#status === "ended" || (this.#status === "ending" && this.#isHandling && !this.#isTerminating);
  }

  // What the app's Channel calls.

  push(event: string, payload: unknown): void {
    if (this.#status === "joining") throw new Error("a channel cannot push before it has joined");
    if (this.#isMute) return;
    const push = { joinRef: this.#pushRef, ref: null, topic: this.topic, event, payload };
    this.#host.send(new Frame(this.#serializer.encodePush(push)));
  }

  reply(ref: Ref, reply: Reply): void {
    if (this.#status === "joined" || this.#status === "leaving") this.#sendReply(ref, reply);
  }

  broadcast(event: string, payload: unknown): void {
    if (this.#status === "joining") throw new Error("a channel cannot broadcast before it has joined");
    this.#host.pubsub.broadcast(this.topic, event, payload);
  }

  broadcastFrom(event: string, payload: unknown): void {
    if (this.#status === "joining") throw new Error("a channel cannot broadcast before it has joined");
    this.#host.pubsub.broadcast(this.topic, event, payload, this);
  }

  send(message: unknown): void {
    const task = new Task("info", () => this.#channel!.handleInfo(message));
    if (this.#early !== null) this.#early.push(task);
    else this.#enqueue(task);
  }

  stop(reason: unknown): void {
    const task = new Task("stop", () => ({ stop: reason }));
    if (this.#early !== null) this.#early.push(task);
    else this.#mailbox.post(task);
  }

  onEnded(callback: () => void): void {
    if (this.#status === "ending" || this.#status === "ended") callback();
    else (this.#onEnded ??= []).push(callback);
  }

  /** @see SocketHandle.subscribe */
  subscribe(topic: string): void {
    if (this.#status === "ended" || this.#status === "ending") return;
    this.#subscribe(topic, null);
  }

  #subscribe(topic: string, intercepts: readonly string[] | null): void {
    const unsubscribe = this.#host.pubsub.subscribe(topic, new ChannelSubscriber(this, this.#host, intercepts));
    // A list of one is made as such: pushing to an empty one reserves room for seventeen.
    if (this.#subscriptions === null) this.#subscriptions = [unsubscribe];
    else this.#subscriptions.push(unsubscribe);
  }

  intercept(broadcast: OutBroadcast): void {
    this.#enqueue(new Task(broadcast.event, () => this.#channel!.handleOut(broadcast.event, broadcast.payload)));
  }

  // A client can be slowed down, a broadcast cannot: a channel that does not keep up with those crashes, and rejoins.
  #enqueue(task: Task): void {
    if (this.#mailbox.length < this.#host.maxChannelBacklog) this.#mailbox.post(task);
    else this.#crash(task.event, new Error("the channel does not keep up with its broadcasts"));
  }

  // For the mailbox.

  idle(): void {
    this.#host.channelIdle();
  }

  run(item: Message | Task): void | Promise<void> {
    if (this.#status === "ending" || this.#status === "ended") return;
    this.#isHandling = true;
    try {
      const result = item instanceof Task ? item.run() : this.#handleIn(item);
      if (isPromise(result)) {
        return result.then(
          (value) => this.#settle(item, value),
          (cause: unknown) => this.#failed(item, cause),
        );
      }
      this.#settle(item, result);
    } catch (cause) {
      this.#failed(item, cause);
    }
  }

  #handleIn({ event, payload, ref }: Message): unknown {
    if (typeof event !== "string") throw new TypeError("the event is not a string");
    if (!this.#host.measures) return this.#channel!.handleIn(event, payload, ref);
    const handled = this.#host.handledIn(this.topic, event);
    const result = this.#channel!.handleIn(event, payload, ref);
    // One that throws is told as a crash, whether it does so now or later.
    const settled = (value: unknown) => {
      handled();
      return value;
    };
    return isPromise(result) ? result.then(settled) : settled(result);
  }

  #failed(item: Message | Task, cause: unknown): void {
    this.#isHandling = false;
    this.#crash(eventOf(item), cause);
  }

  #settle(item: Message | Task, result: unknown): void {
    this.#isHandling = false;
    if (result === undefined) return;
    const ref = item instanceof Task ? null : item.ref;
    try {
      if (isStop(result)) {
        if (result.reply !== undefined) this.reply(ref, result.reply);
        if (result.stop === "normal" || result.stop === "shutdown") this.#end(result.stop, reserved.close);
        else this.#crash(eventOf(item), result.stop);
      } else if (isReply(result) && !(item instanceof Task)) {
        this.reply(ref, result);
      } else {
        throw new TypeError("a handler returned neither a reply, nor stop(), nor nothing");
      }
    } catch (cause) {
      this.#crash(eventOf(item), cause);
    }
  }

  #sendReply(ref: Ref, { status, response }: Reply): void {
    const reply = {
      joinRef: this.#pushRef,
      ref,
      topic: this.topic,
      status,
      response: response === undefined ? {} : response,
    };
    this.#host.send(new Frame(this.#serializer.encodeReply(reply)));
  }

  #crash(event: string, cause: unknown): void {
    if (this.#status === "ending" || this.#status === "ended") return;
    this.#host.crashed(this.topic, event, cause);
    this.#end(cause, reserved.error);
  }

  // phx_close goes out before `terminate` runs, phx_error after it: so does Phoenix. (SPEC C7)
  #end(reason: unknown, last: typeof reserved.close | typeof reserved.error | null): void {
    if (this.#status === "ending" || this.#status === "ended") return;
    const joined = this.#status !== "joining";
    this.#status = "ending";
    this.#release();
    if (last === reserved.close) this.#host.send(this.closeFrame());
    const finish = () => {
      this.#status = "ended";
      if (last === reserved.error && !this.#isDiscarded) {
        this.#host.send(this.#lastFrame(reserved.error, channelCrash));
      }
      this.#host.channelEnded(this);
    };
    if (last !== reserved.error) this.#host.channelEnded(this);
    if (joined && !(reason instanceof Killed)) this.#terminate(reason, finish);
    else finish();
  }

  #terminate(reason: unknown, finish: () => void): void {
    const failed = (cause: unknown) => this.#host.crashed(this.topic, "terminate", cause);
    this.#isTerminating = true;
    try {
      const work: unknown = this.#channel!.terminate(reason);
      this.#isTerminating = false;
      if (isPromise(work)) void work.catch(failed).then(finish);
      else finish();
    } catch (cause) {
      this.#isTerminating = false;
      failed(cause);
      finish();
    }
  }

  #release(): void {
    this.#mailbox.close();
    const subscriptions = this.#subscriptions ?? [];
    const callbacks = this.#onEnded ?? [];
    this.#subscriptions = null;
    this.#onEnded = null;
    for (const unsubscribe of subscriptions) unsubscribe();
    // Afterwards, so that what they broadcast does not reach a client that holds this channel for ended.
    for (const callback of callbacks) callback();
  }

  #lastFrame(event: string, payload: unknown): Frame {
    const { joinRef, topic } = this;
    return new Frame(this.#serializer.encodePush({ joinRef, ref: joinRef, topic, event, payload }));
  }
}

class ChannelSubscriber implements Subscriber {
  constructor(
    readonly owner: ChannelProcess,
    readonly host: ChannelHost,
    readonly intercepts: readonly string[] | null,
  ) {}

  get serializer(): Serializer {
    return this.host.serializer;
  }

  get wireTopic(): string {
    return this.owner.topic;
  }

  deliver(frame: Frame): void {
    this.host.send(frame);
  }

  intercept(broadcast: OutBroadcast): void {
    this.owner.intercept(broadcast);
  }
}

function eventOf(item: Message | Task): string {
  return typeof item.event === "string" ? item.event : "(no event)";
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

function isReply(value: unknown): value is Reply {
  return typeof value === "object" && value !== null && typeof (value as Reply).status === "string";
}

function isStop(value: unknown): value is Stop {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "stop");
}
