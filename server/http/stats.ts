import type { Request, Response } from "express";
import { z } from "zod";
import { isBusinessId } from "../../protocol/payloads.js";
import { failure, type Result, success } from "../../protocol/result.js";
import type { Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Business } from "../messaging/business.js";
import { type Figures, summaryOf } from "../messaging/figures.js";
import { type Period, type PeriodLength, periodsBetween } from "../messaging/periods.js";
import { dayBounds } from "../messaging/session-policy.js";
import type { Stats } from "../messaging/stats.js";
import { isAllowed } from "./identify.js";
import { sendProblem } from "./problem.js";
import { parseMoment, refuseLookalikes } from "./query.js";
import type { Route } from "./route.js";
import { businessFigures } from "./schemas.js";

export interface StatsDeps {
  readonly stats: Pick<Stats, "read">;
  readonly businessOf: (businessId: string) => Business | null;
  readonly clock: Clock;
  readonly telemetry: DeskTelemetry;
}

interface Question {
  readonly by: PeriodLength;
  readonly asked: Period;
}

const action = "business.stats";
const minuteMs = 60_000;
const daysMax = 31;
const rangeMaxMs = daysMax * 24 * 60 * minuteMs;

const query = z.object({
  from: z.string().optional(),
  to: z.string().optional(),
  by: z.enum(["hour", "day"]).optional(),
});

/** Figures of a business, in its own hours and days. (SPEC H11) */
export function statsRoutes(deps: StatsDeps): readonly Route[] {
  const path = "/api/businesses/:businessId/stats";
  return [
    {
      method: "get",
      path,
      action,
      doc: { summary: "Figures of a business by hour or day", query, answers: { 200: businessFigures } },
      handle: (request, response) => read(deps, request, response),
    },
  ];
}

async function read(deps: StatsDeps, request: Request, response: Response): Promise<void> {
  const business = businessFor(deps, request);
  if (business === null) return sendProblem(response, "not_found");
  const { businessId, timeZone } = business;
  const now = deps.clock.now();
  const { from, to } = dayBounds(now, timeZone);
  const days = [dayBounds(from - 1, timeZone), { from, to }];
  const parsed = parseQuestion(request.query, { from: days[0]!.from, to: now });
  if (!parsed.ok) return sendProblem(response, "invalid_payload", parsed.reason);
  const { by, asked } = parsed.value;
  const periods = periodsBetween(asked, by, timeZone);
  const all = [...periods, ...days];
  const figures = await deps.stats.read(businessId, all);
  const told = all.map((period, index) => figuresOf(period, figures[index]!, now));
  const [yesterday, today] = told.slice(-2);
  const whole = { from: isoOf(periods[0]!.from), to: isoOf(periods.at(-1)!.to) };
  response.json({ businessId, timeZone, by, ...whole, figures: told.slice(0, -2), today, yesterday });
}

/** @param fallback what is told of to those who do not say */
function parseQuestion(query: Request["query"], fallback: Period): Result<Question, string> {
  const { by = "hour" } = query;
  const known = refuseLookalikes(query, ["from", "to", "by"]);
  if (!known.ok) return known;
  if (by !== "hour" && by !== "day") return failure("by is hour or day");
  const from = parseMoment("from", query.from);
  if (!from.ok) return from;
  const to = parseMoment("to", query.to);
  if (!to.ok) return to;
  const asked = { from: from.value ?? fallback.from, to: to.value ?? fallback.to };
  if (asked.from >= asked.to) return failure("from is not before to");
  if (asked.to - asked.from > rangeMaxMs) return failure(`from and to are more than ${daysMax} days apart`);
  return success({ by, asked });
}

function figuresOf({ from, to }: Period, figures: Figures, now: number) {
  // Of the hour and the day in which it is now, only a part has passed.
  const minutes = Math.max(1, (Math.min(to, Math.max(now, from)) - from) / minuteMs);
  const messagesPerMinute = Math.round((figures.messages / minutes) * 100) / 100;
  return { from: isoOf(from), to: isoOf(to), ...summaryOf(figures), messagesPerMinute };
}

/** Null for what is not there and for what is not yours. (SPEC X7) */
function businessFor({ businessOf, telemetry }: StatsDeps, request: Request): Business | null {
  const { businessId } = request.params as { readonly businessId: string };
  const isVisible = isBusinessId(businessId) && isAllowed(telemetry, request, action, { businessId });
  return isVisible ? businessOf(businessId) : null;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
