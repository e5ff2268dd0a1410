import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { FakeClock } from "../support/fake-clock.js";
import { Issuer } from "../support/issuer.js";
import { ask } from "../support/plain-http.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { makeDataDir, startTestApp, type TestApp } from "../support/start-app.js";
import { WireClient } from "../support/wire.js";

// The workflow of the seed 004_23690ba5a5272687: a chat is made and talked in over REST, its messages are answered by a
// worker, in this process or called by a task queue, and who wrote them is told in real time.

const businessId = "B1";
const audience = "https://desk.example/worker";
const worker = "/internal/chat-ai-worker";

let issuer: Issuer;
let agent: ScriptedAgent;
let app: TestApp;
const clock = new FakeClock();

beforeEach(async () => {
  issuer = await Issuer.start();
  await issuer.publishKey("k1", "RS256");
  await start();
});

afterEach(async () => {
  await app.dispose();
  await issuer.stop();
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  agent = new ScriptedAgent(50);
  // Where time passes, it passes for the agent, too.
  const queue = { OIDC_ISSUER: issuer.name, OIDC_AUDIENCE: audience, AGENT_TIMEOUT_MS: "600000" };
  app = await startTestApp({ ...queue, ...environment }, { agents: { echo: agent }, clock });
}

interface Message {
  readonly _id: string;
  readonly messageType: string;
  readonly content: string;
  readonly status: string;
}

async function rest<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers = { "x-user-id": "ana", "x-business-id": businessId, "content-type": "application/json" };
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await ask(app, path, { method, headers, ...text });
  expect([answer.status, answer.text]).toEqual([expect.any(Number), expect.not.stringContaining("about:blank")]);
  return (answer.text === "" ? null : JSON.parse(answer.text)) as T;
}

const newChat = (title: string) => rest<{ _id: string }>("POST", "/chats", { title });
const say = (chat: string, content: string) =>
  rest<{ message: Message; response: Message }>("POST", `/chats/${chat}/messages`, { content });

function tokenOf(claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const seconds = Math.floor(clock.now() / 1000);
  return issuer.sign("k1", { iss: issuer.name, aud: audience, sub: "queue", exp: seconds + 3600, ...claims });
}

async function callWorker(messageId: string, token: string) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const { status, text } = await ask(app, worker, { method: "POST", headers, body: JSON.stringify({ messageId }) });
  return [status, JSON.parse(text) as Record<string, unknown>] as const;
}

test("[H30] [H32] [H33] seed 004: a chat by the worker in this process: reports, a follow-up that knows them, an error", async () => {
  const tab = await WireClient.connect(app.url);
  await tab.call(`messages:${businessId}`, "phx_join", { userId: "ana" });
  const { _id: chat } = await newChat("Revenue");
  const updated = async (id: string) =>
    (await tab.next(([, , , event, { message }]) => event === "message:updated" && (message as Message)._id === id))[4];

  const first = await say(chat, "Report on March");
  expect(first.response).toMatchObject({ status: "pending", messageType: "ai_report", content: "" });
  (await agent.call("Report on March")).answer("March was fine.");
  const report = { ...first.response, status: "done", content: "March was fine." };
  expect(await updated(first.response._id)).toMatchObject({
    conversationId: chat,
    message: { ...report, createdAt: expect.anything() },
  });

  const second = await say(chat, "And April?");
  const call = await agent.call("And April?");
  expect(call.turn.history.map(({ content }) => content)).toEqual(["Report on March", "March was fine."]);
  call.say(new Error("the model is gone"));
  expect(await updated(second.response._id)).toMatchObject({
    message: { messageType: "ai_error", status: "failed", _id: second.response._id },
  });

  const { messages } = await rest<{ messages: Message[] }>("GET", `/chats/${chat}/messages`);
  expect(messages.map(({ _id, messageType }) => [_id, messageType])).toEqual([
    [first.message._id, "user"],
    [first.response._id, "ai_report"],
    [second.message._id, "user"],
    [second.response._id, "ai_error"],
  ]);
  await rest("PATCH", `/chats/${chat}`, { title: "Revenue of spring" });
  await rest("DELETE", `/chats/${chat}`);
  expect(
    (await ask(app, `/chats/${chat}`, { headers: { "x-user-id": "ana", "x-business-id": businessId } })).status,
  ).toBe(404);
  tab.close();
});

test("[H34] [X16] seed 004: the queue calls the worker three times at once, and once more: one call of the agent, one answer", async () => {
  const { _id: chat } = await newChat("Revenue");
  const { message, response } = await say(chat, "Report on March");
  const token = await tokenOf();
  const calls = [1, 2, 3].map(() => callWorker(message._id, token));
  (await agent.call("Report on March")).answer("March was fine.");
  const done = [200, { messageId: message._id, status: "done" }] as const;
  for (const answer of await Promise.all(calls)) expect(answer).toEqual(done);
  expect(await callWorker(message._id, token)).toEqual(done);
  expect(agent.asked).toEqual(["Report on March"]);
  // A follow-up, by the same three calls: it knows what was said before.
  const next = await say(chat, "And April?");
  const again = [1, 2, 3].map(() => callWorker(next.message._id, token));
  const call = await agent.call("And April?");
  expect(call.turn.history.map(({ content }) => content)).toEqual(["Report on March", "March was fine."]);
  call.answer("April was better.");
  for (const answer of await Promise.all(again)) {
    expect(answer).toEqual([200, { messageId: next.message._id, status: "done" }]);
  }
  expect(agent.asked).toEqual(["Report on March", "And April?"]);
  const { messages } = await rest<{ messages: Message[] }>("GET", `/chats/${chat}/messages`);
  const ids = [message, response, next.message, next.response].map(({ _id }) => _id);
  expect(messages.map(({ _id }) => _id)).toEqual(ids);
});

