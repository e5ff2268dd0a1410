import type { Frame } from "../../protocol/frame.js";
import type { OutBroadcast } from "../../protocol/message.js";
import type { Serializer } from "../../protocol/serializer.js";
import type { Filter, Subscriber } from "../pubsub/pubsub.js";
import type { ChannelProcess } from "./channel-process.js";
import type { ChannelHost } from "./host.js";

/** A channel on a topic of the pubsub: its own, or one whose broadcasts leave under its name. */
export class ChannelSubscriber implements Subscriber {
  constructor(
    readonly owner: ChannelProcess,
    readonly host: ChannelHost,
    readonly intercepts: readonly string[] | null,
    readonly filter: Filter | null,
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
