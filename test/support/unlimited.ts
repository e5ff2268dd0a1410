/** For tests that say more in a second than customers do, from more sockets than they have. */
export const unlimited = {
  MESSAGES_PER_SECOND_PER_SOCKET: "0",
  EVENTS_PER_SECOND_PER_SOCKET: "0",
  MESSAGES_PER_MINUTE_PER_USER: "0",
  MESSAGES_PER_SECOND_PER_BUSINESS: "0",
  MAX_SOCKETS_PER_USER: "0",
  MAX_BACKLOG_PER_USER: "1000",
} as const;
