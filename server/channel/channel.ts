import type { Ref } from "../../protocol/message.js";
import type { Filter, Unsubscribe } from "../pubsub/pubsub.js";

/** An answer: `status` is "ok" or "error", or any other word an app agrees on with its clients. */
export interface Reply {
  readonly status: string;
  /** Any JSON value, or bytes for version 2 clients; `{}` when left out. */
  readonly response?: unknown;
}

/** Ends the channel after the handler: with `phx_close` for "normal" and "shutdown", with `phx_error` for anything else. */
export interface Stop {
  readonly stop: unknown;
  readonly reply?: Reply | undefined;
}

/**
 * What `join` returns: `ok()` or `error()`; or `stop("normal", error(…))`, which refuses it for good: `phx_close` follows,
 * after which no phoenix.js asks again. (SPEC C16)
 */
export type JoinResult = Reply | Stop;
export type HandleResult = void | undefined | Reply | Stop;
/** There is no push to answer, so there is nothing to return but the end. */
export type InfoResult = void | undefined | Stop;

/** Accepts a join, or answers a push. @param response any JSON value, or bytes for version 2 clients */
export const ok = (response?: unknown): Reply => ({ status: "ok", response });
/** Refuses a join, or answers a push. By custom the response is `{reason}`. */
export const error = (response?: unknown): Reply => ({ status: "error", response });
/**
 * Ends the channel when a handler returns it.
 * @param reason what `terminate` is told; "normal" and "shutdown" are an ordinary end, anything else is a crash
 * @param reply sent before the end
 */
export const stop = (reason: unknown = "normal", reply?: Reply): Stop => ({ stop: reason, reply });

/** Why a channel ended, as `terminate` is told it; an error for a crash, or what the app gave to `stop`. */
export const ended = { left: "left", closed: "closed", duplicate: "duplicate join" } as const;

/** Thrown by a handler, it ends the channel as a crash does, but without `terminate`. */
export class Killed extends Error {
  override readonly name = "Killed";
}

/** Given to `stop`, it ends the channel with `phx_error`, after which clients join again, and is no crash. (SPEC C6) */
export class Rejoin extends Error {
  override readonly name = "Rejoin";
}

/** What is known of a socket. */
export interface SocketInfo {
  /** The socket's id, by which it can be disconnected, or null. */
  readonly id: string | null;
  /** What `connect` assigned. All channels of the socket see the same object. */
  readonly assigns: Readonly<Record<string, unknown>>;
  readonly transport: "websocket" | "longpoll" | "test";
  readonly vsn: string;
}

export interface SubscribeOptions {
  /** The topic under which it leaves: one that the socket has joined, or is joining. */
  readonly as: string;
  /** Asked at each broadcast, on the fast lane: be quick. What it does not want is not sent to this socket. */
  readonly filter?: Filter;
}

/** What a channel knows of the socket it lives on. Each channel has its own. */
export interface SocketHandle extends SocketInfo {
  /**
   * What is broadcast on `topic` from now on leaves to this socket under the topic `as`, on the fast lane, until the
   * channel joined on `as` ends. During a join it is held back until the join's reply has been sent. Subscribing again
   * changes nothing, nor does a channel that has ended.
   * @returns a function that ends it before
   * @throws Error when the socket neither has nor is joining a channel on `as`
   * @see SPEC R10
   */
  subscribe(topic: string, options: SubscribeOptions): Unsubscribe;
  /**
   * Calls back once the client has taken all that was sent to it until now: its pong to a ping that leaves in the same
   * write has come, or its next poll. Never, when the connection ends before. (SPEC T13)
   */
  fence(done: () => void): void;
  /**
   * Forgets what was sent to this channel's client and is not on its way yet, replies too: what waits for the next poll of
   * long-poll, or for a join of the same socket. For a right that has ended meanwhile. If there was anything, the fences of
   * this channel that are still waited for call nobody back. (SPEC C17)
   * @returns whether there was anything: then its client has missed something
   */
  dropUnsent(): boolean;
  /** Closes the connection, for all its channels. @param code 1008 unless it is given: whoever misbehaves */
  close(code?: number): void;
}

/** The engine's side of a channel: what its protected methods call. */
export interface ChannelPort {
  readonly socket: SocketHandle;
  readonly topic: string;
  readonly joinRef: Ref;
  push(event: string, payload: unknown): void;
  reply(ref: Ref, reply: Reply): void;
  broadcast(event: string, payload: unknown): void;
  broadcastFrom(event: string, payload: unknown): void;
  send(message: unknown): void;
  stop(reason: unknown): void;
  listen(topic: string): Unsubscribe;
  /** Calls back once, when the channel has ended; at once if it has. */
  onEnded(callback: () => void): void;
  /** What was asked for cannot be done: throws `cause` while the channel's own code runs, and crashes the channel else. */
  failed(event: string, cause: unknown): void;
}

const none: readonly string[] = [];

let portOfNext: ChannelPort | null = null;

