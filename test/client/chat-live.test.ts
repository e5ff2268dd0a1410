import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Chat, SessionUpdate } from "bennu/client";
import { withoutQuestions } from "bennu/client";
import type { AgentComponent } from "../../server/messaging/agent.js";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import { Telemetry } from "../../server/telemetry.js";
import { ClientSeats } from "../support/client-seats.js";
import { FakeClock } from "../support/fake-clock.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { showingAgent } from "../support/showing-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

const visit: AgentComponent = {
  ...{ type: "component", kind: "form", title: "Your visit" },
  fields: [
    { name: "day", label: "Day", type: "date", required: true },
    { name: "people", label: "People", type: "number", required: false },
  ],
};

let app: TestApp;
let agent: ScriptedAgent;
let seats: ClientSeats;

beforeEach(async () => {
  agent = new ScriptedAgent();
  app = await startTestApp({}, { agents: { echo: agent } });
  seats = new ClientSeats("B1", () => app.url);
});

afterEach(async () => {
  await seats.leaveAll();
  await app.dispose();
});

const running = (chat: Chat) => until("an answer in the making", () => chat.view.running[0]);
const stored = (chat: Chat, count: number) =>
  until(`${count} messages`, () => chat.messages.filter(({ state }) => state === "stored").length === count);

describe("[M40] [M41] an answer in the making", () => {
  test("steps, then the text as it grows, then the answer, with what was shown on the way", async () => {
    const chat = await seats.online();
    const { messageId } = await chat.send("hello");
    const call = await agent.call("hello");
    call.say({ type: "thinking", step: "retrieval", label: "Looking it up", status: "started" });
    await until("the step", () => chat.view.running[0]?.steps.find(({ step }) => step === "retrieval"));
    expect(chat.view.running).toMatchObject([{ messageId, text: "", responseId: null }]);
    call.say({ type: "delta", text: "Good " });
    await until("the first delta", () => chat.view.running[0]?.text === "Good ");
    call.say({ type: "delta", text: "morning" }, visit);
    await until("the text", () => chat.view.running[0]?.text === "Good morning");
    await until("the form", () => chat.view.running[0]?.components.length === 1);
    expect(chat.view.running).toMatchObject([{ messageId, hasGap: false }]);
    call.answer("Good morning");
    await stored(chat, 2);
    const [, answer] = chat.messages;
    expect(chat.view.running).toEqual([]);
    expect(answer).toMatchObject({ from: "agent", components: [{ kind: "form", title: "Your visit" }] });
    expect(withoutQuestions(answer!.content, answer!.components)).toBe("Good morning");
  });

  test("a page that is shown anew in the middle goes on where it was, and so does one whose line broke", async () => {
    const before = await seats.online();
    await before.send("hello");
    const call = await agent.call("hello");
    call.say({ type: "delta", text: "Good " });
    await until("the first delta", () => before.view.running[0]?.text === "Good ");
    const fresh = await seats.online();
    expect(await running(fresh)).toMatchObject({ text: "Good " });
    before.sleep();
    call.say({ type: "delta", text: "morning" });
    await until("the second delta", () => fresh.view.running[0]?.text === "Good morning");
    before.connect();
    await until("it is there again", () => before.view.running[0]?.text === "Good morning");
    call.say({ type: "delta", text: ", Ana" });
    for (const chat of [before, fresh])
      await until("the third delta", () => chat.view.running[0]?.text === "Good morning, Ana");
    call.answer("Good morning, Ana");
    for (const chat of [before, fresh]) await until("the end", () => chat.view.running.length === 0);
  });

  test("[M42] cancelling it ends it, and what is not in the making cannot be", async () => {
    const chat = await seats.online();
    const { messageId } = await chat.send("hello");
    (await agent.call("hello")).say({ type: "delta", text: "Good " });
    await running(chat);
    await chat.cancel(messageId);
    await stored(chat, 2);
    expect(chat.messages[1]).toMatchObject({ from: "system", inReplyTo: messageId });
    expect(chat.view.running).toEqual([]);
    await expect(chat.cancel(messageId)).rejects.toMatchObject({ code: "not_found" });
  });

  test("[M39] nothing of it is shown once a human speaks", async () => {
    const [chat, console] = [await seats.online(), await seats.consoleOnline()];
    const updates: SessionUpdate[] = [];
    chat.onSession((update) => updates.push(update));
    const { sessionId } = await chat.send("hello");
    (await agent.call("hello")).say({ type: "delta", text: "Good " });
    await running(chat);
    await console.takeOver(sessionId);
    await until("the takeover", () => chat.view.holder);
    expect(chat.view.running).toEqual([]);
    expect(updates).toMatchObject([
      { sessionId, status: "active", holder: { expiresAt: chat.view.holder?.expiresAt } },
    ]);
    const later = await seats.online();
    expect(later.view.holder).toEqual(chat.view.holder);
    await console.handBack(sessionId);
    await until("the return", () => chat.view.holder === null);
  });
});

