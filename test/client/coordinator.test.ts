import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { ConsoleEvents, Coordinator, ProcessedTurn } from "bennu/client";
import { ClientSeats } from "../support/client-seats.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

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

/** What a console hears of one kind from now on. */
function heardOf<Event extends keyof ConsoleEvents>(console: Coordinator, event: Event): ConsoleEvents[Event][] {
  const heard: ConsoleEvents[Event][] = [];
  console.on(event, (...told) => heard.push(told));
  return heard;
}

async function answered(text: string, userId = "ana"): Promise<{ readonly sessionId: string }> {
  const chat = await seats.online({ userId });
  const receipt = await chat.send(text);
  (await agent.call(text)).answer();
  await until("the answer", () => chat.messages.find(({ inReplyTo }) => inReplyTo === receipt.messageId));
  return receipt;
}

describe("[M17] outcomes", () => {
  test("each is told once, in every console, and a refused or strange one never", async () => {
    const consoles = [await seats.consoleOnline(), await seats.consoleOnline()];
    const heard = consoles.map((console) => heardOf(console, "processed"));
    const accepted = heardOf(consoles[0]!, "accepted");
    const { sessionId } = await answered("hello");
    await answered("again");
    for (const of of heard) {
      await until("both", () => of.length === 2);
      expect(of.map(([turn]) => turn)).toMatchObject([
        { sessionId, userId: "ana", message: "hello", answer: "answer to hello", status: "answered" },
        { sessionId, message: "again", answer: "answer to again" },
      ]);
    }
    expect(accepted).toMatchObject([[{ message: "hello", sessionId, offset: 1 }], [{ message: "again", offset: 3 }]]);
  });

  test("[M12] what was missed is told at the return, once, and never what was told before", async () => {
    const console = await seats.consoleOnline();
    const heard = heardOf(console, "processed");
    await answered("before");
    await until("the first", () => heard.length === 1);
    const statuses = heardOf(console, "status");
    await app.stop();
    await until("the loss", () => console.status.state === "offline");
    const place = { DATA_DIR: app.dataDir, PORT: String(app.port) };
    // Of another port, so that the console stays away while it happens.
    app = await startTestApp({ ...place, PORT: "0" }, { agents: { echo: agent } });
    await answered("meanwhile");
    await seats.leaveAllBut(console);
    await app.stop();
    app = await startTestApp(place, { agents: { echo: agent } });
    await until("what was missed", () => heard.length === 2);
    await answered("after");
    await until("the last", () => heard.length === 3);
    expect(heard.map(([{ message }]) => message)).toEqual(["before", "meanwhile", "after"]);
    expect(statuses.map(([{ state }]) => state)).toEqual(["offline", "online"]);
  });

  test("[M12] another console goes on from a cursor", async () => {
    const first = await seats.consoleOnline();
    const { cursor } = first;
    await answered("hello");
    const second = seats.console({ cursor: cursor! });
    const heard: ProcessedTurn[] = [];
    second.on("processed", (turn) => heard.push(turn));
    second.connect();
    await until("what was missed", () => heard.length === 1);
    await until("the cursor moves on", () => second.cursor === heard[0]!.cursor);
  });
});

