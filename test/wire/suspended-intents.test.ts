import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { AgentTurn } from "../../server/messaging/agent.js";
import type { Intent } from "../../server/messaging/model.js";
import { FakeClock } from "../support/fake-clock.js";
import { type Fields, Seat } from "../support/seat.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const topic = "messages:B1";
const minuteMs = 60_000;

let agent: ScriptedAgent;
let clock: FakeClock;
let app: TestApp;
let ana: Seat;
let console: Seat;
let stranger: Seat;
let seats: Seat[];

beforeEach(async () => {
  agent = new ScriptedAgent();
  clock = new FakeClock();
  app = await startTestApp({ IDLE_TIMEOUT_MS: "0" }, { agents: { echo: agent }, clock });
  seats = [];
  [ana, console, stranger] = [await taken({ userId: "ana" }), await taken({}), await taken({ userId: "ion" })];
});

afterEach(async () => {
  await stranger.client.heartbeat();
  expect(stranger.frames).toEqual([]);
  for (const { client } of seats) client.close();
  await app.dispose();
});

async function taken(payload: Fields): Promise<Seat> {
  const seat = await Seat.take(app, payload, { on: topic });
  seats.push(seat);
  return seat;
}

/** One turn of ana's. @returns what the agent was given */
async function talk(text: string, intentOf: (turn: AgentTurn) => Intent | undefined = () => undefined) {
  const { messageId, sessionId } = await ana.says(text);
  const call = await agent.call(text);
  const intent = intentOf(call.turn);
  call.say({ type: "answer", message: text, ...(intent === undefined ? {} : { intent }) });
  await ana.hears("new_message", ({ inReplyTo }) => inReplyTo === messageId);
  return { turn: call.turn, sessionId };
}

function booking({ businessId, userId, sessionId }: AgentTurn): Intent {
  const at = new Date(clock.now()).toISOString();
  const state = { status: "active", parameters: { day: "Friday" }, missing: ["hour"] } as const;
  return { intentId: "i1", businessId, userId, sessionId, name: "booking", ...state, createdAt: at, updatedAt: at };
}

const resumed = ({ suspended }: AgentTurn): Intent => ({ ...suspended!, status: "active" });

/** What was told of intents, to ana; to the console it is the same. */
async function told(): Promise<[unknown, unknown][]> {
  for (const { client } of [ana, console]) await client.heartbeat();
  expect(console.heard("intent_updated")).toEqual(ana.heard("intent_updated"));
  return ana.heard("intent_updated").map(({ sessionId, status }) => [sessionId, status]);
}

describe("[M69] an intent of a session that ends is told as abandoned, after the session, and [M68] goes on in the next", () => {
  test.each<[string, (sessionId: string) => Promise<unknown>]>([
    ["its user closes it", (sessionId) => ana.ask("close", { sessionId })],
    ["its user says /new", () => ana.says("/new")],
    ["a coordinator resolves it", (sessionId) => console.ask("resolve", { sessionId })],
  ])("%s", async (_how, end) => {
    const { sessionId } = await talk("book me in", booking);
    await end(sessionId);
    await ana.hears("intent_updated", ({ status }) => status === "abandoned");
    await console.hears("intent_updated", ({ status }) => status === "abandoned");
    const ends = ana.frames.map(([event]) => event).filter((event) => event.endsWith("_updated"));
    expect(ends).toEqual(["intent_updated", "session_updated", "intent_updated"]);
    expect((await taken({ userId: "ana" })).joined.intent).toBeNull();
    const next = await talk("on Friday", resumed);
    expect(next.sessionId).not.toBe(sessionId);
    const { turn } = next;
    expect([turn.intent, turn.suspended]).toMatchObject([null, { intentId: "i1", status: "abandoned", sessionId }]);
    expect(await told()).toEqual([
      [sessionId, "active"],
      [sessionId, "abandoned"],
      [next.sessionId, "active"],
    ]);
    expect((await talk("at ten")).turn).toMatchObject({ intent: { intentId: "i1" }, suspended: null });
  });
});

test("[M69] over its time it goes on for nobody, though nobody has written that; whoever comes first writes and tells it", async () => {
  const { sessionId } = await talk("book me in", booking);
  // No timer notices.
  clock.jumpTo(clock.now() + 30 * minuteMs - 1);
  expect((await taken({ userId: "ana" })).joined.intent).toMatchObject({ intentId: "i1" });
  clock.jumpTo(clock.now() + 1);
  expect((await taken({ userId: "ana" })).joined.intent).toBeNull();
  expect((await app.store.readHead(sessionId))?.intent).toMatchObject({ status: "active" });
  expect(await told()).toEqual([[sessionId, "active"]]);
  const { turn } = await talk("and now?");
  expect([turn.intent, turn.suspended]).toMatchObject([null, { intentId: "i1", status: "abandoned" }]);
  expect(await told()).toEqual([
    [sessionId, "active"],
    [sessionId, "abandoned"],
  ]);
});

test("[M68] what was opened again has nothing to go on with that its successor took over", async () => {
  const { sessionId } = await talk("book me in", booking);
  await ana.ask("close", { sessionId });
  await talk("on Friday", resumed);
  await talk("at ten", ({ intent }) => ({ ...intent!, status: "completed" }));
  expect((await console.ask("reopen", { sessionId })).status).toBe("ok");
  const payload = { businessId: "B1", userId: "ana", locationId: "default", message: "again", sessionId };
  expect((await ana.ask("new_message", payload)).response).toMatchObject({ sessionId });
  const call = await agent.call("again");
  expect([call.turn.intent, call.turn.suspended]).toEqual([null, null]);
  call.answer("well");
});

test("[M68] what an agent forgets is given to it no more, and nobody is told", async () => {
  const { sessionId } = await talk("book me in", booking);
  clock.jumpTo(clock.now() + 30 * minuteMs);
  const { turn } = await talk("leave it", ({ suspended }) => suspended!);
  expect(turn.suspended).not.toBeNull();
  expect((await talk("hello")).turn).toMatchObject({ intent: null, suspended: null });
  expect(await told()).toEqual([
    [sessionId, "active"],
    [sessionId, "abandoned"],
  ]);
});

test("[M60] an intent names the window in which it goes on, whatever an agent says; its agent knows that window", async () => {
  const payload = { businessId: "B1", userId: "ana", locationId: "default", chatId: "window 1", message: "book me in" };
  await ana.ask("new_message", payload);
  const call = await agent.call("book me in");
  expect(call.turn.chatId).toBe("window 1");
  call.say({ type: "answer", message: "when?", intent: { ...booking(call.turn), chatId: "of ion" } });
  expect(await ana.hears("intent_updated")).toMatchObject({ intentId: "i1", chatId: "window 1" });
  await console.hears("intent_updated");
});
