import type { IncomingHttpHeaders } from "node:http";
import type { Dialect } from "../../protocol/serializer.js";
import type { ChannelFactory } from "../channel/channel.js";
import type { SocketLimits } from "../channel/limits.js";
import type { OriginPolicy } from "./origin.js";
import type { Params } from "./query.js";

/** What a client's connect is told about the request. */
export interface ConnectInfo {
  readonly transport: "websocket" | "longpoll";
  /** What phoenix.js was given as `authToken`, where the mount takes one. */
  readonly authToken: string | null;
  readonly peer: { readonly address: string; readonly port: number };
  readonly uri: {
    readonly scheme: string;
    readonly host: string;
    readonly port: number | null;
    readonly path: string;
    readonly query: string;
  };
  readonly headers: IncomingHttpHeaders;
}

/** `id`: the topic on which a broadcast of "disconnect" closes the socket. */
export interface Accepted {
  readonly id?: string | null;
  readonly assigns?: Readonly<Record<string, unknown>>;
  /** Bytes of one frame of this client, in place of what its mount says; a POST of its long-poll may have as many. */
  readonly maxFrameBytes?: number;
  // What looks like a refusal, and is none, is a mistake that nobody must make unnoticed.
  readonly refused?: never;
  readonly error?: never;
  readonly reason?: never;
  readonly status?: never;
}

/** Made by `refuse`. */
export interface Refused {
  readonly refused: unknown;
}

/** Refuses a connection: 403, or what `onRefused` makes of the reason. */
export const refuse = (reason?: unknown): Refused => ({ refused: reason });

/** An answer to an HTTP request; `body` is text. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface WebSocketOptions {
  /** Added to the mount's path. */
  readonly path: string;
  /** Bytes of one frame; a larger one closes with 1009. */
  readonly maxFrameBytes: number;
  /** Fragments of one message; one more ends the connection with 1008. */
  readonly maxFragments: number;
  /** Pieces in which one frame may come from the network; one more ends the connection with 1008. */
  readonly maxBufferedChunks: number;
  /** Silence of the peer, pings included, after which it is closed with 1002; 0 never. */
  readonly idleTimeoutMs: number;
  /** Bytes that the network has not taken yet; more closes with 1013. 0 never. */
  readonly maxSendQueueBytes: number;
  /** Pings of the peer in a second, each of which is answered; one more closes with 1008. 0: no limit. (SPEC L31) */
  readonly maxPingsPerSecond: number;
  /** How long a peer may leave our close frame unanswered. */
  readonly closeTimeoutMs: number;
  /** Offers permessage-deflate. It costs memory and time a connection, and the path that writes once for all. */
  readonly compress: boolean;
  /** Which the client may ask for, the preferred first; `phoenix` is among them where there is an `authToken`. */
  readonly subprotocols: readonly string[];
}

export const defaultWebSocket: WebSocketOptions = {
  path: "/websocket",
  maxFrameBytes: 10_000_000,
  maxFragments: 16_384,
  maxBufferedChunks: 262_144,
  idleTimeoutMs: 60_000,
  maxSendQueueBytes: 16 * 1024 * 1024,
  maxPingsPerSecond: 0,
  closeTimeoutMs: 5000,
  compress: false,
  subprotocols: [],
};

export interface LongPollOptions {
  /** Added to the mount's path. */
  readonly path: string;
  /** How long a poll waits for something to come, and a POST until its message has been handled. */
  readonly windowMs: number;
  /** How long a request whose session has ended waits for it, before it is told. */
  readonly dispatchTimeoutMs: number;
  /** Bytes of one POST; a larger one is answered 400. */
  readonly maxBodyBytes: number;
  /** Messages of one POST; those after them are not read. */
  readonly maxBatchEntries: number;
  /** Bytes that wait for the next poll; more ends the session. 0 never. */
  readonly maxBufferBytes: number;
  /** Sessions of the mount; one more is answered 503. 0: no limit. */
  readonly maxSessions: number;
  /** POSTs of one session that are under way; one more is answered 408. */
  readonly maxPosts: number;
  /** Requests that wait although their session has ended, or never was; one more is answered at once. 0: all are. */
  readonly maxHeldRequests: number;
  /** And of one address; 0: no limit but that. */
  readonly maxHeldPerAddress: number;
}

export const defaultLongPoll: LongPollOptions = {
  path: "/longpoll",
  windowMs: 10_000,
  dispatchTimeoutMs: 2000,
  maxBodyBytes: 8_000_000,
  maxBatchEntries: 100,
  maxBufferBytes: 16 * 1024 * 1024,
  maxSessions: 10_000,
  maxPosts: 100,
  maxHeldRequests: 256,
  maxHeldPerAddress: 16,
};

/** One place where clients connect. */
export interface MountOptions {
  /** Topic patterns and their channels; the first match wins. */
  readonly channels: Readonly<Record<string, ChannelFactory>>;
  /**
   * Decides who may connect, and what the socket knows about itself. Without it everyone may. A throw, and what
   * is neither, answers 500. (SPEC T4)
   */
  readonly connect?: (params: Params, info: ConnectInfo) => Accepted | Refused | Promise<Accepted | Refused>;
  /** On unless it is false. */
  readonly websocket?: boolean | Partial<WebSocketOptions>;
  /** Off unless it is given. */
  readonly longpoll?: boolean | Partial<LongPollOptions>;
  /**
   * Which pages may connect, by their Origin header. Unless it is given: `true` where the endpoint has a `host`, else
   * `"conn"`. Behind a proxy that ends TLS give one of the two, because `"conn"` compares the scheme too. (SPEC T3)
   */
  readonly checkOrigin?: OriginPolicy;
  /**
   * By which names, with their ports, the server may be asked for: what the Host header says. A page elsewhere whose name
   * was made to point here sends its own. Any unless it is given. (SPEC T12)
   */
  readonly checkHost?: (host: string | undefined) => boolean;
  /**
   * Whom long-poll's answers name as a reader: `*`, as Phoenix does, or only the origin that asks, where `checkOrigin`
   * allows it. A refused one is then 403 in HTTP, too. `*` unless it is given. (SPEC T12)
   */
  readonly allowOrigin?: "*" | "asking";
  /** Takes what phoenix.js was given as `authToken`, which is then in `info.authToken`. Off unless it is true. (SPEC T5) */
  readonly authToken?: boolean;
  /** What clients speak: `supabase` adds that client's binary broadcasts. Phoenix's unless it is given. (SPEC W12) */
  readonly dialect?: Dialect;
  /** What a refused WebSocket handshake is answered. */
  readonly onRefused?: (reason: unknown) => HttpAnswer;
  /** What one socket may ask for; what is left out is as in Phoenix. */
  readonly limits?: Partial<SocketLimits>;
}
