import { beforeEach, describe, expect, test } from "@jest/globals";
import { createRuns, type RunOf, type Runs } from "../../server/messaging/runs.js";
import { FakeClock } from "../support/fake-clock.js";
import { createRandom, seedOfRun } from "../support/random.js";

const of: RunOf = { businessId: "B1", userId: "ana", sessionId: "s1", messageId: "m1", responseId: "r1" };

let clock: FakeClock;
let told: { readonly event: string; readonly of: RunOf; readonly payload: Readonly<Record<string, unknown>> }[];
let runs: Runs;

beforeEach(() => {
  clock = new FakeClock();
  told = [];
  runs = createRuns({ clock, tell: (event, whom, payload) => void told.push({ event, of: whom, payload }) });
});

const deltas = () =>
  told.filter(({ event }) => event === "message_delta").map(({ payload }) => [payload.at, payload.text]);
const steps = () =>
  told.filter(({ event }) => event === "thinking").map(({ payload }) => [payload.step, payload.status]);
const step = (name: string, status: "started" | "done" | "failed" = "started") => ({ step: name, label: name, status });

describe("[M41] steps", () => {
  test("show themselves once they have lasted 150 ms, and then their end; a shorter one never does", () => {
    const run = runs.begin(of);
    run.step(step("retrieval"));
    clock.advance(149);
    run.step(step("retrieval", "done"));
    run.step(step("tool"));
    clock.advance(149);
    expect(steps()).toEqual([]);
    clock.advance(1);
    expect(told.filter(({ event }) => event !== "typing")).toEqual([
      {
        event: "thinking",
        of,
        payload: {
          sessionId: "s1",
          messageId: "m1",
          ...step("tool"),
          timestamp: new Date(clock.now()).toISOString(),
        },
      },
    ]);
    run.step(step("tool", "failed"));
    expect(steps()).toEqual([
      ["tool", "started"],
      ["tool", "failed"],
    ]);
  });

  test("one that begins anew before it was shown counts from then; an end without a beginning is nothing", () => {
    const run = runs.begin(of);
    run.step(step("tool", "done"));
    run.step(step("tool"));
    clock.advance(100);
    run.step(step("tool"));
    clock.advance(149);
    expect(steps()).toEqual([]);
    clock.advance(1);
    expect(steps()).toEqual([["tool", "started"]]);
  });

  test("come before the text: what was shown as begun ends with its first piece, and nothing follows", () => {
    const run = runs.begin(of);
    run.step(step("tool"));
    clock.advance(150);
    run.step(step("response"));
    run.delta("a");
    run.step(step("tool", "failed"));
    run.step(step("other"));
    clock.advance(1000);
    expect(steps()).toEqual([
      ["tool", "started"],
      ["tool", "done"],
    ]);
    expect(told.map(({ event }) => event).filter((event) => event !== "typing")).toEqual([
      "thinking",
      "thinking",
      "message_delta",
    ]);
  });

  test("end as the work does, those that were shown", () => {
    const run = runs.begin(of);
    run.step(step("tool"));
    run.step(step("retrieval"));
    clock.advance(150);
    run.step(step("retrieval", "done"));
    run.step(step("short"));
    run.endSteps("failed");
    run.end();
    expect(steps().slice(2)).toEqual([
      ["retrieval", "done"],
      ["tool", "failed"],
    ]);
    expect(clock.timerCount).toBe(0);
  });

  test("nothing is shown after the end, and no timer stays", () => {
    const run = runs.begin(of);
    run.step(step("tool"));
    run.delta("a");
    run.delta("b");
    run.end();
    run.step(step("other"));
    run.delta("c");
    clock.advance(1000);
    expect([steps(), deltas(), clock.timerCount]).toEqual([[], [[0, "a"]], 0]);
  });
});

