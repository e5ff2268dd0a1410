import type { Business } from "./business.js";
import type { Code } from "../../protocol/codes.js";
import { codes } from "../../protocol/codes.js";
import { tell } from "./audience.js";
import { speakerOf, tellConversation, tellMembers, tellMessage, tellOutcome } from "./conversation/members.js";
import { type Party, takesPart } from "./conversation/participants.js";
import { tellResponses } from "./chat-messages.js";
import type { Accepted } from "./conversations.js";
import type { Answered, Outcome } from "./head.js";
import type { Holder, Said } from "./holding.js";
import type { Aside, ChatMessage, Intent, ProcessedEvent, Session } from "./model.js";
import type { LeftOver } from "./store.js";
import { errorText } from "./texts.js";

/** Sends an event to everyone who subscribed to an internal topic. */
export type Broadcast = (topic: string, event: string, payload: Readonly<Record<string, unknown>>) => void;

/** The reply to `new_message`. (SPEC M14) */
export function acceptedReply({
  message,
  duplicate,
}: Pick<Accepted, "message" | "duplicate">): Record<string, unknown> {
  const { messageId, sessionId, offset, timestamp } = message;
  return { messageId, sessionId, offset, timestamp, ...(duplicate ? { duplicate: true } : {}) };
}

/** `message_accepted`: what the user's other tabs and the coordinators see of it, and clients that see no replies. (SPEC M15) */
export function acceptedEvent(
  accepted: Pick<Accepted, "message" | "duplicate">,
  locationId: string,
): Record<string, unknown> {
  const { content, userId, metadata } = accepted.message;
  const { clientMessageId } = metadata;
  // For speed, what is new stands before what is copied. (CONTRIBUTING.md)
  return {
    message: content,
    userId,
    locationId,
    ...acceptedReply(accepted),
    ...(clientMessageId === undefined ? {} : { clientMessageId }),
  };
}

/** What a user said to the user's sockets and the coordinators; in a chat also on its own topic. (SPEC M15, M101) */
export function tellAccepted(broadcast: Broadcast, accepted: Accepted, locationId: string): void {
  const { message, head } = accepted;
  tell(broadcast, "message_accepted", message, acceptedEvent(accepted, locationId));
  if (head?.session.kind === "chat") tellMessage(broadcast, head.session, message);
}

/** Where something was said, as it is now. */
interface Place {
  readonly business: Business;
  readonly session: Session;
}

/** The answer to the user, the outcome to the coordinators and to those who take part. (SPEC M16, M17, M97) */
export function broadcastOutcome(
  broadcast: Broadcast,
  { message, event, earlier = [] }: Pick<Answered, "message" | "event"> & Partial<Pick<Answered, "earlier">>,
  { business, session }: Place,
): void {
  if (mayHearOutcome(session, event.userId)) {
    tell(broadcast, "new_message", event, answerEvent({ message }));
    const { code } = message.metadata;
    if (code !== undefined) {
      tell(broadcast, "error", event, { ...errorPayload(code as Code, business), messageId: event.messageId });
    }
  }
  for (const each of [...earlier, event]) tell(broadcast, "message_processed", each, { ...each });
  tellThere(broadcast, session, { message, events: [...earlier, event] });
}

/** The same to those who are on the topic of the session itself, where it has one. (SPEC M97, M101) */
function tellThere(
  broadcast: Broadcast,
  session: Session,
  said: { readonly message: ChatMessage; readonly events: readonly ProcessedEvent[] },
): void {
  switch (session.kind) {
    case "agent":
      return tellOutcome(broadcast, session, said);
    case "chat":
      tellMessage(broadcast, session, said.message);
      return tellResponses(broadcast, session, said);
    case "daily":
  }
}

/** `intent_updated`: what has become of a task, to its user and to the coordinators. (SPEC M60) */
export function tellIntent(broadcast: Broadcast, intent: Intent): void {
  tell(broadcast, "intent_updated", intent, { ...intent });
}

/** The same of one that nobody may have been told of, because a process ended before it could. */
export function broadcastLeftOver(broadcast: Broadcast, { message, event }: LeftOver, place: Place): void {
  if (message !== null) return broadcastOutcome(broadcast, { message, event }, place);
  tell(broadcast, "message_processed", event, { ...event });
  if (place.session.kind === "agent") tellOutcome(broadcast, place.session, { message, events: [event] });
}

/** Whoever was taken out of a conversation after they had asked is not told what was answered. (SPEC M94) */
function mayHearOutcome(session: Session, userId: string): boolean {
  return session.kind !== "agent" || takesPart(session, { type: "user", id: userId });
}

