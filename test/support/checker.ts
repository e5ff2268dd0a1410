import type { ChatMessage } from "../../server/messaging/model.js";

/** A message that a client has written to its socket, whatever became of it. */
export interface Sent {
  readonly userId: string;
  readonly clientMessageId: string;
  readonly text: string;
}

/** An `ok` reply to a `new_message`. */
export interface Acknowledged {
  readonly userId: string;
  readonly clientMessageId: string;
  readonly messageId: string;
  readonly sessionId: string;
  readonly offset: number;
  readonly timestamp: string;
}

/** An outcome that was pushed to a user. */
export interface Told {
  readonly userId: string;
  readonly messageId: string;
  readonly sessionId: string;
  readonly offset: number;
  readonly inReplyTo: string;
  readonly message: string;
}

/** What clients saw, each in the order in which it happened, and what the server says afterwards. */
export interface Evidence {
  readonly sent: readonly Sent[];
  readonly acknowledged: readonly Acknowledged[];
  readonly told: readonly Told[];
  /** Every message of every session, by sessionId, as it was read. */
  readonly history: ReadonlyMap<string, readonly ChatMessage[]>;
}

/**
 * Compares what clients were promised with what is stored.
 * @param answersDue false while turns may still be open: then a user message may be without its outcome
 * @returns a sentence for each promise that was broken, with the rule it breaks
 */
export function findViolations(evidence: Evidence, { answersDue }: { readonly answersDue: boolean }): string[] {
  const stored = [...evidence.history.values()].flat();
  return [
    ...lostAcknowledgements(evidence.acknowledged, stored),
    ...changedAcknowledgements(evidence.acknowledged),
    ...unsentOrRepeated(evidence.sent, stored),
    ...untrueOutcomesTold(evidence.told, stored),
    ...sharedIds(stored),
    ...[...evidence.history].flatMap(([sessionId, messages]) => [
      ...strangersIn(sessionId, messages),
      ...brokenSequence(sessionId, messages),
      ...outOfOrder(sessionId, messages, evidence.sent),
      ...wrongOutcomes(sessionId, messages, answersDue),
    ]),
  ];
}

function lostAcknowledgements(acknowledged: readonly Acknowledged[], stored: readonly ChatMessage[]): string[] {
  const byId = new Map(stored.map((message) => [message.messageId, message]));
  return acknowledged.flatMap((ack) => {
    const name = `${keyOf(ack)}, acknowledged as ${ack.messageId}`;
    const message = byId.get(ack.messageId);
    if (message === undefined) return [`[S3] ${name}, is not stored`];
    const isSame =
      message.sessionId === ack.sessionId &&
      message.offset === ack.offset &&
      message.timestamp === ack.timestamp &&
      message.userId === ack.userId &&
      message.metadata.clientMessageId === ack.clientMessageId;
    return isSame ? [] : [`[S3] ${name} at ${placeOf(ack)}, is stored otherwise, at ${placeOf(message)}`];
  });
}

function changedAcknowledgements(acknowledged: readonly Acknowledged[]): string[] {
  const first = new Map<string, Acknowledged>();
  return acknowledged.flatMap((ack) => {
    const earlier = first.get(keyOf(ack)) ?? ack;
    first.set(keyOf(ack), earlier);
    return earlier.messageId === ack.messageId && placeOf(earlier) === placeOf(ack)
      ? []
      : [`[M6] ${keyOf(ack)} was acknowledged at ${placeOf(earlier)}, then at ${placeOf(ack)}`];
  });
}

function unsentOrRepeated(sent: readonly Sent[], stored: readonly ChatMessage[]): string[] {
  const texts = new Map(sent.map((message) => [keyOf(message), message.text]));
  const seen = new Set<string>();
  return questionsOf(stored).flatMap((message) => {
    const key = keyOfStored(message);
    const text = texts.get(key);
    if (text === undefined) return [`[M6] ${key} is stored at ${placeOf(message)}, and was never sent`];
    if (seen.has(key)) return [`[M6] ${key} is stored again at ${placeOf(message)}`];
    seen.add(key);
    return text === message.content ? [] : [`[S2] ${key} is stored with another text`];
  });
}

