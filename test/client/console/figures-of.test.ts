import { expect, test } from "@jest/globals";
import { statsOf } from "../../../client/console/figures-of.js";
import { claimsOf } from "../../../client/console/identity.js";
import { durationOf, lengthOf } from "../../../client/console/times.js";

const timeZone = "Europe/Bucharest";

test("[H11] figures stand at the hour of the business's day, today beside yesterday", () => {
  const hour = (from: string, messages: number) => ({
    ...{ from, messages, messagesPerMinute: messages / 60, agentShare: 0.5 },
    answerMs: { p50: 10, p95: null },
  });
  const days = { yesterday: hour("2026-03-01T22:00:00.000Z", 5), today: hour("2026-03-02T22:00:00.000Z", 7) };
  const figures = [
    hour("2026-03-01T22:00:00.000Z", 1),
    hour("2026-03-02T08:00:00.000Z", 2),
    hour("2026-03-03T08:00:00.000Z", 3),
  ];
  const { today, yesterday, hours } = statsOf({ timeZone, figures, ...days });
  expect([today.messages, yesterday.messages, hours.length]).toEqual([7, 5, 24]);
  expect([hours[0]!.yesterday?.messages, hours[0]!.today]).toEqual([1, null]);
  expect([hours[10]!.yesterday?.messages, hours[10]!.today?.messages]).toEqual([2, 3]);
  expect(hours[10]!.today).toMatchObject({ p50Ms: 10, p95Ms: null, agentShare: 0.5 });
});

test("[console] what is no figures is shown as none", () => {
  expect(statsOf(null).hours.every(({ today, yesterday }) => today === null && yesterday === null)).toBe(true);
});

test.each([
  [0, "<1 min", "0 ms"],
  [999, "<1 min", "999 ms"],
  [1234, "<1 min", "1.2 s"],
  [60_000, "1 min", "1 min"],
  [59 * 60_000, "59 min", "59 min"],
  [2 * 3_600_000, "2 h", "120 min"],
  [3 * 86_400_000, "3 d", "4320 min"],
])("[console] %d ms in words", (ms, length, duration) => {
  expect([lengthOf(ms), durationOf(ms)]).toEqual([length, duration]);
});

test.each([
  [`x.${encoded({ sub: "mária", businessId: "B1" })}.y`, { sub: "mária", businessId: "B1" }],
  [`x.${encoded({ sub: 7 })}.y`, { sub: null, businessId: null }],
  ["no token", { sub: null, businessId: null }],
  ["x.%%%.y", { sub: null, businessId: null }],
  [null, { sub: null, businessId: null }],
])("[X2] a token %j says who its bearer is, or nothing", (token, claims) => {
  expect(claimsOf(token)).toEqual(claims);
});

function encoded(claims: object): string {
  return Buffer.from(JSON.stringify(claims)).toString("base64url");
}
