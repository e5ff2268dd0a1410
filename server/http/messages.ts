import assert from "node:assert/strict";
import type { Request, Response } from "express";
import { z } from "zod";
import { isBusinessId, parseNewMessage } from "../../protocol/payloads.js";
import { type Admission, type Admitted, refusal } from "../messaging/admission.js";
import type { Answers } from "../messaging/answers.js";
import { beginTurn } from "../messaging/begin-turn.js";
import { acceptedReply, answerEvent, type Broadcast } from "../messaging/broadcast.js";
import type { LookupDeps } from "./session-lookup.js";
import { StoreError } from "../messaging/store.js";
import { keyOf } from "./idempotency-key.js";
import { identityOf, isAllowed } from "./identify.js";
import { sendProblem, sendRefusal } from "./problem.js";
import type { Route } from "./route.js";
import { acceptedMessage, answeredMessage, newMessage } from "./schemas.js";

export interface MessagesDeps extends Pick<LookupDeps, "businessOf" | "telemetry"> {
  readonly admission: Pick<Admission, "take">;
  readonly maxMessageBytes: number;
  readonly answers: Answers;
  readonly broadcast: Broadcast;
}

/** `POST /api/messages`: a `new_message` for when a socket cannot be had. (SPEC H24, H25) */
export function messageRoutes(deps: MessagesDeps): readonly Route[] {
  return [
    {
      method: "post",
      path: "/api/messages",
      action: "message.send",
      repeated: "once",
      doc: {
        summary: "A `new_message` for when a socket cannot be had",
        query: z.object({ wait: z.enum(["0", "1"]).optional() }),
        body: newMessage,
        answers: { 200: answeredMessage, 202: acceptedMessage },
        problems: [402, 413, 422, 429],
      },
      handle: (request, response) => say(deps, request, response),
    },
  ];
}

async function say(deps: MessagesDeps, request: Request, response: Response): Promise<void> {
  const payload = withKey(request);
  if (payload === null) {
    return sendProblem(response, "invalid_payload", "Idempotency-Key and clientMessageId are not the same");
  }
  const { businessId, userId } = payload;
  const isSomebody = typeof businessId === "string" && typeof userId === "string";
  const business = isBusinessId(businessId) ? deps.businessOf(businessId) : null;
  const identity = identityOf(request);
  if (isSomebody) {
    const isTheirs = isAllowed(deps.telemetry, request, "message.send", { businessId, userId });
    if (!isTheirs || business === null) return sendProblem(response, "not_found");
  }
  const wait = request.query.wait;
  if (wait !== undefined && wait !== "0" && wait !== "1") {
    return sendProblem(response, "invalid_payload", "wait is 0 or 1");
  }
  const parsed = parseNewMessage(payload, deps.maxMessageBytes);
  if (!parsed.ok) return sendRefusal(response, refusal(parsed.reason.code, parsed.reason.error));
  assert(business !== null, "whoever names nobody has left something out");
  const sender = { business, identity, source: "http", connectionId: null, rate: null } as const;
  const admitted = await deps.admission.take(sender, parsed.value);
  if (!admitted.ok) {
    deps.telemetry.emit("message.refused", { businessId: business.businessId, code: admitted.reason.code });
    return sendRefusal(response, admitted.reason);
  }
  if (wait === "1") return sendAnswer(deps, admitted.value, response);
  response.status(202).json(acceptedReply(admitted.value.accepted));
  beginTurn(deps.broadcast, admitted.value);
}

async function sendAnswer(deps: MessagesDeps, admitted: Admitted, response: Response): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  // It listens before the turn begins.
  const answering = deps.answers.wait(admitted.accepted.message, gone.signal);
  beginTurn(deps.broadcast, admitted);
  // The message is stored, whatever becomes of looking for its answer.
  const answer = await answering.catch((error: unknown) => {
    if (!(error instanceof StoreError)) throw error;
    deps.telemetry.emit("store.failed", { operation: "wait for an answer", error });
    return null;
  });
  if (answer === "deleted") return sendProblem(response, "session_not_found");
  const reply = acceptedReply(admitted.accepted);
  if (answer === null) response.status(202).json(reply);
  else response.json({ ...reply, answer: answerEvent({ message: answer }) });
}

/** What is said, under the key that the request has. Null when it names two. */
export function withKey(request: Request): Readonly<Record<string, unknown>> | null {
  const body = (request.body ?? {}) as Readonly<Record<string, unknown>>;
  const key = keyOf(request);
  if (key === null) return body;
  const { clientMessageId = key } = body;
  return clientMessageId === key ? { ...body, clientMessageId } : null;
}
