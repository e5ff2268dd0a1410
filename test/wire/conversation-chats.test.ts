import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConversationDesk } from "../support/conversation-desk.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask } from "../support/plain-http.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { type Fields, Seat } from "../support/seat.js";
import { startTestApp } from "../support/start-app.js";
import { secret, tokenOf } from "../support/tokens.js";

// The owner of a chat on `conversation:<chatId>`: it is the same chat as that of `/chats` and of `messages:`.

const businessId = "B1";

let agent: ScriptedAgent;
let desk: ConversationDesk;
let chatId: string;
let owner: Seat;

async function start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  agent = new ScriptedAgent(50);
  desk = await ConversationDesk.start(businessId, environment, { agents: { echo: agent } });
  chatId = await newChat();
  owner = await desk.member(chatId, "ana");
}

afterEach(async () => {
  // Whatever a test that failed has left open: the clock that it would be waited by stands still.
  for (const call of agent.calls) call.answer();
  await desk.dispose();
});

const asAna = (method: string, path: string, body?: unknown, more: Readonly<Record<string, string>> = {}) =>
  desk.http(method, path, body, { "x-user-id": "ana", ...more });
const newChat = async (title = "Revenue") => String((await asAna("POST", "/chats", { title })).body._id);
const post = (content: string, key?: string) =>
  asAna("POST", `/chats/${chatId}/messages`, { content }, key === undefined ? {} : { "idempotency-key": key });
const idOf = (said: unknown) => (said as { readonly _id: string })._id;
const codeOf = ({ status, response }: { readonly status: string; readonly response: Fields }) =>
  status === "ok" ? "ok" : response.code;
const told = ["message:new", "message:updated", "conversation:updated", "typing", "presence:update"];

