import { describe, expect, test } from "@jest/globals";
import { limits } from "../../client/limits.js";
import { Running } from "../../client/running.js";

const of = { sessionId: "s1", messageId: "m1", responseId: "r1" };
const snapshot = (text: string) => [{ ...of, text, at: text.length, thinking: [] }];

describe("[M41] deltas become one text, without a hole", () => {
  test.each<{ name: string; from: string; deltas: [at: number, text: string][]; text: string; hasGap?: true }>([
    { name: "one after the other", from: "", deltas: [[0, "Good "], [5, "morning"]], text: "Good morning" }, // prettier-ignore
    { name: "behind what the join gave", from: "Good ", deltas: [[5, "morning"]], text: "Good morning" },
    { name: "one that the join gave already", from: "Good ", deltas: [[0, "Good "], [5, "day"]], text: "Good day" }, // prettier-ignore
    { name: "one that overlaps", from: "Good ", deltas: [[3, "d morning"]], text: "Good morning" },
    { name: "one that says what is known", from: "Good morning", deltas: [[5, "mor"]], text: "Good morning" },
    { name: "nothing behind a hole", from: "Good ", deltas: [[7, "rning"], [5, "mo"]], text: "Good ", hasGap: true }, // prettier-ignore
    { name: "at counts UTF-16 units", from: "👋", deltas: [[2, " salut"]], text: "👋 salut" },
  ])("$name", ({ from, deltas, text, hasGap = false }) => {
    const running = new Running();
    running.joined(from === "" ? [] : snapshot(from));
    for (const [at, more] of deltas) running.delta({ ...of, at, text: more });
    expect(running.answers).toMatchObject([{ messageId: "m1", responseId: "r1", text, hasGap }]);
  });

  test("an agent that is asked again begins anew, and its steps stay", () => {
    const running = new Running();
    running.thought({ ...of, step: "retrieval", label: "Looking", status: "started" });
    running.delta({ ...of, at: 0, text: "The first" });
    running.delta({ ...of, responseId: "r2", at: 0, text: "Another" });
    expect(running.answers).toMatchObject([{ responseId: "r2", text: "Another", hasGap: false, steps: [{}] }]);
  });

  test("what is longer than a client holds is shown when it is whole", () => {
    const running = new Running();
    running.delta({ ...of, at: 0, text: "x".repeat(limits.runningTextMax) });
    running.delta({ ...of, at: limits.runningTextMax, text: "more" });
    expect(running.answers[0]?.hasGap).toBe(true);
    expect(running.answers[0]?.text.length).toBe(limits.runningTextMax);
  });
});

test("[M41] a step is one line, from its beginning to its end; the next of the same name is another", () => {
  const running = new Running();
  const say = (step: string, label: string, status: string) => running.thought({ ...of, step, label, status });
  say("tool", "Asking", "started");
  say("retrieval", "Looking", "started");
  say("tool", "Asked", "done");
  say("tool", "Asking again", "started");
  expect(running.answers[0]?.steps).toEqual([
    { step: "tool", label: "Asked", status: "done" },
    { step: "retrieval", label: "Looking", status: "started" },
    { step: "tool", label: "Asking again", status: "started" },
  ]);
  for (let count = 0; count < limits.stepsMax; count += 1) say(`s${count}`, "x", "started");
  expect(running.answers[0]?.steps).toHaveLength(limits.stepsMax);
});

test("[M40] what a join does not name is over, and what it names keeps the forms that were shown", () => {
  const running = new Running();
  running.delta({ ...of, messageId: "m0", at: 0, text: "gone" });
  running.component({ ...of, componentId: "c1", kind: "card", title: "A card" });
  running.joined(snapshot("more"));
  expect(running.answers).toMatchObject([{ messageId: "m1", sessionId: "s1", text: "more", components: [{}] }]);
});

test("[M30] where a human speaks nothing more is in the making, elsewhere it is", () => {
  const running = new Running();
  running.delta({ ...of, at: 0, text: "x" });
  running.delta({ ...of, sessionId: "s2", messageId: "m2", at: 0, text: "y" });
  running.silence("s1");
  expect(running.answers.map(({ messageId }) => messageId)).toEqual(["m2"]);
});

test("what is no step, delta or component changes nothing, and of too many the oldest is forgotten", () => {
  const running = new Running();
  for (const raw of [null, 7, {}, { ...of }, { ...of, at: "0", text: "x" }, { messageId: 5, at: 0, text: "x" }]) {
    running.thought(raw);
    running.delta(raw);
    running.component(raw);
    running.joined(raw);
  }
  expect(running.answers).toEqual([]);
  for (let n = 0; n <= limits.runningMax; n += 1) running.delta({ ...of, messageId: `m${n}`, at: 0, text: "x" });
  expect(running.answers).toHaveLength(limits.runningMax);
  expect(running.answers[0]?.messageId).toBe("m1");
});
