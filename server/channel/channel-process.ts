import { channelCrash, closeCode, refusal, reserved } from "../../protocol/events.js";
import { Frame } from "../../protocol/frame.js";
import type { Message, OutBroadcast, Ref } from "../../protocol/message.js";
import type { Serializer } from "../../protocol/serializer.js";
import type { Filter, Unsubscribe } from "../pubsub/pubsub.js";
import {
  type Channel,
  type ChannelFactory,
  type ChannelPort,
  createChannel,
  ended,
  Killed,
  Rejoin,
  type Reply,
  type SocketHandle,
  type Stop,
  type SubscribeOptions,
} from "./channel.js";
import type { ChannelHost } from "./host.js";
import { ChannelSubscriber } from "./channel-subscriber.js";
import { Mailbox, type Worker } from "./mailbox.js";
import { isPromise, isReply, isStop } from "./results.js";
import { Subscriptions } from "./subscriptions.js";

type Status = "joining" | "joined" | "leaving" | "ending" | "ended";

/** What went wrong while the join was being decided, with nobody to throw at: the join has crashed. */
class JoinFault {
  constructor(readonly cause: unknown) {}
}

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
export class ChannelProcess implements ChannelPort, SocketHandle, Worker<Message | Task> {
  readonly #host: ChannelHost;
  readonly #serializer: Serializer;
  readonly #mailbox: Mailbox<Message | Task>;
  readonly #subscriptions = new Subscriptions();
  /** Who wants to know when the channel has ended: presences. */
  #onEnded: (() => void)[] | null = null;
  /** What pushes and replies carry: a join without a join_ref lends its ref. */
  readonly #pushRef: Ref;
  #channel: Channel | null = null;
  #status: Status = "joining";
  /** The join was refused, and is not to be asked for again: `phx_close` follows the reply. (SPEC C16) */
  #isForGood = false;
  /** The client has been told of the end, or will be by who ended it: a `phx_error` still to come would be a second one. */
  #isTold = false;
  /** The socket is gone: nothing can be told to the client. */
  #isCut = false;
  /** A handler is on the stack or being awaited. */
  #isHandling = false;
  /** `terminate` is on the stack. */
  #isTerminating = false;
  /** The app's code is on the stack, called from here: there is somebody to throw at. */
  #isOnStack = false;
  #early: Task[] | JoinFault | null = [];
  /** How often what was sent was dropped: a fence from before says nothing any more. */
  #drops = 0;

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

  /** The socket as this channel sees it: what it subscribes is its own, whatever joins the topic after it. (SPEC R10) */
  get socket(): SocketHandle {
    return this;
  }

  get id(): string | null {
    return this.#host.handle.id;
  }

  get assigns(): Readonly<Record<string, unknown>> {
    return this.#host.handle.assigns;
  }

  get transport(): SocketHandle["transport"] {
    return this.#host.handle.transport;
  }

  get vsn(): string {
    return this.#host.handle.vsn;
  }

  /** @see SocketHandle.fence */
  fence(done: () => void): void {
    if (this.#isCut) return;
    const drops = this.#drops;
    this.#host.fence(() => {
      if (this.#drops === drops) done();
    });
  }

