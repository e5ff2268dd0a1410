import { afterEach, describe, expect, test } from "@jest/globals";
import type { ChatMessage } from "../../server/messaging/model.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask, problemCode } from "../support/plain-http.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const businessId = "B1";
const topic = `messages:${businessId}`;
const asAna = { "x-user-id": "ana", "x-business-id": businessId, "content-type": "application/json" };

let app: TestApp;
let agent: ScriptedAgent;

afterEach(() => app.dispose());

async function start(environment: Readonly<Record<string, string>> = {}, clock?: FakeClock): Promise<void> {
  agent = new ScriptedAgent();
  app = await startTestApp(environment, { agents: { echo: agent }, ...(clock === undefined ? {} : { clock }) });
}

interface Said {
  readonly sessionId: string;
  readonly messageId: string;
  readonly offset: number;
  readonly timestamp: string;
  readonly duplicate?: boolean;
  readonly answer?: Readonly<Record<string, unknown>>;
}

async function post(message: unknown, more: Readonly<Record<string, unknown>> = {}, options: Options = {}) {
  const { query = "", headers = {} } = options;
  const body = JSON.stringify({ businessId, userId: "ana", locationId: "default", message, ...more });
  const answer = await ask(app, `/api/messages${query}`, { method: "POST", headers: { ...asAna, ...headers }, body });
  return {
    ...answer,
    code: () => [answer.status, problemCode(answer)],
    said: () => JSON.parse(answer.text) as Said,
  };
}

interface Options {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function join(userId?: string): Promise<WireClient> {
  const client = await WireClient.connect(app.url);
  await client.call(topic, "phx_join", userId === undefined ? {} : { userId });
  return client;
}

const wait = { query: "?wait=1" };
const keyed = (key: string) => ({ headers: { "idempotency-key": key } });

describe("[H24] POST /api/messages", () => {
  test("is 202 once it is stored; sockets and coordinators hear of it, and of its answer", async () => {
    await start();
    const [tab, console, bob] = [await join("ana"), await join(), await join("bob")];
    const answer = await post("hello", { chatId: "w", timestamp: "then" }, keyed("c1"));
    const said = answer.said();
    expect([answer.status, Object.keys(said)]).toEqual([202, ["messageId", "sessionId", "offset", "timestamp"]]);
    const stored = await app.store.findMessage(said.sessionId, said.messageId);
    expect(stored).toMatchObject({
      ...{ content: "hello", type: "user", userId: "ana", offset: 1 },
      metadata: { source: "http", chatId: "w", clientMessageId: "c1", clientTimestamp: "then" },
    });
    expect((await tab.event("message_accepted"))[4]).toMatchObject({ ...said, message: "hello" });
    expect((await console.event("message_accepted"))[4]).toMatchObject({ ...said, userId: "ana" });
    (await agent.call("hello")).answer("good day");
    expect((await tab.event("new_message"))[4]).toMatchObject({ message: "good day", inReplyTo: said.messageId });
    expect((await console.event("message_processed"))[4]).toMatchObject({ answer: "good day", source: "http" });
    await bob.heartbeat();
    expect(bob.frames.filter(([, , event]) => event === topic)).toHaveLength(1);
    for (const client of [tab, console, bob]) client.close();
  });

  test("[M6] the same key is the same message; another text under it is 422, and nothing is stored", async () => {
    await start();
    const first = (await post("hello", {}, keyed("c1"))).said();
    (await agent.call("hello")).answer();
    const again = await post("hello", {}, keyed("c1"));
    expect([again.status, again.said()]).toEqual([202, { ...first, duplicate: true }]);
    expect((await post("hello", { clientMessageId: "c1" }, keyed("c1"))).said().messageId).toBe(first.messageId);
    expect((await post("other", {}, keyed("c1"))).code()).toEqual([422, "idempotency_mismatch"]);
    expect((await post("hello", { clientMessageId: "c2" }, keyed("c1"))).code()).toEqual([400, "invalid_payload"]);
    expect((await post("hello", {}, keyed("x".repeat(129)))).code()).toEqual([400, "invalid_payload"]);
    const { messages } = JSON.parse((await ask(app, `/api/sessions/${first.sessionId}/messages`)).text) as {
      messages: ChatMessage[];
    };
    expect(messages.filter(({ type }) => type === "user")).toHaveLength(1);
  });

  test("[H1] what a channel refuses is refused with the same code, and told in its own status", async () => {
    await start({ MAX_MESSAGE_BYTES: "10", MAX_BACKLOG_PER_BUSINESS: "1", MESSAGES_PER_MINUTE_PER_USER: "3" });
    const empty = await post(" ", { locationId: undefined, userId: null });
    expect(empty.code()).toEqual([400, "missing_parameters"]);
    expect(empty.text).toContain("Missing required parameters: locationId, userId, message");
    expect((await post("hello", { businessId: 7 })).code()).toEqual([400, "invalid_payload"]);
    expect((await post("longer than that")).code()).toEqual([413, "message_too_long"]);
    expect((await post("hello", {}, { query: "?wait=yes" })).code()).toEqual([400, "invalid_payload"]);
    for (const other of [{ userId: "bob" }, { businessId: "B2" }, { businessId: "__proto__ " }]) {
      expect((await post("hello", other)).code()).toEqual([404, "not_found"]);
    }
    expect((await post("one")).status).toBe(202);
    const busy = await post("two");
    expect([...busy.code(), busy.headers["retry-after"]]).toEqual([503, "busy", "1"]);
    await post("three");
    const limited = await post("four");
    expect(limited.code()).toEqual([429, "rate_limited"]);
    expect(Number(limited.headers["retry-after"])).toBeGreaterThan(0);
    (await agent.call("one")).answer();
    const path = `/api/businesses/${businessId}/users/ana`;
    await until("ana is known", () => agent.calls[0]!.isLeft);
    const blocked = await ask(app, path, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ blocked: true }),
    });
    expect([blocked.status, ...(await post("five")).code()]).toEqual([200, 403, "blocked"]);
  });
});

