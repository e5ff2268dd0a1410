import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  businessDay,
  cleanupTimes,
  dayBounds,
  dayOfMadeUpId,
  isDayOver,
  parseMadeUpId,
} from "../../server/messaging/session-policy.js";
import type { Head } from "../../server/messaging/head.js";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

describe("[M2] [T-01] a business day begins at midnight in the business's own time zone", () => {
  test.each([
    ["Europe/Bucharest", "2026-11-20T21:59:59.999Z", "2026-11-20"],
    ["Europe/Bucharest", "2026-11-20T22:00:00.000Z", "2026-11-21"],
    ["Europe/Bucharest", "2026-11-20T22:30:00.000Z", "2026-11-21"],
    ["Europe/Bucharest", "2026-07-20T20:59:59.999Z", "2026-07-20"],
    ["Europe/Bucharest", "2026-07-20T21:00:00.000Z", "2026-07-21"],
    ["UTC", "2026-11-20T23:59:59.999Z", "2026-11-20"],
    ["UTC", "2026-11-21T00:00:00.000Z", "2026-11-21"],
    ["America/New_York", "2026-11-20T04:59:59.999Z", "2026-11-19"],
    ["America/New_York", "2026-11-20T05:00:00.000Z", "2026-11-20"],
    ["America/New_York", "2026-07-20T03:59:59.999Z", "2026-07-19"],
    ["America/New_York", "2026-07-20T04:00:00.000Z", "2026-07-20"],
    ["Asia/Kolkata", "2026-11-20T18:29:59.999Z", "2026-11-20"],
    ["Asia/Kolkata", "2026-11-20T18:30:00.000Z", "2026-11-21"],
    ["Asia/Kolkata", "2026-12-31T18:30:00.000Z", "2027-01-01"],
    ["UTC", "2028-02-29T12:00:00.000Z", "2028-02-29"],
    ["no such zone", "2026-11-20T23:59:59.999Z", "2026-11-20"],
  ])("%s at %s is in %s", (timeZone, at, day) => {
    expect(businessDay(Date.parse(at), timeZone)).toBe(day);
    expect(dayBounds(Date.parse(at), timeZone).day).toBe(day);
  });

  test.each(["Europe/Bucharest", "UTC", "America/New_York", "Asia/Kolkata"])(
    "the same moments in %s, asked for in any order, give the same days",
    (timeZone) => {
      const start = Date.parse("2026-03-01T00:00:00.000Z");
      const moments = Array.from({ length: 500 }, (_, index) => start + ((index * 7919) % 2000) * hourMs);
      for (const ms of moments) expect(businessDay(ms, timeZone)).toBe(dayByCalendar(ms, timeZone));
    },
  );
});

describe("[M2] [T-02] days on which clocks change", () => {
  test.each([
    ["Europe/Bucharest", "2026-03-29", "2026-03-28T22:00:00.000Z", 23],
    ["Europe/Bucharest", "2026-10-25", "2026-10-24T21:00:00.000Z", 25],
    ["UTC", "2026-03-29", "2026-03-29T00:00:00.000Z", 24],
    ["UTC", "2026-10-25", "2026-10-25T00:00:00.000Z", 24],
    ["America/New_York", "2026-03-08", "2026-03-08T05:00:00.000Z", 23],
    ["America/New_York", "2026-11-01", "2026-11-01T04:00:00.000Z", 25],
    ["Asia/Kolkata", "2026-03-29", "2026-03-28T18:30:00.000Z", 24],
    // Midnight itself is left out in Cairo, and said twice in Havana.
    ["Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00.000Z", 23],
    ["America/Havana", "2026-11-01", "2026-11-01T04:00:00.000Z", 25],
  ])("in %s, %s begins at %s and has %d hours, minute by minute", (timeZone, day, start, hours) => {
    const from = Date.parse(start);
    const to = from + hours * hourMs;
    expect(dayBounds(from, timeZone)).toEqual({ day, from, to });
    const minutes: number[] = [];
    for (let ms = from - 24 * hourMs; ms < to + 24 * hourMs; ms += minuteMs) {
      const found = businessDay(ms, timeZone);
      if (found !== dayByCalendar(ms, timeZone)) throw new Error(`${new Date(ms).toISOString()} is in ${found}`);
      if (found === day) minutes.push(ms);
    }
    expect(minutes).toHaveLength(hours * 60);
    expect([minutes[0], minutes.at(-1)]).toEqual([from, to - minuteMs]);
    expect([businessDay(from - 1, timeZone) < day, businessDay(to, timeZone) > day]).toEqual([true, true]);
  });
});

test.each([
  ["2026-03-02", "2026-03-02", false],
  ["2026-03-02", "2026-03-03", true],
  ["2026-03-02", "2026-03-01", true],
  [null, "2026-03-02", false],
])("[M1] a session of the day %p is over on %s: %p", (day, today, isOver) => {
  expect(isDayOver({ day } as Head, today)).toBe(isOver);
});

