import { createHmac } from "node:crypto";
import type { AgentTurn } from "../messaging/agent.js";
import type { Business } from "../messaging/business.js";
import { signatureOf } from "../messaging/signature.js";

/** What goes out over HTTP: the body, and the headers that go with it. */
export interface AgentRequest {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | number>>;
}

/**
 * What an agent over HTTP is sent.
 * @param secret none: the request is not signed
 * @see SPEC A12
 */
export function agentRequest(turn: AgentTurn, secret: string | undefined): AgentRequest {
  const accept = "application/json, text/event-stream";
  // Its ids are UUIDs. A call that is made again, after a failure or a crash, has the same one.
  return signedRequest(bodyOf(turn), { accept, idempotencyKey: turn.messageId, secret });
}

/** Anything as a body of JSON, signed, with the headers that every request of ours has. */
export function signedRequest(
  content: object,
  {
    accept,
    idempotencyKey,
    secret,
  }: { readonly accept: string; readonly idempotencyKey: string; readonly secret: string | undefined },
): AgentRequest {
  const body = Buffer.from(JSON.stringify(content));
  return {
    body,
    headers: {
      accept,
      // What is packed is as long as it says only after it was unpacked.
      "accept-encoding": "identity",
      "content-type": "application/json",
      "content-length": body.length,
      "idempotency-key": idempotencyKey,
      "user-agent": "bennu",
      ...(secret === undefined ? {} : { "x-bennu-signature": signatureOf(body, secret) }),
    },
  };
}

/**
 * The secret that signs what goes to addresses which a business stored: made of the operator's, but it tells nothing of
 * that one, nor of another business's. (SPEC A12, docs/agents.md)
 */
export function secretOfBusiness(secret: string | undefined, businessId: string): string | undefined {
  return secret === undefined ? undefined : createHmac("sha256", secret).update(`business:${businessId}`).digest("hex");
}

// Who asks stands in fields of its own; what was said is text in others, and never becomes anything else.
function bodyOf(turn: AgentTurn) {
  const { businessId, locationId, userId, sessionId, messageId, message, data } = turn;
  const { history, business, context, deadline } = turn;
  return {
    businessId,
    locationId,
    userId,
    sessionId,
    messageId,
    message,
    ...(data === undefined ? {} : { data }),
    history: history.map(({ type, content, timestamp }) => ({ type, content, timestamp })),
    business: businessOf(business),
    context,
    deadline: new Date(deadline).toISOString(),
  };
}

// Small, and needed for any answer. What the assistant answers from would be megabytes with every message.
function businessOf({ name, type, locale, timeZone, locations, services, openingHours, greeting, fallback }: Business) {
  return {
    name,
    type,
    locale,
    timeZone,
    locations,
    services,
    greeting,
    fallback,
    ...(openingHours === undefined ? {} : { openingHours }),
  };
}
