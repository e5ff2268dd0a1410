import { DateTime } from "luxon";
import type { Business, BusinessIntent, IntentParameter } from "../../messaging/business.js";
import { closesAt, describeDay, describeWeek, isEverOpenAt, isOpenAt, weekdayOf } from "./hours.js";
import { textsOf } from "./texts.js";

export interface Checked {
  /** Those values that can stand. */
  readonly values: ReadonlyMap<string, string>;
  /** Why others were dropped, in the business's language. */
  readonly problems: readonly string[];
}

/**
 * Drops dates and times that are over, or at which the business is closed.
 * @param now in the business's time zone
 * @see SPEC A4
 */
export function checkTimes(
  intent: BusinessIntent,
  given: ReadonlyMap<string, string>,
  business: Business,
  now: DateTime,
): Checked {
  const values = new Map(given);
  const problems: string[] = [];
  for (const parameter of intent.parameters) {
    const value = values.get(parameter.name);
    if (value === undefined) continue;
    const problem = problemWith(value, parameter, dateFor(parameter, intent, values), business, now);
    if (problem === null) continue;
    values.delete(parameter.name);
    problems.push(problem);
  }
  return { values, problems };
}

/** A value as it is said to people: "vineri, 14 august 2026" for a date, all else as it is. */
export function sayValue(value: string, parameter: IntentParameter, business: Business): string {
  return parameter.type === "date" ? sayDate(parseDay(value, business), business) : value;
}

function problemWith(
  value: string,
  parameter: IntentParameter,
  date: string | undefined,
  business: Business,
  now: DateTime,
): string | null {
  if (parameter.type === "date") return problemWithDay(parseDay(value, business), business, now);
  if (parameter.type !== "time") return null;
  return date === undefined
    ? problemWithTime(value, business)
    : problemWithMoment(parseDay(date, business), value, business, now);
}

function problemWithDay(day: DateTime, business: Business, now: DateTime): string | null {
  const { past, closed, closedOn } = textsOf(business.locale);
  if (day < now.startOf("day")) return past;
  if (business.openingHours === undefined) return null;
  const closing = closesAt(business.openingHours, weekdayOf(day));
  if (closing === null) return closedOn(capitalise(sayDate(day, business)), describeWeek(business, closed));
  return day.hasSame(now, "day") && closing <= now.toFormat("HH:mm") ? past : null;
}

function problemWithMoment(day: DateTime, time: string, business: Business, now: DateTime): string | null {
  const { past, skipped, closedAt } = textsOf(business.locale);
  if (day.hasSame(now, "day") && time <= now.toFormat("HH:mm")) return past;
  if (isSkipped(day, time)) return skipped;
  const { openingHours } = business;
  const weekday = weekdayOf(day);
  if (openingHours === undefined || isOpenAt(openingHours, weekday, time)) return null;
  return closedAt(capitalise(sayDate(day, business)), describeDay(openingHours, weekday));
}

/** Is it a time that the clock jumps over, when it is put forward? */
function isSkipped(day: DateTime, time: string): boolean {
  const [hour, minute] = time.split(":").map(Number);
  return day.set({ hour: hour!, minute: minute! }).toFormat("HH:mm") !== time;
}

/** While the day is not known, a time is refused only when the business is never open then. */
function problemWithTime(time: string, business: Business): string | null {
  if (isEverOpenAt(business, time)) return null;
  const { closed, closedAt, titles } = textsOf(business.locale);
  return closedAt(titles.hours, describeWeek(business, closed));
}

/** The date that a time belongs to: the one asked for last before it, else the first of the intent. */
function dateFor(
  time: IntentParameter,
  intent: BusinessIntent,
  values: ReadonlyMap<string, string>,
): string | undefined {
  const before = intent.parameters.slice(0, intent.parameters.indexOf(time)).filter((each) => each.type === "date");
  const date = before.at(-1) ?? intent.parameters.find((each) => each.type === "date");
  return date && values.get(date.name);
}

function parseDay(date: string, { timeZone, locale }: Business): DateTime {
  return DateTime.fromISO(date, { zone: timeZone, locale });
}

function sayDate(day: DateTime, { locale }: Business): string {
  return day.setLocale(locale).toFormat("cccc, d MMMM yyyy");
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