function untrueOutcomesTold(told: readonly Told[], stored: readonly ChatMessage[]): string[] {
  const byId = new Map(stored.map((message) => [message.messageId, message]));
  return told.flatMap((push) => {
    const outcome = byId.get(push.messageId);
    const question = byId.get(push.inReplyTo);
    const name = `the outcome ${push.messageId}, pushed to ${push.userId}`;
    if (outcome === undefined || question === undefined) return [`[S3] ${name}, is not stored`];
    if (question.userId !== push.userId) return [`[X3] ${name}, answers ${question.userId}`];
    const isSame =
      outcome.metadata.inReplyTo === push.inReplyTo &&
      placeOf(outcome) === placeOf(push) &&
      outcome.content === push.message;
    return isSame ? [] : [`[M4] ${name} at ${placeOf(push)}, is stored otherwise, at ${placeOf(outcome)}`];
  });
}

function sharedIds(stored: readonly ChatMessage[]): string[] {
  const seen = new Set<string>();
  return stored.flatMap((message) => {
    if (seen.has(message.messageId)) return [`[S7] ${message.messageId} stands for two messages`];
    seen.add(message.messageId);
    return [];
  });
}

function strangersIn(sessionId: string, messages: readonly ChatMessage[]): string[] {
  const [owner] = questionsOf(messages);
  return messages.flatMap((message) => {
    if (message.sessionId !== sessionId) return [`[M1] ${sessionId} shows a message of ${message.sessionId}`];
    if (message.type === "user" && message.userId !== owner?.userId)
      return [`[X3] ${sessionId} of ${owner?.userId} holds a message of ${message.userId}`];
    return [];
  });
}

function brokenSequence(sessionId: string, messages: readonly ChatMessage[]): string[] {
  return messages.flatMap(({ offset, timestamp }, index) => {
    const before = messages[index - 1];
    const problems: string[] = [];
    if (offset !== index + 1) problems.push(`[M4] ${sessionId} has offset ${offset} where ${index + 1} belongs`);
    if (before !== undefined && Date.parse(timestamp) < Date.parse(before.timestamp))
      problems.push(`[M5] ${sessionId}/${offset} is earlier than what precedes it`);
    return problems;
  });
}

// A client sends on one socket at a time, and what was not acknowledged first and in the same order.
function outOfOrder(sessionId: string, messages: readonly ChatMessage[], sent: readonly Sent[]): string[] {
  const order = new Map(sent.map((message, index) => [keyOf(message), index]));
  const questions = questionsOf(messages);
  return questions.flatMap((message, index) => {
    const before = questions[index - 1];
    const isLater = before === undefined || order.get(keyOfStored(before))! < order.get(keyOfStored(message))!;
    return isLater ? [] : [`[R9] ${sessionId}/${message.offset} was sent before ${sessionId}/${before.offset}`];
  });
}

function wrongOutcomes(sessionId: string, messages: readonly ChatMessage[], answersDue: boolean): string[] {
  const questions = questionsOf(messages);
  const offsets = new Map(questions.map(({ messageId, offset }) => [messageId, offset]));
  const problems: string[] = [];
  const counts = new Map<string, number>();
  let newest = 0;
  for (const { messageId, offset, metadata } of messages.filter(({ type }) => type !== "user")) {
    const asked = offsets.get(metadata.inReplyTo ?? "");
    if (asked === undefined) {
      problems.push(`[M7] ${sessionId}/${offset}, ${messageId}, answers nothing that is there`);
      continue;
    }
    counts.set(metadata.inReplyTo!, (counts.get(metadata.inReplyTo!) ?? 0) + 1);
    if (offset <= asked) problems.push(`[M7] ${sessionId}/${offset} answers ${asked}, which comes after it`);
    if (asked < newest) problems.push(`[M7] ${sessionId}/${asked} was answered after ${sessionId}/${newest}`);
    newest = Math.max(newest, asked);
  }
  for (const { messageId, offset } of questions) {
    const count = counts.get(messageId) ?? 0;
    if (count > 1) problems.push(`[M7] ${sessionId}/${offset} has ${count} outcomes`);
    if (count === 0 && answersDue) problems.push(`[M20] ${sessionId}/${offset} has no outcome`);
  }
  return problems;
}

function questionsOf(messages: readonly ChatMessage[]): ChatMessage[] {
  return messages.filter(({ type }) => type === "user");
}

function keyOf({ userId, clientMessageId }: Pick<Sent, "userId" | "clientMessageId">): string {
  return `${userId}/${clientMessageId}`;
}

function keyOfStored({ userId, metadata }: ChatMessage): string {
  return `${userId}/${metadata.clientMessageId}`;
}

function placeOf({ sessionId, offset }: { readonly sessionId: string; readonly offset: number }): string {
  return `${sessionId}/${offset}`;
}
