import { describe, expect, test } from "@jest/globals";
import { type Period, periodsBetween } from "../../server/messaging/periods.js";

const period = (from: string, to: string): Period => ({ from: Date.parse(from), to: Date.parse(to) });
const told = (periods: readonly Period[]) =>
  periods.map(({ from, to }) => [new Date(from).toISOString().slice(0, 16), new Date(to).toISOString().slice(0, 16)]);

describe("[H11] [T-01] the hours of a business", () => {
  test.each<readonly [string, string, string, string, readonly (readonly [string, string])[]]>([
    ["whole hours", "UTC", "2026-03-02T10:00Z", "2026-03-02T11:00Z", [["2026-03-02T10:00", "2026-03-02T11:00"]]],
    [
      "an hour of which a moment is asked",
      "UTC",
      "2026-03-02T10:59:59.999Z",
      "2026-03-02T11:00Z",
      [["2026-03-02T10:00", "2026-03-02T11:00"]],
    ],
    [
      "both hours that have a part in it",
      "UTC",
      "2026-03-02T10:59Z",
      "2026-03-02T11:00:00.001Z",
      [
        ["2026-03-02T10:00", "2026-03-02T11:00"],
        ["2026-03-02T11:00", "2026-03-02T12:00"],
      ],
    ],
    [
      "half an hour from those of UTC, over midnight",
      "Asia/Kolkata",
      "2026-03-02T18:00Z",
      "2026-03-02T19:00Z",
      [
        ["2026-03-02T17:30", "2026-03-02T18:30"],
        ["2026-03-02T18:30", "2026-03-02T19:30"],
      ],
    ],
    [
      "three quarters from those of UTC",
      "Asia/Kathmandu",
      "2026-03-02T18:20Z",
      "2026-03-02T18:21Z",
      [["2026-03-02T18:15", "2026-03-02T19:15"]],
    ],
    [
      "shorter at the end of a day whose clocks change by half an hour",
      "Australia/Lord_Howe",
      "2026-04-05T13:00Z",
      "2026-04-05T13:31Z",
      [
        ["2026-04-05T13:00", "2026-04-05T13:30"],
        ["2026-04-05T13:30", "2026-04-05T14:30"],
      ],
    ],
  ])("%s", (_what, timeZone, from, to, expected) => {
    expect(told(periodsBetween(period(from, to), "hour", timeZone))).toEqual(expected);
  });

  test.each([
    ["Europe/Bucharest", "2026-03-28T22:00Z", "2026-03-29T21:00Z", 23],
    ["Europe/Bucharest", "2026-10-24T21:00Z", "2026-10-25T22:00Z", 25],
    ["Asia/Kolkata", "2026-03-01T18:30Z", "2026-03-02T18:30Z", 24],
    ["Australia/Lord_Howe", "2026-04-04T13:00Z", "2026-04-05T13:30Z", 25],
  ])("in %s the day from %s to %s has %i, one after the other", (timeZone, from, to, count) => {
    const day = period(from, to);
    expect(told(periodsBetween(day, "day", timeZone))).toEqual(told([day]));
    const hours = periodsBetween(day, "hour", timeZone);
    expect(hours).toHaveLength(count);
    expect([hours[0]!.from, hours.at(-1)!.to]).toEqual([day.from, day.to]);
    for (const [index, hour] of hours.slice(1).entries()) expect(hour.from).toBe(hours[index]!.to);
  });
});
