import { beforeEach, describe, expect, test } from "@jest/globals";
import { limits } from "../../client/limits.js";
import { TypingIn, TypingOut } from "../../client/typing.js";
import { FakeClock } from "../support/fake-clock.js";

let clock: FakeClock;

beforeEach(() => {
  clock = new FakeClock();
});

describe("[M61] what is told of one's own typing", () => {
  const typing = (told: unknown[]) => new TypingOut(clock, (sessionId, is) => told.push([sessionId, is]));

  test("once in 2 s however many keys, and the end of it once", () => {
    const told: unknown[] = [];
    const mine = typing(told);
    for (let key = 0; key < 40; key += 1) {
      mine.say("s1", true);
      clock.advance(100);
    }
    mine.say("s1", false);
    mine.say("s1", false);
    expect(told).toEqual([["s1", true], ["s1", true], ["s1", false]]); // prettier-ignore
  });

  test("after what was written was sent, the next key is told at once; of another session too", () => {
    const told: unknown[] = [];
    const mine = typing(told);
    mine.say("s1", true);
    mine.say("s2", true);
    mine.forget();
    mine.say("s1", false);
    mine.say("s1", true);
    expect(told).toEqual([["s1", true], ["s2", true], ["s1", true]]); // prettier-ignore
  });

  test("a clock that was set back keeps nobody silent", () => {
    const told: unknown[] = [];
    const mine = typing(told);
    mine.say("s1", true);
    clock.jumpTo(clock.now() - 3_600_000);
    mine.say("s1", true);
    expect(told).toHaveLength(2);
  });
});

describe("[M61] who types", () => {
  test("somebody types until 6 s after the last word of it, or until they say that they do not", () => {
    let changes = 0;
    const others = new TypingIn(clock, () => (changes += 1));
    others.heard("agent", true);
    clock.advance(limits.typingEndsMs - 1);
    others.heard("agent", true);
    others.heard("coordinator", true);
    clock.advance(limits.typingEndsMs - 1);
    expect(others.typists).toEqual(["agent", "coordinator"]);
    others.heard("coordinator", false);
    clock.advance(1);
    expect(others.typists).toEqual([]);
    expect(changes).toBe(4);
    expect(clock.timerCount).toBe(0);
  });

  test("there is a limit to them, and clearing leaves no timer", () => {
    const others = new TypingIn(clock, () => undefined);
    for (let n = 0; n <= limits.typistsMax; n += 1) others.heard(`t${n}`, true);
    expect(others.typists).toHaveLength(limits.typistsMax);
    others.clear();
    expect([others.typists, clock.timerCount]).toEqual([[], 0]);
  });
});
