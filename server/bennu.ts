/** The channel engine: what an app that is no message desk needs of Bennu. */
export { Endpoint, type EndpointOptions } from "./endpoint.js";
export {
  Channel,
  type ChannelFactory,
  error,
  type HandleResult,
  type InfoResult,
  type JoinResult,
  Killed,
  Rejoin,
  ok,
  type Reply,
  type SocketHandle,
  type SocketInfo,
  stop,
  type Stop,
} from "./channel/channel.js";
export { type Cancel, type Clock } from "./clock.js";
export { type SocketLimits } from "./channel/limits.js";
export { type Meta, Presence, type PresenceOptions, type PresenceState } from "./presence/presence.js";
export { type AdapterPort, type PubSubAdapter } from "./pubsub/adapter.js";
export { type Listener, PubSub, type PubSubOptions, type Subscriber, type Unsubscribe } from "./pubsub/pubsub.js";
export { type Report, Telemetry, type TelemetryEvents } from "./telemetry.js";
export { type DrainOptions } from "./transports/connections.js";
export {
  type Accepted,
  type ConnectInfo,
  type HttpAnswer,
  type LongPollOptions,
  type MountOptions,
  refuse,
  type Refused,
  type WebSocketOptions,
} from "./transports/mount.js";
export { type Origin, type OriginPolicy } from "./transports/origin.js";
export { type Params } from "./transports/query.js";
export { EncodeError } from "../protocol/errors.js";
export { type OutBroadcast, type Ref } from "../protocol/message.js";
export { type Result } from "../protocol/result.js";
export { type Dialect } from "../protocol/serializer.js";
