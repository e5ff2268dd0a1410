/** The desk's error codes: a closed table. The sentence is for the developer of a client, in plain words. (SPEC M10) */
export const codes = {
  missing_parameters: "Missing required parameters",
  invalid_payload: "The payload is not what this event takes",
  message_too_long: "The message is longer than this server takes",
  forbidden: "That is not yours to say or to see",
  not_found: "There is no such thing here",
  session_not_found: "There is no such session",
  rate_limited: "Too many messages in a short time",
  busy: "The server has as much to do as it can",
  quota_exceeded: "The quota is used up",
  blocked: "This user is blocked",
  idempotency_mismatch: "This clientMessageId was used for another message",
  invalid_values: "Some of the values cannot be used",
  held_by_other: "Another coordinator holds this session",
  unknown_event: "This channel does not know that event",
  storage_unavailable: "The message could not be stored; it was not accepted",
  token_expired: "The token has expired",
  agent_timeout: "The agent did not answer in time",
  agent_failed: "The agent could not answer",
  agent_unavailable: "No agent is there to answer",
  cancelled: "The answer was cancelled",
} as const;

export type Code = keyof typeof codes;
