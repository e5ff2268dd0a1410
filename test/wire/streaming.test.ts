import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { failureText } from "../../server/messaging/texts.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { type Frame, WireClient } from "../support/wire.js";

const businessId = "B0100001";
const topic = `messages:${businessId}`;

let agent: ScriptedAgent;
let app: TestApp;
let clients: WireClient[];

beforeEach(async () => {
  agent = new ScriptedAgent();
  clients = [];
  app = await startTestApp({}, { agents: { echo: agent } });
});

afterEach(async () => {
  for (const client of clients) client.close();
  await app.dispose();
});

describe("[M40] [M41] an answer in the making", () => {
  test("thinking, deltas and components reach all the user's sockets, then the answer; nobody else hears them", async () => {
    const [ana, tab, ion, console] = [
      await joined("ana"),
      await joined("ana"),
      await joined("ion"),
      await joined(null),
    ];
    const { response } = await ana.say("hello");
    const call = await agent.call("hello");
    call.say({ type: "thinking", step: "retrieval", label: "Looking it up", status: "started" });
    const thought = await ana.client.next(([, , , event, { step }]) => event === "thinking" && step === "retrieval");
    call.say({ type: "delta", text: "Good " }, { type: "delta", text: "morning" });
    call.say({ type: "component", kind: "choices", title: "Which?", choices: [{ value: "1", label: "One" }] });
    await ana.client.event("component");
    call.answer("Good morning");
    const answer = await ana.client.event("new_message");
    await tab.client.event("new_message");
    const ids = { sessionId: response.sessionId, messageId: response.messageId };
    expect(thought[4]).toEqual({
      ...ids,
      step: "retrieval",
      label: "Looking it up",
      status: "started",
      timestamp: expect.any(String) as unknown,
    });
    const { responseId } = answer[4];
    for (const one of [ana, tab]) {
      const deltas = one.eventsOf("message_delta").map(([, , , , payload]) => payload);
      expect(deltas[0]).toEqual({ ...ids, responseId, at: 0, text: "Good " });
      expect(one.eventsOf("component").map(([, , , , payload]) => payload)).toEqual([
        {
          ...ids,
          responseId,
          componentId: expect.any(String) as unknown,
          kind: "choices",
          title: "Which?",
          choices: [{ value: "1", label: "One" }],
        },
      ]);
      expect(one.events.indexOf("message_accepted")).toBeLessThan(one.events.indexOf("message_delta"));
      expect(one.events.lastIndexOf("message_delta")).toBeLessThan(one.events.indexOf("new_message"));
    }
    for (const one of [ion, console]) {
      await one.client.heartbeat();
      for (const event of ["thinking", "message_delta", "component"]) expect(one.events).not.toContain(event);
    }
  });

  test("a page that is refreshed finds the text so far in the reply, and what follows joins without a gap", async () => {
    const ana = await joined("ana");
    const { response } = await ana.say("hello");
    const call = await agent.call("hello");
    call.say({ type: "delta", text: "Good " });
    await ana.client.event("message_delta");
    const again = await joined("ana");
    const [running] = again.reply.running as { text: string; at: number; responseId: string; messageId: string }[];
    expect(running).toMatchObject({ messageId: response.messageId, text: "Good ", at: 5 });
    call.say({ type: "delta", text: "morning, " }, { type: "delta", text: "Ana" });
    call.answer("Good morning, Ana");
    const [, , , , answer] = await again.client.event("new_message");
    let text = running!.text;
    for (const [, , , , delta] of again.eventsOf("message_delta")) {
      expect([delta.at, delta.responseId]).toEqual([text.length, running!.responseId]);
      text += delta.text as string;
    }
    expect([answer.responseId, (answer.message as string).startsWith(text)]).toEqual([running!.responseId, true]);
    expect((await joined("ana")).reply.running).toEqual([]);
  });
});

test("[M37] [M41] a coordinator who watches a session sees its answers in the making, until they look away", async () => {
  const [ana, ion, watching, other] = [
    await joined("ana"),
    await joined("ion"),
    await joined(null),
    await joined(null),
  ];
  const { response } = await ana.say("hello");
  const { sessionId } = response;
  expect((await watching.push("watch", { sessionId })).status).toBe("ok");
  (await agent.call("hello")).say({ type: "delta", text: "Good morning" });
  expect((await watching.client.event("message_delta"))[4]).toMatchObject({ sessionId, at: 0, text: "Good morning" });
  await ion.say("me too");
  (await agent.call("me too")).say({ type: "delta", text: "for Ion" });
  await ion.client.event("message_delta");
  expect((await watching.push("unwatch", { sessionId })).status).toBe("ok");
  (await agent.call("hello")).say({ type: "delta", text: ", Ana" });
  await ana.client.next(([, , , event, { text }]) => event === "message_delta" && text === ", Ana");
  for (const one of [watching, other]) await one.client.heartbeat();
  expect([watching.eventsOf("message_delta").length, other.eventsOf("message_delta").length]).toEqual([1, 0]);
});

