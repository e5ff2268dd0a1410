import { expect, test } from "@jest/globals";
import { FakeClock } from "./fake-clock.js";

test("runs timers at their moment, in the order of time and then of setting", () => {
  const clock = new FakeClock(1_000_000);
  const log: [string, number, number][] = [];
  const note = (name: string) => () => void log.push([name, clock.monotonic(), clock.now()]);
  clock.after(20, note("b"));
  clock.after(10, note("a"));
  clock.after(20, note("c"));
  const cancel = clock.after(15, note("never"));
  cancel();
  clock.after(30, () => clock.after(5, note("d")));
  clock.advance(34);
  expect(log).toEqual([
    ["a", 10, 1_000_010],
    ["b", 20, 1_000_020],
    ["c", 20, 1_000_020],
  ]);
  clock.advance(1);
  expect([log.length, clock.timerCount]).toEqual([4, 0]);
});

test("repeats until cancelled, also from within", () => {
  const clock = new FakeClock();
  const moments: number[] = [];
  const cancel = clock.every(10, () => {
    moments.push(clock.monotonic());
    if (moments.length === 3) cancel();
  });
  clock.advance(100);
  expect([moments, clock.timerCount]).toEqual([[10, 20, 30], 0]);
});

test("the wall clock jumps without the timers", () => {
  const clock = new FakeClock(0);
  let ran = 0;
  clock.after(10, () => (ran += 1));
  clock.jumpTo(1_000_000);
  expect([ran, clock.monotonic(), clock.now()]).toEqual([0, 0, 1_000_000]);
  clock.advance(10);
  expect([ran, clock.monotonic(), clock.now()]).toEqual([1, 10, 1_000_010]);
});
