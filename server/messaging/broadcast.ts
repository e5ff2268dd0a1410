import type { Business } from "./business.js";
import type { Code } from "../../protocol/codes.js";
import { codes } from "../../protocol/codes.js";
import { audience } from "./audience.js";
import type { Accepted } from "./conversations.js";
import type { Answered } from "./head.js";
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
  return {
    ...acceptedReply(accepted),
    message: content,
    ...(clientMessageId === undefined ? {} : { clientMessageId }),
    userId,
    locationId,
  };
}

/** The answer to the user, the outcome to the coordinators. (SPEC M16, M17) */
export function broadcastOutcome(broadcast: Broadcast, { message, event }: Answered, business: Business): void {
  const { businessId, userId } = event;
  broadcast(audience.user(businessId, userId), "new_message", answerEvent({ message }));
  const { code } = message.metadata;
  if (code !== undefined) {
    const failed = { ...errorPayload(code as Code, business), messageId: event.messageId };
    broadcast(audience.user(businessId, userId), "error", failed);
  }
  broadcast(audience.console(businessId), "message_processed", { ...event });
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