/**
 * `session_updated`: what became of a session. Its user sees that a human is there and until when, but not who.
 * (SPEC M39)
 */
export function tellSession(broadcast: Broadcast, session: Session): void {
  const { businessId, sessionId, userId = "", status, title, holder = null, updatedAt } = session;
  const shown = { sessionId, status, ...(title === undefined ? {} : { title }), updatedAt };
  tell(broadcast, "session_updated", { businessId, userId, sessionId }, (audience) =>
    audience === "console"
      ? { ...shown, userId: session.userId ?? null, holder }
      : { ...shown, holder: shownHolder(session) },
  );
  tellConversation(broadcast, session);
}

/** The same of a session that is deleted: it is over, and `deleted` says that nothing of it is there any more. (SPEC H23) */
export function tellDeleted(broadcast: Broadcast, session: Session): void {
  const { businessId, sessionId, userId = "", status, updatedAt } = session;
  const shown = { sessionId, status, deleted: true, updatedAt, holder: null };
  tell(broadcast, "session_updated", { businessId, userId, sessionId }, (audience) =>
    audience === "console" ? { ...shown, userId: session.userId ?? null } : shown,
  );
  tellConversation(broadcast, session, { deleted: true });
}

/**
 * `typing`: to those who watch the session, and to its user, who does not learn which coordinator it is; of a conversation
 * also to the others who take part. (SPEC M61, M98)
 */
export function tellTyping(broadcast: Broadcast, session: Session, typist: Party, isTyping: boolean): void {
  const { businessId, sessionId, userId = "" } = session;
  const { type: from, id } = typist;
  const shown = { sessionId, from, typing: isTyping };
  tell(broadcast, "typing", { businessId, userId, sessionId }, (audience) => {
    if (from !== "coordinator") return audience === "user" ? null : shown;
    return audience === "user" ? shown : { ...shown, coordinatorId: id };
  });
  if (session.kind === "daily") return;
  const told = { conversationId: sessionId, ...speakerOf(typist), typing: isTyping };
  tellMembers(broadcast, session, "typing", told, typist);
}

/** What a user sees of the coordinator who holds a session: until when, not who. (SPEC M39) */
export function shownHolder({ holder }: Session): Pick<Holder, "expiresAt"> | null {
  return holder === undefined ? null : { expiresAt: holder.expiresAt };
}

/** What a coordinator said, or the server in their place: told like any outcome, one event for each turn that it ends. */
export function broadcastSaid(broadcast: Broadcast, { message, events }: Said, session: Session): void {
  const { businessId, sessionId } = message;
  const userId = events[0]?.userId ?? "";
  if (mayHearOutcome(session, userId)) {
    tell(broadcast, "new_message", { businessId, userId, sessionId }, answerEvent({ message }));
  }
  for (const event of events) tell(broadcast, "message_processed", event, { ...event });
  tellThere(broadcast, session, { message, events });
}

/** What the agent finished after a coordinator had taken the session. (SPEC M36) */
export function draftEvent(question: ChatMessage, outcome: Outcome, timestamp: string): Record<string, unknown> {
  const { businessId, userId, sessionId, messageId } = question;
  const { responseId, content, metadata } = outcome;
  const { actions = [] } = metadata;
  return { businessId, userId, sessionId, messageId, responseId, message: content, actions, timestamp };
}

/** What a coordinator wrote for the others. (SPEC M51) */
export function noteEvent({ aside, session }: { readonly aside: Aside; readonly session: Session }) {
  const { businessId, sessionId, messageId, afterOffset, content, timestamp, metadata } = aside;
  const userId = session.userId ?? null;
  const { coordinatorId } = metadata;
  return { businessId, sessionId, userId, messageId, afterOffset, coordinatorId, message: content, timestamp };
}

/** `new_message` to the user. */
export function answerEvent({ message }: Pick<Answered, "message">): Record<string, unknown> {
  const { messageId, sessionId, offset, content, timestamp, metadata, type } = message;
  return {
    responseId: metadata.responseId,
    message: content,
    actions: metadata.actions ?? [],
    timestamp,
    sessionId,
    messageId,
    inReplyTo: metadata.inReplyTo,
    offset,
    from: type,
    isComplete: metadata.isComplete ?? true,
  };
}

/** `{message, error, code}`: for the person, for the developer, for the program. (SPEC M10) */
export function errorPayload(
  code: Code,
  business: Pick<Business, "locale">,
  error: string = codes[code],
): Record<string, unknown> {
  return { message: errorText(business.locale), error, code };
}
