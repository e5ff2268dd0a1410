import { expect, test } from "@jest/globals";
import { limits } from "../../client/limits.js";
import { Outcomes } from "../../client/outcomes.js";

const turn = (n: number) => ({ cursor: `cursor-${n}`, messageId: `m${n}`, sessionId: "s1" });
const resumeAt = (cursor: string) => ({ resume: { cursor } });

function scripted(cursor: string | null = null) {
  const fences: { pass(): void; fail(): void }[] = [];
  const fence = () =>
    new Promise((resolve, reject) => fences.push({ pass: () => resolve(null), fail: () => reject(new Error("gone")) }));
  return { outcomes: new Outcomes(cursor, fence), fences };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("[M12] after a first join the cursor follows what is told, and repeats are dropped", () => {
  const { outcomes } = scripted();
  expect(outcomes.joinPayload).toEqual({});
  outcomes.joined({ cursor: "cursor-1" });
  expect(outcomes.heard(turn(2))).toMatchObject(turn(2));
  expect(outcomes.heard(turn(2))).toBeNull();
  expect(outcomes.joinPayload).toEqual(resumeAt("cursor-2"));
});

test("[M12] while a rejoin is replayed the cursor stays: a connection that is lost over it loses nothing", async () => {
  const { outcomes, fences } = scripted("cursor-1");
  outcomes.joined({ cursor: "cursor-9" });
  // One that is new comes between two that are replayed.
  for (const n of [2, 8, 3]) outcomes.heard(turn(n));
  expect(outcomes.joinPayload).toEqual(resumeAt("cursor-1"));
  expect(fences).toHaveLength(1);
  fences[0]!.fail();
  await settled();
  outcomes.joined({ cursor: "cursor-9" });
  expect(outcomes.joinPayload).toEqual(resumeAt("cursor-1"));
  outcomes.heard(turn(4));
  fences[1]!.pass();
  await settled();
  expect(outcomes.joinPayload).toEqual(resumeAt("cursor-8"));
  outcomes.heard(turn(9));
  expect(outcomes.joinPayload).toEqual(resumeAt("cursor-9"));
});

test("[M12] what is replayed of before the first join is not told, what was missed since is", () => {
  const { outcomes } = scripted();
  outcomes.joined({ cursor: "cursor-3" });
  outcomes.heard(turn(4));
  outcomes.joined({ cursor: "cursor-9" });
  const told = [2, 3, 4, 5].filter((n) => outcomes.heard(turn(n)) !== null);
  expect(told).toEqual([5]);
});

test("[M12] what is replayed from a cursor that was given is told, the overlap too", () => {
  const { outcomes } = scripted("cursor-3");
  outcomes.joined({ cursor: "cursor-9" });
  expect(outcomes.heard(turn(2))).toMatchObject(turn(2));
});

test("[M12] the end of an earlier join's replay says nothing about the next", async () => {
  const { outcomes, fences } = scripted("cursor-1");
  outcomes.joined({});
  outcomes.heard(turn(5));
  outcomes.joined({});
  outcomes.heard(turn(6));
  fences[0]!.pass();
  await settled();
  expect(outcomes.joinPayload).toEqual(resumeAt("cursor-1"));
});

test("what is no outcome is none, and of too many the oldest is forgotten", () => {
  const { outcomes } = scripted();
  outcomes.joined({ cursor: "c" });
  for (const raw of [null, 5, {}, { messageId: "m" }]) expect(outcomes.heard(raw)).toBeNull();
  for (let n = 0; n <= limits.outcomesMax; n += 1) outcomes.heard(turn(n));
  expect(outcomes.heard(turn(1))).toBeNull();
  expect(outcomes.heard(turn(0))).not.toBeNull();
});
