import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { connectAgent, seatOfAgent } from "../support/agent-seat.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask } from "../support/plain-http.js";
import { type Fields, Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

// The flows of the seed 000_58691b68870bbb16: an agent that connects has a conversation at once, and the same one the next
// time; a user joins it over HTTP or by a socket; what is said reaches all who take part.

const businessId = "B0100001";
const agentId = "69520162e1abb06986fdcee5";
const userId = "691eba08517f917943ae1fa1";
const json = { "content-type": "application/json", "x-business-id": businessId };

let app: TestApp;
let seats: Seat[];

beforeEach(async () => {
  seats = [];
  app = await startTestApp();
});

afterEach(async () => {
  for (const { client } of seats) client.close();
  await app.dispose();
});

async function agent(name = agentId): Promise<Seat> {
  const seat = await seatOfAgent(app, name, businessId);
  seats.push(seat);
  return seat;
}

async function member(conversationId: unknown, payload: Fields): Promise<Seat> {
  const seat = await Seat.take(app, payload, { on: `conversation:${String(conversationId)}` });
  seats.push(seat);
  return seat;
}

async function http(method: string, path: string, body?: unknown, headers: Record<string, string> = json) {
  const answer = await ask(app, path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (answer.text === "" ? {} : JSON.parse(answer.text)) as Fields };
}

const active = `/conversations?filter[agentId]=${agentId}&filter[status]=active`;
const dataOf = (body: Fields) => body.data as readonly Fields[];
const replyTo = (reply: { readonly response: Fields }) => reply.response.messageId;

describe("[M90] [M92] seed 000: the auto-create flow", () => {
  test("a token, a socket, and the agent can speak: nobody has set anything up", async () => {
    const robot = await agent();
    const { conversationId } = robot.joined;
    expect(robot.joined).toEqual({ agentId, conversationId, created: true, messages: [] });
    // The three ways to learn the id: the join's reply, presence:update, and the list.
    expect(await robot.hears("presence:update")).toEqual({ type: "agent", agentId, conversationId, status: "online" });
    const listed = await http("GET", active);
    expect(dataOf(listed.body)).toEqual([
      {
        ...{ _id: conversationId, title: `Agent ${agentId} - Auto Conversation` },
        description: "Automatically created conversation for agent",
        ...{ agentId, conversationType: "chat", status: "active", totalTokens: 0, totalMessages: 0, totalCost: 0 },
        participants: [{ type: "agent", id: agentId, joined: expect.any(String) }],
        ...{ orgId: businessId, createdBy: agentId, updatedBy: agentId },
        ...{ createdAt: expect.any(String), updatedAt: expect.any(String) },
      },
    ]);
    const said = await robot.ask("message:send", {
      conversationId,
      role: "assistant",
      content: "Hello! How can I help?",
    });
    expect(said).toEqual({
      status: "ok",
      response: { messageId: expect.any(String), conversationId, offset: 1, timestamp: expect.any(String) },
    });
    const stored = await http("GET", `/conversations/${String(conversationId)}/messages`);
    expect(stored.body.messages).toMatchObject([{ content: "Hello! How can I help?", type: "agent", offset: 1 }]);
    await robot.client.heartbeat();
    expect(robot.heard("message:new")).toEqual([]);
  });

  test("under /api too; the id of nobody's agent lists nothing", async () => {
    const { conversationId } = (await agent()).joined;
    expect(dataOf((await http("GET", `/api${active}`)).body).map(({ _id }) => _id)).toEqual([conversationId]);
    expect((await http("GET", "/conversations?filter[agentId]=nobody")).body).toEqual({
      data: [],
      pagination: { hasMore: false, nextCursor: null },
    });
    expect((await http("GET", "/conversations?filter[status]=archived")).status).toBe(400);
  });
});

describe("[M90] seed 000: the reuse flow", () => {
  test("the same conversation after a reconnect, with what was said in it", async () => {
    const first = await agent();
    const { conversationId } = first.joined;
    const { response } = await first.ask("message:send", { content: "I am ready to help!" });
    first.client.close();
    const again = await agent();
    expect(again.joined).toMatchObject({ conversationId, created: false });
    expect(again.joined.messages).toEqual([
      {
        ...{
          conversationId,
          messageId: response.messageId,
          offset: 1,
          role: "assistant",
          content: "I am ready to help!",
        },
        ...{ senderType: "agent", senderId: agentId, timestamp: response.timestamp },
      },
    ]);
    expect(await again.ask("message:send", { content: "again" })).toMatchObject({
      response: { conversationId, offset: 2 },
    });
  });

  test("[M95] once it is closed the next word begins another one, and so does the next join", async () => {
    const robot = await agent();
    const first = robot.joined.conversationId;
    expect((await http("PATCH", `/conversations/${String(first)}`, { status: "closed" })).body).toMatchObject({
      status: "closed",
    });
    expect(await robot.hears("conversation:updated")).toMatchObject({
      conversationId: first,
      conversation: { status: "closed" },
    });
    const { response } = await robot.ask("message:send", { conversationId: first, content: "still here" });
    expect(response.conversationId).not.toBe(first);
    expect(await robot.hears("presence:update", (payload) => payload.conversationId !== first)).toMatchObject({
      conversationId: response.conversationId,
    });
    expect((await agent()).joined).toMatchObject({ conversationId: response.conversationId, created: false });
    await http("PATCH", `/conversations/${String(response.conversationId)}`, { status: "closed" });
    expect((await agent()).joined).toMatchObject({ created: true });
    expect(dataOf((await http("GET", active)).body)).toHaveLength(1);
  });

  test("each agent has its own; of one id in two businesses each has its own, too", async () => {
    const ids = [await agent(), await agent("other")].map(({ joined }) => joined.conversationId);
    const elsewhere = await seatOfAgent(app, agentId, "B2");
    seats.push(elsewhere);
    expect(new Set([...ids, elsewhere.joined.conversationId]).size).toBe(3);
  });
});

describe("[M93] seed 000: a user joins an agent's conversation", () => {
  const adding = { participantType: "user", participantId: userId };

  test("by a socket: both are in it, each hears the other, and what the agent says answers", async () => {
    const robot = await agent();
    const { conversationId } = robot.joined;
    await robot.ask("message:send", { content: "Hello! How can I help you?" });
    const user = await member(conversationId, { userId });
    expect(user.joined).toMatchObject({
      conversationId,
      messages: [{ content: "Hello! How can I help you?", role: "assistant" }],
      conversation: { participants: [{ type: "agent" }, { type: "user", id: userId }] },
    });
    expect(await user.hears("presence:update")).toEqual({ type: "agent", agentId, conversationId, status: "online" });
    expect(await robot.hears("presence:update", ({ type }) => type === "user")).toEqual({
      ...{ type: "user", userId, conversationId, status: "online" },
    });
    const asked = await user.ask("message:send", { conversationId, content: "Do you open on Sundays?" });
    expect(asked.response).toMatchObject({ conversationId, offset: 2 });
    const question = await robot.hears("message:new");
    expect(question).toMatchObject({
      ...{ messageId: replyTo(asked), role: "user", content: "Do you open on Sundays?", offset: 2 },
      ...{ senderType: "user", senderId: userId, deadline: expect.any(String) },
    });
    // As the seed's simple agent does: it says nothing of what it replies to.
    const answered = await robot.ask("message:send", {
      conversationId,
      role: "assistant",
      content: "You said: Sundays",
    });
    expect(await user.hears("message:new", ({ offset }) => offset === 3)).toEqual({
      ...{ conversationId, messageId: replyTo(answered), offset: 3, role: "assistant", content: "You said: Sundays" },
      ...{ senderType: "agent", senderId: agentId, timestamp: answered.response.timestamp, inReplyTo: replyTo(asked) },
    });
    await robot.client.heartbeat();
    expect(robot.heard("message:new")).toHaveLength(1);
    robot.client.close();
    expect(await user.hears("presence:update", ({ status }) => status === "offline")).toMatchObject({ type: "agent" });
  });

  test("over HTTP, by a coordinator or by themself; then by a socket", async () => {
    const { conversationId } = (await agent()).joined;
    const path = `/conversations/${String(conversationId)}/participants`;
    const { status, body } = await http("POST", `${path}/add`, adding);
    expect([status, body.participants]).toMatchObject([200, [{ type: "agent" }, { type: "user", id: userId }]]);
    expect(await http("POST", `${path}/add`, adding)).toEqual({ status, body });
    const asThem = { ...json, "x-user-id": userId };
    expect((await http("GET", `/conversations/${String(conversationId)}`, undefined, asThem)).status).toBe(200);
    expect((await member(conversationId, { userId })).joined).toMatchObject({ conversationId });
  });

  test("[M94] who is taken out hears nothing more at once, and finds nothing; nor does anybody else come in", async () => {
    const robot = await agent();
    const { conversationId } = robot.joined;
    const user = await member(conversationId, { userId });
    const path = `/conversations/${String(conversationId)}/participants/remove`;
    const asThem = { ...json, "x-user-id": userId };
    expect((await http("POST", path, adding)).status).toBe(200);
    await user.hears("phx_close");
    await robot.ask("message:send", { content: "among ourselves" });
    await user.client.heartbeat();
    expect(user.heard("message:new")).toEqual([]);
    expect((await http("GET", `/conversations/${String(conversationId)}/messages`, undefined, asThem)).status).toBe(
      404,
    );
    await expect(member(conversationId, { userId })).rejects.toThrow("not_found");
    await expect(member(conversationId, { userId: "bob" })).rejects.toThrow("not_found");
    expect((await http("POST", path.replace("remove", "add"), adding, asThem)).status).toBe(404);
  });

  test("while one takes part no other finds it: by no socket, list, page or way in", async () => {
    const { conversationId } = (await agent()).joined;
    await member(conversationId, { userId });
    await expect(member(conversationId, { userId: "bob" })).rejects.toThrow("not_found");
    const asBob = { ...json, "x-user-id": "bob" };
    const path = `/conversations/${String(conversationId)}`;
    for (const [method, of, body] of [
      ["GET", path, undefined],
      ["GET", `${path}/messages`, undefined],
      ["POST", `${path}/participants/add`, { participantType: "user", participantId: "bob" }],
      ["POST", `${path}/participants/remove`, adding],
    ] as const) {
      expect([method, of, (await http(method, of, body, asBob)).status]).toEqual([method, of, 404]);
    }
    expect(dataOf((await http("GET", "/conversations", undefined, asBob)).body)).toEqual([]);
    const asThem = { ...json, "x-user-id": userId };
    expect(dataOf((await http("GET", "/conversations", undefined, asThem)).body)).toHaveLength(1);
  });

  test("[M95] what a user says after the end begins the agent's next conversation, with both in it", async () => {
    const robot = await agent();
    const first = robot.joined.conversationId;
    const user = await member(first, { userId });
    await http("PATCH", `/conversations/${String(first)}`, { status: "resolved" });
    await user.hears("conversation:updated");
    const asked = await user.ask("message:send", { content: "one more thing" });
    expect(asked.response.conversationId).not.toBe(first);
    expect(await robot.hears("message:new")).toMatchObject({ conversationId: asked.response.conversationId });
    await robot.ask("message:send", {
      conversationId: asked.response.conversationId,
      inReplyTo: replyTo(asked),
      content: "yes?",
    });
    expect(await user.hears("message:new", ({ role }) => role === "assistant")).toMatchObject({ content: "yes?" });
  });

  test("[M96] what is sent again is stored once; as somebody else nobody speaks", async () => {
    const robot = await agent();
    const { conversationId } = robot.joined;
    const user = await member(conversationId, { userId });
    for (const [seat, content] of [
      [robot, "welcome"],
      [user, "thanks"],
    ] as const) {
      const first = await seat.ask("message:send", { content, clientMessageId: "c1" });
      const again = await seat.ask("message:send", { content, clientMessageId: "c1" });
      expect(again).toEqual({ status: "ok", response: { ...first.response, duplicate: true } });
      const other = await seat.ask("message:send", { content: "another", clientMessageId: "c1" });
      expect(other).toMatchObject({ status: "error", response: { code: "idempotency_mismatch" } });
    }
    expect(await user.ask("message:send", { content: "I am the agent", role: "assistant" })).toMatchObject({
      response: { code: "forbidden" },
    });
    expect(await robot.ask("message:send", { content: "I am the user", role: "user" })).toMatchObject({
      response: { code: "forbidden" },
    });
  });
});

test("[M98] seed 000: a user's typing is told to the others, and ends with the channel", async () => {
  await app.dispose();
  const clock = new FakeClock(Date.now());
  app = await startTestApp({ IDLE_TIMEOUT_MS: "0" }, { clock });
  const robot = await agent();
  const { conversationId } = robot.joined;
  const user = await member(conversationId, { userId });
  for (let letter = 0; letter < 3; letter += 1) await user.ask("typing", { typing: true });
  user.client.close();
  await robot.hears("presence:update", ({ type, status }) => type === "user" && status === "offline");
  clock.advance(2000);
  const of = { conversationId, senderType: "user", senderId: userId };
  await robot.hears("typing", ({ typing }) => typing === false);
  expect(robot.heard("typing")).toEqual([
    { ...of, typing: true },
    { ...of, typing: false },
  ]);
});

test("[M91] [H41] seed 000: several conversations of one agent are made over HTTP; a key makes one of them", async () => {
  const robot = await agent();
  const body = { agentId, title: "Orders" };
  const keyed = { ...json, "idempotency-key": "k1" };
  const made = await http("POST", "/conversations", body, keyed);
  expect([made.status, made.body]).toMatchObject([201, { title: "Orders", agentId, status: "active" }]);
  expect(await http("POST", "/conversations", body, keyed)).toEqual({ status: 200, body: made.body });
  expect((await http("POST", "/conversations", { agentId, title: "Others" }, keyed)).status).toBe(422);
  expect(dataOf((await http("GET", active)).body)).toHaveLength(2);
  const { response } = await robot.ask("message:send", { conversationId: made.body._id, content: "here too" });
  expect(response).toMatchObject({ conversationId: made.body._id, offset: 1 });
  expect((await http("DELETE", `/conversations/${String(made.body._id)}`)).status).toBe(204);
  expect((await http("GET", `/conversations/${String(made.body._id)}`)).status).toBe(404);
});

test("[H40] seed 000: the list goes by pages; nothing is lost or told twice", async () => {
  for (let index = 0; index < 5; index += 1)
    await http("POST", "/conversations", { agentId, title: `number ${index}` });
  const seen: unknown[] = [];
  for (let cursor = ""; ;) {
    const { body } = await http("GET", `/conversations?filter[agentId]=${agentId}&limit=2${cursor}`);
    seen.push(...dataOf(body).map(({ title }) => title));
    const { nextCursor } = body.pagination as { readonly nextCursor: string | null };
    if (nextCursor === null) break;
    cursor = `&cursor=${nextCursor}`;
  }
  expect(seen.toSorted()).toEqual([0, 1, 2, 3, 4].map((index) => `number ${index}`));
});

test("[H44] seed 000: a token for an agent says whose it is and for how long", async () => {
  const connected = await connectAgent(app, agentId, businessId);
  expect(connected).toEqual({ accessToken: expect.any(String), expiresAt: expect.any(String), agentId });
  const claims = JSON.parse(
    Buffer.from(String(connected.accessToken).split(".")[1]!, "base64url").toString(),
  ) as Fields;
  expect(claims).toMatchObject({ sub: agentId, role: "agent", businessId });
  await expect(Seat.take(app, {}, { on: `agent:${agentId}` })).rejects.toThrow("forbidden");
});
