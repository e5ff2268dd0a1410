import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { AgentComponent } from "../../server/messaging/agent.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { type Fields, Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const topic = "messages:B1";
const visit: AgentComponent = {
  ...{ type: "component", kind: "form", title: "Your visit" },
  fields: [
    { name: "day", label: "Day", type: "date", required: true },
    { name: "people", label: "People", type: "number", required: false },
  ],
};
const which: AgentComponent = {
  ...{ type: "component", kind: "choices", title: "Which?" },
  choices: [{ value: "1", label: "The first" }],
};
const map: AgentComponent = { type: "component", kind: "card", title: "A map" };

let agent: ScriptedAgent;
let app: TestApp;
let seats: Seat[];

beforeEach(async () => {
  agent = new ScriptedAgent();
  app = await startTestApp({ MAX_MESSAGE_BYTES: "100" }, { agents: { echo: agent } });
  seats = [];
});

afterEach(async () => {
  for (const { client } of seats) client.close();
  await app.dispose();
});

async function seat(payload: Fields, on = topic): Promise<Seat> {
  const taken = await Seat.take(app, payload, { on });
  seats.push(taken);
  return taken;
}

/** The agent answers with these. @returns what was stored of it */
async function shown(ana: Seat, text: string, ...components: AgentComponent[]): Promise<ChatMessage> {
  const { messageId, sessionId } = await ana.says(text);
  const call = await agent.call(text);
  call.say(...components);
  call.answer("Here you are");
  const answer = await ana.hears("new_message", ({ inReplyTo }) => inReplyTo === messageId);
  return (await app.store.findMessage(sessionId, String(answer.messageId)))!;
}

const idsOf = ({ data }: ChatMessage) =>
  (data as { components: readonly Fields[] }).components.map(({ componentId }) => String(componentId));

test("[M63] [M64] what an agent shows is stored with its answer, can be filled in after a restart, and is said like any message", async () => {
  const first = await seat({ userId: "ana" });
  const answer = await shown(first, "book me in", visit, which);
  const { sessionId } = answer;
  const pushed = first.heard("component").map((event) => ({ ...event, responseId: undefined }));
  const { data, metadata } = answer;
  const ids = idsOf(answer);
  expect(data).toEqual({
    components: [
      { componentId: ids[0], kind: "form", title: "Your visit", fields: visit.fields },
      { componentId: ids[1], kind: "choices", title: "Which?", choices: which.choices },
    ],
  });
  expect(pushed).toEqual(
    (data as { components: Fields[] }).components.map((component) => ({
      ...component,
      ...{ sessionId, messageId: metadata.inReplyTo, responseId: undefined },
    })),
  );
  const message = "Here you are\n\nYour visit\n- Day\n- People\n\nWhich?\n- The first";
  expect(first.heard("new_message")).toMatchObject([{ message }]);
  first.client.close();
  await app.stop();
  app = await startTestApp({ MAX_MESSAGE_BYTES: "100", DATA_DIR: app.dataDir }, { agents: { echo: agent } });
  const [ana, tab, console] = [await seat({ userId: "ana" }), await seat({ userId: "ana" }), await seat({})];
  const found = await Seat.take(app, { userId: "ana", resume: { sessionId, offset: 0 } }, { on: topic });
  seats.push(found);
  expect((found.joined.messages as ChatMessage[])[1]).toEqual(answer);
  const payload = { componentId: ids[0], values: { day: "2026-03-05", people: "2" }, clientMessageId: "c1" };
  const { status, response } = await ana.ask("component_submit", payload);
  expect([status, response]).toEqual([
    "ok",
    { messageId: expect.any(String), sessionId, offset: 3, timestamp: expect.any(String) },
  ]);
  const text = "Day: 2026-03-05\nPeople: 2";
  for (const each of [ana, tab, console]) {
    expect(await each.hears("message_accepted")).toEqual({
      ...response,
      ...{ message: text, clientMessageId: "c1", userId: "ana", locationId: "default" },
    });
  }
  const call = await agent.call(text);
  const values = { day: "2026-03-05", people: 2 };
  expect(call.turn).toMatchObject({ message: text, data: { componentId: ids[0], values } });
  expect(await app.store.findMessage(sessionId, String(response.messageId))).toMatchObject({
    ...{ type: "user", content: text, data: { componentId: ids[0], values } },
  });
  call.answer("See you");
  expect(await tab.hears("new_message")).toMatchObject({
    message: "See you",
    inReplyTo: response.messageId,
    offset: 4,
  });
  const again = await tab.ask("component_submit", payload);
  expect(again.response).toEqual({ ...response, duplicate: true });
  const other = await tab.ask("component_submit", { ...payload, values: { day: "2026-03-06", people: 2 } });
  expect(other.response.code).toBe("idempotency_mismatch");
  const chosen = await tab.ask("component_submit", { componentId: ids[1], values: { choice: "1" } });
  expect(chosen.response).toMatchObject({ sessionId, offset: 5 });
  const said = await agent.call("The first");
  expect(said.turn.data).toEqual({ componentId: ids[1], values: { choice: "1" } });
  said.answer();
  await tab.hears("new_message", ({ offset }) => offset === 6);
});

