import { describe, expect, test } from "@jest/globals";
import {
  durationSteps,
  type Figures,
  merged,
  noFigures,
  summaryOf,
  withMessage,
  withOutcome,
} from "../../server/messaging/figures.js";

type Happening = "message" | readonly ["answered" | "failed" | "human", number];

function counted(...happenings: readonly Happening[]): Figures {
  return happenings.reduce<Figures>(
    (figures, happening) => (happening === "message" ? withMessage(figures) : withOutcome(figures, ...happening)),
    noFigures,
  );
}

const many = (count: number, ms: number) => Array.from({ length: count }, () => ["answered", ms] as const);
const none = { messages: 0, answered: 0, failed: 0, human: 0, answerMs: { p50: null, p95: null }, agentShare: null };

describe("[H11] figures", () => {
  test.each<readonly [string, readonly Happening[], object]>([
    ["nothing", [], {}],
    ["messages alone", ["message", "message"], { messages: 2 }],
    ["one answer", [["answered", 10]], { answered: 1, answerMs: { p50: 10, p95: 10 }, agentShare: 1 }],
    ["one at once", [["answered", 0]], { answered: 1, answerMs: { p50: 10, p95: 10 }, agentShare: 1 }],
    ["one just beyond a step", [["answered", 11]], { answered: 1, answerMs: { p50: 13, p95: 13 }, agentShare: 1 }],
    ["a human's", [["human", 13]], { human: 1, answerMs: { p50: 13, p95: 13 }, agentShare: 0 }],
    ["a failure, which has no time to answer", [["failed", 30_000]], { failed: 1, agentShare: 0 }],
    [
      "thirds",
      [
        ["answered", 1],
        ["answered", 1],
        ["human", 1],
      ],
      { answered: 2, human: 1, answerMs: { p50: 10, p95: 10 }, agentShare: 0.6667 },
    ],
    [
      "one in twenty that is slow",
      [...many(19, 10), ["answered", 20]],
      { answered: 20, answerMs: { p50: 10, p95: 10 }, agentShare: 1 },
    ],
    [
      "two in twenty that are slow",
      [...many(18, 10), ["answered", 20], ["answered", 20]],
      { answered: 20, answerMs: { p50: 10, p95: 20 }, agentShare: 1 },
    ],
    [
      "slow ones first",
      [["answered", 20], ...many(1, 10)],
      { answered: 2, answerMs: { p50: 10, p95: 20 }, agentShare: 1 },
    ],
    [
      "longer than any step",
      [["human", 10 ** 12]],
      { human: 1, answerMs: { p50: durationSteps.at(-1), p95: durationSteps.at(-1) }, agentShare: 0 },
    ],
  ])("of %s", (_what, happenings, expected) => {
    expect(summaryOf(counted(...happenings))).toEqual({ ...none, ...expected });
  });

  test("what is told of a duration is not below it, and at most a quarter above", () => {
    for (let ms = 10; ms < 70_000_000; ms = Math.ceil(ms * 1.07)) {
      const told = summaryOf(counted(["answered", ms])).answerMs.p50!;
      expect(told).toBeGreaterThanOrEqual(ms);
      // Half a millisecond at either end, because steps are whole ones.
      expect(told).toBeLessThanOrEqual((ms + 0.5) * 1.25 + 0.5);
    }
  });

  test("merged are those of everything that was counted apart, in either order", () => {
    const [one, other] = [counted("message", ["answered", 10], ["failed", 5]), counted("message", ["human", 5000])];
    const together = counted("message", "message", ["answered", 10], ["failed", 5], ["human", 5000]);
    for (const sum of [merged(one, other), merged(other, one)]) expect(sum).toEqual(together);
    expect(merged(one, noFigures)).toEqual(one);
  });
});
