import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { ChatMessage } from "../../server/messaging/model.js";
import { feedbackPartition } from "../../server/messaging/records.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask } from "../support/plain-http.js";
import { type Fields, Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const topic = "messages:B1";
const dayMs = 24 * 60 * 60 * 1000;

let clock: FakeClock;
let app: TestApp;
let seats: Seat[];

beforeEach(async () => {
  clock = new FakeClock();
  app = await startTestApp({ IDLE_TIMEOUT_MS: "0" }, { clock });
  seats = [];
});

afterEach(async () => {
  for (const { client } of seats) client.close();
  await app.dispose();
});

async function seat(payload: Fields, on = topic): Promise<Seat> {
  const taken = await Seat.take(app, payload, { on });
  seats.push(taken);
  return taken;
}

/** @returns the question's id and the answer's */
async function answered(
  of: Seat,
  text: string,
  userId = "ana",
): Promise<{ question: string; answer: string; sessionId: string }> {
  const { messageId, sessionId } = await of.says(text, userId);
  const answer = await of.hears("new_message", ({ inReplyTo }) => inReplyTo === messageId);
  return { question: messageId, answer: String(answer.messageId), sessionId };
}

/** The feedback of each message, as the console reads the history. */
async function inHistory(sessionId: string, query = "", userId?: string): Promise<unknown[]> {
  const headers: Record<string, string> = userId === undefined ? {} : { "x-user-id": userId, "x-role": "user" };
  const { text } = await ask(app, `/api/sessions/${sessionId}/messages${query}`, { headers });
  return (JSON.parse(text) as { messages: ChatMessage[] }).messages.map(({ metadata }) => metadata.feedback);
}

test("[M62] the last one counts, coordinators are told of each that changes something, and the history has it", async () => {
  const [ana, tab, console] = [await seat({ userId: "ana" }), await seat({ userId: "ana" }), await seat({})];
  const { answer, sessionId } = await answered(ana, "hello");
  const first = { messageId: answer, score: -1, comment: " not \ud800 that" };
  const reply = { status: "ok", response: { messageId: answer, sessionId, score: -1 } };
  for (const each of [ana, tab]) expect(await each.ask("feedback", first)).toEqual(reply);
  clock.advance(1000);
  const now = new Date(clock.now()).toISOString();
  expect((await tab.ask("feedback", { messageId: answer, score: 1, sessionId })).response.score).toBe(1);
  for (const { client } of seats) await client.heartbeat();
  const of = { businessId: "B1", userId: "ana", sessionId, messageId: answer };
  expect(console.heard("feedback")).toEqual([
    { ...of, score: -1, comment: " not \ufffd that", timestamp: expect.any(String) },
    { ...of, score: 1, timestamp: now },
  ]);
  for (const each of [ana, tab]) expect(each.heard("feedback")).toEqual([]);
  for (const reader of [undefined, "ana"])
    expect(await inHistory(sessionId, "", reader)).toEqual([undefined, { score: 1, timestamp: now }]);
});

test("[M62] a page of the history has that of its own messages, on either side", async () => {
  const ana = await seat({ userId: "ana" });
  let sessionId = "";
  for (let n = 1; n <= 4; n += 1) {
    const asked = await answered(ana, `question ${n}`);
    ({ sessionId } = asked);
    await ana.ask("feedback", { messageId: asked.answer, score: n % 2 === 0 ? 1 : -1, comment: `of ${n}` });
  }
  const comments = async (query: string) =>
    (await inHistory(sessionId, query)).map((feedback) => (feedback as { comment: string } | undefined)?.comment);
  expect(await comments("?limit=2")).toEqual([undefined, "of 4"]);
  expect(await comments("?limit=3")).toEqual(["of 3", undefined, "of 4"]);
  const all = await comments("");
  expect(all).toEqual([1, 2, 3, 4].flatMap((n) => [undefined, `of ${n}`]));
});

test("[M62] without its session an answer is found in the latest and in three before it", async () => {
  const ana = await seat({ userId: "ana" });
  const days: { answer: string; sessionId: string }[] = [];
  for (let day = 0; day < 5; day += 1) {
    days.push(await answered(ana, `day ${day}`));
    clock.advance(dayMs);
  }
  const codes = [];
  for (const { answer } of days) {
    const { status, response } = await ana.ask("feedback", { messageId: answer, score: 1 });
    codes.push(status === "ok" ? status : response.code);
  }
  expect(codes).toEqual(["not_found", "ok", "ok", "ok", "ok"]);
  const [{ answer, sessionId }] = days as [{ answer: string; sessionId: string }];
  expect((await ana.ask("feedback", { messageId: answer, sessionId, score: 1 })).status).toBe("ok");
});

test("[X7] [M62] what is no answer of theirs is not there, whoever has it; what is no feedback says what is wrong", async () => {
  const [ana, bob, console] = [await seat({ userId: "ana" }), await seat({ userId: "bob" }), await seat({})];
  const elsewhere = await seat({ userId: "ana" }, "messages:B2");
  const { question, answer, sessionId } = await answered(ana, "hello");
  await answered(bob, "hello", "bob");
  const none = await ana.ask("feedback", { messageId: "nothing", score: 1 });
  expect(none.response.code).toBe("not_found");
  const asked: [Seat, Fields][] = [
    [ana, { messageId: question }],
    [ana, { messageId: answer, sessionId: "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11" }],
    ...[bob, elsewhere].flatMap((each): [Seat, Fields][] => [
      [each, { messageId: answer }],
      [each, { messageId: answer, sessionId }],
    ]),
  ];
  for (const [each, payload] of asked)
    expect((await each.ask("feedback", { ...payload, score: 1 })).response).toEqual(none.response);
  expect((await console.ask("feedback", { messageId: answer, score: 1 })).response.code).toBe("forbidden");
  const bad: [Fields, string, string][] = [
    [{}, "missing_parameters", "Missing required parameters: messageId, score"],
    [{ messageId: answer }, "missing_parameters", "Missing required parameters: score"],
    [{ messageId: 5, score: 1 }, "invalid_payload", "messageId is not an id"],
    [{ messageId: answer, score: 0 }, "invalid_payload", "score is neither -1 nor 1"],
    [{ messageId: answer, score: "1" }, "invalid_payload", "score is neither -1 nor 1"],
    [{ messageId: answer, score: 1, comment: {} }, "invalid_payload", "comment is not a string"],
    [{ messageId: answer, score: 1, sessionId: 5 }, "invalid_payload", "sessionId is not an id"],
    [
      { messageId: answer, score: 1, comment: "é".repeat(1025) },
      "message_too_long",
      "The comment is longer than 2048 bytes",
    ],
  ];
  for (const [payload, code, error] of bad)
    expect((await ana.ask("feedback", payload)).response).toMatchObject({ code, error });
  expect(await inHistory(sessionId)).toEqual([undefined, undefined]);
  const longest = { messageId: answer, score: 1, comment: "é".repeat(1024) };
  expect((await ana.ask("feedback", longest)).status).toBe("ok");
});

test("[M62] scored on two sockets at once: one of the two is there", async () => {
  const [ana, tab] = [await seat({ userId: "ana" }), await seat({ userId: "ana" })];
  const { answer, sessionId } = await answered(ana, "hello");
  const given = await Promise.all(
    [ana, tab].map((each, n) => each.ask("feedback", { messageId: answer, score: n === 0 ? 1 : -1 })),
  );
  expect(given.map(({ status }) => status)).toEqual(["ok", "ok"]);
  const { items } = await app.store.listRecords(feedbackPartition(sessionId), { limit: 9 });
  expect(items).toHaveLength(1);
});

test("[M62] of many at the same time each is taken, and one of them is what counts", async () => {
  const tabs = await Promise.all(Array.from({ length: 15 }, () => seat({ userId: "ana" })));
  const { answer, sessionId } = await answered(tabs[0]!, "hello");
  const scores = tabs.map((tab, index) =>
    tab.ask("feedback", { messageId: answer, score: 1, comment: `no. ${index}` }),
  );
  for (const { status } of await Promise.all(scores)) expect(status).toBe("ok");
  const [, feedback] = await inHistory(sessionId);
  expect(feedback).toMatchObject({ score: 1, comment: expect.stringMatching(/^no\. \d+$/) });
});

test("[M38] [L15] whoever is blocked says nothing by it either, and it counts as a message", async () => {
  await app.dispose();
  const limits = { MESSAGES_PER_SECOND_PER_SOCKET: "1", MESSAGES_BURST_PER_SOCKET: "2" };
  app = await startTestApp({ IDLE_TIMEOUT_MS: "0", ...limits }, { clock });
  const [ana, carla] = [await seat({ userId: "ana" }), await seat({})];
  const { answer, sessionId } = await answered(ana, "hello");
  const score = async () => (await ana.ask("feedback", { messageId: answer, score: 1 })).response;
  expect(await score()).toMatchObject({ score: 1 });
  expect(await score()).toMatchObject({ code: "rate_limited", retryAfterMs: 1000 });
  clock.advance(2000);
  expect((await carla.ask("block", { sessionId })).status).toBe("ok");
  expect(await score()).toMatchObject({ code: "blocked" });
});