/** Makes a channel for one join. The port is there before the constructor runs, so fields may use it. */
export function createChannel(create: ChannelFactory, port: ChannelPort): Channel {
  portOfNext = port;
  try {
    const channel: unknown = isClass(create) ? new create() : create();
    if (!hasPort(channel)) throw new TypeError("the function given for the topic makes no channel");
    if (portOf(channel) !== port) throw new TypeError("a channel is for one join: the function must make a new one");
    return channel;
  } finally {
    portOfNext = null;
  }
}

let hasPort: (value: unknown) => value is Channel;

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The engine's side of a channel, for the parts of the engine: no app is given it. */
export let portOf: (channel: Channel) => ChannelPort;

/** What makes the channel of a join: its class, or a function that returns a new one. */
export type ChannelFactory = (new () => Channel) | (() => Channel);

function isClass(create: ChannelFactory): create is new () => Channel {
  return create.prototype instanceof Channel;
}

/**
 * One topic that one socket has joined. The engine makes an instance per join and calls one handler at a time; a
 * handler that returns a promise holds back the next message of this channel, and of no other.
 * What a handler throws crashes this channel alone: the client gets `phx_error` and rejoins. (SPEC C1–C9)
 */
export abstract class Channel {
  readonly #port: ChannelPort;

  static {
    portOf = (channel: unknown) => {
      if (isObject(channel) && #port in channel) return channel.#port;
      throw new TypeError(`${String(channel)} is not a channel`);
    };
    hasPort = (value: unknown): value is Channel => isObject(value) && #port in value;
  }

  /** Broadcast events that go to `handleOut` instead of straight to the client. */
  readonly intercepts: readonly string[] = none;

  constructor() {
    if (portOfNext === null) throw new Error("the engine makes channels, when a client joins");
    this.#port = portOfNext;
    portOfNext = null;
  }

  get topic(): string {
    return this.#port.topic;
  }

  get joinRef(): Ref {
    return this.#port.joinRef;
  }

  get socket(): SocketHandle {
    return this.#port.socket;
  }

  /**
   * Decides on a join: `ok(response)`, or `error({reason})`. The socket waits for it, and handles nothing else
   * meanwhile. Pushing is not possible before the reply: `this.send` a message and push in `handleInfo`.
   */
  abstract join(payload: unknown): JoinResult | Promise<JoinResult>;

  /**
   * Handles what the client pushed.
   * @param payload any JSON value, or a `Uint8Array` from a binary frame
   * @param ref pass it to `this.reply` to answer later than by the result
   */
  handleIn(event: string, _payload: unknown, _ref: Ref): HandleResult | Promise<HandleResult> {
    throw new Error(`no handler for ${JSON.stringify(event)}`);
  }

  /** Decides on an intercepted broadcast: push it, changed or not, or drop it. */
  handleOut(event: string, payload: unknown): void | Promise<void> {
    this.push(event, payload);
  }

  /** Handles what `this.send` sent, and what is broadcast where `this.listen` listens. */
  handleInfo(_message: unknown): InfoResult | Promise<InfoResult> {}

  /**
   * Called once, when a channel whose join was accepted ends: because its client left, joined again or is gone, because
   * of a crash, or by `stop`. Not when a handler threw `Killed`, and not when the process dies. What it pushes or replies
   * before its first wait reaches a client that is there, after `phx_close` or before `phx_error`; later only `phx_error`
   * waits for it, and for a while. (SPEC C7, C9, C11, L13)
   * @param _reason "left", "closed", "duplicate join", what was given to `stop`, or what was thrown
   */
  terminate(_reason: unknown): void | Promise<void> {}

  /** Sends an event to this client on this topic. */
  protected push(event: string, payload: unknown): void {
    this.#port.push(event, payload);
  }

  /** Answers the push with this ref, now or later. */
  protected reply(ref: Ref, reply: Reply): void {
    this.#port.reply(ref, reply);
  }

  /** Sends an event to every subscriber of this topic. */
  protected broadcast(event: string, payload: unknown): void {
    this.#port.broadcast(event, payload);
  }

  /** Sends an event to every subscriber of this topic but this channel. */
  protected broadcastFrom(event: string, payload: unknown): void {
    this.#port.broadcastFrom(event, payload);
  }

  /** Puts a message for `handleInfo` into this channel's queue. May be called from anywhere, at any time. */
  send(message: unknown): void {
    this.#port.send(message);
  }

  /**
   * What is broadcast on another topic from now on comes to `handleInfo`, as `{topic, event, payload}`, until the channel
   * ends. The client hears nothing of it; for that there is `this.socket.subscribe`.
   * @returns a function that ends it before
   * @see SPEC C14
   */
  protected listen(topic: string): Unsubscribe {
    return this.#port.listen(topic);
  }

  /** Ends this channel from outside a handler; inside one, return `stop(reason)`. */
  stop(reason: unknown = "normal"): void {
    this.#port.stop(reason);
  }
}
