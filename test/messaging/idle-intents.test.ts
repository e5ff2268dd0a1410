import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import type { Head } from "../../server/messaging/head.js";
import { createIdleIntents, type IdleIntents } from "../../server/messaging/idle-intents.js";
import type { Intent } from "../../server/messaging/model.js";
import type { Store } from "../../server/messaging/store.js";
import { Telemetry } from "../../server/telemetry.js";
import { FakeClock } from "../support/fake-clock.js";
import { headOf, headTime, intentLife, turnOf } from "../support/heads.js";
import { interceptedStore } from "../support/intercepted-store.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";

const minuteMs = 60_000;
const { idleMs } = intentLife;

let under: TemporaryStore;
let clock: FakeClock;
let told: string[];
let failures: number;
let idleIntents: IdleIntents;

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock(Date.parse(headTime));
  told = [];
  failures = 0;
});

afterEach(async () => {
  await idleIntents.stop();
  expect(clock.timerCount).toBe(0);
  await under.dispose();
});

function start(store: Store = under.store, ms = idleMs): void {
  const telemetry = new Telemetry<DeskEvents>();
  telemetry.attach("store.failed", () => void (failures += 1));
  const onIntent = ({ sessionId, status }: Intent) => void told.push(`${sessionId} ${status}`);
  const onChanged = () => void told.push("session");
  idleIntents = createIdleIntents({ store, clock, telemetry, idleMs: ms, onIntent, onChanged });
  idleIntents.start();
}

async function sessionWith(sessionId: string, more: Partial<Omit<Head, "session">> = {}): Promise<Head> {
  const of = { intentId: `of ${sessionId}`, businessId: "B1", userId: "ana", sessionId, name: "booking" };
  const at = { createdAt: headTime, updatedAt: headTime };
  const intent: Intent = { ...of, status: "active", parameters: {}, missing: [], ...at };
  return under.store.createHead(headOf({ intent, ...more, session: { sessionId } }));
}

const intentsOf = async (sessionId: string) => {
  const { intent, suspended = null } = (await under.store.readHead(sessionId))!;
  return [intent?.status ?? null, suspended?.status ?? null];
};

/** Time passes, and what has fallen due by then is done. */
async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  // The first may have been under way since some moment on the way there.
  for (let round = 0; round < 3; round += 1) await idleIntents.run();
}

test("[M69] what nobody said a word of for its time is written and told as abandoned, and not before", async () => {
  start();
  idleIntents.answered(await sessionWith("s1"));
  await pass(idleMs - 1);
  expect([told, await intentsOf("s1")]).toEqual([[], ["active", null]]);
  await pass(1);
  expect([told, await intentsOf("s1")]).toEqual([["s1 abandoned"], [null, "abandoned"]]);
});

test("[M69] what is said meanwhile moves it on, by whichever node; who waits for an answer has not turned away", async () => {
  start();
  const head = await sessionWith("s1");
  idleIntents.answered(head);
  idleIntents.answered(await sessionWith("s2", { turns: [turnOf("m1", 1)] }));
  idleIntents.answered(await sessionWith("last"));
  const lastMessageAt = new Date(Date.parse(headTime) + 20 * minuteMs).toISOString();
  await under.store.changeSession("s1", (now) => ({
    result: null,
    head: { ...now, session: { ...now.session, lastMessageAt } },
  }));
  await pass(idleMs);
  expect(told).toEqual(["last abandoned"]);
  await under.store.changeSession("s2", (now) => ({ result: null, head: { ...now, turns: [] } }));
  await pass(idleMs);
  expect(told.slice(1).sort()).toEqual(["s1 abandoned", "s2 abandoned"]);
});

test("[M69] what a process that ended had in mind is found by the next one, however many there are", async () => {
  const ids = Array.from({ length: 230 }, (_, index) => `s${index}`);
  await Promise.all(ids.map((id) => sessionWith(id)));
  await sessionWith("without", { intent: null });
  clock.advance(10 * minuteMs);
  start();
  await pass(idleMs);
  expect(new Set(told)).toEqual(new Set(ids.map((id) => `${id} abandoned`)));
});

test("[M69] one that cannot be written holds up no other", async () => {
  const store = interceptedStore(under.store, (name, given, call) => {
    if (name === "changeSession" && given[0] === "s1") throw new Error("on purpose");
    return call();
  });
  start(store);
  for (const id of ["s1", "s2"]) idleIntents.answered(await sessionWith(id));
  await pass(idleMs);
  expect(told).toEqual(["s2 abandoned"]);
});

test("[M69] what could not be written is tried again", async () => {
  let isDown = true;
  const store = interceptedStore(under.store, (name, _given, call) => {
    if (name === "changeSession" && isDown) throw new Error("on purpose");
    return call();
  });
  start(store);
  idleIntents.answered(await sessionWith("s1"));
  await pass(idleMs);
  expect(told).toEqual([]);
  isDown = false;
  await pass(minuteMs);
  expect(told).toEqual(["s1 abandoned"]);
});

test("[M69] switched off it does nothing", async () => {
  start(under.store, Infinity);
  idleIntents.answered(await sessionWith("s1"));
  expect(clock.timerCount).toBe(0);
});
