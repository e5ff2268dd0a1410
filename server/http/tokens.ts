import type { Request, Response } from "express";
import { z } from "zod";
import type { Action } from "../auth/access.js";
import type { Door } from "../auth/door.js";
import { roles } from "../auth/identity.js";
import type { Revocations } from "../messaging/revocations.js";
import type { IssuedToken, TokenClaims, Tokens } from "../auth/token.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Business } from "../messaging/business.js";
import type { Ids } from "../messaging/ids.js";
import { isBusinessId, isUserId } from "../../protocol/payloads.js";
import { identityGiven, identityOf, isAllowed } from "./identify.js";
import { sendProblem } from "./problem.js";
import type { Route } from "./route.js";
import { issuedToken } from "./schemas.js";

export interface TokensDeps {
  readonly door: Door;
  readonly tokens: Tokens;
  readonly revocations: Revocations;
  readonly businessOf: (businessId: string) => Business | null;
  readonly ids: Ids;
  readonly telemetry: DeskTelemetry;
}

const hourSeconds = 3600;
const lifeSecondsMax = 30 * 24 * hourSeconds;
const visitorLifeMs = 24 * hourSeconds * 1000;
const visitorPrefix = "visitor-";

const issueBody = z
  .strictObject({
    sub: z.string().refine(isUserId, "sub is not 1 to 128 of [A-Za-z0-9._@|+:-]"),
    role: z.enum(roles, { error: `role is one of ${roles.join(", ")}` }),
    businessId: z.string().refine(isBusinessId, "businessId is not 1 to 64 of [A-Za-z0-9._-]").optional(),
    /** In seconds. */
    expiresIn: z
      .int("expiresIn is a whole number of seconds")
      .min(1, "expiresIn is 1 second or more")
      .max(lifeSecondsMax, `expiresIn is at most ${lifeSecondsMax} seconds`)
      .default(hourSeconds),
  })
  .refine(({ role, businessId }) => role === "service" || businessId !== undefined, {
    error: "businessId is missing; only the service role does without",
  });

// Strict, or a name that is misspelt would end the tokens of somebody else.
const subjectQuery = z.strictObject({
  sub: z.string().refine(isUserId, "sub is missing, or is none"),
  businessId: z.string().refine(isBusinessId, "businessId is none").optional(),
});

/** Tokens that we sign, tokens that are over, and tokens for visitors. (SPEC X10, X11) */
export function tokenRoutes(deps: TokensDeps): readonly Route[] {
  return [
    {
      method: "post",
      path: "/api/tokens",
      action: "token.issue",
      repeated: "harmless",
      doc: { summary: "A token for somebody", body: issueBody, answers: { 201: issuedToken } },
      handle: (request, response) => issue(deps, request, response),
    },
    {
      method: "delete",
      path: "/api/tokens",
      action: "token.revoke",
      doc: {
        summary: "What was issued to somebody is good no more",
        query: subjectQuery,
        answers: {
          200: z.strictObject({ sub: z.string(), businessId: z.string().nullable(), issuedBefore: z.iso.datetime() }),
        },
      },
      handle: (request, response) => revoke(deps, request, response),
    },
    {
      method: "post",
      path: "/api/visitors/:businessId",
      action: "visitor.create",
      repeated: "harmless",
      doc: { summary: "A token for a visitor, where the business welcomes them", answers: { 201: issuedToken } },
      hasBody: false,
      handle: (request, response) => welcome(deps, request, response),
    },
  ];
}

async function issue(deps: TokensDeps, request: Request, response: Response): Promise<void> {
  const { tokens, businessOf, telemetry } = deps;
  const parsed = issueBody.safeParse(request.body);
  if (!parsed.success) return refuse(deps, "token.issue", parsed.error, request, response);
  const { sub, role, businessId = null, expiresIn } = parsed.data;
  const exists = businessId === null || businessOf(businessId) !== null;
  const isFine = isAllowed(telemetry, request, "token.issue", { businessId }) && exists;
  if (!isFine || tokens.issue === null) {
    return sendProblem(response, "not_found");
  }
  const after = await deps.revocations.goodFrom({ businessId, userId: sub });
  const issued = await tokens.issue({ sub, role, businessId }, expiresIn * 1000, after);
  sendToken(response, issued, { sub, role, businessId });
}

async function revoke(deps: TokensDeps, request: Request, response: Response): Promise<void> {
  const { revocations, telemetry } = deps;
  const parsed = subjectQuery.safeParse(request.query);
  if (!parsed.success) return refuse(deps, "token.revoke", parsed.error, request, response);
  const { sub, businessId = null } = parsed.data;
  if (!isAllowed(telemetry, request, "token.revoke", { businessId })) return sendProblem(response, "not_found");
  const before = await revocations.revoke({ businessId, userId: sub });
  telemetry.emit("token.revoked", { businessId, userId: sub });
  response.json({ sub, businessId, issuedBefore: new Date(before * 1000).toISOString() });
}

/** A visitor who comes back with a good token stays who he is. */
async function welcome(deps: TokensDeps, request: Request, response: Response): Promise<void> {
  const { door, tokens, businessOf, ids } = deps;
  const { businessId } = request.params as { readonly businessId: string };
  const business = isBusinessId(businessId) ? businessOf(businessId) : null;
  if (business?.welcomesVisitors !== true || tokens.issue === null) return sendProblem(response, "not_found");
  const known = await identityGiven(door, request);
  const isVisitor = known?.role === "user" && known.businessId === businessId && known.userId !== null;
  const sub = isVisitor && known.userId.startsWith(visitorPrefix) ? known.userId : `${visitorPrefix}${ids.random()}`;
  const issued = await tokens.issue({ sub, role: "user", businessId }, visitorLifeMs);
  sendToken(response, issued, { sub, role: "user", businessId });
}

function sendToken(response: Response, { token, expiresAt }: IssuedToken, claims: TokenClaims): void {
  response.status(201).set("cache-control", "no-store");
  response.json({ token, ...claims, expiresAt: new Date(expiresAt).toISOString() });
}

// Whoever may do it for nobody learns no more of it than that there is no such thing.
function refuse(
  { telemetry }: TokensDeps,
  action: Action,
  { issues: [issue] }: z.ZodError,
  request: Request,
  response: Response,
): void {
  const { businessId } = identityOf(request);
  if (isAllowed(telemetry, request, action, { businessId })) sendProblem(response, "invalid_payload", issue?.message);
  else sendProblem(response, "not_found");
}
