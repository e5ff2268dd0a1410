import { type DateTime, Info } from "luxon";
import { type Business, type Locale, type OpeningHours, type Weekday, weekdays } from "../../messaging/business.js";

/** Is the business open at this time of that day? "10:30" compares as text, and "24:00" comes after all times. (SPEC A4) */
export function isOpenAt(hours: OpeningHours, day: Weekday, time: string): boolean {
  return hours[day].some((range) => {
    const [from = "", to = ""] = range.split("-");
    return from <= time && time < to;
  });
}

/** Is the business open at this time on any day? One that says no hours always is. */
export function isEverOpenAt({ openingHours }: Business, time: string): boolean {
  return openingHours === undefined || weekdays.some((day) => isOpenAt(openingHours, day, time));
}

/** When the last of a day's opening hours ends, or null on a day that is closed. */
export function closesAt(hours: OpeningHours, day: Weekday): string | null {
  return hours[day].at(-1)?.split("-")[1] ?? null;
}

export function weekdayOf(date: DateTime): Weekday {
  return weekdays[date.weekday - 1]!;
}

/** "luni–joi: 09:00–13:00, 14:00–20:00; vineri: …; duminică: închis": days that are alike next to each other are one. */
export function describeWeek(business: Business, closed: string): string {
  const { openingHours, locale } = business;
  if (openingHours === undefined) return "";
  const groups: { first: number; last: number; times: string }[] = [];
  weekdays.forEach((day, index) => {
    const times = describeDay(openingHours, day) || closed;
    const group = groups.at(-1);
    if (group?.times === times) group.last = index;
    else groups.push({ first: index, last: index, times });
  });
  return groups.map(({ first, last, times }) => `${describeDays(first, last, locale)}: ${times}`).join("; ");
}

/** "09:00–13:00, 14:00–18:00", or nothing on a day that is closed. */
export function describeDay(hours: OpeningHours, day: Weekday): string {
  return hours[day].map((range) => range.replace("-", "–")).join(", ");
}

function describeDays(first: number, last: number, locale: Locale): string {
  const names = Info.weekdays("long", { locale });
  return first === last ? names[first]! : `${names[first]}–${names[last]}`;
}
