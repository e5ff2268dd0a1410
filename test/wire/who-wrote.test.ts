import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ConversationDesk } from "../support/conversation-desk.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { type Fields, Seat } from "../support/seat.js";

// Which coordinator wrote something: their colleagues are told, and nobody else by any door.

const businessId = "B1";
const topic = `messages:${businessId}`;
const text = "from a human";
const asAna = { "x-user-id": "ana", "x-role": "user" };
const asAgent = { "x-user-id": "one", "x-role": "agent" };
const asCoordinator = { "x-role": "coordinator" };
const asService = { "x-role": "service", "x-user-id": "robot" };

const agent = new ScriptedAgent(50);
let desk: ConversationDesk;
let tab: Seat;
let carla: Seat;
/** On an open server they are those of sockets. */
let ids: string[];
let sessionId: string;
let chatId: string;
let owner: Seat;
let conversationId: string;
let member: Seat;

beforeAll(async () => {
  desk = await ConversationDesk.start(businessId, {}, { agents: { echo: agent } });
  [tab, carla] = [await desk.onMessages("ana"), await desk.onMessages()];
  ids = [String(carla.joined.connectionId)];
  await sayInSession();
  await sayInChat();
  await sayInConversation();
  await desk.settled();
});

afterAll(async () => {
  for (const call of agent.calls) call.answer();
  await desk.dispose();
});

async function sayInSession(): Promise<void> {
  const asked = { businessId, userId: "ana", locationId: "default", message: "hello", chatId: "window" };
  sessionId = String((await tab.ask("new_message", asked)).response.sessionId);
  await agent.call("hello");
  expect((await carla.ask("reply", { sessionId, message: text })).status).toBe("ok");
  await tab.hears("new_message", ({ from }) => from === "coordinator");
  expect((await carla.ask("hand_back", { sessionId })).status).toBe("ok");
  await tab.ask("new_message", { ...asked, message: "thanks" });
  (await agent.call("thanks")).answer();
  await tab.hears("new_message", ({ from }) => from === "agent");
}

async function sayInChat(): Promise<void> {
  chatId = String((await desk.http("POST", "/chats", { title: "Revenue" }, asAna)).body._id);
  owner = await desk.member(chatId, "ana");
  await owner.ask("message:send", { content: "report" });
  await agent.call("report");
  expect((await carla.ask("reply", { sessionId: chatId, message: text })).status).toBe("ok");
  await owner.hears("message:new", ({ content }) => content === text);
}

async function sayInConversation(): Promise<void> {
  const robot = await desk.agent("one");
  conversationId = String(robot.joined.conversationId);
  member = await desk.member(conversationId, "ana");
  const colleague = await desk.member(conversationId);
  expect((await colleague.ask("message:send", { content: text })).status).toBe("ok");
  await member.hears("message:new", ({ content }) => content === text);
  const { participants = [] } = (await desk.app.store.readHead(conversationId))?.session ?? {};
  ids.push(participants.find(({ type }) => type === "coordinator")!.id);
}

async function read(path: string, as: Readonly<Record<string, string>>): Promise<unknown> {
  const { status, body } = await desk.http("GET", path, undefined, as);
  expect(status).toBe(200);
  return body.messages;
}

async function join(payload: Fields): Promise<unknown> {
  const seat = await Seat.take(desk.app, { userId: "ana", ...payload }, { on: topic, query: "" });
  await seat.client.heartbeat();
  seat.client.close();
  return [seat.joined, seat.frames];
}

const inSession = (more = "") => `/api/sessions/${sessionId}/messages${more}`;
const inChat = (base = "") => `${base}/chats/${chatId}/messages`;
const inConversation = (base = "") => `${base}/conversations/${conversationId}/messages`;

describe("[M39] which coordinator wrote what was said is told to no user, agent or platform:", () => {
  const doors: readonly (readonly [string, () => unknown])[] = [
    ["what is pushed", () => tab.frames],
    ["a join", () => join({})],
    ["a join that resumes", () => join({ resume: { sessionId, offset: 0 } })],
    ["a join of a chat window", () => join({ chatId: "window" })],
    ["the history", () => read(inSession(), asAna)],
    ["the history with all that hangs on it", () => read(inSession("?include=thinking,note,draft"), asAna)],
    ["the history of a chat as a session", () => read(`/api/sessions/${chatId}/messages`, asAna)],
    ["/chats", () => read(inChat(), asAna)],
    ["/api/chats", () => read(inChat("/api"), asAna)],
    ["conversation: of a chat", () => owner.frames],
    ["conversation: of an agent's", () => member.heard("message:new")],
    ["/conversations, a user", () => read(inConversation(), asAna)],
    ["/api/conversations, a user", () => read(inConversation("/api"), asAna)],
    ["/conversations, an agent", () => read(inConversation(), asAgent)],
    ["what an agent is given", async () => (await agent.call("thanks")).turn.history],
  ];

  test.each(doors)("%s", async (_door, open) => {
    const shown = JSON.stringify(await open());
    expect(shown).not.toContain("coordinatorId");
    for (const id of ids) expect(shown).not.toContain(id);
  });

  test.each(doors.filter(([door]) => door !== "a join"))("%s has what was said", async (_door, open) => {
    expect(JSON.stringify(await open())).toContain(text);
  });
});

describe("[M39] colleagues are told:", () => {
  test.each([
    ["a coordinator", asCoordinator],
    ["a service", asService],
  ])("%s, by every history", async (_name, who) => {
    const told = [inSession(), `/api/sessions/${chatId}/messages`, inConversation()].map(async (path) => {
      const messages = (await read(path, who)) as Fields[];
      const { metadata } = messages.find(({ type }) => type === "coordinator")!;
      return (metadata as Fields).coordinatorId;
    });
    expect(await Promise.all(told)).toEqual([ids[0], ids[0], ids[1]]);
  });

  test("nobody of what was not written by one", async () => {
    const messages = (await read(inSession(), asCoordinator)) as Fields[];
    const named = messages.filter(({ metadata }) => Object.hasOwn(metadata as Fields, "coordinatorId"));
    expect(named.map(({ type }) => type)).toEqual(["coordinator"]);
  });
});
