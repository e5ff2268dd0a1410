/** A ref or join_ref: chosen by the client, echoed verbatim with its JSON type. Usually a string, or null. (SPEC W5) */
export type Ref = unknown;

/**
 * One decoded message from a client. The types of `topic` and `event` are checked by routing, not by the serializer:
 * Phoenix answers a wrong type, it does not drop the connection for it. (SPEC W8)
 */
export interface Message {
  readonly joinRef: Ref;
  readonly ref: Ref;
  readonly topic: unknown;
  readonly event: unknown;
  /** Any JSON value; a `Uint8Array` where the frame was binary. */
  readonly payload: unknown;
}

/** To one channel. `ref` is null but for `phx_close` and `phx_error`, where it is the `joinRef`. */
export interface OutPush {
  readonly joinRef: Ref;
  readonly ref: Ref;
  readonly topic: unknown;
  readonly event: string;
  readonly payload: unknown;
}

/** The answer to one ref. */
export interface OutReply {
  readonly joinRef: Ref;
  readonly ref: Ref;
  readonly topic: unknown;
  readonly status: string;
  readonly response: unknown;
}

/** To everyone who subscribed to a topic. It has no refs, so one encoding serves all. */
export interface OutBroadcast {
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
  /** The payload as JSON, where somebody has written it already. */
  readonly json?: string | null;
}
