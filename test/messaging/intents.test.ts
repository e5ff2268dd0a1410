import { describe, expect, test } from "@jest/globals";
import {
  carriedOver,
  changeIntent,
  type Intents,
  suspend,
  suspendedBy,
  suspendIdle,
} from "../../server/messaging/intents.js";
import type { Intent } from "../../server/messaging/model.js";
import { headOf, headTime, turnOf } from "../support/heads.js";

const later = "2026-03-02T10:05:00.000Z";

function intent(intentId: string, status: Intent["status"] = "active", parameters: Intent["parameters"] = {}): Intent {
  const of = { businessId: "B1", userId: "ana", sessionId: "s1", name: "booking" };
  return { intentId, ...of, status, parameters, missing: [], createdAt: headTime, updatedAt: headTime };
}

const old = intent("old");
const gone: Intent = { ...old, status: "abandoned", updatedAt: later };
const filled = intent("old", "active", { day: "2026-03-05" });
const done = intent("old", "completed");
const givenUp = intent("old", "abandoned");
const moving = { name: "moving" };
const next = { ...intent("next"), ...moving };
const atOnce = { ...intent("next", "completed"), ...moving };
const again = intent("again");

const rows: [string, Intent | null, Intent | null | undefined, Intent | null, Intent | null, Intent[]][] = [
  ["nothing is said of none", null, undefined, null, null, []],
  ["nothing is said of it", old, undefined, old, null, []],
  ["it is as it was", old, intent("old"), old, null, []],
  ["it begins", null, next, next, null, [next]],
  ["it goes on", old, filled, filled, null, [filled]],
  ["it is completed", old, done, null, null, [done]],
  ["it is begun and completed by one message", null, atOnce, null, null, [atOnce]],
  ["it is given up", old, givenUp, null, null, [givenUp]],
  ["it is ended without a word", old, null, null, null, [gone]],
  ["none is ended", null, null, null, null, []],
  ["another one takes its place", old, next, next, gone, [gone, next]],
  ["it begins again", old, again, again, null, [gone, again]],
  ["another one is completed meanwhile", old, atOnce, null, gone, [gone, atOnce]],
  ["one that nobody knows is given up", old, intent("else", "abandoned"), old, null, []],
  ["what was over is not given up once more", done, next, next, null, [next]],
];

test.each(rows)("[M60] [M68] %s", (_what, before, said, after, suspended, changed) => {
  expect(changeIntent({ intent: before }, said, later)).toEqual({ intent: after, suspended, changed });
});

const asking = { name: "asking" };
const kept = { ...intent("kept", "abandoned"), ...asking };
const resumed = { ...intent("kept", "active", { day: "2026-03-05" }), ...asking };
const resumedAndDone = { ...intent("kept", "completed"), ...asking };
const begunAgain = { ...intent("anew"), ...asking };

const withSuspended: [string, Intent | null, Intent | null | undefined, Intent | null, Intent | null, Intent[]][] = [
  ["nothing is said: it waits", null, undefined, null, kept, []],
  ["it is gone on with", null, resumed, resumed, null, [resumed]],
  ["it is completed at once", null, resumedAndDone, null, null, [resumedAndDone]],
  ["it is forgotten", null, kept, null, null, []],
  ["it is forgotten while another goes on", old, kept, old, null, []],
  ["it takes the place of another, which waits in its turn", old, resumed, resumed, gone, [gone, resumed]],
  ["it begins again, and the old one is no more", null, begunAgain, begunAgain, null, [begunAgain]],
  ["another begins, and it waits on", null, next, next, kept, [next]],
  ["another is completed, and it waits on", old, done, null, kept, [done]],
  ["another is given up, and it waits on", old, givenUp, null, kept, [givenUp]],
  ["of two that were left the newer waits", old, next, next, gone, [gone, next]],
];

test.each(withSuspended)("[M68] with one that can be gone on with: %s", (_what, before, said, after, left, changed) => {
  expect(changeIntent({ intent: before, suspended: kept }, said, later)).toEqual({
    intent: after,
    suspended: left,
    changed,
  });
});

describe("[M69] an intent that stops", () => {
  test("is abandoned, can be gone on with, and is told; where nothing goes on nothing stops", () => {
    const stopped = suspend({ intent: old, suspended: kept, more: 1 }, later);
    expect(stopped).toEqual({ intent: null, suspended: gone, more: 1 });
    expect(suspendedBy({ intent: old }, stopped)).toEqual(gone);
    const nothing: Intents = { intent: null, suspended: kept };
    expect(suspend(nothing, later)).toBe(nothing);
    expect(suspendedBy(nothing, nothing)).toBeNull();
    expect(suspendedBy({ intent: old }, { intent: null, suspended: kept })).toBeNull();
  });

  const idleMs = 30 * 60_000;
  const t0 = Date.parse(headTime);
  test.each([
    ["just before its time", t0 + idleMs - 1, {}, "active"],
    ["at its time", t0 + idleMs, {}, "abandoned"],
    ["while somebody waits for an answer", t0 + 2 * idleMs, { turns: [turnOf("m1", 1)] }, "active"],
    ["with something said since", t0 + idleMs, { session: { lastMessageAt: later } }, "active"],
  ])("by itself: %s", (_when, now, more, status) => {
    const head = suspendIdle(headOf({ intent: old, ...more }), now, idleMs);
    expect((head.intent ?? head.suspended)?.status).toBe(status);
    expect(suspendIdle(headOf({ intent: old, ...more }), now, Infinity).intent).toEqual(old);
  });

  test.each<[string, Intents, number, Intent | null]>([
    ["what was going on", { intent: old, suspended: kept }, t0, { ...old, status: "abandoned" }],
    ["what was left before", { intent: null, suspended: kept }, t0 + 99, kept],
    ["nothing that is too old", { intent: null, suspended: kept }, t0 + 100, null],
    ["nothing of nothing", { intent: null }, t0, null],
  ])("the next session takes over %s", (_what, before, now, carried) => {
    expect(carriedOver(before, now, 100)).toEqual(carried);
  });
});
