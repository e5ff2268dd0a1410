import type { Request, Response } from "express";
import { isBusinessId, isUserId, parseNewMessage } from "../../protocol/payloads.js";
import { refusal } from "../messaging/admission.js";
import { beginTurn } from "../messaging/begin-turn.js";
import { acceptedReply } from "../messaging/broadcast.js";
import { isSignedBy } from "../messaging/signature.js";
import { type MessagesDeps, withKey } from "./messages.js";
import { sendProblem, sendRefusal, sendUnsigned } from "./problem.js";
import { bytesOf, type Route } from "./route.js";
import { acceptedMessage, newMessage } from "./schemas.js";

export interface WebhooksDeps extends Pick<
  MessagesDeps,
  "admission" | "businessOf" | "broadcast" | "maxMessageBytes" | "telemetry"
> {
  /** Signs what other programs bring; null: there are none, and no such route. */
  readonly webhookSecret: string | null;
}

/** `POST /api/webhooks/generic/:businessId`: what users of another platform say, brought by a program. (SPEC H36) */
export function webhookRoutes(deps: WebhooksDeps): readonly Route[] {
  return [
    {
      method: "post",
      path: "/api/webhooks/generic/:businessId",
      action: "hook.call",
      repeated: "once",
      keepsBytes: true,
      doc: {
        summary: "A `new_message` from another platform, signed like what is posted to an agent",
        security: "signature",
        body: newMessage,
        answers: { 202: acceptedMessage },
        problems: [401, 402, 413, 422, 429],
      },
      handle: (request, response) => bring(deps, request, response),
    },
  ];
}

async function bring(deps: WebhooksDeps, request: Request, response: Response): Promise<void> {
  const { webhookSecret, telemetry } = deps;
  if (webhookSecret === null) return sendProblem(response, "not_found");
  if (!isSignedBy(bytesOf(request), request.headers["x-bennu-signature"], webhookSecret)) {
    telemetry.emit("token.refused", { door: "webhook", reason: "forbidden" });
    return sendUnsigned(response, "X-Bennu-Signature", "the body");
  }
  const { businessId } = request.params as { readonly businessId: string };
  const business = isBusinessId(businessId) ? deps.businessOf(businessId) : null;
  if (business === null) return sendProblem(response, "not_found");
  const payload = withKey(request);
  if (payload === null)
    return sendProblem(response, "invalid_payload", "Idempotency-Key and clientMessageId are not the same");
  const parsed = parseNewMessage(payload, deps.maxMessageBytes);
  if (!parsed.ok) return sendRefusal(response, refusal(parsed.reason.code, parsed.reason.error));
  if (parsed.value.businessId !== businessId)
    return sendProblem(response, "invalid_payload", "businessId is not that of the address");
  if (!isUserId(parsed.value.userId))
    return sendProblem(response, "invalid_payload", "userId is not 1 to 128 of [A-Za-z0-9._@|+:-]");
  const identity = { role: "user", userId: parsed.value.userId, businessId } as const;
  const sender = { business, identity, source: "webhook", connectionId: null, rate: null } as const;
  const admitted = await deps.admission.take(sender, parsed.value);
  if (!admitted.ok) {
    telemetry.emit("message.refused", { businessId, code: admitted.reason.code });
    return sendRefusal(response, admitted.reason);
  }
  response.status(202).json(acceptedReply(admitted.value.accepted));
  beginTurn(deps.broadcast, admitted.value);
}
