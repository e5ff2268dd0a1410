import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { FakeClock } from "../support/fake-clock.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { type Fields, Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const topic = "messages:B1";

let agent: ScriptedAgent;
let clock: FakeClock;
let app: TestApp;
let seats: Seat[];

beforeEach(async () => {
  agent = new ScriptedAgent();
  clock = new FakeClock();
  app = await startTestApp({ IDLE_TIMEOUT_MS: "0" }, { clock, agents: { echo: agent } });
  seats = [];
});

afterEach(async () => {
  for (const { client } of seats) client.close();
  await app.dispose();
});

async function seat(payload: Fields): Promise<Seat> {
  const taken = await Seat.take(app, payload, { on: topic });
  seats.push(taken);
  return taken;
}

/** What each of them was told, once everything has arrived. */
async function heard(...of: Seat[]): Promise<string[][]> {
  for (const { client } of seats) await client.heartbeat();
  return of.map((each) =>
    each.heard("typing").map(({ from, typing }) => `${String(from)} ${typing === true ? "types" : "is done"}`),
  );
}

test("[M61] the user sees that a coordinator types, not which; the watchers see both; nobody else hears anything", async () => {
  const [ana, tab, ion] = [await seat({ userId: "ana" }), await seat({ userId: "ana" }), await seat({ userId: "ion" })];
  const [watching, other] = [await seat({}), await seat({})];
  const { sessionId } = await ana.says("hello");
  (await agent.call("hello")).answer();
  await ana.hears("new_message");
  await watching.ask("watch", { sessionId });
  expect(await ana.ask("typing", { sessionId, typing: true })).toEqual({
    status: "ok",
    response: { sessionId, typing: true },
  });
  const held = await other.ask("take_over", { sessionId });
  const { coordinatorId } = (held.response.session as { holder: { coordinatorId: string } }).holder;
  expect((await other.ask("typing", { sessionId, typing: true })).status).toBe("ok");
  expect((await watching.ask("typing", { sessionId, typing: true })).response.code).toBe("held_by_other");
  expect((await ion.ask("typing", { sessionId, typing: true })).response.code).toBe("session_not_found");
  expect(await heard(ana, tab, ion, watching, other)).toEqual([
    ["coordinator types"],
    ["coordinator types"],
    [],
    ["user types", "coordinator types"],
    [],
  ]);
  expect(watching.heard("typing").at(-1)).toEqual({ sessionId, from: "coordinator", typing: true, coordinatorId });
  expect(JSON.stringify([ana.frames, tab.frames])).not.toContain(coordinatorId);
  clock.advance(3000);
  other.client.close();
  expect(await tab.hears("typing", ({ typing }) => typing === false)).toEqual({
    ...{ sessionId, from: "coordinator", typing: false },
  });
  clock.advance(3000);
  expect(await watching.hears("typing", ({ from, typing }) => from === "user" && typing === false)).toBeDefined();
});

test("[M61] an agent that takes its time types until its outcome; one that does not, never", async () => {
  const [ana, ion, watching, other] = [
    await seat({ userId: "ana" }),
    await seat({ userId: "ion" }),
    await seat({}),
    await seat({}),
  ];
  const { sessionId } = await ana.says("quick");
  (await agent.call("quick")).answer();
  await ana.hears("new_message");
  await watching.ask("watch", { sessionId });
  await ana.says("slow");
  const call = await agent.call("slow");
  clock.advance(149);
  expect(await heard(ana)).toEqual([[]]);
  clock.advance(1);
  expect(await heard(ana, watching)).toEqual([["agent types"], ["agent types"]]);
  clock.advance(4000);
  call.answer();
  await ana.hears("new_message", ({ message }) => message === "answer to slow");
  const events = ana.frames.map(([event]) => event);
  expect(events.lastIndexOf("typing")).toBeLessThan(events.lastIndexOf("new_message"));
  clock.advance(10_000);
  const all = ["agent types", "agent types", "agent is done"];
  expect(await heard(ana, watching, ion, other)).toEqual([all, all, [], []]);
});

test("[M30] [M61] an agent that was at work when a human took over types no more", async () => {
  const [ana, console] = [await seat({ userId: "ana" }), await seat({})];
  const { sessionId } = await ana.says("slow");
  const call = await agent.call("slow");
  clock.advance(150);
  await console.ask("take_over", { sessionId });
  clock.advance(5000);
  call.answer();
  await console.hears("draft");
  expect(await heard(ana)).toEqual([["agent types", "agent is done"]]);
});
