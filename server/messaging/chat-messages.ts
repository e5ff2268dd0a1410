import { tell } from "./audience.js";
import type { Broadcast } from "./broadcast.js";
import { tellMembers } from "./conversation/members.js";
import { counterpartOf } from "./ids.js";
import type { ChatMessage, ProcessedEvent, Session } from "./model.js";

/** One message of a chat, as its owner sees it. (SPEC H32) */
export interface ShownMessage {
  readonly _id: string;
  readonly chatSessionId: string;
  readonly messageType: "user" | "ai_report" | "ai_error" | "system";
  readonly content: string;
  readonly status: "pending" | "done" | "failed";
  readonly createdAt: string;
}

export function shownMessage(message: ChatMessage): ShownMessage {
  const { messageId, sessionId, content, timestamp } = message;
  return { _id: messageId, chatSessionId: sessionId, ...kindOf(message), content, createdAt: timestamp };
}

/** The response to a message: its outcome, whatever else that is the outcome of; before there is one, a place for it. */
export function shownResponse(
  question: Pick<ChatMessage, "messageId" | "sessionId" | "timestamp">,
  outcome: ChatMessage | null,
): ShownMessage {
  const _id = counterpartOf(question.messageId);
  if (outcome !== null) return { ...shownMessage(outcome), _id };
  const { sessionId, timestamp } = question;
  return {
    _id,
    chatSessionId: sessionId,
    messageType: "ai_report",
    content: "",
    status: "pending",
    createdAt: timestamp,
  };
}

function kindOf({ type, metadata }: ChatMessage): Pick<ShownMessage, "messageType" | "status"> {
  switch (type) {
    case "user":
      return { messageType: "user", status: "done" };
    case "agent":
      return { messageType: "ai_report", status: "done" };
    case "coordinator":
      return { messageType: "system", status: "done" };
    case "system":
      return { messageType: metadata.code === undefined ? "system" : "ai_error", status: "failed" };
  }
}

/** `message:updated`: the responses that an outcome is, to each question that it ended. (SPEC H33, M101) */
export function tellResponses(
  broadcast: Broadcast,
  session: Session,
  { message, events }: { readonly message: ChatMessage; readonly events: readonly ProcessedEvent[] },
): void {
  const { sessionId, timestamp } = message;
  for (const event of events) {
    // What nobody had asked for is the response to nothing.
    const isAsked = event.messageId !== message.messageId;
    const question = { messageId: event.messageId, sessionId, timestamp };
    const shown = isAsked ? shownResponse(question, message) : shownMessage(message);
    const updated = { conversationId: sessionId, message: { ...shown } };
    tell(broadcast, "message:updated", event, updated);
    tellMembers(broadcast, session, "message:updated", updated);
  }
}