describe("[M30] commands", () => {
  test("a session is taken over, answered, handed back, resolved and opened again; the user hears it", async () => {
    const [chat, console, colleague] = [await seats.online(), await seats.consoleOnline(), await seats.consoleOnline()];
    const [sessions, drafts] = [heardOf(colleague, "session"), heardOf(colleague, "draft")];
    const { sessionId } = await chat.send("hello");
    const call = await agent.call("hello");
    const taken = await console.takeOver(sessionId);
    expect(taken).toMatchObject({ sessionId, userId: "ana", status: "active", holder: {} });
    await expect(colleague.takeOver(sessionId)).rejects.toMatchObject({ code: "held_by_other", holder: taken.holder });
    await console.reply(sessionId, "Hello, Ana");
    await until("the reply", () => chat.messages.find(({ from }) => from === "coordinator"));
    call.answer("too late");
    await until("the draft", () => drafts.length === 1);
    expect(drafts).toMatchObject([[{ sessionId, message: "too late", userId: "ana" }]]);
    expect(await console.handBack(sessionId)).not.toHaveProperty("holder");
    expect(await console.resolve(sessionId)).toMatchObject({ status: "resolved" });
    expect(await console.reopen(sessionId)).toMatchObject({ status: "active" });
    expect(await console.close(sessionId)).toMatchObject({ status: "closed" });
    await until("the colleague has seen it", () => sessions.find(([{ status }]) => status === "closed"));
    expect(chat.messages.map(({ from, content }) => [from, content])).toEqual([
      ["user", "hello"],
      ["coordinator", "Hello, Ana"],
    ]);
    await expect(console.takeOver("nothing")).rejects.toMatchObject({ code: "session_not_found" });
  });

  test("[M51] [M38] notes are for coordinators; who is blocked is refused", async () => {
    const [console, colleague] = [await seats.consoleOnline(), await seats.consoleOnline()];
    const notes = heardOf(colleague, "note");
    const { sessionId } = await answered("hello");
    await console.note(sessionId, "rude");
    await until("the note", () => notes.length === 1);
    expect(notes).toMatchObject([[{ sessionId, userId: "ana", afterOffset: 2, message: "rude" }]]);
    await console.block(sessionId);
    const chat = await seats.online();
    await expect(chat.send("why?")).rejects.toMatchObject({ code: "blocked" });
  });
});

describe("[M37] watching", () => {
  test("steps and deltas of that session alone, until it is watched no more, over a lost connection", async () => {
    const [chat, other, console] = [
      await seats.online(),
      await seats.online({ userId: "bob" }),
      await seats.consoleOnline(),
    ];
    const heard = heardOf(console, "running");
    const { sessionId } = await answered("first");
    await console.watch(sessionId);
    await chat.send("hello");
    await other.send("psst");
    const [call, foreign] = [await agent.call("hello"), await agent.call("psst")];
    foreign.say({ type: "delta", text: "secret" });
    call.say({ type: "delta", text: "Good " });
    await until("the delta", () => heard.at(-1)?.[1][0]?.text === "Good ");
    call.answer("Good morning");
    await until("the end", () => heard.at(-1)?.[1].length === 0);
    expect(new Set(heard.map(([of]) => of))).toEqual(new Set([sessionId]));
    foreign.answer();

    await restarted(console);
    await chat.send("once more");
    const next = await agent.call("once more");
    next.say({ type: "delta", text: "Again" });
    await until("the delta after the return", () => heard.at(-1)?.[1][0]?.text === "Again");
    await console.unwatch(sessionId);
    const count = heard.length;
    next.say({ type: "delta", text: " and again" });
    await until("the user sees it", () => chat.view.running[0]?.text === "Again and again");
    // Whatever was told before this came before its reply.
    await console.note(sessionId, "seen");
    expect(heard).toHaveLength(count);
    next.answer();
    await expect(console.watch("nothing")).rejects.toMatchObject({ code: "session_not_found" });
  });
});

test("[M70] who is online is known, and again after a lost connection", async () => {
  const console = await seats.consoleOnline();
  const keys = () => console.online.map(({ key, connectionCount }) => `${key} ${connectionCount}`).toSorted();
  const [first] = [await seats.online(), await seats.online(), await seats.online({ userId: "bob" })];
  await until("all of them", () => keys().includes("user:ana 2") && keys().includes("user:bob 1"));
  expect(console.online.find(({ key }) => key === "user:ana")).toMatchObject({ role: "user" });
  expect(console.online.filter(({ role }) => role === "coordinator")).toHaveLength(1);
  await first.leave();
  await until("one has gone", () => keys().includes("user:ana 1"));
  await restarted(console);
  await until("all are back", () => keys().includes("user:ana 1") && keys().includes("user:bob 1"));
});

async function restarted(console: Coordinator): Promise<void> {
  await app.stop();
  await until("the loss", () => console.status.state === "offline");
  app = await startTestApp({ DATA_DIR: app.dataDir, PORT: String(app.port) }, { agents: { echo: agent } });
  await until("the return", () => console.status.state === "online");
}