describe("[M42] cancel", () => {
  test("stops the running answer: the agent is told, the turn ends as system, and the next one is answered", async () => {
    const ana = await joined("ana");
    const { response } = await ana.say("hello");
    const call = await agent.call("hello");
    expect(await ana.push("cancel", { messageId: response.messageId })).toEqual({
      status: "ok",
      response: { messageId: response.messageId },
    });
    const [, , , , outcome] = await ana.client.event("new_message");
    expect(outcome).toMatchObject({
      from: "system",
      inReplyTo: response.messageId,
      message: failureText("ro", "cancelled"),
    });
    expect((await ana.client.event("error"))[4]).toMatchObject({ code: "cancelled", messageId: response.messageId });
    expect(call.signal.aborted).toBe(true);
    call.answer("too late");
    await ana.say("and now?");
    (await agent.call("and now?")).answer("yes");
    await ana.client.next(([, , , event, { message }]) => event === "new_message" && message === "yes");
    expect(ana.eventsOf("new_message")).toHaveLength(2);
  });

  test("of what is answered, of somebody else's, and of nothing is not_found, and changes nothing", async () => {
    const [ana, ion, console] = [await joined("ana"), await joined("ion"), await joined(null)];
    const { response } = await ana.say("hello");
    const call = await agent.call("hello");
    const { messageId } = response;
    expect((await ion.push("cancel", { messageId })).response.code).toBe("not_found");
    expect((await console.push("cancel", { messageId })).response.code).toBe("forbidden");
    for (const payload of [{}, { messageId: "" }, null]) {
      expect((await ana.push("cancel", payload)).response.code).toBe("missing_parameters");
    }
    expect((await ana.push("cancel", { messageId: 5 })).response.code).toBe("invalid_payload");
    call.answer("an answer");
    await ana.client.event("new_message");
    expect((await ana.push("cancel", { messageId })).response.code).toBe("not_found");
  });
});

describe("[M43] commands", () => {
  test("are answered without the agent, stored once, and told like any answer", async () => {
    const [ana, console] = [await joined("ana"), await joined(null)];
    const { response } = await ana.say("/help");
    const [, , , , answer] = await ana.client.event("new_message");
    expect(answer).toMatchObject({ from: "agent", inReplyTo: response.messageId, offset: 2, isComplete: true });
    expect(answer.message).toContain("/human");
    expect((await console.client.event("message_processed"))[4]).toMatchObject({
      status: "answered",
      answer: answer.message,
    });
    expect(agent.asked).toEqual([]);
    const { items } = await app.store.readMessages(response.sessionId as string, { limit: 10 });
    expect(items.map(({ type, metadata }) => [type, metadata.node])).toEqual([
      ["user", undefined],
      ["agent", "command"],
    ]);
  });

  test("/new: the next message begins a session that knows the one before", async () => {
    const ana = await joined("ana");
    const { response: first } = await ana.say("/new");
    await ana.client.event("new_message");
    const { response: next } = await ana.say("hello");
    expect(next.sessionId).not.toBe(first.sessionId);
    const head = await app.store.readHead(next.sessionId as string);
    expect(head?.session.previousSessionId).toBe(first.sessionId);
    expect((await app.store.readHead(first.sessionId as string))?.session.status).toBe("closed");
    (await agent.call("hello")).answer();
  });

  test("/lang: from then on the server speaks that language to this user, and to nobody else", async () => {
    const [ana, ion] = [await joined("ana"), await joined("ion")];
    for (const one of [ana, ion]) {
      await one.say("/help");
      expect((await one.client.event("new_message"))[4].message).toContain("conversație");
    }
    await ana.say("/lang en");
    expect((await ana.client.event("new_message"))[4].message).toContain("English");
    for (const [one, word] of [
      [ana, "conversation"],
      [ion, "conversație"],
    ] as const) {
      await one.say("/help");
      expect((await one.client.event("new_message"))[4].message).toContain(word);
    }
  });

  test("/human: coordinators see that a human is wanted", async () => {
    const ana = await joined("ana");
    const { response } = await ana.say("/human");
    await ana.client.event("new_message");
    const head = await app.store.readHead(response.sessionId as string);
    expect(head?.session.metadata.context).toEqual({ wantsHuman: true });
  });
});

async function joined(userId: string | null) {
  const client = await WireClient.connect(app.url);
  clients.push(client);
  const { status, response: reply } = await client.call(topic, "phx_join", userId === null ? {} : { userId });
  expect(status).toBe("ok");
  const joinRef = client.frames[0]![0] as string;
  const push = (event: string, payload: unknown) => client.call(topic, event, payload, joinRef);
  return {
    client,
    reply,
    push,
    say: (message: string) => push("new_message", { businessId, userId, locationId: "default", message }),
    eventsOf: (event: string): Frame[] => client.frames.filter((frame) => frame[3] === event),
    get events(): string[] {
      return client.frames.map((frame) => frame[3]);
    },
  };
}