  /** @see SocketHandle.dropUnsent */
  dropUnsent(): boolean {
    // The topic may be another channel's by now.
    if (this.#hasEnded || !this.#host.dropUnsent(this.topic)) return false;
    this.#drops += 1;
    return true;
  }

  /** @see SocketHandle.close */
  close(code: number = closeCode.abuse): void {
    this.#host.close(code, "");
  }

  /** Messages that wait for the handler that is running. */
  get backlog(): number {
    return this.#mailbox.length;
  }

  /** Asks the app. A crash comes back as the refusal it is on the wire; nothing is thrown. (SPEC C2) */
  join(create: ChannelFactory, payload: unknown): Reply | Promise<Reply> {
    this.#isOnStack = true;
    try {
      this.#channel = createChannel(create, this);
      const result: unknown = this.#channel.join(payload);
      this.#isOnStack = false;
      // Resolved, because the socket asks for a promise of this realm: a library's, or a test runner's, may be another.
      if (isPromise(result))
        return Promise.resolve(result).then(
          (reply) => this.#joined(reply),
          (cause) => this.#joinCrashed(cause),
        );
      return this.#joined(result);
    } catch (cause) {
      this.#isOnStack = false;
      return this.#joinCrashed(cause);
    }
  }

  /** The join was refused, and `phx_close` is to follow the reply. */
  get isForGood(): boolean {
    return this.#isForGood;
  }

  #joined(result: unknown): Reply {
    if (isStop(result)) return this.#refusedForGood(result);
    if (!isReply(result) || (result.status !== "ok" && result.status !== "error")) {
      return this.#joinCrashed(new TypeError("join returned neither ok() nor error()"));
    }
    if (this.#early instanceof JoinFault) return this.#joinCrashed(this.#early.cause);
    if (result.status === "error") this.abandon();
    // It was given up meanwhile, and has begun after all what terminate ends.
    else if (this.#status !== "joining") this.#terminate(ended.closed, nothing);
    return result;
  }

  #refusedForGood({ stop, reply }: Stop): Reply {
    const isOrdinary = stop === "normal" || stop === "shutdown";
    if (!isOrdinary || !isReply(reply) || reply.status !== "error") {
      return this.#joinCrashed(new TypeError('of the stops, join returns only stop("normal", error(…))'));
    }
    this.#isForGood = true;
    this.abandon();
    return reply;
  }

  #joinCrashed(cause: unknown): Reply {
    this.#host.crashed(this.topic, reserved.join, cause);
    this.abandon();
    return { status: "error", response: { reason: refusal.joinCrashed } };
  }

  /** The reply of its join cannot be sent, so the join has crashed after all. @returns what the client is told instead */
  unsayable(reply: Reply, cause: unknown): Reply {
    const crashed = this.#joinCrashed(cause);
    if (reply.status === "ok") this.#terminate(cause, nothing);
    return crashed;
  }