describe("[M63] [M64] forms", () => {
  async function asked(): Promise<{ chat: Chat; componentId: string }> {
    const chat = await seats.online();
    void chat.send("book me in");
    const call = await agent.call("book me in");
    call.say(visit);
    call.answer("Here you are");
    await stored(chat, 2);
    return { chat, componentId: chat.messages[1]!.components[0]!.componentId };
  }

  test("what is wrong with a field is said, and filled in again it is stored once, in every window", async () => {
    const { chat, componentId } = await asked();
    const other = await seats.online({ chatId: chat.chatId });
    await expect(chat.submit(componentId, { day: "soon", people: "2" })).rejects.toMatchObject({
      code: "invalid_values",
      fields: [{ name: "day", error: "invalid" }],
    });
    expect(chat.messages).toHaveLength(2);
    const receipt = await chat.submit(componentId, { day: "2026-03-05", people: "2" });
    for (const window of [chat, other]) {
      await stored(window, 3);
      expect(window.messages[2]).toMatchObject({ from: "user", content: "Day: 2026-03-05\nPeople: 2", ...receipt });
    }
  });

  test("one that is filled in without a connection goes out with the next", async () => {
    const { chat, componentId } = await asked();
    await app.stop();
    await until("the loss", () => chat.status.state === "offline");
    const receipt = chat.submit(componentId, { day: "2026-03-05" });
    app = await startTestApp({ DATA_DIR: app.dataDir, PORT: String(app.port) }, { agents: { echo: agent } });
    await expect(receipt).resolves.toMatchObject({ offset: 3 });
    await stored(chat, 3);
    expect(chat.messages[2]?.content).toBe("Day: 2026-03-05");
  });
});

test("[M61] typing is told both ways, and ends with what was typed", async () => {
  const [chat, console] = [await seats.online(), await seats.consoleOnline()];
  const { sessionId } = await chat.send("hello");
  (await agent.call("hello")).answer();
  await stored(chat, 2);
  const typists: unknown[] = [];
  console.on("typing", (of, who) => typists.push([of, who.map(({ from }) => from)]));
  await console.watch(sessionId);
  chat.typing(true);
  await until("the user types", () => typists.length === 1);
  chat.typing(false);
  await until("the user does not", () => typists.length === 2);
  expect(typists).toEqual([[sessionId, ["user"]], [sessionId, []]]); // prettier-ignore
  console.typing(sessionId, true);
  await until("the coordinator types", () => chat.view.typists.length === 1);
  expect(chat.view.typists).toEqual(["coordinator"]);
  await console.reply(sessionId, "Hello, Ana");
  await stored(chat, 3);
  expect(chat.view.typists).toEqual([]);
});

test("[M28] [M29] consoles learn how far the conversation was taken, and read", async () => {
  const [chat, console] = [await seats.online(), await seats.consoleOnline()];
  const receipts: { delivered: number; read: number }[] = [];
  console.on("receipt", (receipt) => receipts.push(receipt));
  await chat.send("hello");
  (await agent.call("hello")).answer();
  await stored(chat, 2);
  await until("it was delivered", () => receipts.find(({ delivered }) => delivered === 2));
  expect(receipts.at(-1)?.read).toBe(0);
  chat.read();
  await until("it was read", () => receipts.find(({ read }) => read === 2));
});

