import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

const policy = join(import.meta.dirname, "..", "..", "dist", "server", "messaging", "session-policy.js");

/** Business zone, the last millisecond of a day there, and which day that is. */
const midnights = [
  ["Europe/Bucharest", "2026-11-20T21:59:59.999Z", "2026-11-20", "2026-11-21"],
  ["Europe/Bucharest", "2026-03-28T21:59:59.999Z", "2026-03-28", "2026-03-29"],
  ["Europe/Bucharest", "2026-10-25T21:59:59.999Z", "2026-10-25", "2026-10-26"],
  ["America/New_York", "2026-11-01T03:59:59.999Z", "2026-10-31", "2026-11-01"],
  ["America/New_York", "2026-11-20T04:59:59.999Z", "2026-11-19", "2026-11-20"],
  ["Asia/Kolkata", "2026-12-31T18:29:59.999Z", "2026-12-31", "2027-01-01"],
  ["Pacific/Kiritimati", "2026-11-20T09:59:59.999Z", "2026-11-20", "2026-11-21"],
  ["Pacific/Pago_Pago", "2026-11-20T10:59:59.999Z", "2026-11-19", "2026-11-20"],
  ["UTC", "2026-11-20T23:59:59.999Z", "2026-11-20", "2026-11-21"],
] as const;

/** Prints the zone that its process takes for its own, and for each midnight the days before and after it, and their bounds. */
const script = `
  const { businessDay, dayBounds } = await import(${JSON.stringify(policy)});
  const days = ${JSON.stringify(midnights)}.map(([zone, last]) => {
    const ms = Date.parse(last);
    return [businessDay(ms, zone), businessDay(ms + 1, zone), dayBounds(ms, zone).to - ms, dayBounds(ms + 1, zone).from - ms];
  });
  process.stdout.write(JSON.stringify({ own: Intl.DateTimeFormat().resolvedOptions().timeZone, days }));
`;

/** What a process says whose machine is in this zone. */
function askedIn(timeZone: string): unknown {
  const env = { PATH: process.env.PATH ?? "", TZ: timeZone };
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    env,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

test.each([
  "UTC",
  "Europe/Bucharest",
  "America/New_York",
  "America/Havana",
  "Asia/Tokyo",
  "Pacific/Kiritimati",
  "Pacific/Pago_Pago",
])("[M2] [T-01] on a machine in %s a business's day changes at the business's midnight all the same", (own) => {
  const days = midnights.map(([, , before, after]) => [before, after, 1, 1]);
  expect(askedIn(own)).toEqual({ own, days });
});