test("[H34] [M101] seed 004: what is said on the chat's own topic is the worker's to run, too", async () => {
  const { _id: chat } = await newChat("Revenue");
  const tab = await WireClient.connect(app.url, `&businessId=${businessId}`);
  await tab.call(`conversation:${chat}`, "phx_join", { userId: "ana" });
  const { response } = await tab.call(`conversation:${chat}`, "message:send", { content: "Report on March" });
  const messageId = String(response.messageId);
  const answering = callWorker(messageId, await tokenOf());
  (await agent.call("Report on March")).answer("March was fine.");
  expect(await answering).toEqual([200, { messageId, status: "done" }]);
  expect(agent.asked).toEqual(["Report on March"]);
  const updated = await tab.next(
    ([, , topic, event]) => topic === `conversation:${chat}` && event === "message:updated",
  );
  expect(updated[4]).toMatchObject({ conversationId: chat, message: { status: "done", content: "March was fine." } });
  tab.close();
});

test.each(["messages:", "POST /api/messages"])(
  "[H34] [H24] what is said in a chat by %s is the worker's to run, too",
  async (way) => {
    const { _id: chat } = await newChat("Revenue");
    const message = { businessId, userId: "ana", locationId: "default", sessionId: chat, message: "Report on March" };
    const tab = await WireClient.connect(app.url, `&businessId=${businessId}`);
    await tab.call(`messages:${businessId}`, "phx_join", { userId: "ana" });
    const { messageId, sessionId } =
      way === "messages:"
        ? (await tab.call(`messages:${businessId}`, "new_message", message)).response
        : await rest<Record<string, unknown>>("POST", "/api/messages", message);
    expect(sessionId).toBe(chat);
    const answering = callWorker(String(messageId), await tokenOf());
    (await agent.call("Report on March")).answer("March was fine.");
    expect(await answering).toEqual([200, { messageId, status: "done" }]);
    expect(agent.asked).toEqual(["Report on March"]);
    tab.close();
  },
);

test("[H34] [M20] seed 004: a turn that a server left open is run when the queue calls the next one", async () => {
  const dataDir = await makeDataDir();
  await app.dispose();
  await start({ DATA_DIR: dataDir, DRAIN_TIMEOUT_MS: "1" });
  const { _id: chat } = await newChat("Revenue");
  const { message, response } = await say(chat, "Report on March");
  await agent.call("Report on March");
  const stopping = app.stop();
  const passing = setInterval(() => clock.advance(10), 5);
  await stopping.finally(() => clearInterval(passing));
  await start({ DATA_DIR: dataDir });
  const answering = callWorker(message._id, await tokenOf());
  (await agent.call("Report on March")).answer("March was fine.");
  expect(await answering).toEqual([200, { messageId: message._id, status: "done" }]);
  expect(await rest("GET", `/chats/${chat}/messages/${response._id}`)).toMatchObject({ content: "March was fine." });
});

test("[X16] [H34] seed 004: who has no token of that issuer for us runs nothing; what is no message of a chat is 404", async () => {
  const { message } = await say((await newChat("Revenue"))._id, "Report on March");
  const other = await Issuer.start();
  await other.makeKey("k1", "RS256");
  const seconds = Math.floor(clock.now() / 1000);
  const bad: readonly (readonly [string, string])[] = [
    ["none", ""],
    ["no token", "hello"],
    ["another audience", await tokenOf({ aud: "https://other.example" })],
    ["another issuer", await tokenOf({ iss: "https://other.example" })],
    ["over", await tokenOf({ exp: seconds - 61 })],
    ["for ever", await tokenOf({ exp: undefined })],
    ["nobody's", await tokenOf({ sub: undefined })],
    ["not yet", await tokenOf({ nbf: seconds + 61 })],
    ["another key", await other.sign("k1", { iss: issuer.name, aud: audience, sub: "queue", exp: seconds + 300 })],
  ];
  for (const [name, token] of bad) {
    const [status, problem] = await callWorker(message._id, token);
    expect([name, status, problem.code]).toEqual([name, 401, "unauthorized"]);
  }
  const token = await tokenOf();
  const [unknown] = await callWorker("8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11", token);
  const body = { businessId, userId: "ana", locationId: "default", message: "of the day" };
  const { messageId } = await rest<{ messageId: string }>("POST", "/api/messages", body);
  const [daily] = await callWorker(messageId, token);
  const [nothing] = await callWorker("", token);
  expect([unknown, daily, nothing]).toEqual([404, 404, 400]);
  for (const call of [await agent.call("Report on March"), await agent.call("of the day")]) call.answer();
  // Its keys cannot be had: nobody can say.
  issuer.answer = (_request, response) => void response.writeHead(500).end();
  clock.advance(61_000);
  const [status, problem] = await callWorker(message._id, await tokenOf());
  expect([status, problem.code]).toEqual([503, "keys_unavailable"]);
  await other.stop();
});

test("[H34] seed 004: one that has no outcome after 25 s is 503, so that the queue asks again", async () => {
  const { message } = await say((await newChat("Revenue"))._id, "Report on March");
  const answering = callWorker(message._id, await tokenOf());
  const call = await agent.call("Report on March");
  const passing = setInterval(() => clock.advance(1000), 20);
  const [status, problem] = await answering.finally(() => clearInterval(passing));
  expect([status, problem.code]).toEqual([503, "busy"]);
  call.answer();
  const [late] = await callWorker(message._id, await tokenOf());
  expect(late).toBe(200);
});
