import { expect, test } from "@jest/globals";
import { isCronLine, nextOf } from "../../server/messaging/cron.js";

test.each([
  ["every minute", "* * * * *", "UTC", "2026-03-02T10:00:00.000Z", "2026-03-02T10:01:00.000Z"],
  [
    "on working days at nine, in its zone",
    "0 9 * * 1-5",
    "Europe/Bucharest",
    "2026-03-06T12:00Z",
    "2026-03-09T07:00:00.000Z",
  ],
  [
    "where the clock goes on, an hour that is not there",
    "30 3 29 3 *",
    "Europe/Bucharest",
    "2026-03-28T12:00Z",
    "2026-03-29T01:00:00.000Z",
  ],
  [
    "where it goes back, once",
    "30 3 * * *",
    "Europe/Bucharest",
    "2026-10-25T00:30:00.000Z",
    "2026-10-26T01:30:00.000Z",
  ],
  ["on a leap day", "0 0 29 2 *", "UTC", "2026-03-02T10:00Z", "2028-02-29T00:00:00.000Z"],
])("[M80] a line is true next: %s", (_name, line, zone, after, next) => {
  expect(new Date(nextOf(line, zone, Date.parse(after))!).toISOString()).toBe(next);
});

test.each(["", "* * * *", "* * * * * *", "61 * * * *", "0 0 31 2 *", "@daily;", "every day", "*/0 * * * *"])(
  "[H35] no line: %j",
  (line) => expect(isCronLine(line, Date.parse("2026-03-02T10:00Z"))).toBe(false),
);
