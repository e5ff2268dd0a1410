import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { cursorAt } from "../../server/messaging/ids.js";
import type { Session } from "../../server/messaging/model.js";
import { clientMessageKey, feedbackPartition } from "../../server/messaging/records.js";
import { soon } from "../support/intercepted-store.js";
import { ask, type HttpQuestion, problemCode } from "../support/plain-http.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { patienceMs } from "../support/store-of-run.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const businessId = "B1";
const topic = `messages:${businessId}`;
const asAna = { "x-user-id": "ana", "x-business-id": businessId };
const asBob = { "x-user-id": "bob", "x-business-id": businessId };
const unknown = "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11";

let app: TestApp;
let agent: ScriptedAgent;
let tab: WireClient;
let console: WireClient;

beforeEach(async () => {
  agent = new ScriptedAgent();
  app = await startTestApp({}, { agents: { echo: agent } });
  tab = await WireClient.connect(app.url);
  await tab.call(topic, "phx_join", { userId: "ana" });
  console = await WireClient.connect(app.url);
  await console.call(topic, "phx_join", {});
});

afterEach(async () => {
  tab.close();
  console.close();
  await app.dispose();
});

async function say(message: string, more: Readonly<Record<string, unknown>> = {}) {
  const { response } = await tab.call(topic, "new_message", {
    ...{ businessId, userId: "ana", locationId: "default", message },
    ...more,
  });
  return response as { readonly sessionId: string; readonly messageId: string; readonly offset: number };
}

async function talk(message: string, more: Readonly<Record<string, unknown>> = {}) {
  const said = await say(message, more);
  (await agent.call(message)).answer();
  const answer = await tab.next((frame) => frame[3] === "new_message" && frame[4].inReplyTo === said.messageId);
  return { ...said, answerId: String(answer[4].messageId) };
}

