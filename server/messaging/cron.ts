import { Cron } from "croner";

/** Whether a text is a cron line of five fields that ever comes true: minute, hour, day, month, weekday. */
export function isCronLine(line: string, now: number): boolean {
  return nextOf(line, "UTC", now) !== null;
}

/** The first minute after `now` at which a cron line is true in a time zone, in ms; null when there is none, ever. */
export function nextOf(line: string, timeZone: string, now: number): number | null {
  try {
    const next = new Cron(line, { timezone: timeZone, mode: "5-part", paused: true }).nextRun(new Date(now));
    return next === null ? null : next.getTime();
  } catch {
    return null;
  }
}
