import { failure, success } from "../../protocol/result.js";
import { parseCancel } from "../../protocol/payloads.js";
import { may } from "../auth/access.js";
import { refusal } from "./admission.js";
import type { EventHandler } from "./events.js";
import type { Runs } from "./runs.js";

/** `cancel {messageId}`: stops the answer that is being made to one's own message; the turn ends as `system`. (SPEC M42) */
export function cancelEvent(runs: Runs): EventHandler {
  return ({ business: { businessId }, identity }, payload) => {
    const parsed = parseCancel(payload);
    if (!parsed.ok) return failure({ code: parsed.reason.code, words: parsed.reason.error });
    const { userId } = identity;
    if (userId === null || !may(identity, "message.cancel", { businessId, userId })) {
      return failure(refusal("forbidden"));
    }
    const { messageId } = parsed.value;
    // One that has its answer, and one of somebody else's, are as one that does not exist.
    return runs.cancel({ businessId, userId, messageId }) ? success({ messageId }) : failure(refusal("not_found"));
  };
}