describe("[M40] [M61] what was said is read", () => {
  const readOf = (chat: Chat) => chat.messages.filter(({ isRead }) => isRead).map(({ content }) => content);

  test("once an agent begins to answer it, also for a page that is shown anew in between", async () => {
    const chat = await seats.online();
    await chat.send("hello");
    const call = await agent.call("hello");
    call.say({ type: "delta", text: "Good " });
    await until("it is read", () => readOf(chat).length === 1);
    const fresh = await seats.online();
    expect(fresh.view.running).toHaveLength(1);
    fresh.merge(chat.messages.map(({ isRead: _, ...entry }) => entry));
    expect(readOf(fresh)).toEqual(["hello"]);
    call.answer();
    await stored(chat, 2);
    expect(chat.messages.map(({ isRead }) => isRead)).toEqual([true, undefined]);
  });

  test("by a human when they begin to write, and not because they have it in hand", async () => {
    const [chat, console] = [await seats.online(), await seats.consoleOnline()];
    const { sessionId } = await chat.send("hello");
    (await agent.call("hello")).answer();
    await stored(chat, 2);
    await console.takeOver(sessionId);
    await chat.send("are you there?");
    await chat.send("please");
    expect(readOf(chat)).toEqual(["hello"]);
    console.typing(sessionId, true);
    await until("both are read", () => readOf(chat).length === 3);
    await chat.send("thank you");
    await console.reply(sessionId, "I am");
    await until("all are read", () => readOf(chat).length === 4);
  });
});

test("[M62] an answer is scored, and the last word counts", async () => {
  const [chat, console] = [await seats.online(), await seats.consoleOnline()];
  const heard: unknown[] = [];
  console.on("feedback", (feedback) => heard.push(feedback));
  await chat.send("hello");
  (await agent.call("hello")).answer();
  await stored(chat, 2);
  const { messageId, sessionId } = chat.messages[1]!;
  await chat.feedback(messageId!, 1);
  await chat.feedback(messageId!, -1, "too short");
  await until("both", () => heard.length === 2);
  expect(heard).toMatchObject([{ messageId, score: 1 }, { messageId, sessionId, score: -1, comment: "too short" }]); // prettier-ignore
  await expect(chat.feedback("nothing", 1)).rejects.toMatchObject({ code: "not_found" });
});

test("[M34] a session that is closed is over, and the next word begins another", async () => {
  const chat = await seats.online();
  const updates: SessionUpdate[] = [];
  chat.onSession((update) => updates.push(update));
  const { sessionId } = await chat.send("hello");
  (await agent.call("hello")).answer();
  await stored(chat, 2);
  await chat.close();
  await until("the end", () => updates.length === 1);
  expect(updates).toMatchObject([{ sessionId, status: "closed", holder: null }]);
  const next = await chat.send("again");
  expect(next).toMatchObject({ offset: 1 });
  expect(next.sessionId).not.toBe(sessionId);
  expect(chat.sessionId).toBe(next.sessionId);
});

test("[H23] what was said in a session that is deleted is gone from every window, and the next word begins another", async () => {
  const [chat, other, console] = [await seats.online(), await seats.online(), await seats.consoleOnline()];
  const { sessionId } = await chat.send("hello");
  (await agent.call("hello")).say({ type: "delta", text: "Good " });
  for (const window of [chat, other]) await running(window);
  await console.watch(sessionId);
  const told: unknown[] = [];
  for (const seat of [chat, other]) seat.onSession((update) => told.push(update));
  console.on("session", (update) => told.push(update));
  const asked = await fetch(`${app.url}/api/sessions/${sessionId}`, { method: "DELETE" });
  expect(asked.status).toBe(204);
  await until("all are told", () => told.length === 3);
  const update = expect.objectContaining({ sessionId, deleted: true }) as unknown;
  expect(told).toEqual([update, update, update]);
  for (const { view, sessionId: next } of [chat, other])
    expect([view.messages, view.running, next]).toEqual([[], [], null]);
  const next = await chat.send("again");
  expect(next).toMatchObject({ offset: 1 });
  expect(next.sessionId).not.toBe(sessionId);
  expect(chat.messages[0]).toMatchObject({ content: "again", state: "stored" });
});