describe("[H25] ?wait=1", () => {
  test("[M21] its turn begins at once, and its place is free again after that, a retry's too", async () => {
    await start({ MAX_BACKLOG_PER_BUSINESS: "1" });
    for (const text of ["one", "two", "three"]) {
      const asking = post(text, {}, { ...wait, ...keyed(text) });
      (await agent.call(text)).answer();
      expect([(await asking).status, (await post(text, {}, keyed(text))).status]).toEqual([200, 202]);
    }
  });

  test("answers with what the sockets get, and a retry finds it at once", async () => {
    await start();
    const tab = await join("ana");
    const asking = post("hello", {}, { ...wait, ...keyed("c1") });
    (await agent.call("hello")).answer("good day");
    const { status, said } = await asking;
    expect([status, said().answer]).toEqual([200, (await tab.event("new_message"))[4]]);
    expect(said().answer).toMatchObject({ message: "good day", inReplyTo: said().messageId, from: "agent" });
    const again = await post("hello", {}, { ...wait, ...keyed("c1") });
    expect([again.status, again.said()]).toEqual([200, { ...said(), duplicate: true }]);
    expect(agent.calls).toHaveLength(1);
    tab.close();
  });

  test("a coordinator's reply is the answer to each message that waited for it", async () => {
    await start();
    const console = await join();
    const { sessionId } = (await post("one")).said();
    await console.call(topic, "take_over", { sessionId });
    const asking = ["two", "three"].map((text) => post(text, {}, wait));
    await console.next((frame) => frame[3] === "message_accepted" && frame[4].offset === 3);
    await console.call(topic, "reply", { sessionId, message: "a human here" });
    for (const { status, said } of await Promise.all(asking)) {
      expect([status, said().answer]).toMatchObject([200, { message: "a human here", from: "coordinator" }]);
    }
    console.close();
  });

  test("is 202 after 25 s, and the answer comes later by other ways", async () => {
    const clock = new FakeClock();
    await start({}, clock);
    let isAnswered = false;
    const asking = post("hello", {}, { ...wait, ...keyed("c1") }).finally(() => (isAnswered = true));
    const call = await agent.call("hello");
    clock.advance(24_999);
    const other = await post("another");
    expect([other.status, isAnswered]).toEqual([202, false]);
    clock.advance(1);
    const { status, said } = await asking;
    expect([status, said()]).toEqual([202, expect.not.objectContaining({ answer: expect.anything() })]);
    call.answer("late");
    (await agent.call("another")).answer();
    const again = await post("hello", {}, { ...wait, ...keyed("c1") });
    expect([again.status, again.said().answer]).toMatchObject([200, { message: "late" }]);
  });

  test("[H23] is 404 as soon as its session is deleted", async () => {
    await start({}, new FakeClock());
    const asking = post("hello", {}, wait);
    const { sessionId } = (await agent.call("hello")).turn;
    expect((await ask(app, `/api/sessions/${sessionId}`, { method: "DELETE", headers: asAna })).status).toBe(204);
    expect((await asking).code()).toEqual([404, "session_not_found"]);
  });

  test("[M26] is no delivery: the answer comes at the next join, under the same responseId", async () => {
    await start();
    const asking = post("hello", {}, wait);
    (await agent.call("hello")).answer();
    const { answer } = (await asking).said();
    const tab = await join("ana");
    expect((await tab.event("new_message"))[4]).toEqual(answer);
    tab.close();
  });

  test("[H23] [M26] a session that is deleted does not keep back what was not delivered before it", async () => {
    await start();
    const asked = async (text: string) => {
      const asking = post(text, {}, wait);
      (await agent.call(text)).answer();
      return (await asking).said();
    };
    const first = await asked("one");
    const headers = { "content-type": "application/json" };
    const path = `/api/sessions/${first.sessionId}`;
    await ask(app, path, { method: "PATCH", headers, body: JSON.stringify({ status: "closed" }) });
    const second = await asked("two");
    expect((await ask(app, `/api/sessions/${second.sessionId}`, { method: "DELETE" })).status).toBe(204);
    const third = await asked("three");
    expect(new Set([first, second, third].map(({ sessionId }) => sessionId)).size).toBe(3);
    const tab = await join("ana");
    await tab.next((frame) => frame[3] === "new_message" && frame[4].inReplyTo === third.messageId);
    const told = tab.frames.filter(([, , , event]) => event === "new_message").map((frame) => frame[4].message);
    expect(told).toEqual(["answer to one", "answer to three"]);
    tab.close();
  });
});

