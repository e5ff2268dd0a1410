/** The channel engine: what an app that is no message desk needs of Bennu. */
export { Endpoint, type EndpointOptions } from "./endpoint.js";
export {
  Channel,
  type ChannelFactory,
  error,
  type HandleResult,
  type JoinResult,
  Killed,
  ok,
  type Reply,
  type SocketHandle,
  stop,
  type Stop,
} from "./channel/channel.js";
export { type Clock } from "./clock.js";
export { type SocketLimits } from "./channel/limits.js";
export { type Meta, Presence, type PresenceOptions, type PresenceState } from "./presence/presence.js";
export { type AdapterPort, type PubSubAdapter } from "./pubsub/adapter.js";
export { PubSub, type PubSubOptions } from "./pubsub/pubsub.js";
export { Telemetry, type TelemetryEvents } from "./telemetry.js";
export {
  type Accepted,
  type ConnectInfo,
  type LongPollOptions,
  type MountOptions,
  refuse,
  type Refused,
  type WebSocketOptions,
} from "./transports/mount.js";
export { type Dialect } from "../protocol/serializer.js";
