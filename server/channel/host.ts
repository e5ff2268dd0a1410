import type { Frame } from "../../protocol/frame.js";
import type { Serializer } from "../../protocol/serializer.js";
import type { Cancel } from "../clock.js";
import type { PubSub } from "../pubsub/pubsub.js";
import type { SocketInfo } from "./channel.js";
import type { ChannelProcess } from "./channel-process.js";

/** What a joined channel needs of its socket. */
export interface ChannelHost {
  readonly handle: SocketInfo;
  readonly serializer: Serializer;
  readonly pubsub: PubSub;
  /** Broadcasts and infos that may wait in one channel. */
  readonly maxChannelBacklog: number;
  /** True when somebody wants to know how long handlers take. */
  readonly measures: boolean;
  send(frame: Frame): void;
  /** Calls back once the peer has taken what was sent until now. */
  fence(done: () => void): void;
  /** Forgets what was sent under a topic and is not on its way yet. @returns whether there was anything */
  dropUnsent(topic: unknown): boolean;
  /** Closes the connection. */
  close(code: number, reason: string): void;
  /** Called when a handler starts; the returned function when it is done. */
  handledIn(topic: string, event: string): () => void;
  /** A handler threw: tell the operator. The client learns only that the channel is gone. */
  crashed(topic: string, event: string, cause: unknown): void;
  /** The channel that the socket has joined, or is joining, on a topic. */
  channelOn(topic: string): ChannelProcess | undefined;
  /** Calls back once what is over has lingered as long as it may. @returns a function that cancels it */
  linger(callback: () => void): Cancel;
  /** Nothing waits in the channel any more. */
  channelIdle(): void;
  channelEnded(channel: object): void;
}