describe("what is said and told", () => {
  beforeEach(() => start());

  test("[M101] [H33] its owner hears whatever is said in it, by whatever way, and the responses as on `messages:`", async () => {
    const { conversationId, conversation, messages } = owner.joined;
    expect([conversationId, messages]).toEqual([chatId, []]);
    expect(conversation).toMatchObject({ _id: chatId, title: "Revenue", status: "active", orgId: businessId });
    const tab = await desk.onMessages("ana");

    const first = await owner.ask("message:send", { content: "Report on March", clientMessageId: "c1" });
    const { messageId } = first.response;
    expect(first.response).toEqual({ messageId, conversationId: chatId, offset: 1, timestamp: expect.any(String) });
    (await agent.call("Report on March")).answer("March was fine.");
    await owner.hears("message:updated");
    const { body: second } = await post("And April?");
    (await agent.call("And April?")).say(new Error("the model is gone"));
    await owner.hears("message:updated");
    const third = await tab.ask("new_message", {
      ...{ businessId, userId: "ana", locationId: "default", sessionId: chatId, message: "And May?" },
    });
    (await agent.call("And May?")).answer("May was better.");
    await owner.hears("message:updated");
    await tab.hears("message:updated", ({ message }) => (message as Fields).content === "May was better.");

    const asked = { role: "user", senderType: "user", senderId: "ana", conversationId: chatId };
    const answered = { role: "assistant", senderType: "agent", conversationId: chatId };
    const said = owner.heard("message:new");
    expect(said).toMatchObject([
      { ...asked, messageId, offset: 1, content: "Report on March" },
      { ...answered, offset: 2, content: "March was fine.", inReplyTo: messageId },
      { ...asked, messageId: idOf(second.message), offset: 3, content: "And April?" },
      { role: "system", messageId: idOf(second.response), offset: 4, inReplyTo: idOf(second.message) },
      { ...asked, messageId: third.response.messageId, offset: 5, content: "And May?" },
      { ...answered, offset: 6, content: "May was better." },
    ]);
    const updates = owner.heard("message:updated");
    expect(updates).toEqual(tab.heard("message:updated"));
    expect(updates.map(({ message }) => (message as Fields).status)).toEqual(["done", "failed", "done"]);
    expect(owner.frames.map(([event]) => event).filter((event) => told.includes(event))).toEqual(
      [1, 2, 3].flatMap(() => ["message:new", "message:new", "message:updated"]),
    );
    const shown = (await asAna("GET", `/chats/${chatId}/messages`)).body.messages as Fields[];
    expect(shown.map(({ _id }) => _id)).toEqual(said.map((message) => message.messageId));
    expect((await desk.member(chatId, "ana")).joined.messages).toEqual(said);
  });

  test("[M101] [X-09] nobody else hears any of it: not on the business's topic, nor in another chat or business", async () => {
    const elsewhere = await desk.http("POST", "/chats", {}, { "x-user-id": "ana", "x-business-id": "B2" });
    const others = [
      await desk.onMessages("bob"),
      await desk.onMessages(),
      await desk.onMessages("ana", "B2"),
      await desk.member(await newChat("Costs"), "ana"),
      await desk.member(elsewhere.body._id, "ana", "B2"),
    ];
    for (const [userId, of] of [
      ["bob", businessId],
      ["ana", "B2"],
      [undefined, businessId],
    ] as const) {
      await expect(desk.member(chatId, userId, of)).rejects.toThrow("not_found");
    }
    expect(codeOf(await owner.ask("message:send", { content: "Report on March" }))).toBe("ok");
    await owner.ask("typing", { typing: true });
    (await agent.call("Report on March")).answer();
    await owner.hears("message:updated");
    await asAna("PATCH", `/chats/${chatId}`, { title: "Spring" });
    await owner.hears("conversation:updated");
    await desk.settled();
    expect(others.map((seat) => seat.heard(...told))).toEqual(others.map(() => []));
  });

  test("[M101] [M6] said twice under one id, on its topic or over REST, it is one message", async () => {
    const said = { content: "Report on March", clientMessageId: "c1" };
    const first = await owner.ask("message:send", said);
    const duplicate = { ...first.response, duplicate: true };
    expect((await owner.ask("message:send", said)).response).toEqual(duplicate);
    expect(idOf((await post(said.content, "c1")).body.message)).toBe(first.response.messageId);
    const other = await owner.ask("message:send", { content: "Report on April", clientMessageId: "c1" });
    expect(codeOf(other)).toBe("idempotency_mismatch");
    (await agent.call("Report on March")).answer();
    await owner.hears("message:updated");
    const { body } = await post("And April?", "c2");
    const again = await owner.ask("message:send", { content: "And April?", clientMessageId: "c2" });
    expect(again.response).toMatchObject({ messageId: idOf(body.message), duplicate: true });
    // A user elsewhere, and another of this business, have ids of their own.
    const theirs = await desk.http("POST", "/chats", {}, { "x-user-id": "ana", "x-business-id": "B2" });
    const elsewhere = await desk.member(theirs.body._id, "ana", "B2");
    const there = await elsewhere.ask("message:send", { ...said, content: "elsewhere" });
    expect([there.status, there.response.duplicate]).toEqual(["ok", undefined]);
    for (const asked of ["And April?", "elsewhere"]) (await agent.call(asked)).answer();
    await owner.hears("message:updated");
    await elsewhere.hears("message:updated");
    expect(owner.heard("message:new").map(({ offset }) => offset)).toEqual([1, 2, 3, 4]);
  });

  test("[M101] [M39] its owner is told that a coordinator writes, what they say and that they have it, but not who", async () => {
    const console = await desk.onMessages();
    expect(codeOf(await owner.ask("message:send", { content: "Is anybody there?" }))).toBe("ok");
    const call = await agent.call("Is anybody there?");
    expect(codeOf(await console.ask("take_over", { sessionId: chatId }))).toBe("ok");
    await owner.hears("conversation:updated");
    call.answer();
    await console.ask("typing", { sessionId: chatId, typing: true });
    const coordinator = { conversationId: chatId, senderType: "coordinator", senderId: "coordinator" };
    expect(await owner.hears("typing")).toEqual({ ...coordinator, typing: true });
    expect(codeOf(await console.ask("reply", { sessionId: chatId, message: "I am." }))).toBe("ok");
    expect(await owner.hears("message:new", ({ role }) => role !== "user")).toMatchObject({
      ...coordinator,
      content: "I am.",
    });
    expect(await owner.hears("message:updated")).toMatchObject({
      message: { messageType: "system", content: "I am." },
    });
  });

  test("[M101] [H23] it is told of another title and of its end: nothing is said in it any more; deleted, it is not there", async () => {
    await asAna("PATCH", `/chats/${chatId}`, { title: "Spring" });
    expect(await owner.hears("conversation:updated")).toMatchObject({
      ...{ conversationId: chatId, conversation: { _id: chatId, title: "Spring" } },
    });
    expect((await asAna("PATCH", `/api/sessions/${chatId}`, { status: "closed" })).status).toBe(200);
    expect(await owner.hears("conversation:updated")).toMatchObject({ conversation: { status: "closed" } });
    expect(codeOf(await owner.ask("message:send", { content: "hello" }))).toBe("session_not_found");
    expect((await post("hello")).body.code).toBe("session_not_found");
    expect((await asAna("DELETE", `/chats/${chatId}`)).status).toBe(204);
    expect(await owner.hears("conversation:updated")).toMatchObject({ conversationId: chatId, deleted: true });
    expect(codeOf(await owner.ask("message:send", { content: "hello" }))).toBe("session_not_found");
    await expect(desk.member(chatId, "ana")).rejects.toThrow("not_found");
  });
});