test("[M60] the task that is worked on is told, and is there at the next join", async () => {
  await app.dispose();
  app = await startTestApp({}, { agents: { echo: showingAgent("book") } });
  const chat = await seats.online();
  const heard: unknown[] = [];
  chat.onIntent((intent) => heard.push(intent));
  await chat.send("book");
  await until("the task", () => chat.view.intent);
  expect(heard).toEqual([chat.view.intent]);
  expect(chat.view.intent).toMatchObject({ name: "booking", status: "active", userId: "ana" });
  expect((await seats.online()).view.intent).toEqual(chat.view.intent);
});

test("[M26] a chat that sleeps hears nothing, wakes at the next word, and has missed nothing", async () => {
  const [chat, other] = [await seats.online(), await seats.online()];
  const { sessionId } = await chat.send("hello");
  (await agent.call("hello")).answer();
  for (const window of [chat, other]) await stored(window, 2);
  chat.sleep();
  expect(chat.status.state).toBe("asleep");
  const console = await seats.consoleOnline();
  await console.reply(sessionId, "Are you there?");
  await stored(other, 3);
  expect([chat.status.state, chat.messages.length]).toEqual(["asleep", 2]);
  const receipt = await chat.send("Yes");
  expect(receipt).toMatchObject({ sessionId, offset: 4 });
  expect(chat.messages.map(({ offset }) => offset)).toEqual([1, 2, 3, 4]);
  expect(chat.status).toMatchObject({ state: "online", recovered: true, first: false });
});

test("[L15] who writes too fast is not told so: it goes through a moment later, in its order", async () => {
  await app.dispose();
  const clock = new FakeClock();
  const telemetry = new Telemetry<DeskEvents>(() => undefined);
  app = await startTestApp(
    { MESSAGES_PER_SECOND_PER_SOCKET: "1", MESSAGES_BURST_PER_SOCKET: "1", IDLE_TIMEOUT_MS: "0" },
    { clock, telemetry },
  );
  const refused: string[] = [];
  telemetry.attach("message.refused", ({ code }) => {
    refused.push(code);
    // By the time it is tried again, which is real, a second has passed for the server too.
    clock.advance(1000);
  });
  const chat = await seats.online();
  const texts = ["a", "b", "c"];
  const receipts = await Promise.all(texts.map((text) => chat.send(text)));
  expect(refused).toEqual(["rate_limited", "rate_limited"]);
  expect(receipts.map(({ offset }) => chat.messages.find((entry) => entry.offset === offset)?.content)).toEqual(texts);
});

test("nothing is asked without a connection, and what was asked as it broke is not taken for done", async () => {
  const chat = await seats.online();
  const { sessionId } = await chat.send("hello");
  const console = await seats.consoleOnline();
  const taken = console.takeOver(sessionId);
  const left = console.leave();
  await expect(taken).rejects.toMatchObject({ code: "undelivered" });
  await left;
  await expect(console.takeOver(sessionId)).rejects.toMatchObject({ code: "offline" });
  (await agent.call("hello")).answer();
});

test("the view is the same object until something changes", async () => {
  const chat = await seats.online();
  let changes = 0;
  const unsubscribe = chat.onChange(() => (changes += 1));
  const { view } = chat;
  expect(chat.view).toBe(view);
  const sent = chat.send("hello");
  expect(changes).toBeGreaterThan(0);
  expect(chat.view).not.toBe(view);
  expect(view.messages).toEqual([]);
  expect(chat.view.messages).toMatchObject([{ content: "hello", state: "sending" }]);
  await sent;
  (await agent.call("hello")).answer();
  await stored(chat, 2);
  unsubscribe();
  const before = changes;
  chat.sleep();
  expect(changes).toBe(before);
});