describe("[H24] [H25] [H20] [H23] seed 003_d1854220c44e62a1: REST when the WebSocket fails", () => {
  test("a customer talks, lists and clears sessions, and goes on over a socket, in one chat window", async () => {
    await start({ AGENT: "assistant", BUSINESSES_DIR: "" });
    expect((await ask(app, "/healthz")).status).toBe(200);
    const window = { chatId: "chat_123" };
    const first = await post("Vreau să fac o programare", { ...window, businessId }, wait);
    const { sessionId, answer } = first.said();
    expect([first.status, answer]).toMatchObject([200, { sessionId, offset: 2 }]);
    const listed = await ask(app, "/api/sessions?chatId=chat_123", { headers: asAna });
    expect(JSON.parse(listed.text)).toMatchObject({ sessions: [{ sessionId, status: "active", offset: 2 }] });
    const tab = await WireClient.connect(app.url);
    const { response } = await tab.call(topic, "phx_join", { userId: "ana", ...window });
    expect(response).toMatchObject({ sessionId, messages: [{ type: "user", metadata: window }, { type: "agent" }] });
    const payload = { businessId, userId: "ana", locationId: "default", message: "Mulțumesc", ...window };
    expect((await tab.call(topic, "new_message", payload)).response).toMatchObject({ sessionId, offset: 3 });
    await tab.next((frame) => frame[3] === "new_message" && frame[4].offset === 4);
    expect((await ask(app, `/api/sessions/${sessionId}`, { method: "DELETE", headers: asAna })).status).toBe(204);
    expect((await tab.event("session_updated"))[4]).toMatchObject({ sessionId, deleted: true });
    const left = await ask(app, "/api/sessions?chatId=chat_123", { headers: asAna });
    expect(JSON.parse(left.text)).toEqual({ sessions: [], pagination: { hasMore: false, nextCursor: null } });
    tab.close();
  });
});
