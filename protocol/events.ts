/** Events that belong to the protocol; an app never handles them. */
export const reserved = {
  join: "phx_join",
  leave: "phx_leave",
  reply: "phx_reply",
  close: "phx_close",
  error: "phx_error",
} as const;

/** The topic and event by which a client says that it is alive. */
export const heartbeat = { topic: "phoenix", event: "heartbeat" } as const;

/** What the engine itself gives as `{reason}` in an error reply. The words are Phoenix's; the last two are ours. */
export const refusal = {
  unmatchedTopic: "unmatched topic",
  joinCrashed: "join crashed",
  tooManyChannels: "too many channels joined",
  invalidPayload: "invalid_payload",
  eventTooLong: "event too long",
} as const;

/** The payload of `phx_error`. */
export const channelCrash = { reason: "channel_crash" } as const;

/** Close codes and what each means here. 1000 is sent only in answer to a close that the peer began. (SPEC W11) */
export const closeCode = {
  normal: 1000,
  disconnected: 1001,
  protocolError: 1002,
  abuse: 1008,
  tooBig: 1009,
  malformed: 1011,
  restarting: 1012,
  slow: 1013,
} as const;
