import { expect, test } from "@jest/globals";
import { countSteps, durationSteps, linesOf, otherZone, shareSteps } from "../../../client/console/axis.js";
import { durationOf } from "../../../client/console/times.js";

test.each<[string, number, readonly number[], readonly number[]]>([
  ["nothing", 0, countSteps, [0, 0.1]],
  ["one message a minute", 1, countSteps, [0, 0.5, 1]],
  ["a few", 7, countSteps, [0, 2, 4, 6, 8]],
  ["as many as a line says", 8, countSteps, [0, 2, 4, 6, 8]],
  ["one more", 8.1, countSteps, [0, 5, 10]],
  ["quick answers", 146, durationSteps, [0, 50, 100, 150]],
  ["slow answers", 31_000, durationSteps, [0, 10_000, 20_000, 30_000, 40_000]],
  ["answers of people", 100_000, durationSteps, [0, 60_000, 120_000]],
  ["answers of the next day", 86_400_000, durationSteps, [0, 21_600_000, 43_200_000, 64_800_000, 86_400_000]],
  ["all of them", 1, shareSteps, [0, 0.25, 0.5, 0.75, 1]],
])("[H11] an axis over %s, at most %d, ends where nothing is above it", (_name, valueMax, steps, lines) => {
  expect(linesOf(valueMax, steps).map((line) => Number(line.toFixed(6)))).toEqual(lines);
});

test("[H11] no two lines of an axis say the same, however long the answers took", () => {
  for (let valueMax = 1; valueMax < 1e8; valueMax *= 1.1) {
    const said = linesOf(valueMax, durationSteps).map(durationOf);
    expect({ valueMax, said: new Set(said).size }).toEqual({ valueMax, said: said.length });
  }
});

const winter = "2026-01-12T22:00:00.000Z";
const summer = "2026-07-12T21:00:00.000Z";

test.each<[string, string, readonly string[], string | null]>([
  ["Europe/Bucharest", "Europe/Bucharest", [winter], null],
  ["Europe/Bucharest", "Europe/Athens", [winter, summer], null],
  ["Europe/Bucharest", "America/New_York", [winter], "Europe/Bucharest, GMT+2"],
  ["America/New_York", "UTC", [summer], "America/New York, GMT-4"],
  ["Europe/London", "UTC", [winter], null],
  ["Europe/London", "UTC", [summer], "Europe/London, GMT+1"],
  // One of the two days is enough.
  ["Europe/London", "UTC", [winter, summer], "Europe/London, GMT+1"],
])("[H11] hours of %s, read in %s, are told to be others only where they are", (zone, reader, at, told) => {
  expect(otherZone(zone, reader, at)).toBe(told);
});
