import { dayBounds } from "./session-policy.js";

/** From its first millisecond to the first of the next one. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

export type PeriodLength = "hour" | "day";

const hourMs = 60 * 60 * 1000;

/**
 * The hours or days of a time zone that have a part in `[from, to)`. Hours are counted from the beginning of their day, so
 * that together they are the day: 23 or 25 of them when clocks change, the last one shorter where they change by less.
 */
export function periodsBetween({ from, to }: Period, by: PeriodLength, timeZone: string): readonly Period[] {
  const periods: Period[] = [];
  for (let at = from; at < to;) {
    const day = dayBounds(at, timeZone);
    const parts = by === "day" ? [{ from: day.from, to: day.to }] : hoursOf(day);
    periods.push(...parts.filter((part) => part.to > from && part.from < to));
    at = day.to;
  }
  return periods;
}

function hoursOf(day: Period): readonly Period[] {
  const count = Math.ceil((day.to - day.from) / hourMs);
  return Array.from({ length: count }, (_, hour) => {
    const from = day.from + hour * hourMs;
    return { from, to: Math.min(from + hourMs, day.to) };
  });
}
