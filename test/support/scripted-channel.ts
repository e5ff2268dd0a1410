import type { Ref } from "../../protocol/message.js";
import type { Serializer } from "../../protocol/serializer.js";
import { v2 } from "../../protocol/v2.js";
import {
  Channel,
  type ChannelFactory,
  type HandleResult,
  type InfoResult,
  type JoinResult,
  ok,
} from "../../server/channel/channel.js";
import { phoenixLimits, type SocketLimits } from "../../server/channel/limits.js";
import { Socket } from "../../server/channel/socket.js";
import { Topics } from "../../server/channel/topics.js";
import { type Clock, systemClock } from "../../server/clock.js";
import { PubSub } from "../../server/pubsub/pubsub.js";
import { Telemetry } from "../../server/telemetry.js";
import { FakeTransport } from "./fake-transport.js";

/** What a channel does; what is left out it does without a word. */
export interface Script {
  readonly intercepts?: readonly string[];
  join?(channel: ScriptedChannel, payload: unknown): JoinResult | Promise<JoinResult>;
  handleIn?(channel: ScriptedChannel, event: string, payload: unknown, ref: Ref): HandleResult | Promise<HandleResult>;
  handleOut?(channel: ScriptedChannel, event: string, payload: unknown): void | Promise<void>;
  handleInfo?(channel: ScriptedChannel, message: unknown): InfoResult | Promise<InfoResult>;
  terminate?(channel: ScriptedChannel, reason: unknown): void | Promise<void>;
}

/** A channel that does what the test says; what a channel may do, the test may too. */
export class ScriptedChannel extends Channel {
  override readonly intercepts: readonly string[];

  constructor(readonly script: Script) {
    super();
    this.intercepts = script.intercepts ?? [];
  }

  override join(payload: unknown): JoinResult | Promise<JoinResult> {
    return this.script.join === undefined ? ok() : this.script.join(this, payload);
  }

  override handleIn(event: string, payload: unknown, ref: Ref): HandleResult | Promise<HandleResult> {
    if (this.script.handleIn === undefined) return super.handleIn(event, payload, ref);
    return this.script.handleIn(this, event, payload, ref);
  }

  override handleOut(event: string, payload: unknown): void | Promise<void> {
    if (this.script.handleOut === undefined) return super.handleOut(event, payload);
    return this.script.handleOut(this, event, payload);
  }

  override handleInfo(message: unknown): InfoResult | Promise<InfoResult> {
    return this.script.handleInfo?.(this, message);
  }

  override terminate(reason: unknown): void | Promise<void> {
    return this.script.terminate?.(this, reason);
  }

  override push(event: string, payload: unknown): void {
    super.push(event, payload);
  }

  override reply(...args: Parameters<Channel["reply"]>): void {
    super.reply(...args);
  }

  override broadcast(event: string, payload: unknown): void {
    super.broadcast(event, payload);
  }

  override broadcastFrom(event: string, payload: unknown): void {
    super.broadcastFrom(event, payload);
  }

  override send(message: unknown): void {
    super.send(message);
  }

  override stop(reason?: unknown): void {
    super.stop(reason);
  }
}

export interface ConnectedSocket {
  readonly socket: Socket;
  readonly transport: FakeTransport;
  /** What the handlers threw, with the event in which they did. */
  readonly crashes: [event: string, error: unknown][];
  readonly telemetry: Telemetry;
  /** Hands a version 2 message to the socket. */
  readonly receive: (joinRef: unknown, ref: unknown, topic: unknown, event: unknown, payload?: unknown) => void;
}

export interface ConnectOptions {
  readonly pubsub?: PubSub;
  readonly limits?: Partial<SocketLimits>;
  readonly serializer?: Serializer;
  readonly id?: string;
  readonly clock?: Clock;
}

/** A socket over a transport without a network. */
export function connect(scripts: Readonly<Record<string, Script>>, options: ConnectOptions = {}): ConnectedSocket {
  const { pubsub = new PubSub(), limits = {}, serializer = v2, id = null, clock = systemClock } = options;
  const channels: Record<string, ChannelFactory> = {};
  for (const [pattern, script] of Object.entries(scripts)) channels[pattern] = () => new ScriptedChannel(script);
  const telemetry = new Telemetry();
  const crashes: [string, unknown][] = [];
  telemetry.attach("channel_crashed", ({ event, error }) => void crashes.push([event, error]));
  const transport = new FakeTransport();
  const context = {
    mount: "/socket",
    topics: new Topics(channels),
    limits: { ...phoenixLimits, ...limits },
    pubsub,
    telemetry,
    clock,
  };
  const socket = new Socket(context, transport, serializer, { id, assigns: {} });
  transport.onClose = () => socket.closed();
  const receive: ConnectedSocket["receive"] = (joinRef, ref, topic, event, payload = {}) =>
    socket.receiveText(JSON.stringify([joinRef, ref, topic, event, payload]));
  return { socket, transport, crashes, telemetry, receive };
}

/** A promise that the test settles. */
export function deferred<T = void>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (cause: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (cause: unknown) => void;
  const promise = new Promise<T>((resolvePromise, rejectPromise) => {
    resolve = resolvePromise;
    reject = rejectPromise;
  });
  return { promise, resolve, reject };
}

/** Lets everything run that waits for nothing but its turn. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
