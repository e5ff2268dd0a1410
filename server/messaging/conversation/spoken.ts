import { failure, success } from "../../../protocol/result.js";
import { refusal } from "../admission.js";
import type { ChatMessage } from "../model.js";
import type { Spoken } from "./talk.js";
import type { Handled } from "./token-channel.js";

/** What was stored. */
export type Told = Extract<Spoken, { readonly kind: "said" }>;

/** The reply to `message:send`. (SPEC M96) */
export function replyOf({ messageId, sessionId, offset, timestamp }: ChatMessage): Readonly<Record<string, unknown>> {
  return { messageId, conversationId: sessionId, offset, timestamp };
}

/** What comes of a `message:send`. @param after for what is new */
export function handledOf(spoken: Spoken, after: (told: Told) => void): Handled {
  switch (spoken.kind) {
    case "said": {
      const { message, isDuplicate } = spoken;
      if (isDuplicate) return { result: success({ ...replyOf(message), duplicate: true }) };
      return { result: success(replyOf(message)), after: () => after(spoken) };
    }
    case "refused":
      return { result: failure(refusal(spoken.code)) };
    case "over":
    case "gone":
      return { result: failure(refusal("session_not_found")) };
  }
}