test("[M64] what cannot be used is told field by field, and nothing is stored", async () => {
  const ana = await seat({ userId: "ana" });
  const answer = await shown(ana, "book me in", visit);
  const [componentId] = idsOf(answer);
  const values = { people: "many", evil: 1 };
  const { status, response } = await ana.ask("component_submit", { componentId, values, clientMessageId: "c1" });
  expect([status, response]).toMatchObject([
    "error",
    {
      ...{ code: "invalid_values", reason: "invalid_values", clientMessageId: "c1" },
      fields: [
        { name: "evil", error: "unknown" },
        { name: "day", error: "required" },
        { name: "people", error: "invalid" },
      ],
    },
  ]);
  expect(await ana.hears("error")).toMatchObject({ code: "invalid_values", fields: response.fields });
  const refusals: [unknown, string, string][] = [
    [{}, "missing_parameters", "Missing required parameters: componentId, values"],
    [{ componentId }, "missing_parameters", "Missing required parameters: values"],
    [{ componentId: 5, values: {} }, "invalid_payload", "componentId is not an id"],
    [{ componentId, values: [] }, "invalid_payload", "values is not an object"],
    [
      { componentId, values: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`v${n}`, 1])) },
      "invalid_payload",
      "values has more than 64 names",
    ],
    [
      { componentId, values: {}, clientMessageId: "" },
      "invalid_payload",
      "clientMessageId is not a string of 1 to 128 bytes",
    ],
  ];
  for (const [payload, code, error] of refusals)
    expect((await ana.ask("component_submit", payload as Fields)).response).toMatchObject({ code, error });
  expect((await app.store.readHead(answer.sessionId))?.session.offset).toBe(2);
});

test("[L10] [M64] a text that would be too long for a message is too long here, too", async () => {
  const ana = await seat({ userId: "ana" });
  const fields = [{ name: "it", label: "It", type: "text", required: true }] as const;
  const [componentId] = idsOf(await shown(ana, "tell me", { type: "component", kind: "form", title: "It", fields }));
  const submit = async (it: string) => (await ana.ask("component_submit", { componentId, values: { it } })).response;
  expect(await submit("x".repeat(97))).toMatchObject({ code: "message_too_long" });
  expect(await submit("x".repeat(96))).toMatchObject({ offset: 3 });
  (await agent.call(`It: ${"x".repeat(96)}`)).answer();
});

test("[M6] [M64] values that read the same are not the same", async () => {
  const ana = await seat({ userId: "ana" });
  const ids = idsOf(await shown(ana, "book me in", visit, visit));
  const [one, other] = await Promise.all(
    ids.map((componentId) =>
      ana.ask("component_submit", { componentId, values: { day: "2026-03-05" }, clientMessageId: "c1" }),
    ),
  );
  expect([one!.status, other!.response.code]).toEqual(["ok", "idempotency_mismatch"]);
  (await agent.call("Day: 2026-03-05")).answer();
});

test("[X7] [M64] somebody else's, what was never stored, a card and what is no id are all the same", async () => {
  const ana = await seat({ userId: "ana" });
  const answer = await shown(ana, "book me in", visit, map);
  const [form, card] = idsOf(answer);
  const { messageId, sessionId } = await ana.says("and now?");
  const failing = await agent.call("and now?");
  failing.say(visit);
  const { componentId: lost } = await ana.hears("component", (payload) => payload.messageId === messageId);
  failing.say("end");
  await ana.hears("new_message", ({ from }) => from === "system");
  const values = { day: "2026-03-05" };
  const [bob, elsewhere, console] = [
    await seat({ userId: "bob" }),
    await seat({ userId: "ana" }, "messages:B2"),
    await seat({}),
  ];
  const none = await ana.ask("component_submit", { componentId: "nothing", values });
  expect(none.response.code).toBe("not_found");
  const asked: [Seat, unknown][] = [
    ...[card, lost, `${sessionId}~${messageId}~0`, `${form}0`].map((id): [Seat, unknown] => [ana, id]),
    ...[bob, elsewhere].map((each): [Seat, unknown] => [each, form]),
  ];
  for (const [each, componentId] of asked)
    expect((await each.ask("component_submit", { componentId, values })).response).toEqual(none.response);
  expect((await console.ask("component_submit", { componentId: form, values })).response.code).toBe("forbidden");
  expect((await app.store.readHead(sessionId))?.session.offset).toBe(4);
  expect((await ana.ask("component_submit", { componentId: form, values })).status).toBe("ok");
  (await agent.call("Day: 2026-03-05")).answer();
});

test("[M3] [M38] [M64] it goes the way of a message: into a new session when that is over, and not at all from who is blocked", async () => {
  const [ana, console] = [await seat({ userId: "ana" }), await seat({})];
  const answer = await shown(ana, "book me in", visit);
  const [componentId] = idsOf(answer);
  const { sessionId } = answer;
  await ana.ask("close", { sessionId });
  const payload = { componentId, values: { day: "2026-03-05" } };
  const { response } = await ana.ask("component_submit", payload);
  expect((await app.store.readHead(String(response.sessionId)))?.session.previousSessionId).toBe(sessionId);
  (await agent.call("Day: 2026-03-05")).answer();
  await ana.hears("new_message", ({ inReplyTo }) => inReplyTo === response.messageId);
  await console.ask("block", { sessionId: response.sessionId });
  expect((await ana.ask("component_submit", payload)).response.code).toBe("blocked");
});
