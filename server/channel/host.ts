import type { Frame } from "../../protocol/frame.js";
import type { Serializer } from "../../protocol/serializer.js";
import type { PubSub } from "../pubsub/pubsub.js";
import type { SocketHandle } from "./channel.js";

/** What a joined channel needs of its socket. */
export interface ChannelHost {
  readonly handle: SocketHandle;
  readonly serializer: Serializer;
  readonly pubsub: PubSub;
  /** Broadcasts and infos that may wait in one channel. */
  readonly maxChannelBacklog: number;
  /** True when somebody wants to know how long handlers take. */
  readonly measures: boolean;
  send(frame: Frame): void;
  /** Called when a handler starts; the returned function when it is done. */
  handledIn(topic: string, event: string): () => void;
  /** A handler threw: tell the operator. The client learns only that the channel is gone. */
  crashed(topic: string, event: string, cause: unknown): void;
  /** Nothing waits in the channel any more. */
  channelIdle(): void;
  channelEnded(channel: object): void;
}
