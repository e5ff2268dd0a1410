import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { AgentTurn } from "../../server/messaging/agent.js";
import type { Intent } from "../../server/messaging/model.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const topic = "messages:B1";

let agent: ScriptedAgent;
let app: TestApp;
let seats: Seat[];

beforeEach(async () => {
  agent = new ScriptedAgent();
  app = await startTestApp({}, { agents: { echo: agent } });
  seats = [];
  for (const payload of [{ userId: "ana" }, { userId: "ana" }, {}, { userId: "ion" }])
    seats.push(await Seat.take(app, payload, { on: topic }));
});

afterEach(async () => {
  for (const { client } of seats) client.close();
  await app.dispose();
});

test("[M60] what an outcome makes of an intent is told to all the user's sockets and to coordinators, behind the outcome", async () => {
  const [ana, tab, console, ion] = seats as [Seat, Seat, Seat, Seat];
  const [parameters, more] = [{ service: "cleaning" }, { service: "cleaning", day: "2026-03-05" }];
  const booking = await outcome("book me in", { name: "booking", parameters, missing: ["day"] });
  await outcome("on Thursday", { ...booking, parameters: more, missing: [], status: "completed" });
  await outcome("how much is it?", undefined);
  await outcome("move it", { name: "moving" });
  await outcome("no, cancel it", { name: "cancelling" });
  await outcome("leave it", null);
  for (const each of seats) await each.client.heartbeat();
  const seen = console.heard("intent_updated");
  expect(seen.map(({ name, status }) => [name, status])).toEqual([
    ["booking", "active"],
    ["booking", "completed"],
    ["moving", "active"],
    ["moving", "abandoned"],
    ["cancelling", "active"],
    ["cancelling", "abandoned"],
  ]);
  const { sessionId } = ana.heard("new_message")[0]!;
  const own = {
    businessId: "B1",
    userId: "ana",
    sessionId,
    createdAt: booking.createdAt,
    updatedAt: booking.updatedAt,
  };
  expect(seen.slice(0, 2)).toEqual([
    { ...own, intentId: "of booking", name: "booking", status: "active", parameters, missing: ["day"] },
    { ...own, intentId: "of booking", name: "booking", status: "completed", parameters: more, missing: [] },
  ]);
  for (const each of [ana, tab]) {
    expect(each.heard("intent_updated")).toEqual(seen);
    const events = each.frames.map(([event]) => event).filter((event) => /new_message|intent/.test(event));
    expect(events.slice(0, 3)).toEqual(["new_message", "intent_updated", "new_message"]);
  }
  expect(ion.frames).toEqual([]);
  const again = await Seat.take(app, { userId: "ana" }, { on: topic });
  seats.push(again);
  expect(again.joined.intent).toBeNull();
});

/** One turn of ana's. What the agent says of whose intent it is does not count. */
async function outcome(text: string, intent: (Partial<Intent> & { name: string }) | null | undefined): Promise<Intent> {
  const [ana] = seats as [Seat];
  const { messageId } = await ana.says(text);
  const call = await agent.call(text);
  const said = intent == null ? intent : intentOf(call.turn, intent);
  call.say({ type: "answer", message: text, ...(said === undefined ? {} : { intent: said }) });
  await ana.hears("new_message", ({ inReplyTo }) => inReplyTo === messageId);
  return said as Intent;
}

function intentOf({ deadline }: AgentTurn, intent: Partial<Intent> & { name: string }): Intent {
  const at = new Date(deadline).toISOString();
  return {
    ...{ intentId: `of ${intent.name}`, businessId: "B2", userId: "ion", sessionId: "s0", status: "active" },
    ...{ parameters: {}, missing: [], createdAt: at, updatedAt: at },
    ...intent,
  };
}
