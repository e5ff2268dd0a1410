import { expect, test } from "@jest/globals";
import { retryDelayMs } from "../../client/limits.js";

test("[U-03] waits at least a second and at most 37.5 seconds, and tries at most 20 times a minute", () => {
  const delays = Array.from({ length: 50 }, (_, index) => retryDelayMs(index + 1));
  for (const delay of delays) {
    expect(delay).toBeGreaterThanOrEqual(1000);
    expect(delay).toBeLessThanOrEqual(37_500);
  }
  let elapsedMs = 0;
  const inFirstMinute = delays.filter((delay) => (elapsedMs += delay) <= 60_000);
  expect(inFirstMinute.length).toBeLessThanOrEqual(20);
});