describe("[M41] [A-08] deltas", () => {
  test("the first goes at once, the others twenty times a second, gathered", () => {
    const run = runs.begin(of);
    for (const text of ["one ", "two ", "three "]) run.delta(text);
    expect(deltas()).toEqual([[0, "one "]]);
    clock.advance(50);
    run.delta("four");
    expect(deltas()).toEqual([
      [0, "one "],
      [4, "two three "],
    ]);
    clock.advance(50);
    clock.advance(50);
    run.delta("!");
    expect(deltas().slice(2)).toEqual([
      [14, "four"],
      [18, "!"],
    ]);
  });

  test("whatever comes when, a page that puts each where it belongs has the text, and never more than 20 a second", () => {
    const random = createRandom(seedOfRun);
    const run = runs.begin(of);
    let said = "";
    for (let count = 0; count < 1000; count += 1) {
      const text = "ăé🚗x".slice(0, Math.floor(random() * 5)).toWellFormed();
      run.delta(text);
      said += text;
      clock.advance(Math.floor(random() * 20));
    }
    clock.advance(50);
    let page = "";
    for (const [at, text] of deltas() as [number, string][]) {
      expect(at).toBe(page.length);
      page += text;
    }
    expect(page).toBe(said);
    expect(deltas().length).toBeLessThanOrEqual(clock.monotonic() / 50 + 1);
  });
});

describe("[M40] what a refreshed page goes on from", () => {
  test("the text that was sent, where it ends, and the steps that were shown; each user's own, the oldest first", () => {
    const [first, second] = [runs.begin(of), runs.begin({ ...of, messageId: "m2", responseId: "r2" })];
    runs.begin({ ...of, userId: "ion", messageId: "m3" });
    first.step(step("tool"));
    clock.advance(150);
    first.delta("Bună ");
    first.delta("ziua");
    expect(runs.ofUser("B1", "ana")).toEqual([
      { responseId: "r1", messageId: "m1", text: "Bună ", at: 5, thinking: [step("tool", "done")] },
      { responseId: "r2", messageId: "m2", text: "", at: 0, thinking: [] },
    ]);
    first.end();
    second.end();
    expect([runs.ofUser("B1", "ana"), runs.ofUser("B2", "ana")]).toEqual([[], []]);
  });
});

describe("[M42] cancelling", () => {
  test("stops the answer to one's own message, and nobody else's", () => {
    const run = runs.begin(of);
    const tries = [
      { ...of, userId: "ion" },
      { ...of, businessId: "B2" },
      { ...of, messageId: "m2" },
    ];
    expect([tries.map((one) => runs.cancel(one)), run.controller.signal.aborted]).toEqual([
      [false, false, false],
      false,
    ]);
    expect([runs.cancel(of), run.controller.signal.aborted]).toEqual([true, true]);
    run.end();
    expect(runs.cancel(of)).toBe(false);
  });
});

describe("[M61] an agent types", () => {
  const typing = () =>
    told.filter(({ event }) => event === "typing").map(({ payload: { typing: isTyping } }) => isTyping);

  test("once its work has lasted 150 ms, again every 4 s, until it ends", () => {
    const run = runs.begin(of);
    clock.advance(149);
    expect(typing()).toEqual([]);
    clock.advance(1);
    expect(told).toEqual([{ event: "typing", of, payload: { sessionId: "s1", from: "agent", typing: true } }]);
    clock.advance(3999);
    expect(typing()).toEqual([true]);
    clock.advance(4001);
    expect(typing()).toEqual([true, true, true]);
    run.end();
    run.end();
    expect(typing()).toEqual([true, true, true, false]);
    clock.advance(10_000);
    expect([typing().length, clock.timerCount]).toEqual([4, 0]);
  });

  test("one that is done sooner never did", () => {
    const run = runs.begin(of);
    clock.advance(149);
    run.end();
    clock.advance(10_000);
    expect(told).toEqual([]);
  });

  test("[M30] no more, when it is silenced", () => {
    runs.begin(of);
    clock.advance(150);
    runs.silence(of.sessionId);
    clock.advance(10_000);
    expect(typing()).toEqual([true, false]);
  });
});
