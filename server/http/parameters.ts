/** What a name in a path or a query stands for, unless its route says more of it. */
export const parameterWords: Readonly<Record<string, string>> = {
  sessionId: "A session",
  conversationId: "A session, as a conversation",
  messageId: "A message of it",
  businessId: "A business: 1 to 64 of [A-Za-z0-9._-]",
  documentId: "A document of the business",
  userId: "A user of the business: 1 to 128 of [A-Za-z0-9._@|+:-]",
  agentId: "An agent: 1 to 64 of [A-Za-z0-9._-]",
  scheduleId: "A schedule",
  sub: "Whom a token is for",
  file: "Of the pages: a script, a style, an icon",
  limit: "How many at most",
  cursor: "Where the page before ended: its `nextCursor`",
  before: "Only what is older: a cursor, or a timestamp",
  after: "Only what is newer: a cursor, or a timestamp",
  status: "Only those in this state",
  "filter[agentId]": "Only those of this agent",
  "filter[status]": "Only those in this state",
  from: "The beginning, ISO 8601; that of yesterday unless it is given",
  to: "The end, ISO 8601; now unless it is given",
  by: "How long each part of it is; an hour unless it is given",
  wait: "1: answered when there is an answer, after 25 s at the latest",
};

export const headerWords = {
  "Idempotency-Key": "1 to 128 bytes: said again, it is the same request (SPEC H27)",
} as const;
