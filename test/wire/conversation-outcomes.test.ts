import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConversationDesk } from "../support/conversation-desk.js";
import type { Fields, Seat } from "../support/seat.js";
import { until } from "../support/until.js";

// What becomes of a question that a connected agent was asked: it is answered, fails, is a human's, or nobody's.

const businessId = "C1";
const yaml = `businessId: ${businessId}
name: Bakery
locale: en
timeZone: Europe/London
fallback: "Nobody is here."
agent: { kind: channel, agentIds: [one] }
`;

let folder: string;
let desk: ConversationDesk;
let robot: Seat;
let conversationId: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bennu-businesses-"));
  await writeFile(join(folder, `${businessId}.yaml`), yaml);
  desk = await ConversationDesk.start(businessId, { BUSINESSES_DIR: folder });
  robot = await desk.agent("one");
  conversationId = String(robot.joined.conversationId);
});

afterEach(async () => {
  await desk.dispose();
  await rm(folder, { recursive: true, force: true });
});

const path = (rest = "") => `/conversations/${conversationId}${rest}`;
const codeOf = (reply: { readonly status: string; readonly response: Fields }) =>
  reply.status === "ok" ? "ok" : reply.response.code;
const asked = async (seat: Seat, content: string) =>
  String((await seat.ask("message:send", { content })).response.messageId);
const answer = (inReplyTo: unknown, content: string, seat = robot) =>
  seat.ask("message:send", { conversationId, inReplyTo, content });
const isOf = (messageId: unknown) => (payload: Fields) => (payload.message as Fields).messageId === messageId;
const updates = (seat: Seat) => seat.heard("message:updated").map(({ message }) => (message as Fields).status);
const messages = (seat: Seat) => seat.heard("message:new").map(({ content }) => content);

describe("[M100] message:updated tells what became of a question", () => {
  test("that it is answered: those who take part, after the answer, and nobody else", async () => {
    const [ana, console] = [await desk.member(conversationId, "ana"), await desk.member(conversationId)];
    const [elsewhere, tab] = [await desk.agent("two"), await desk.onMessages("bob")];
    const messageId = await asked(ana, "do you have bread?");
    await robot.hears("message:new");
    await answer(messageId, "Yes.");
    const told = {
      conversationId,
      message: {
        ...{ messageId, role: "user", content: "do you have bread?", status: "done" },
        ...{ senderType: "user", senderId: "ana" },
      },
    };
    for (const seat of [ana, console, robot]) expect(await seat.hears("message:updated")).toEqual(told);
    const events = ana.frames.map(([event]) => event);
    expect(events.indexOf("message:updated")).toBeGreaterThan(events.lastIndexOf("message:new"));
    await desk.settled();
    expect([...elsewhere.heard("message:updated"), ...tab.heard("message:updated", "new_message")]).toEqual([]);
  });

  test("[M19] that it failed, with the time of its agent over: the agent is told that nobody waits any more", async () => {
    const ana = await desk.member(conversationId, "ana");
    const messageId = await asked(ana, "hello?");
    await robot.hears("message:new");
    desk.clock.advance(31_000);
    expect(await ana.hears("message:updated", isOf(messageId))).toMatchObject({ message: { status: "failed" } });
    expect(await ana.hears("message:new", ({ role }) => role === "system")).toMatchObject({ inReplyTo: messageId });
    await desk.settled();
    expect(updates(robot)).toEqual(["withdrawn", "failed"]);
    expect(codeOf(await answer(messageId, "late"))).toBe("not_found");
    await desk.settled();
    expect(messages(ana)).not.toContain("late");
  });

  test("[M94] whoever was taken out after they had asked is told nothing of the answer, on no topic", async () => {
    const [ana, tab] = [await desk.member(conversationId, "ana"), await desk.onMessages("ana")];
    const messageId = await asked(ana, "a secret?");
    await robot.hears("message:new");
    const out = { participantType: "user", participantId: "ana" };
    expect((await desk.http("POST", path("/participants/remove"), out)).status).toBe(200);
    await ana.hears("phx_close");
    // It is stored and replied all the same, at once: the agent need not know.
    expect(codeOf(await answer(messageId, "the secret"))).toBe("ok");
    await robot.hears("message:updated");
    await desk.settled();
    expect([...ana.frames, ...tab.frames].filter((frame) => JSON.stringify(frame).includes("the secret"))).toEqual([]);
    const stored = await desk.http("GET", path("/messages"));
    expect(stored.body.messages).toMatchObject([{ content: "a secret?" }, { content: "the secret" }]);
  });

  test("[H23] that the conversation is gone: who takes part is told, the agent is not waited for, nothing is stored", async () => {
    const ana = await desk.member(conversationId, "ana");
    const messageId = await asked(ana, "hello?");
    await robot.hears("message:new");
    expect((await desk.http("DELETE", path())).status).toBe(204);
    for (const seat of [ana, robot]) {
      expect(await seat.hears("conversation:updated", ({ deleted }) => deleted === true)).toMatchObject({
        conversationId,
      });
    }
    expect(await robot.hears("message:updated", isOf(messageId))).toMatchObject({ message: { status: "withdrawn" } });
    expect([codeOf(await answer(messageId, "late")), codeOf(await ana.ask("message:send", { content: "x" }))]).toEqual([
      "not_found",
      "session_not_found",
    ]);
    expect(codeOf(await ana.ask("typing", { typing: true }))).toBe("session_not_found");
    await expect(desk.member(conversationId, "ana")).rejects.toThrow("not_found");
    await desk.settled();
    expect(messages(ana)).toEqual(["hello?"]);
    // What the agent says of its own begins another one.
    const next = await robot.ask("message:send", { content: "anybody?" });
    expect([next.status, next.response.conversationId === conversationId]).toEqual(["ok", false]);
  });
});