test("[M101] [H32] what POST refuses is refused here, by the same codes; nothing of it is stored, or told", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bennu-businesses-"));
  const yaml = "businessId: B1\nname: Small\nlocale: en\ntimeZone: UTC\nlimits: { messagesPerDayPerUser: 2 }\n";
  await writeFile(join(folder, "B1.yaml"), yaml);
  const limits = { MAX_MESSAGE_BYTES: "20", MAX_BACKLOG_PER_USER: "1", MESSAGES_PER_MINUTE_PER_USER: "4" };
  await start({ BUSINESSES_DIR: folder, ...limits });
  await rm(folder, { recursive: true, force: true });
  const send = async (content: string, more: Fields = {}) =>
    codeOf(await owner.ask("message:send", { content, ...more }));
  const both = async (content: string) => [await send(content), (await post(content)).body.code];
  const twice = (code: string) => [code, code];

  expect(await both("longer than it may be")).toEqual(twice("message_too_long"));
  expect(await both(" ")).toEqual(twice("missing_parameters"));
  expect(await send("as another", { role: "assistant" })).toBe("forbidden");
  expect(await send("elsewhere", { conversationId: "another" })).toBe("session_not_found");
  expect(await send("one")).toBe("ok");
  expect(await both("two")).toEqual(twice("busy"));
  (await agent.call("one")).answer();
  await owner.hears("message:updated");
  // Those that were refused as busy were counted.
  expect(await send("three")).toBe("ok");
  expect(await both("four")).toEqual(twice("rate_limited"));
  (await agent.call("three")).answer();
  await owner.hears("message:updated");
  desk.clock.advance(61_000);
  expect(await both("five")).toEqual(twice("quota_exceeded"));
  const users = `/api/businesses/${businessId}/users/ana`;
  expect((await desk.http("PATCH", users, { blocked: true })).status).toBe(200);
  expect(await both("six")).toEqual(twice("blocked"));
  await desk.settled();
  const contents = ["one", "answer to one", "three", "answer to three"];
  expect(owner.heard("message:new").map(({ content }) => content)).toEqual(contents);
});

test("[M101] [X9] [X10] a token that has ended, or was revoked, hears and says nothing there", async () => {
  const clock = new FakeClock();
  const app = await startTestApp({ AUTH_SECRET: secret, IDLE_TIMEOUT_MS: "0" }, { clock });
  try {
    const seconds = () => Math.floor(clock.now() / 1000);
    const tokenFor = (claims: Fields) => tokenOf({ iat: seconds(), exp: seconds() + 600, ...claims });
    const who = { sub: "ana", role: "user", businessId: "B0100001" };
    const call = async (method: string, path: string, claims: Fields, body?: unknown) => {
      const headers = { authorization: `Bearer ${await tokenFor(claims)}`, "content-type": "application/json" };
      return ask(app, path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    };
    const { _id } = JSON.parse((await call("POST", "/chats", who, {})).text) as Fields;
    const on = `conversation:${String(_id)}`;
    const take = async (claims: Fields) =>
      Seat.take(app, {}, { on, query: `&token=${await tokenFor({ ...who, ...claims })}` });
    const [short, long] = [await take({ exp: seconds() + 61 }), await take({})];
    clock.advance(2000);
    await short.hears("token_expiring");
    clock.advance(60_000);
    expect(codeOf(await short.ask("message:send", { content: "too late" }))).toBe("token_expired");
    expect((await call("POST", `/chats/${String(_id)}/messages`, who, { content: "in time" })).status).toBe(202);
    await long.hears("message:updated");
    const service = { sub: "robot", role: "service" };
    clock.advance(1000);
    expect((await call("DELETE", `/api/tokens?sub=ana&businessId=${who.businessId}`, service)).status).toBe(200);
    await long.hears("phx_close");
    await short.client.heartbeat();
    expect([short.heard(...told), long.heard("message:new").length]).toEqual([[], 2]);
    for (const { client } of [short, long]) client.close();
  } finally {
    await app.dispose();
  }
});
