import { expect, test } from "@jest/globals";
import { limits } from "../../client/limits.js";
import { Marks } from "../../client/marks.js";
import { FakeClock } from "../support/fake-clock.js";

function marked() {
  const clock = new FakeClock();
  const told: unknown[] = [];
  const marks = new Marks(clock, (event, { sessionId, offset }) => told.push([event, sessionId, offset]));
  marks.open();
  return { clock, told, marks, pass: () => clock.advance(limits.markEveryMs) };
}

test("[M28] many marks are one word a second, and none goes back or is said twice", () => {
  const { told, marks, pass } = marked();
  marks.delivered("s1", 1);
  marks.delivered("s1", 3);
  marks.delivered("s1", 2);
  pass();
  marks.delivered("s1", 3);
  marks.read("s1", 3);
  pass();
  marks.read("s1", 2);
  marks.delivered("s1", 3);
  pass();
  expect(told).toEqual([["delivered", "s1", 3], ["read", "s1", 3]]); // prettier-ignore
});

test("[M28] what was read was taken: it is said in one word, and what came after it in another", () => {
  const { told, marks, pass } = marked();
  marks.delivered("s1", 4);
  marks.read("s1", 4);
  pass();
  marks.read("s1", 5);
  marks.delivered("s1", 6);
  marks.delivered("s2", 1);
  pass();
  expect(told).toEqual([["read", "s1", 4], ["read", "s1", 5], ["delivered", "s1", 6], ["delivered", "s2", 1]]); // prettier-ignore
});

test("[M28] without a connection they wait for the next, and keep no timer", () => {
  const { clock, told, marks, pass } = marked();
  marks.delivered("s1", 1);
  marks.shut();
  expect(clock.timerCount).toBe(0);
  marks.read("s1", 2);
  pass();
  expect(told).toEqual([]);
  marks.open();
  pass();
  expect(told).toEqual([["read", "s1", 2]]);
});