describe("[M3] the ids that old clients make up", () => {
  test.each([
    ["B0100001:user_123:1704067200000", { businessId: "B0100001", userId: "user_123", ms: 1_704_067_200_000 }],
    ["B1:u:1:1704067200000", { businessId: "B1", userId: "u:1", ms: 1_704_067_200_000 }],
    ["B1:auth0|a:b:c@d:0", { businessId: "B1", userId: "auth0|a:b:c@d", ms: 0 }],
    ["B1:::1", { businessId: "B1", userId: ":", ms: 1 }],
    ["B1:5:6", { businessId: "B1", userId: "5", ms: 6 }],
    ["B1:u:999999999999999", { businessId: "B1", userId: "u", ms: 999_999_999_999_999 }],
  ])("%s is read from both ends", (text, id) => {
    expect(parseMadeUpId(text)).toEqual(id);
  });

  test.each([
    "",
    ":",
    "::",
    ":::",
    "B1",
    "B1:u",
    "B1:1",
    "B1::1",
    ":u:1",
    "B1:u:",
    "B1:u:x",
    "B1:u:1x",
    "B1:u: 1",
    "B1:u:-1",
    "B1:u:1.5",
    "B1:u:1e3",
    "B1:u:0x1",
    "B1:u:1\n",
    "B1:u:NaN",
    "B1:u:１２",
    "B1:u:1000000000000000",
    "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11",
  ])("%j is none", (text) => {
    expect(parseMadeUpId(text)).toBeNull();
  });

  test("whatever the user is called, the id is taken apart as it was put together", () => {
    const word = (letters: string, max: number) =>
      fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: max });
    const parts = fc.record({
      businessId: word("AZaz09._-", 64),
      userId: word("AZaz09._@|+:-", 128),
      ms: fc.nat({ max: 999_999_999_999_999 }),
    });
    fc.assert(
      fc.property(parts, (id) => {
        expect(parseMadeUpId(`${id.businessId}:${id.userId}:${id.ms}`)).toEqual(id);
      }),
    );
  });

  test("any text is an id or none, and its day can be told", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(":", "1", "a", "-", " ") })), (text) => {
        const id = parseMadeUpId(text);
        if (id === null) return;
        const { from, to } = dayOfMadeUpId(id, "Europe/Bucharest");
        expect(to - from).toBeGreaterThan(0);
        expect(() => [new Date(from).toISOString(), new Date(to).toISOString()]).not.toThrow();
      }),
    );
    const { from, to } = dayOfMadeUpId({ businessId: "B", userId: "u", ms: 999_999_999_999_999 }, "Asia/Kolkata");
    expect(to - from).toBe(24 * hourMs);
  });

  test.each([
    ["2026-06-10T00:00:00.000+03:00", "2026-06-10", "the business's own midnight"],
    ["2026-06-10T00:00:00.000Z", "2026-06-10", "midnight in Greenwich"],
    ["2026-06-10T00:00:00.000+14:00", "2026-06-10", "midnight far in the east"],
    ["2026-06-10T00:00:00.000-08:00", "2026-06-10", "midnight far in the west"],
    ["2026-03-29T00:00:00.000+02:00", "2026-03-29", "midnight of a day of 23 hours"],
    ["2026-10-25T00:00:00.000+03:00", "2026-10-25", "midnight of a day of 25 hours"],
  ])("%s means the business day %s: %s", (midnight, day) => {
    const id = { businessId: "B1", userId: "u", ms: Date.parse(midnight) };
    const { from, to } = dayOfMadeUpId(id, "Europe/Bucharest");
    expect(businessDay(from, "Europe/Bucharest")).toBe(day);
    expect(businessDay(to - 1, "Europe/Bucharest")).toBe(day);
    expect(businessDay(to, "Europe/Bucharest") > day).toBe(true);
  });
});

const calendars = new Map<string, Intl.DateTimeFormat>();

/** The date that a calendar on the wall there shows. */
function dayByCalendar(ms: number, timeZone: string): string {
  const calendar =
    calendars.get(timeZone) ??
    new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  calendars.set(timeZone, calendar);
  return calendar.format(ms);
}

test("[M22] what is due at a moment", () => {
  const now = Date.parse("2026-03-31T10:00:00.000Z");
  expect(cleanupTimes(now, { idleMs: 24 * hourMs, retentionMs: 30 * 24 * hourMs })).toEqual({
    idleBefore: "2026-03-30T10:00:00.000Z",
    endedBefore: "2026-03-01T10:00:00.000Z",
    deletedBefore: "2026-03-30T10:00:00.000Z",
  });
  // Texts are compared, and a year before 0 would sort after all others.
  expect(cleanupTimes(now, { idleMs: 1e14, retentionMs: 1e14 }).endedBefore).toBe("1970-01-01T00:00:00.000Z");
});