test("[M95] who goes on in the next conversation is told of that one alone", async () => {
  const ana = await desk.member(conversationId, "ana");
  await desk.http("PATCH", path(), { status: "closed" });
  await ana.hears("conversation:updated", ({ conversation }) => (conversation as Fields).status === "closed");
  const { response } = await ana.ask("message:send", { content: "one more thing" });
  expect(response.conversationId).not.toBe(conversationId);
  const before = ana.frames.length;
  await desk.http("PATCH", path(), { title: "what was" });
  await desk.http("PATCH", `/conversations/${String(response.conversationId)}`, { title: "what is" });
  await ana.hears("conversation:updated", ({ conversation }) => (conversation as Fields).title === "what is");
  const told = ana.frames.slice(before).filter(([event]) => event === "conversation:updated");
  expect(told.map(([, payload]) => payload.conversationId)).toEqual([response.conversationId]);
});

describe("[A41] an agent that goes in the middle of its answer", () => {
  test("the conversation's users are told its fallback; comes it back, that is over", async () => {
    const ana = await desk.member(conversationId, "ana");
    const messageId = await asked(ana, "hello?");
    await robot.hears("message:new");
    const before = desk.clock.timerCount;
    robot.client.ws.terminate();
    await until("it is waited for", () => desk.clock.timerCount > before);
    desk.clock.advance(5000);
    expect(await ana.hears("message:new", ({ inReplyTo }) => inReplyTo === messageId)).toMatchObject({
      content: "Nobody is here.",
    });
    const back = await desk.agent("one");
    expect(codeOf(await answer(messageId, "here I am", back))).toBe("not_found");
    await desk.settled();
    expect(messages(ana)).toEqual(["hello?", "Nobody is here."]);
  });
});

