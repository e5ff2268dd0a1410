import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { FakeClock } from "../support/fake-clock.js";
import { ask, problemCode } from "../support/plain-http.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { WireClient } from "../support/wire.js";

const businessId = "B1";
const topic = `messages:${businessId}`;
const stranger = "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11";
const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown as string;

let app: TestApp;
let agent: ScriptedAgent;
const clock = new FakeClock();

beforeEach(async () => {
  agent = new ScriptedAgent(50);
  app = await startTestApp({}, { agents: { echo: agent }, clock });
});

afterEach(async () => {
  for (const call of agent.calls) call.answer();
  await app.dispose();
});

interface Message {
  readonly _id: string;
  readonly chatSessionId: string;
  readonly messageType: string;
  readonly content: string;
  readonly status: string;
  readonly createdAt: string;
}

interface Page {
  readonly chats: { readonly _id: string; readonly title: string }[];
  readonly messages: Message[];
  readonly pagination: { readonly hasMore: boolean; readonly nextCursor: string | null };
}

interface Options {
  readonly body?: unknown;
  readonly as?: Readonly<Record<string, string>>;
  readonly key?: string;
}

const ana = { "x-user-id": "ana" };

async function call<T = Page>(method: string, path: string, { body, as = ana, key }: Options = {}) {
  const headers = { "x-business-id": businessId, "content-type": "application/json", ...as };
  const answer = await ask(app, path, {
    method,
    headers: { ...headers, ...(key === undefined ? {} : { "idempotency-key": key }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { ...answer, json: () => JSON.parse(answer.text) as T, code: () => [answer.status, problemCode(answer)] };
}

async function newChat(body: unknown = {}, options: Options = {}): Promise<string> {
  const answer = await call<{ _id: string }>("POST", "/chats", { body, ...options });
  expect(answer.status).toBe(201);
  return answer.json()._id;
}

async function say(chat: string, content: string, key?: string) {
  const options = { body: { content }, ...(key === undefined ? {} : { key }) };
  const answer = await call<{ message: Message; response: Message }>("POST", `/chats/${chat}/messages`, options);
  expect([answer.status, answer.text]).toEqual([202, expect.anything()]);
  return answer.json();
}

async function messagesOf(chat: string, query = ""): Promise<Page> {
  return (await call("GET", `/chats/${chat}/messages${query}`)).json();
}

async function readOne(chat: string, messageId: string): Promise<Message> {
  return (await call<Message>("GET", `/chats/${chat}/messages/${messageId}`)).json();
}

async function whenDone(chat: string, messageId: string): Promise<Message> {
  for (;;) {
    const message = await readOne(chat, messageId);
    if (message.status !== "pending") return message;
  }
}

describe("[H30] /chats", () => {
  test("are made, listed, renamed, read and deleted", async () => {
    const { status, text } = await call("POST", "/chats", { body: { title: " Reports ", teamId: "t1" } });
    const made = JSON.parse(text) as { _id: string; createdAt: string };
    expect(status).toBe(201);
    const shown = { userId: "ana", teamId: "t1", title: "Reports", createdAt: timestamp, updatedAt: timestamp };
    expect(made).toEqual({ _id: expect.any(String), ...shown });
    clock.advance(1000);
    const other = await newChat();
    expect((await call<object>("GET", `/api/chats/${made._id}`)).json()).toEqual(made);
    const { chats, pagination } = (await call("GET", "/chats")).json();
    expect(chats.map(({ _id, title }) => [_id, title])).toEqual([
      [other, "New chat"],
      [made._id, "Reports"],
    ]);
    expect(pagination).toEqual({ hasMore: false, nextCursor: null });
    const renamed = await call<object>("PATCH", `/chats/${made._id}`, { body: { title: "Others" } });
    expect(renamed.json()).toMatchObject({ ...shown, title: "Others" });
    expect((await call("DELETE", `/chats/${made._id}`)).status).toBe(204);
    expect((await call("GET", `/chats/${made._id}`)).code()).toEqual([404, "session_not_found"]);
    expect((await call("GET", "/chats")).json().chats.map(({ _id }) => _id)).toEqual([other]);
  });

  test("are paged, and the sessions of a day are none of them", async () => {
    const chats: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      clock.advance(1000);
      chats.unshift(await newChat());
      const body = { businessId, userId: "ana", locationId: "default", message: `m${count}` };
      if (count === 2) expect((await call("POST", "/api/messages", { body })).status).toBe(202);
    }
    const seen: string[] = [];
    let cursor: string | null = "";
    for (let page = 0; page < 10 && cursor !== null; page += 1) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { chats: found, pagination }: Page = (await call("GET", `/chats?limit=2${query}`)).json();
      seen.push(...found.map(({ _id }) => _id));
      cursor = pagination.nextCursor;
    }
    expect(seen).toEqual(chats);
  });

  test("[X7] nobody but the owner finds one, and no other session is one", async () => {
    const chat = await newChat();
    const { message } = await say(chat, "hello");
    (await agent.call("hello")).answer();
    const others = [
      { "x-user-id": "bob" },
      { "x-user-id": "ana", "x-business-id": "B2" },
      { "x-user-id": "ana", "x-role": "coordinator" },
      { "x-user-id": "ana", "x-role": "agent" },
      { "x-role": "service" },
    ];
    const said = { body: { content: "x" } };
    for (const as of others) {
      for (const id of [chat, stranger]) {
        for (const [method, rest, more] of [
          ["GET", "", {}],
          ["PATCH", "", { body: { title: "mine" } }],
          ["DELETE", "", {}],
          ["GET", "/messages", {}],
          ["POST", "/messages", said],
          ["GET", `/messages/${message._id}`, {}],
        ] as const) {
          const answer = await call(method, `/chats/${id}${rest}`, { ...more, as });
          expect([method, rest, ...answer.code()]).toEqual([method, rest, 404, "session_not_found"]);
        }
      }
    }
    expect((await call("GET", "/chats", { as: { "x-user-id": "bob" } })).json().chats).toEqual([]);
    const daily = { businessId, userId: "ana", locationId: "default", message: "of the day" };
    const { sessionId } = (await call<{ sessionId: string }>("POST", "/api/messages", { body: daily })).json();
    expect((await call("GET", `/chats/${sessionId}`)).status).toBe(404);
    expect((await call("DELETE", `/chats/${sessionId}`)).status).toBe(404);
    expect((await messagesOf(chat)).messages).toHaveLength(2);
  });

  test("what cannot be is refused with what is wrong, and nothing is made", async () => {
    for (const body of [{ title: "" }, { title: 7 }, { titel: "x" }, { teamId: "" }, { teamId: "x".repeat(129) }, []]) {
      expect((await call("POST", "/chats", { body })).code()).toEqual([400, "invalid_payload"]);
    }
    const homeless = await ask(app, "/chats", { method: "POST", headers: { "x-user-id": "ana" } });
    expect([homeless.status, problemCode(homeless)]).toEqual([400, "missing_parameters"]);
    const chat = await newChat();
    for (const body of [{ title: null }, {}, { title: "x".repeat(201) }, { title: "x", status: "closed" }]) {
      expect((await call("PATCH", `/chats/${chat}`, { body })).code()).toEqual([400, "invalid_payload"]);
    }
    expect((await call("DELETE", `/chats/${chat}?only=some`)).code()).toEqual([400, "invalid_payload"]);
    for (const query of ["limit=0", "limit[]=2", "cursor=x"]) {
      expect((await call("GET", `/chats?${query}`)).code()).toEqual([400, "invalid_payload"]);
      expect((await call("GET", `/chats/${chat}/messages?${query}`)).code()).toEqual([400, "invalid_payload"]);
    }
    expect((await call("GET", "/chats")).json().chats).toHaveLength(1);
  });

  test("[H31] the same key is the same chat; another title under it is 422; one that is gone makes room", async () => {
    const [one, two] = await Promise.all([
      newChat({ title: "a" }, { key: "k" }),
      newChat({ title: "a" }, { key: "k" }),
    ]);
    expect(two).toBe(one);
    expect((await call("POST", "/chats", { body: { title: "b" }, key: "k" })).code()).toEqual([
      422,
      "idempotency_mismatch",
    ]);
    expect(await newChat({ title: "a" }, { key: "k", as: { "x-user-id": "bob" } })).not.toBe(one);
    expect((await call("POST", "/chats", { body: {}, key: "x".repeat(129) })).code()).toEqual([400, "invalid_payload"]);
    await call("DELETE", `/chats/${one}`);
    const again = await newChat({ title: "a" }, { key: "k" });
    expect(again).not.toBe(one);
    expect(await newChat({ title: "a" }, { key: "k" })).toBe(again);
  });
});

describe("[H32] messages of a chat", () => {
  test("are 202 with the place of a response, which the answer takes; what was said before is known to it", async () => {
    const chat = await newChat();
    const { message, response } = await say(chat, "hello");
    const shown = { chatSessionId: chat, createdAt: timestamp };
    expect(message).toEqual({
      ...{ _id: expect.any(String), messageType: "user", content: "hello", status: "done" },
      ...shown,
    });
    expect(response).toEqual({
      ...{ _id: expect.any(String), messageType: "ai_report", content: "", status: "pending" },
      ...shown,
    });
    expect(await readOne(chat, response._id)).toEqual(response);
    expect((await messagesOf(chat)).messages).toEqual([message, response]);
    (await agent.call("hello")).answer("good day");
    const done = await whenDone(chat, response._id);
    expect(done).toEqual({ ...response, content: "good day", status: "done", createdAt: timestamp });
    expect((await messagesOf(chat)).messages).toEqual([message, done]);
    await say(chat, "and then?");
    const { turn } = await agent.call("and then?");
    expect(turn.history.map(({ type, content }) => [type, content])).toEqual([
      ["user", "hello"],
      ["agent", "good day"],
    ]);
  });

  test("a turn that fails is an `ai_error`, under the id that was promised", async () => {
    const chat = await newChat();
    const { response } = await say(chat, "hello");
    (await agent.call("hello")).say(new Error("no"));
    expect(await whenDone(chat, response._id)).toMatchObject({
      ...{ _id: response._id, messageType: "ai_error", status: "failed" },
      content: "Sorry, I could not answer this message. Please try again.",
    });
  });

  test("[H33] the owner's sockets hear of a response that is pending no more, and nobody else's", async () => {
    const chat = await newChat();
    const [tab, bob] = [await WireClient.connect(app.url), await WireClient.connect(app.url)];
    await tab.call(topic, "phx_join", { userId: "ana" });
    await bob.call(topic, "phx_join", { userId: "bob" });
    const { response } = await say(chat, "hello");
    (await agent.call("hello")).answer("good day");
    const [, , , , payload] = await tab.event("message:updated");
    expect(payload).toEqual({ conversationId: chat, message: await readOne(chat, response._id) });
    await bob.heartbeat();
    expect(bob.frames.map(([, , , event]) => event)).not.toContain("message:updated");
    // What a day's session is answered is nothing of the kind.
    await tab.call(topic, "new_message", { businessId, userId: "ana", locationId: "default", message: "of the day" });
    (await agent.call("of the day")).answer();
    await tab.next((frame) => frame[3] === "new_message" && frame[4].message === "answer to of the day");
    expect(tab.frames.filter(([, , , event]) => event === "message:updated")).toHaveLength(1);
    for (const client of [tab, bob]) client.close();
  });

  test("[M31] [H33] what a coordinator says is the response to each message that waited for it", async () => {
    const chat = await newChat();
    const [tab, console] = [await WireClient.connect(app.url), await WireClient.connect(app.url)];
    await tab.call(topic, "phx_join", { userId: "ana" });
    await console.call(topic, "phx_join", {});
    const first = await say(chat, "one");
    await console.call(topic, "take_over", { sessionId: chat });
    const second = await say(chat, "two");
    await console.call(topic, "reply", { sessionId: chat, message: "a human here" });
    for (const { response } of [first, second]) {
      const expected = { _id: response._id, messageType: "system", content: "a human here", status: "done" };
      expect((await tab.event("message:updated"))[4]).toMatchObject({ conversationId: chat, message: expected });
      expect(await readOne(chat, response._id)).toMatchObject(expected);
    }
    // It is there once, in the place of the newest, under the id that was promised.
    const { messages } = await messagesOf(chat);
    expect(messages.map(({ _id }) => _id)).toEqual([first.message._id, second.message._id, second.response._id]);
    expect((await tab.event("new_message"))[4]).toMatchObject({ messageId: second.response._id });
    for (const client of [tab, console]) client.close();
  });

  test("[M34] [H33] that the chat was ended is the response to what waited, under one id everywhere", async () => {
    const chat = await newChat();
    const tab = await WireClient.connect(app.url);
    await tab.call(topic, "phx_join", { userId: "ana" });
    const { message, response } = await say(chat, "one");
    await call("PATCH", `/api/sessions/${chat}`, { body: { status: "closed" } });
    const [, , , , updated] = await tab.event("message:updated");
    const { messages } = await messagesOf(chat);
    expect(messages.map(({ _id }) => _id)).toEqual([message._id, response._id]);
    expect(updated).toEqual({ conversationId: chat, message: messages[1] });
    tab.close();
  });

  test("[H31] [M6] the same key is the same message, as it is by then; in another chat it is 422", async () => {
    const [chat, other] = [await newChat(), await newChat()];
    const first = await say(chat, "hello", "k");
    expect(await say(chat, "hello", "k")).toEqual(first);
    (await agent.call("hello")).answer("good day");
    const done = await whenDone(chat, first.response._id);
    expect(await say(chat, "hello", "k")).toEqual({ message: first.message, response: done });
    const elsewhere = { body: { content: "hello" }, key: "k" };
    expect((await call("POST", `/chats/${other}/messages`, elsewhere)).code()).toEqual([422, "idempotency_mismatch"]);
    expect(agent.asked).toEqual(["hello"]);
  });

  test("what cannot be said is refused, and nothing is stored; in a chat that is over nothing can", async () => {
    const chat = await newChat();
    const refused = async (body: unknown) => (await call("POST", `/chats/${chat}/messages`, { body })).code();
    expect(await refused({})).toEqual([400, "invalid_payload"]);
    expect(await refused({ content: " " })).toEqual([400, "missing_parameters"]);
    expect(await refused({ content: "x", role: "agent" })).toEqual([400, "invalid_payload"]);
    expect(await refused({ content: "x".repeat(8193) })).toEqual([413, "message_too_long"]);
    await call("PATCH", `/api/sessions/${chat}`, { body: { status: "closed" } });
    expect(await refused({ content: "hello" })).toEqual([404, "session_not_found"]);
    const { sessions } = (await call<{ sessions: unknown[] }>("GET", "/api/sessions")).json();
    expect([sessions.length, (await messagesOf(chat)).messages]).toEqual([1, []]);
  });

  test("are paged from the newest on", async () => {
    const chat = await newChat();
    for (const text of ["1", "2", "3"]) {
      const { response } = await say(chat, text);
      (await agent.call(text)).answer(`a${text}`);
      await whenDone(chat, response._id);
    }
    const contents = ({ messages }: Page) => messages.map(({ content }) => content);
    const newest = await messagesOf(chat, "?limit=4");
    expect(contents(newest)).toEqual(["2", "a2", "3", "a3"]);
    const oldest = await messagesOf(chat, `?limit=4&cursor=${newest.pagination.nextCursor}`);
    expect([contents(oldest), oldest.pagination]).toEqual([["1", "a1"], { hasMore: false, nextCursor: null }]);
  });
});
