/** The limits of one socket. 0 switches one off. The defaults are Phoenix's; an app sets its own on its mount. */
export interface SocketLimits {
  /** Depth of the JSON in a frame; deeper is answered with `invalid_payload`. */
  readonly maxJsonDepth: number;
  /** UTF-8 bytes; a longer topic matches nothing. */
  readonly maxTopicBytes: number;
  /** UTF-8 bytes; a longer event is answered with an error. */
  readonly maxEventBytes: number;
  /** UTF-8 bytes of a ref or join_ref, which must then be a string, a safe integer or null; else the frame is malformed. */
  readonly maxRefBytes: number;
  /** One more is refused with `too many channels joined`. */
  readonly maxChannels: number;
  /** Frames that may wait for a join or a slow handler; from there on the socket is not read. */
  readonly maxWaitingFrames: number;
  /** Broadcasts and infos that may wait in one channel; one more crashes the channel. */
  readonly maxChannelBacklog: number;
  /** Bytes of frames held back during a join; one more closes the socket with 1013. */
  readonly maxHeldBytes: number;
}

export const phoenixLimits: SocketLimits = {
  maxJsonDepth: 0,
  maxTopicBytes: 0,
  maxEventBytes: 0,
  maxRefBytes: 0,
  maxChannels: 100,
  maxWaitingFrames: 1000,
  maxChannelBacklog: 10_000,
  maxHeldBytes: 16 * 1024 * 1024,
};