describe("[M30] [M36] a human takes over what a connected agent was asked", () => {
  interface Scene {
    readonly asker: Seat;
    readonly sessionId: string;
    readonly messageId: string;
    /** What they were told as answers. */
    readonly answers: () => unknown[];
  }

  async function inConversation(): Promise<Scene> {
    const asker = await desk.member(conversationId, "ana");
    const messageId = await asked(asker, "hello?");
    return { asker, sessionId: conversationId, messageId, answers: () => messages(asker).slice(1) };
  }

  async function ofTheDay(): Promise<Scene> {
    const asker = await desk.onMessages("ana");
    const said = await asker.says("hello?");
    return { asker, ...said, answers: () => asker.heard("new_message").map(({ message }) => message) };
  }

  const scenes: readonly (readonly [string, () => Promise<Scene>])[] = [
    ["in its own conversation", inConversation],
    ["in a user's session of the day", ofTheDay],
  ];

  test.each(scenes)("%s: the agent is told, and what it says too late is a draft", async (_where, begin) => {
    const { sessionId, messageId, answers, asker } = await begin();
    const carla = await desk.onMessages();
    await robot.hears("message:new");
    await carla.ask("take_over", { sessionId });
    expect(await robot.hears("message:updated", isOf(messageId))).toMatchObject({
      conversationId: sessionId,
      message: { messageId, content: "hello?", status: "withdrawn" },
    });
    const late = await robot.ask("message:send", {
      conversationId: sessionId,
      inReplyTo: messageId,
      content: "too late",
    });
    expect(codeOf(late)).toBe("held_by_other");
    expect(await carla.hears("draft")).toMatchObject({ sessionId, messageId, message: "too late" });
    expect(codeOf(await carla.ask("reply", { sessionId, message: "I am human" }))).toBe("ok");
    const isReply = (payload: Fields) => [payload.message, payload.content].includes("I am human");
    await asker.hears(sessionId === conversationId ? "message:new" : "new_message", isReply);
    await desk.settled();
    expect(answers()).toEqual(["I am human"]);
  });

  test.each(scenes)("%s: handed back, it is asked again at once, and its answer counts", async (_where, begin) => {
    const { sessionId, messageId, answers, asker } = await begin();
    const carla = await desk.onMessages();
    await robot.hears("message:new");
    await carla.ask("take_over", { sessionId });
    await robot.hears("message:updated");
    await carla.ask("hand_back", { sessionId });
    expect(await robot.hears("message:new")).toMatchObject({ conversationId: sessionId, messageId });
    const reply = await robot.ask("message:send", {
      conversationId: sessionId,
      inReplyTo: messageId,
      content: "hello!",
    });
    expect(codeOf(reply)).toBe("ok");
    const isAnswer = ({ message, content }: Fields) => [message, content].includes("hello!");
    await asker.hears(sessionId === conversationId ? "message:new" : "new_message", isAnswer);
    await desk.settled();
    expect(answers()).toEqual(["hello!"]);
  });

  test("who speaks there of their own is told held_by_other, on either topic, until it is handed back", async () => {
    const carla = await desk.onMessages();
    const inside = await desk.agentIn("one", conversationId);
    await carla.ask("take_over", { sessionId: conversationId });
    for (const seat of [robot, inside]) {
      expect(codeOf(await seat.ask("message:send", { content: "me too" }))).toBe("held_by_other");
      expect(codeOf(await seat.ask("typing", { typing: true }))).toBe("held_by_other");
    }
    await carla.ask("hand_back", { sessionId: conversationId });
    for (const seat of [robot, inside])
      expect(codeOf(await seat.ask("message:send", { content: "me too" }))).toBe("ok");
  });
});

test("[A40] [M94] what was asked elsewhere, and nobody waits for, is not said in the agent's own conversation", async () => {
  const eve = await desk.member(conversationId, "eve");
  const bob = await desk.onMessages("bob");
  const { messageId, sessionId } = await bob.says("a private question", "bob");
  await robot.hears("message:new", (payload) => payload.messageId === messageId);
  expect(codeOf(await bob.ask("cancel", { messageId }))).toBe("ok");
  await robot.hears("message:updated", isOf(messageId));
  for (const inReplyTo of [messageId, "zz"]) {
    const late = await robot.ask("message:send", { inReplyTo, content: "a private answer" });
    expect([inReplyTo, codeOf(late)]).toEqual([inReplyTo, "not_found"]);
  }
  expect(codeOf(await robot.ask("message:send", { conversationId: sessionId, content: "me" }))).toBe(
    "session_not_found",
  );
  await desk.settled();
  expect(messages(eve)).toEqual([]);
});

test("[M94] [M90] an agent that is taken out of its own conversation is not asked there, and has another one", async () => {
  const ana = await desk.member(conversationId, "ana");
  const out = { participantType: "agent", participantId: "one" };
  const { status } = await desk.http("POST", path("/participants/remove"), out);
  expect(status).toBe(200);
  await asked(ana, "are you there?");
  await ana.hears("message:new", ({ content }) => content === "Nobody is here.");
  await desk.settled();
  expect(messages(robot)).toEqual([]);
  const again = await desk.agent("one");
  expect(again.joined).toMatchObject({ created: true, messages: [] });
  expect(again.joined.conversationId).not.toBe(conversationId);
  expect(codeOf(await again.ask("message:send", { content: "I can speak" }))).toBe("ok");
  expect(messages(ana)).not.toContain("I can speak");
});