  /** The join was accepted: from here on the topic's broadcasts arrive. Call `begin` once the reply has been sent. */
  accept(): void {
    this.#status = "joined";
    if (this.#isCut) return;
    const intercepts = this.#channel!.intercepts;
    this.#subscriptions.keepToTheEnd(this.#subscribe(this.topic, intercepts.length > 0 ? intercepts : null, null));
  }

  /** Runs what the channel sent itself while joining, and ends it if it was stopped meanwhile. */
  begin(): void {
    const early = this.#early;
    this.#early = null;
    if (Array.isArray(early)) for (const task of early) this.#enqueue(task);
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

  /** Ends it without a word to the client: a new join took its place, and tells of it. */
  discard(reason: unknown): void {
    this.#isTold = true;
    this.#end(reason, null);
  }

  /** The socket is gone: nothing is told to the client any more, and nothing of what is broadcast is for it. (SPEC C9) */
  cut(): void {
    this.#isCut = true;
    this.#subscriptions.end();
  }

  /**
   * Ends it because its socket is gone: behind what its client had sent before, as a monitor's message is in Phoenix; but
   * a handler that does not come to an end holds it no longer than may linger what is over. (SPEC C9, L13)
   */
  socketClosed(): void {
    const end = () => this.#end(ended.closed, null);
    // One that is leaving ends by itself, with the reason that its client gave.
    if (this.#status === "joined") this.#mailbox.post(new Task("close", end));
    if (!this.#hasEnded) this.onEnded(this.#host.linger(end));
  }

  /** The frame that tells the client that this channel is over. */
  closeFrame(): Frame {
    return this.#lastFrame(reserved.close, {});
  }

  /**
   * Nothing leaves any more. While the channel ends, what `terminate` sends does, known by its being on the stack; and
   * until the client has been told of the end whatever else does, but for a handler that still runs, whose process
   * Phoenix would have killed. (SPEC C7, C11)
   */
  get #isMute(): boolean {
    if (this.#isCut || this.#status === "ended") return true;
    return this.#status === "ending" && !this.#isTerminating && (this.#isTold || this.#isHandling);
  }

  get #hasEnded(): boolean {
    return this.#status === "ending" || this.#status === "ended";
  }

  // What the app's Channel calls.

  push(event: string, payload: unknown): void {
    if (this.#status === "joining") return this.failed(event, new Error("a channel cannot push before it has joined"));
    if (this.#isMute) return;
    let frame: Frame;
    try {
      const push = { joinRef: this.#pushRef, ref: null, topic: this.topic, event, payload };
      frame = new Frame(this.#serializer.encodePush(push), this.topic);
    } catch (cause) {
      return this.failed(event, cause);
    }
    this.#host.send(frame);
  }

  reply(ref: Ref, reply: Reply): void {
    if (this.#status === "joining" || this.#isMute) return;
    try {
      this.#sendReply(ref, reply);
    } catch (cause) {
      this.failed(reserved.reply, cause);
    }
  }

  broadcast(event: string, payload: unknown): void {
    this.#broadcast(event, payload, undefined);
  }

  broadcastFrom(event: string, payload: unknown): void {
    this.#broadcast(event, payload, this);
  }

  #broadcast(event: string, payload: unknown, except: unknown): void {
    if (this.#status === "joining")
      return this.failed(event, new Error("a channel cannot broadcast before it has joined"));
    try {
      this.#host.pubsub.broadcast(this.topic, event, payload, except, this.#serializer.encodePayload);
    } catch (cause) {
      this.failed(event, cause);
    }
  }

  /**
   * What the app asked for cannot be done. It is thrown while one of the channel's own functions is on the stack; else,
   * in a timer or after a wait, nobody would catch it, and it would cost the process: there the channel crashes. (SPEC C15)
   */
  failed(event: string, cause: unknown): void {
    if (this.#isOnStack) throw cause;
    if (this.#status !== "joining") this.#crash(event, cause);
    else if (!(this.#early instanceof JoinFault)) this.#early = new JoinFault(cause);
  }

  send(message: unknown): void {
    this.#sendSelf(new Task("info", () => this.#channel!.handleInfo(message)));
  }

  stop(reason: unknown): void {
    const task = new Task("stop", () => ({ stop: reason }));
    if (this.#status === "joining") this.#sendSelf(task);
    else this.#mailbox.post(task);
  }

  #sendSelf(task: Task): void {
    const early = this.#early;
    if (early === null) this.#enqueue(task);
    else if (early instanceof JoinFault) return;
    else if (early.length < this.#host.maxChannelBacklog) early.push(task);
    else this.failed(task.event, new Error("the channel sends itself more than may wait"));
  }

  onEnded(callback: () => void): void {
    if (this.#hasEnded) callback();
    else (this.#onEnded ??= []).push(callback);
  }

  /** @see SocketHandle.subscribe */
  subscribe(topic: string, { as, filter }: SubscribeOptions): Unsubscribe {
    if (this.#hasEnded) return nothing;
    const channel = as === this.topic ? this : this.#host.channelOn(as);
    if (channel !== undefined) return channel.hear(topic, filter ?? null);
    this.failed("subscribe", new Error(`this socket has no channel on ${as}`));
    return nothing;
  }

  /** What is broadcast on `topic` leaves under the name of this channel, once however often it is asked for. */
  hear(topic: string, filter: Filter | null): Unsubscribe {
    if (this.#hasEnded || this.#isCut || topic === this.topic) return nothing;
    return this.#subscriptions.hear(topic, () => this.#subscribe(topic, null, filter));
  }

  listen(topic: string): Unsubscribe {
    if (this.#hasEnded || this.#isCut) return nothing;
    // The payload is everyone's, and is handled later: a copy is as it was, and this channel's own.
    const unlisten = this.#host.pubsub.listen(topic, ({ event, payload }) =>
      this.send({ topic, event, payload: copyOf(payload) }),
    );
    return this.#subscriptions.keep(unlisten);
  }

  #subscribe(topic: string, intercepts: readonly string[] | null, filter: Filter | null): Unsubscribe {
    return this.#host.pubsub.subscribe(topic, new ChannelSubscriber(this, this.#host, intercepts, filter));
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
    if (this.#hasEnded) return;
    this.#isHandling = true;
    this.#isOnStack = true;
    try {
      const result = item instanceof Task ? item.run() : this.#handleIn(item);
      this.#isOnStack = false;
      if (isPromise(result)) {
        return result.then(
          (value) => this.#settle(item, value),
          (cause: unknown) => this.#failed(item, cause),
        );
      }
      this.#settle(item, result);
    } catch (cause) {
      this.#isOnStack = false;
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
    // A handler that still ran when its channel ended harms nobody any more, but its author must know. (SPEC C13)
    if (this.#hasEnded) this.#host.crashed(this.topic, eventOf(item), cause);
    else this.#crash(eventOf(item), cause);
  }

  #settle(item: Message | Task, result: unknown): void {
    this.#isHandling = false;
    if (result === undefined || this.#hasEnded) return;
    try {
      if (item instanceof Task && (isReply(result) || (isStop(result) && result.reply !== undefined))) {
        throw new TypeError("a handler of no push returned a reply: there is no ref to answer");
      } else if (isStop(result)) {
        if (result.reply !== undefined) this.#sendReply((item as Message).ref, result.reply);
        if (result.stop === "normal" || result.stop === "shutdown") this.#end(result.stop, reserved.close);
        else this.#crash(eventOf(item), result.stop);
      } else if (isReply(result)) {
        this.#sendReply((item as Message).ref, result);
      } else {
        throw new TypeError("a handler returned neither a reply, nor stop(), nor nothing");
      }
    } catch (cause) {
      this.#crash(eventOf(item), cause);
    }
  }

  #sendReply(ref: Ref, reply: Reply): void {
    if (!isReply(reply)) throw new TypeError("a reply is ok(…), error(…) or { status, response }");
    const { status, response = {} } = reply;
    const out = { joinRef: this.#pushRef, ref, topic: this.topic, status, response };
    this.#host.send(new Frame(this.#serializer.encodeReply(out), this.topic));
  }

  #crash(event: string, cause: unknown): void {
    if (this.#hasEnded) return;
    if (!(cause instanceof Rejoin)) this.#host.crashed(this.topic, event, cause);
    this.#end(cause, reserved.error);
  }

  // phx_close goes out before `terminate` runs, phx_error after it: so does Phoenix. (SPEC C7)
  #end(reason: unknown, last: typeof reserved.close | typeof reserved.error | null): void {
    if (this.#hasEnded) return;
    const joined = this.#status !== "joining";
    this.#status = "ending";
    this.#release();
    if (last === reserved.close) {
      this.#isTold = true;
      this.#host.send(this.closeFrame());
    }
    const finish = () => {
      if (this.#status === "ended") return;
      this.#status = "ended";
      if (last === reserved.error && !this.#isTold) {
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
    // It may end the channel of a handler that is on the stack, which is there again afterwards.
    const wasOnStack = this.#isOnStack;
    this.#isOnStack = this.#isTerminating = true;
    try {
      const work: unknown = this.#channel!.terminate(reason);
      this.#isTerminating = false;
      if (isPromise(work)) {
        // One that never ends must not keep the end from the client.
        const cancel = this.#host.linger(finish);
        void Promise.resolve(work).catch(failed).then(cancel).then(finish);
      } else finish();
    } catch (cause) {
      this.#isTerminating = false;
      failed(cause);
      finish();
    }
    this.#isOnStack = wasOnStack;
  }

  #release(): void {
    this.#mailbox.close();
    this.#early = null;
    const callbacks = this.#onEnded ?? [];
    this.#onEnded = null;
    this.#subscriptions.end();
    // Afterwards, so that what they broadcast does not reach a client that holds this channel for ended. One that fails
    // harms neither the others nor the end.
    for (const callback of callbacks) {
      try {
        callback();
      } catch (cause) {
        this.#host.crashed(this.topic, "ended", cause);
      }
    }
  }

  #lastFrame(event: string, payload: unknown): Frame {
    const { joinRef, topic } = this;
    return new Frame(this.#serializer.encodePush({ joinRef, ref: joinRef, topic, event, payload }), topic);
  }
}

function copyOf(payload: unknown): unknown {
  return payload instanceof Uint8Array ? payload.slice() : JSON.parse(JSON.stringify(payload));
}

function nothing(): void {}

function eventOf(item: Message | Task): string {
  return typeof item.event === "string" ? item.event : "(no event)";
}
