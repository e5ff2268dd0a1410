import type { Request, Response } from "express";
import { z } from "zod";
import { isBusinessId, isUserId, parseNewMessage } from "../../protocol/payloads.js";
import { refusal } from "../messaging/admission.js";
import type { Business } from "../messaging/business.js";
import { isCronLine, nextOf } from "../messaging/cron.js";
import type { Schedule } from "../messaging/schedule-records.js";
import type { Schedules } from "../messaging/schedules.js";
import type { Clock } from "../clock.js";
import { keyOf } from "./idempotency-key.js";
import { identityOf, isAllowed } from "./identify.js";
import { sendProblem, sendRefusal } from "./problem.js";
import { cursorOf, parseCursor, parseLimit, refuseLookalikes } from "./query.js";
import type { Route } from "./route.js";
import { pagination, schedule } from "./schemas.js";
import type { LookupDeps } from "./session-lookup.js";

export interface SchedulesDeps extends Pick<LookupDeps, "businessOf" | "telemetry"> {
  readonly schedules: Schedules;
  readonly clock: Clock;
  readonly maxMessageBytes: number;
}

const path = "/api/schedules";
const action = "schedule.use";
const pageDefault = 50;
const pageMax = 200;

const newSchedule = z
  .strictObject({
    businessId: z.string().optional(),
    userId: z.string().optional(),
    locationId: z.string().optional(),
    message: z.string("message is a text"),
    at: z.iso.datetime({ offset: true, error: "at is a time, ISO 8601 with its zone" }).optional(),
    cron: z.string("cron is a text").max(128, "cron is at most 128 characters").optional(),
  })
  .refine(({ at, cron }) => (at === undefined) !== (cron === undefined), "one of at and cron says when");

const ownerQuery = { businessId: z.string().optional(), userId: z.string().optional() };
const listQuery = z.object({ ...ownerQuery, limit: z.string().optional(), cursor: z.string().optional() });
const oneQuery = z.strictObject({ ...ownerQuery, scheduleId: z.string("scheduleId is missing") });

/** `/api/schedules`: messages at a time, or again and again. (SPEC H35) */
export function scheduleRoutes(deps: SchedulesDeps): readonly Route[] {
  return [
    {
      method: "post",
      path,
      action,
      repeated: "once",
      doc: {
        summary: "A message at a time, or on a cron line",
        body: newSchedule,
        answers: { 201: schedule },
        problems: [409, 413, 422],
      },
      handle: (request, response) => create(deps, request, response),
    },
    {
      method: "get",
      path,
      action,
      doc: {
        summary: "Those of a user",
        query: listQuery,
        answers: { 200: z.strictObject({ schedules: z.array(schedule), pagination }) },
      },
      handle: (request, response) => list(deps, request, response),
    },
    {
      method: "delete",
      path,
      action,
      doc: { summary: "It is said no more", query: oneQuery, answers: { 204: null } },
      handle: (request, response) => remove(deps, request, response),
    },
  ];
}

interface Owner {
  readonly business: Business;
  readonly businessId: string;
  readonly userId: string;
}

/** Whose schedules are asked for: one's own, or those of the user that is named. Null for whom one may not ask. */
function ownerOf(
  deps: SchedulesDeps,
  request: Request,
  named: { businessId?: unknown; userId?: unknown },
): Owner | null {
  const identity = identityOf(request);
  const businessId = named.businessId ?? identity.businessId;
  const userId = named.userId ?? (identity.role === "user" ? identity.userId : null);
  if (!isBusinessId(businessId) || !isUserId(userId)) return null;
  const business = isAllowed(deps.telemetry, request, action, { businessId, userId })
    ? deps.businessOf(businessId)
    : null;
  return business === null ? null : { business, businessId, userId };
}

async function create(deps: SchedulesDeps, request: Request, response: Response): Promise<void> {
  const body = (request.body ?? {}) as Readonly<Record<string, unknown>>;
  const owner = ownerOf(deps, request, body);
  if (owner === null) return sendProblem(response, "not_found");
  const read = newSchedule.safeParse(body);
  if (!read.success) return sendProblem(response, "invalid_payload", read.error.issues[0]?.message);
  const { business, businessId, userId } = owner;
  const { locationId = business.locations[0]?.locationId ?? "default", message } = read.data;
  const parsed = parseNewMessage({ businessId, userId, locationId, message }, deps.maxMessageBytes);
  if (!parsed.ok) return sendRefusal(response, refusal(parsed.reason.code, parsed.reason.error));
  const { at, cron = null } = read.data;
  const now = deps.clock.now();
  if (cron !== null && !isCronLine(cron, now))
    return sendProblem(response, "invalid_payload", "cron is no line of five fields that ever comes true");
  const next = cron === null ? Date.parse(at!) : nextOf(cron, business.timeZone, now)!;
  const given = { businessId, userId, locationId, message: parsed.value.message, cron };
  const made = await deps.schedules.create({ ...given, nextAt: new Date(next).toISOString() }, keyOf(request));
  if (made.ok) response.status(201).json(shown(made.value));
  else if (made.reason === "over") sendProblem(response, "invalid_payload", "at is over");
  else sendProblem(response, made.reason);
}

async function list(deps: SchedulesDeps, request: Request, response: Response): Promise<void> {
  const { query } = request;
  const owner = ownerOf(deps, request, query);
  if (owner === null) return sendProblem(response, "not_found");
  const known = refuseLookalikes(query, Object.keys(listQuery.shape));
  const size = parseLimit(query.limit, { fallback: pageDefault, max: pageMax });
  if (!known.ok) return sendProblem(response, "invalid_payload", known.reason);
  if (!size.ok) return sendProblem(response, "invalid_payload", size.reason);
  const name = `schedules ${owner.businessId} ${owner.userId}`;
  const from = parseCursor(name, query.cursor);
  if (from === undefined) return sendProblem(response, "invalid_payload", "cursor is not one that was given out here");
  const { items, next } = await deps.schedules.list(owner, { limit: size.value, from });
  response.json({
    schedules: items.map(shown),
    pagination: { hasMore: next !== null, nextCursor: next === null ? null : cursorOf(name, next) },
  });
}

async function remove(deps: SchedulesDeps, request: Request, response: Response): Promise<void> {
  const owner = ownerOf(deps, request, request.query);
  if (owner === null) return sendProblem(response, "not_found");
  const parsed = oneQuery.safeParse(request.query);
  if (!parsed.success) return sendProblem(response, "invalid_payload", parsed.error.issues[0]?.message);
  const { businessId, userId } = owner;
  const { scheduleId } = parsed.data;
  const isGone = scheduleId.length <= 64 && (await deps.schedules.remove({ businessId, userId, scheduleId }));
  if (isGone) response.status(204).end();
  else sendProblem(response, "not_found");
}

function shown({ cron, nextAt, wish: _wish, ...rest }: Schedule) {
  return { ...rest, ...(cron === null ? { at: nextAt } : { cron }), nextAt };
}
