import { beforeEach, describe, expect, test } from "@jest/globals";
import { deadline, systemClock } from "../server/clock.js";
import { FakeClock } from "./support/fake-clock.js";

let clock: FakeClock;
/** The moments at which somebody was judged. */
let judgedAt: number[];

beforeEach(() => {
  clock = new FakeClock();
  judgedAt = [];
});

const judge = () => void judgedAt.push(clock.monotonic());

describe("[T-05] a deadline", () => {
  test("is over at its moment, and once", () => {
    deadline(1000, clock, judge);
    clock.advance(999);
    expect(judgedAt).toEqual([]);
    clock.advance(100_000);
    expect(judgedAt).toEqual([1000]);
  });

  const stalls: [string, number, number][] = [
    ["of a timer that is a little late is over with it", 1500, 1500],
    ["over which the process stood still leaves a second to read what arrived", 1501, 2501],
    ["is over once, however long the process stood still", 70_000, 71_000],
  ];

  test.each(stalls)("%s", (_what, wokeAt, overAt) => {
    deadline(1000, clock, judge);
    clock.skip(wokeAt);
    clock.advance(0);
    clock.advance(100_000);
    expect(judgedAt).toEqual([overAt]);
    expect(clock.timerCount).toBe(0);
  });

  test("is over when the process stands still again meanwhile: nobody waits for ever", () => {
    deadline(1000, clock, judge);
    clock.skip(5000);
    clock.advance(0);
    clock.skip(5000);
    clock.advance(0);
    expect(judgedAt).toEqual([10_000]);
  });

  test.each(["at once", "in the second that it leaves"])("is cancelled %s", (when) => {
    const cancel = deadline(1000, clock, judge);
    if (when !== "at once") clock.skip(5000);
    clock.advance(0);
    cancel();
    clock.advance(100_000);
    expect([judgedAt, clock.timerCount]).toEqual([[], 0]);
  });
});

test("[T] the system's clock does not take what is longer than its timers for no time at all", async () => {
  let isOver = false;
  const cancel = systemClock.after(2 ** 31, () => (isOver = true));
  // A timer that was set later, and for as short a time, runs after it.
  await new Promise<void>((resolve) => void systemClock.after(1, () => systemClock.after(1, resolve)));
  cancel();
  expect(isOver).toBe(false);
});
