import type { Request, Response } from "express";
import { z } from "zod";
import { isBusinessId, isUserId } from "../../protocol/payloads.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Business } from "../messaging/business.js";
import type { User } from "../messaging/model.js";
import type { Store } from "../messaging/store.js";
import { findUser } from "../messaging/users.js";
import { isAllowed } from "./identify.js";
import { sendProblem } from "./problem.js";
import type { Route } from "./route.js";
import { user as known } from "./schemas.js";

export interface UsersDeps {
  readonly store: Store;
  readonly businessOf: (businessId: string) => Business | null;
  /** Takes no messages of the user any more, and ends what is being answered. @throws StoreError */
  readonly block: (business: Business, userId: string) => Promise<void>;
  /** @throws StoreError */
  readonly unblock: (user: Pick<User, "businessId" | "userId">) => Promise<void>;
  readonly telemetry: DeskTelemetry;
}

const path = "/api/businesses/:businessId/users/:userId";
const action = "user.manage";

// Strict, or a name that is misspelt would be taken for nothing to do.
const changes = z.strictObject({ blocked: z.boolean("blocked is true or false") });

/** A user of a business, and whether they are blocked. (SPEC M73) */
export function userRoutes(deps: UsersDeps): readonly Route[] {
  return [
    {
      method: "get",
      path,
      action,
      doc: { summary: "A user of a business", answers: { 200: known } },
      handle: (request, response) => read(deps, request, response),
    },
    {
      method: "patch",
      path,
      action,
      doc: { summary: "Blocks a user, or no more", body: changes, answers: { 200: known } },
      handle: (request, response) => change(deps, request, response),
    },
  ];
}

async function read(deps: UsersDeps, request: Request, response: Response): Promise<void> {
  const business = businessFor(deps, request);
  const user = business === null ? null : await userOf(deps, business, request);
  sendUser(response, user);
}

async function change(deps: UsersDeps, request: Request, response: Response): Promise<void> {
  const business = businessFor(deps, request);
  if (business === null) return sendUser(response, null);
  const parsed = changes.safeParse(request.body);
  if (!parsed.success) return sendProblem(response, "invalid_payload", parsed.error.issues[0]?.message);
  const user = await userOf(deps, business, request);
  if (user === null) return sendUser(response, null);
  if (parsed.data.blocked) await deps.block(business, user.userId);
  else await deps.unblock(user);
  sendUser(response, await userOf(deps, business, request));
}

/** Null for what is not there and for what is not yours. (SPEC X7) */
function businessFor({ businessOf, telemetry }: UsersDeps, request: Request): Business | null {
  const { businessId } = request.params as { readonly businessId: string };
  const isVisible = isBusinessId(businessId) && isAllowed(telemetry, request, action, { businessId });
  return isVisible ? businessOf(businessId) : null;
}

async function userOf({ store }: UsersDeps, { businessId }: Business, request: Request): Promise<User | null> {
  const { userId } = request.params as { readonly userId: string };
  return isUserId(userId) ? findUser(store, { businessId, userId }) : null;
}

function sendUser(response: Response, user: User | null): void {
  if (user === null) return sendProblem(response, "not_found");
  const { businessId, userId, name, locale, blocked, platforms, createdAt, lastSeenAt } = user;
  response.json({ businessId, userId, name, locale, blocked, platforms, createdAt, lastSeenAt });
}