async function send(method: string, sessionId: string, question: HttpQuestion & { readonly json?: unknown } = {}) {
  const { json, headers = {} } = question;
  const answer = await ask(app, `/api/sessions/${sessionId}`, {
    method,
    headers: { ...headers, ...(json === undefined ? {} : { "content-type": "application/json" }) },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  return {
    ...answer,
    code: () => [answer.status, problemCode(answer)],
    session: () => JSON.parse(answer.text) as Session,
  };
}

const updates = (client: WireClient) =>
  client.frames.filter(([, , , event]) => event === "session_updated").map((frame) => frame[4]);

describe("[H21] GET /api/sessions/:sessionId", () => {
  test("is the session as it is, by its id and by the one that old clients make up", async () => {
    const { sessionId } = await talk("hello");
    const { session } = (await app.store.readHead(sessionId))!;
    expect((await send("GET", sessionId)).session()).toEqual(session);
    expect((await send("GET", `${businessId}:ana:${Date.now() - 43_200_000}`, { headers: asAna })).session()).toEqual(
      session,
    );
  });

  test("a user sees that a human holds it and until when, but not who", async () => {
    const { sessionId } = await talk("hello");
    await console.call(topic, "take_over", { sessionId });
    const { holder } = (await send("GET", sessionId)).session();
    expect(holder).toEqual({ coordinatorId: expect.any(String), expiresAt: expect.any(String) });
    const shown = { holder: { expiresAt: holder!.expiresAt } };
    expect((await send("GET", sessionId, { headers: asAna })).session().holder).toEqual(shown.holder);
    const listed = await ask(app, "/api/sessions", { headers: asAna });
    expect((JSON.parse(listed.text) as { sessions: Session[] }).sessions).toMatchObject([{ sessionId, ...shown }]);
  });

  test("[X7] what is not there, and what is somebody else's, is 404; so is a day on which nothing was said", async () => {
    const { sessionId } = await talk("hello");
    for (const method of ["GET", "DELETE"]) {
      expect((await send(method, unknown)).code()).toEqual([404, "session_not_found"]);
      expect((await send(method, sessionId, { headers: asBob })).code()).toEqual([404, "session_not_found"]);
      expect((await send(method, `${businessId}:bob:${Date.now()}`)).code()).toEqual([404, "session_not_found"]);
    }
    const patch = await send("PATCH", sessionId, { headers: asBob, json: { title: "mine" } });
    expect(patch.code()).toEqual([404, "session_not_found"]);
  });
});

describe("[H22] PATCH /api/sessions/:sessionId", () => {
  test("gives it a title, takes it away, and tells the sockets of its user and the coordinators", async () => {
    const { sessionId } = await talk("hello");
    const named = (await send("PATCH", sessionId, { headers: asAna, json: { title: " Braces\ud800 " } })).session();
    expect(named).toMatchObject({ sessionId, title: "Braces\ufffd", status: "active" });
    expect((await send("PATCH", sessionId, { json: { title: null } })).session()).not.toHaveProperty("title");
    await until("both are told", () => updates(tab).length === 2 && updates(console).length === 2, patienceMs);
    expect(updates(tab)[0]).toEqual({
      ...{ sessionId, status: "active", title: "Braces\ufffd", holder: null, updatedAt: named.updatedAt },
    });
    expect(updates(console)[1]).toMatchObject({ sessionId, userId: "ana" });
    expect(updates(console)[1]).not.toHaveProperty("title");
  });

  test("ends what is open, as on a channel, and opens it again", async () => {
    const { sessionId } = await say("hello");
    await agent.call("hello");
    const resolved = await send("PATCH", sessionId, { json: { status: "resolved", title: "Done" } });
    expect(resolved.session()).toMatchObject({ status: "resolved", title: "Done" });
    expect((await tab.event("new_message"))[4]).toMatchObject({ from: "system", sessionId });
    expect((await send("PATCH", sessionId, { json: { status: "active" } })).session().status).toBe("active");
    expect((await send("PATCH", sessionId, { headers: asAna, json: { status: "closed" } })).session().status).toBe(
      "closed",
    );
  });

  test("[X8] a status is for those who may set it on a channel, and nothing is done by halves", async () => {
    const { sessionId } = await talk("hello");
    for (const status of ["resolved", "active"]) {
      const answer = await send("PATCH", sessionId, { headers: asAna, json: { status, title: "half" } });
      expect(answer.code()).toEqual([403, "forbidden"]);
    }
    const service = { headers: { "x-role": "service" }, json: { status: "closed", title: "half" } };
    expect((await send("PATCH", sessionId, service)).code()).toEqual([403, "forbidden"]);
    await console.call(topic, "take_over", { sessionId });
    const held = await send("PATCH", sessionId, { json: { status: "resolved", title: "half" } });
    expect(held.code()).toEqual([409, "held_by_other"]);
    expect((await app.store.readHead(sessionId))!.session).not.toHaveProperty("title");
    const titled = await send("PATCH", sessionId, { headers: { "x-role": "service" }, json: { title: "whole" } });
    expect(titled.session()).toMatchObject({ title: "whole", status: "active" });
  });

  test.each([
    [{}],
    [{ status: "abandoned" }],
    [{ status: "closed", state: "closed" }],
    [{ title: "" }],
    [{ title: " " }],
    [{ title: 7 }],
    [{ title: "x".repeat(201) }],
    [[]],
    ["closed"],
  ])("the body %j is 400, and changes nothing", async (json) => {
    const { sessionId } = await talk("hello");
    const before = await app.store.readHead(sessionId);
    expect((await send("PATCH", sessionId, { json })).code()).toEqual([400, "invalid_payload"]);
    expect((await app.store.readHead(sessionId))!.session).toEqual(before!.session);
  });
});

describe("[H23] DELETE /api/sessions/:sessionId", () => {
  test("nothing that was said, thought, scored or noted in it is left, and its ids are free again", async () => {
    const since = cursorAt(Date.now() - 1000);
    const { sessionId, answerId } = await talk("hello", { chatId: "w", clientMessageId: "c1" });
    const { sessionId: same } = await talk("again", { chatId: "w", clientMessageId: "c2" });
    expect(same).toBe(sessionId);
    await tab.call(topic, "feedback", { messageId: answerId, sessionId, score: 1 });
    await console.call(topic, "note", { sessionId, message: "among us" });
    expect((await app.store.readEvents(businessId, { after: since, limit: 9 })).items).toHaveLength(2);
    const answer = await send("DELETE", sessionId, { headers: asAna });
    expect([answer.status, answer.text]).toEqual([204, ""]);
    for (const path of ["", "/messages"]) {
      const gone = await ask(app, `/api/sessions/${sessionId}${path}`);
      expect([gone.status, problemCode(gone)]).toEqual([404, "session_not_found"]);
    }
    expect((await send("DELETE", sessionId)).status).toBe(404);
    const { store } = app;
    const left = async () => [
      (await store.readMessages(sessionId, { limit: 9 })).items.length,
      (await store.readAsides(sessionId, { from: 0, to: 9, limit: 9 })).items.length,
      (await store.readWindow({ businessId, userId: "ana", chatId: "w" }, 9)).length,
      (await store.listRecords(feedbackPartition(sessionId), { limit: 9 })).items.length,
      (await store.readEvents(businessId, { after: since, limit: 9 })).items.length,
      (await store.readSessionsOf({ businessId, userId: "ana" }, { limit: 9 })).items.length,
      (await store.readSessionsOfBusiness(businessId, { limit: 9 })).items.length,
      (await store.readActiveSessions(businessId, { limit: 9 })).items.length,
      (await store.readRecord(clientMessageKey(businessId, "ana", "c1"))) === null ? 0 : 1,
    ];
    let counts = await left();
    for (; counts.some((count) => count > 0); counts = await left()) await soon();
    const next = await talk("hello", { chatId: "w", clientMessageId: "c1" });
    expect([next.sessionId === sessionId, next.offset]).toEqual([false, 1]);
    expect((await store.readHead(next.sessionId))!.session).not.toHaveProperty("previousSessionId");
  });

  test("[M39] all its sockets and the coordinators are told, and nobody else", async () => {
    const { sessionId } = await talk("hello");
    const bob = await WireClient.connect(app.url);
    await bob.call(topic, "phx_join", { userId: "bob" });
    await send("DELETE", sessionId, { headers: asAna });
    const told = { sessionId, status: "closed", deleted: true, updatedAt: expect.any(String), holder: null };
    expect((await tab.event("session_updated"))[4]).toEqual(told);
    expect((await console.event("session_updated"))[4]).toEqual({ ...told, userId: "ana" });
    await bob.heartbeat();
    bob.close();
    expect(updates(bob)).toEqual([]);
  });

  test("[M8] what is being answered in it is stopped, what waits is never asked, and no outcome is told", async () => {
    const { sessionId } = await say("one");
    await say("two");
    const call = await agent.call("one");
    await send("DELETE", sessionId);
    await until("the agent is stopped", () => call.signal.aborted);
    call.answer("too late");
    const next = await talk("three");
    expect([next.sessionId === sessionId, agent.asked]).toEqual([false, ["one", "three"]]);
    await tab.heartbeat();
    const answers = tab.frames.filter(([, , , event]) => event === "new_message");
    expect(answers.map((frame) => frame[4].inReplyTo)).toEqual([next.messageId]);
    expect(console.frames.some(([, , , event]) => event === "draft")).toBe(false);
  });

  test("a parameter is 400, lest somebody who meant a part of it loses all", async () => {
    const { sessionId } = await talk("hello");
    const answer = await send("DELETE", `${sessionId}?before=o1`);
    expect(answer.code()).toEqual([400, "invalid_payload"]);
    expect((await send("GET", sessionId)).status).toBe(200);
  });
});
