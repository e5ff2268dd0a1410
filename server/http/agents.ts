import type { Request, Response } from "express";
import { z } from "zod";
import { isAgentId } from "../../protocol/conversation.js";
import { isBusinessId } from "../../protocol/payloads.js";
import { identityOf, isAllowed } from "./identify.js";
import { sendProblem } from "./problem.js";
import type { Route } from "./route.js";
import type { TokensDeps } from "./tokens.js";

export type AgentsDeps = Pick<TokensDeps, "tokens" | "revocations" | "businessOf" | "telemetry">;

/** An agent that stays longer is told in time, and asks again. (SPEC X9) */
const lifeMs = 24 * 60 * 60 * 1000;

const connectBody = z.strictObject({ businessId: z.string().refine(isBusinessId, "businessId is none").optional() });

const connection = z.strictObject({ accessToken: z.string(), expiresAt: z.iso.datetime(), agentId: z.string() });

/** `POST /agents/:agentId/connect`: the token with which an agent connects. (SPEC M92, H44) */
export function agentRoutes(deps: AgentsDeps): readonly Route[] {
  return ["", "/api"].map((prefix) => ({
    method: "post",
    path: `${prefix}/agents/:agentId/connect`,
    action: "agent.connect",
    repeated: "harmless",
    doc: {
      summary: "A token with which an agent connects to `agent:<agentId>`",
      body: connectBody.optional(),
      answers: { 200: connection },
    },
    handle: (request, response) => connect(deps, request, response),
  }));
}

async function connect(deps: AgentsDeps, request: Request, response: Response): Promise<void> {
  const { tokens, businessOf, telemetry } = deps;
  const { agentId } = request.params as { readonly agentId: string };
  const parsed = connectBody.safeParse(request.body ?? {});
  if (!parsed.success) return sendProblem(response, "invalid_payload", parsed.error.issues[0]?.message);
  const { businessId = identityOf(request).businessId } = parsed.data;
  if (businessId === null) return sendProblem(response, "missing_parameters", "businessId is missing");
  const isTheirs = isAllowed(telemetry, request, "agent.connect", { businessId, userId: agentId });
  const exists = isAgentId(agentId) && businessOf(businessId) !== null;
  if (!isTheirs || !exists || tokens.issue === null) return sendProblem(response, "not_found");
  const after = await deps.revocations.goodFrom({ businessId, userId: agentId });
  const { token, expiresAt } = await tokens.issue({ sub: agentId, role: "agent", businessId }, lifeMs, after);
  response.set("cache-control", "no-store");
  response.json({ accessToken: token, expiresAt: new Date(expiresAt).toISOString(), agentId });
}
