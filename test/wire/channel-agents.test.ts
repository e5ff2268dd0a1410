import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seatOfAgent } from "../support/agent-seat.js";
import { FakeClock } from "../support/fake-clock.js";
import { readSession } from "../support/desk-history.js";
import { type Fields, Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

// A business whose agents connect by themselves: `agent: {kind: channel, agentIds}`.

const businessId = "C1";
const fallback = "Nobody is here, we will call you.";
const yaml = `businessId: ${businessId}
name: Bakery
locale: en
timeZone: Europe/London
fallback: "${fallback}"
agent: { kind: channel, agentIds: [one, two] }
`;

let app: TestApp;
let folder: string;
let seats: Seat[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bennu-businesses-"));
  await writeFile(join(folder, `${businessId}.yaml`), yaml);
  app = await startTestApp({ BUSINESSES_DIR: folder });
});

afterEach(async () => {
  for (const { client } of seats) client.close();
  seats = [];
  await app.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function agent(agentId: string, of = businessId): Promise<Seat> {
  const seat = await seatOfAgent(app, agentId, of);
  seats.push(seat);
  await seat.hears("presence:update");
  return seat;
}

async function user(userId: string): Promise<Seat> {
  const seat = await Seat.take(app, { userId }, { on: `messages:${businessId}` });
  seats.push(seat);
  return seat;
}

const answer = (seat: Seat, question: Fields, content: string) =>
  seat.ask("message:send", { conversationId: question.conversationId, inReplyTo: question.messageId, content });

const isTo = (messageId: string) => (payload: Fields) => payload.inReplyTo === messageId;

describe("[A40] a business whose agents connect", () => {
  test("its users' messages go to an agent, whose message:send is the answer: stored, then replied, told as any", async () => {
    const robot = await agent("one");
    const ana = await user("ana");
    const { messageId, sessionId } = await ana.says("do you have bread?");
    const question = await robot.hears("message:new");
    expect(question).toMatchObject({
      ...{ conversationId: sessionId, messageId, offset: 1, role: "user", content: "do you have bread?" },
      ...{ senderType: "user", senderId: "ana" },
    });
    expect(Object.keys(question).toSorted()).toEqual([
      "content",
      "conversationId",
      "deadline",
      "messageId",
      "offset",
      "role",
      "senderId",
      "senderType",
      "timestamp",
    ]);
    const reply = await answer(robot, question, "Yes, fresh.");
    const told = await ana.hears("new_message", isTo(messageId));
    expect(told).toMatchObject({ message: "Yes, fresh.", from: "agent", offset: 2, sessionId });
    const { timestamp } = told;
    expect(reply).toEqual({
      status: "ok",
      response: { messageId: told.messageId, conversationId: sessionId, offset: 2, timestamp },
    });
    const again = await answer(robot, question, "Yes, fresh.");
    expect(again).toEqual({ status: "ok", response: { ...reply.response, duplicate: true } });
    const other = await answer(robot, question, "No, stale.");
    expect(other).toMatchObject({ status: "error", response: { code: "not_found" } });
    expect((await readSession(app.url, sessionId)).map(({ content }) => content)).toEqual([
      "do you have bread?",
      "Yes, fresh.",
    ]);
  });

  test("the least busy of them is asked, of those as busy the one that waits longest", async () => {
    const [one, two] = [await agent("one"), await agent("two")];
    const asked: string[] = [];
    for (const [name, seat] of [
      ["one", one],
      ["two", two],
    ] as const) {
      seat.client.ws.on("message", (data: Buffer) => {
        const [, , , event, payload] = JSON.parse(data.toString()) as [unknown, unknown, unknown, string, Fields];
        if (event === "message:new") asked.push(`${name} ${String(payload.content)}`);
      });
    }
    const say = async (name: string) => {
      const seat = await user(name);
      await seat.says(`of ${name}`, name);
      await until("it is asked", () => asked.some((text) => text.endsWith(`of ${name}`)));
    };
    for (const name of ["u1", "u2", "u3", "u4"]) await say(name);
    expect(asked).toEqual(["one of u1", "two of u2", "one of u3", "two of u4"]);
    const [first, , third] = [one.heard("message:new")[0]!, null, one.heard("message:new")[1]!];
    await answer(one, first, "done");
    await answer(one, third, "done");
    for (const name of ["u5", "u6"]) await say(name);
    expect(asked.slice(4)).toEqual(["one of u5", "one of u6"]);
  });

  test("an agent that is not named, or of another business, is asked nothing and answers nothing", async () => {
    const [one, stranger, elsewhere] = [await agent("one"), await agent("three"), await agent("one", "C2")];
    const ana = await user("ana");
    await ana.says("hello");
    const question = await one.hears("message:new");
    for (const seat of [stranger, elsewhere]) {
      const { status, response } = await answer(seat, question, "it is me");
      expect([status, response.code]).toEqual(["error", "not_found"]);
    }
    await answer(one, question, "hello");
    await ana.hears("new_message");
    for (const seat of [stranger, elsewhere]) {
      await seat.client.heartbeat();
      expect(seat.heard("message:new")).toEqual([]);
      // What was answered, and how, is not to be found out by trying.
      const { response } = await answer(seat, question, "hello");
      expect(response.code).toBe("not_found");
    }
  });
});

describe("[A41] when nobody is there", () => {
  test("the answer is the business's fallback, with the offer of a human", async () => {
    const ana = await user("ana");
    const { messageId } = await ana.says("hello");
    expect(await ana.hears("new_message", isTo(messageId))).toMatchObject({
      ...{ message: fallback, from: "agent" },
      actions: [expect.objectContaining({ type: "human" })],
    });
  });

  test("what an agent was asked that has gone goes to the next one, and with none left to the fallback", async () => {
    const [one, two] = [await agent("one"), await agent("two")];
    const ana = await user("ana");
    const { messageId } = await ana.says("hello");
    const question = await one.hears("message:new");
    one.client.close();
    expect(await two.hears("message:new")).toEqual(question);
    two.client.close();
    expect(await ana.hears("new_message", isTo(messageId))).toMatchObject({ message: fallback });
  });

  test("an agent whose connection was cut is asked again when it is back, and its answer is the one", async () => {
    const one = await agent("one");
    const ana = await user("ana");
    const { messageId } = await ana.says("hello");
    const question = await one.hears("message:new");
    one.client.close();
    await until("it is gone", () => one.client.closed !== null);
    const again = await agent("one");
    expect(await again.hears("message:new")).toEqual(question);
    await answer(again, question, "hi");
    expect(await ana.hears("new_message", isTo(messageId))).toMatchObject({ message: "hi" });
  });

  test("an agent that comes back on another socket before the first has gone is asked what is open", async () => {
    const one = await agent("one");
    const ana = await user("ana");
    const { messageId } = await ana.says("hello");
    const question = await one.hears("message:new");
    const again = await agent("one");
    expect(await again.hears("message:new")).toEqual(question);
    one.client.close();
    await answer(again, question, "hi");
    expect(await ana.hears("new_message", isTo(messageId))).toMatchObject({ message: "hi" });
  });
});

test("[A40] [M19] an agent that does not answer: the turn ends, what comes later is nobody's", async () => {
  await app.dispose();
  const clock = new FakeClock(Date.now());
  app = await startTestApp({ BUSINESSES_DIR: folder, IDLE_TIMEOUT_MS: "0" }, { clock });
  const one = await agent("one");
  const ana = await user("ana");
  const { messageId } = await ana.says("hello");
  const question = await one.hears("message:new");
  clock.advance(31_000);
  expect(await ana.hears("new_message", isTo(messageId))).toMatchObject({ from: "system" });
  const { status, response } = await answer(one, question, "hello");
  expect([status, response.code]).toEqual(["error", "not_found"]);
});

test("[A40] AGENT=channel: whichever agents of the business are there", async () => {
  await app.dispose();
  app = await startTestApp({ AGENT: "channel" });
  const robot = await agent("anyone");
  const ana = await user("ana");
  const { messageId } = await ana.says("hello");
  await answer(robot, await robot.hears("message:new"), "hi");
  expect(await ana.hears("new_message", isTo(messageId))).toMatchObject({ message: "hi" });
});
