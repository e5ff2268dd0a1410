import type { AgentTurn } from "../agent.js";
import type { Broadcast } from "../broadcast.js";
import type { ChatMessage, ProcessedEvent, Session } from "../model.js";
import type { AgentName } from "./connected-agents.js";
import { type Party, takesPart } from "./participants.js";

// Who hears what of a conversation. Each who takes part has internal topics of their own, and each broadcast goes to those
// who take part as the head says that was written with it: whoever was taken out hears nothing more, on whatever node. (SPEC M94)

/** On which somebody who takes part hears one conversation. */
export function memberTopic(sessionId: string, { type, id }: Party): string {
  return `member:${sessionId}:${type}:${id}`;
}

/** On which an agent hears all conversations in which it takes part. */
export function agentTopic({ businessId, agentId }: AgentName): string {
  return `agent:${businessId}:${agentId}`;
}

/** On which the coordinators of its business hear one conversation. */
export function overseersTopic(sessionId: string): string {
  return `overseers:${sessionId}`;
}

/** What is told of conversations, and of nothing else. (SPEC M94) */
export const conversationEvents = [
  "message:new",
  "message:updated",
  "presence:update",
  "conversation:updated",
  "typing",
] as const;

export type ConversationEvent = (typeof conversationEvents)[number];

/**
 * Tells those who take part in a conversation, and the coordinators who listen.
 * @param but who it comes from, where it is not told to them
 */
export function tellMembers(
  broadcast: Broadcast,
  session: Session,
  event: ConversationEvent,
  payload: Readonly<Record<string, unknown>>,
  but: Party | null = null,
): void {
  const { businessId, sessionId, participants } = session;
  for (const party of participants) {
    if (party.type === but?.type && party.id === but.id) continue;
    broadcast(memberTopic(sessionId, party), event, payload);
    if (party.type === "agent") broadcast(agentTopic({ businessId, agentId: party.id }), event, payload);
  }
  broadcast(overseersTopic(sessionId), event, payload);
}

/** `message:new` to all but the agent that said it; what an agent is asked it hears as a question. (SPEC M97) */
export function tellMessage(broadcast: Broadcast, session: Session, message: ChatMessage): void {
  const speaker = senderOf(session, message);
  const agentId = speaker.senderType === "user" ? session.agentId : speaker.senderId;
  const but = speaker.senderType === "coordinator" ? null : ({ type: "agent", id: agentId ?? "" } as const);
  const told = messageNew(session, message);
  tellMembers(broadcast, session, "message:new", told, but);
  // Whom it is asked on `agent:` sees on `conversation:` what the others see.
  const asked = { type: "agent", id: agentId ?? "" } as const;
  if (speaker.senderType === "user" && takesPart(session, asked)) {
    broadcast(memberTopic(session.sessionId, asked), "message:new", told);
  }
}

/** An outcome, and what has become of each question that it ended. (SPEC M97, M100) */
export function tellOutcome(
  broadcast: Broadcast,
  session: Session,
  { message, events }: { readonly message: ChatMessage | null; readonly events: readonly ProcessedEvent[] },
): void {
  if (message !== null) tellMessage(broadcast, session, message);
  for (const event of events) {
    // What nobody had asked for ends no question.
    if (event.messageId === message?.messageId) continue;
    const question = { messageId: event.messageId, content: event.message, userId: event.userId };
    const status = event.status === "failed" ? "failed" : "done";
    tellMembers(broadcast, session, "message:updated", messageUpdated(session.sessionId, question, status));
  }
}

/** What has become of a question: it has its outcome, or the agent that was asked is not waited for any more. */
export type QuestionStatus = "done" | "failed" | "withdrawn";

/** `message:updated` of a question. (SPEC M100) */
export function messageUpdated(
  conversationId: string,
  { messageId, content, userId }: Pick<ChatMessage, "messageId" | "content" | "userId">,
  status: QuestionStatus,
): Readonly<Record<string, unknown>> {
  const message = { messageId, role: "user", content, senderType: "user", senderId: userId, status };
  return { conversationId, message };
}

/** What was said, as it is told. (SPEC M97) */
export function messageNew(session: Session, message: ChatMessage): Readonly<Record<string, unknown>> {
  const { sessionId, messageId, offset, content, timestamp, type, metadata } = message;
  const { inReplyTo } = metadata;
  return {
    conversationId: sessionId,
    messageId,
    offset,
    role: type === "user" || type === "system" ? type : "assistant",
    content,
    ...senderOf(session, message),
    timestamp,
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
  };
}

/** The same of what an agent is asked, with the time until which it has to answer. */
export function questionFor(turn: AgentTurn): Readonly<Record<string, unknown>> {
  const { sessionId, messageId, offset, message, userId, timestamp, deadline } = turn;
  return {
    conversationId: sessionId,
    messageId,
    offset,
    role: "user",
    content: message,
    senderType: "user",
    senderId: userId,
    timestamp,
    deadline: new Date(deadline).toISOString(),
  };
}

/** As whom somebody is told of. Which coordinator it is, users do not learn. (SPEC M39) */
export function speakerOf({ type, id }: Party): { readonly senderType: Party["type"]; readonly senderId: string } {
  return { senderType: type, senderId: type === "coordinator" ? type : id };
}

function senderOf(session: Session, { type, userId, metadata }: ChatMessage) {
  const agentId = metadata.agentId ?? session.agentId ?? "agent";
  // Which coordinator it is, users do not learn. (SPEC M39)
  return { senderType: type, senderId: type === "agent" ? agentId : userId };
}

/** `conversation:updated`, and what HTTP answers. (SPEC M99, H40) */
export function conversationOf(session: Session): Readonly<Record<string, unknown>> {
  const { sessionId, title = "", description = "", agentId, status, totals, participants } = session;
  const { businessId, createdBy, createdAt, updatedAt } = session;
  return {
    _id: sessionId,
    title,
    description,
    agentId,
    conversationType: "chat",
    status,
    totalTokens: totals.tokens,
    totalMessages: totals.messages,
    totalCost: totals.cost,
    participants,
    orgId: businessId,
    createdBy,
    updatedBy: createdBy,
    createdAt,
    updatedAt,
  };
}

/** What became of a conversation: its status, its title, who takes part. */
export function tellConversation(broadcast: Broadcast, session: Session, more: { readonly deleted?: true } = {}): void {
  if (session.kind === "daily") return;
  tellMembers(broadcast, session, "conversation:updated", {
    conversationId: session.sessionId,
    conversation: conversationOf(session),
    ...more,
  });
}
