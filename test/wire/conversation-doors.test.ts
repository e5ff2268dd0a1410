import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { participantsMax } from "../../server/messaging/conversation/participants.js";
import type { Participant } from "../../server/messaging/model.js";
import { ConversationDesk } from "../support/conversation-desk.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask } from "../support/plain-http.js";
import { type Fields, Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { secret, tokenOf } from "../support/tokens.js";

// Who may be in a conversation, for how long, and how much they may say there.

const codeOf = ({ status, response }: { readonly status: string; readonly response: Fields }) =>
  status === "ok" ? "ok" : response.code;
const contents = (seat: Seat) => seat.heard("message:new").map(({ content }) => content);

describe("a token that ends, is renewed or revoked", () => {
  const businessId = "B0100001";
  const minute = 60_000;
  let app: TestApp;
  let clock: FakeClock;
  let seats: Seat[];
  let robot: Seat;
  let conversationId: string;

  beforeEach(async () => {
    seats = [];
    clock = new FakeClock();
    app = await startTestApp({ AUTH_SECRET: secret, IDLE_TIMEOUT_MS: "0" }, { clock });
    robot = await take({ role: "agent", sub: "one" }, "agent:one", 60 * minute);
    conversationId = String(robot.joined.conversationId);
    for (const [participantType, participantId] of [
      ["agent", "two"],
      ["user", "bob"],
    ]) {
      const path = `/conversations/${conversationId}/participants/add`;
      const answer = await asService(path, "POST", { participantType, participantId });
      expect(answer.status).toBe(200);
    }
  });

  afterEach(async () => {
    for (const { client } of seats) client.close();
    await app.dispose();
  });

  interface Who {
    readonly role: string;
    readonly sub: string;
  }

  function token({ role, sub }: Who, lifeMs: number): Promise<string> {
    const exp = (clock.now() + lifeMs) / 1000;
    return tokenOf({ sub, role, businessId, exp, iat: Math.floor(clock.now() / 1000) });
  }

  async function take(who: Who, on: string, lifeMs: number): Promise<Seat> {
    const seat = await Seat.take(app, {}, { on, query: `&token=${await token(who, lifeMs)}` });
    seats.push(seat);
    return seat;
  }

  async function asService(path: string, method: string, body?: unknown) {
    const service = await tokenOf({ sub: "robot", role: "service", exp: clock.now() / 1000 + 60 });
    const headers = { authorization: `Bearer ${service}`, "content-type": "application/json" };
    return ask(app, path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }

  /** The conversation's agent says something, and it has arrived wherever it goes. */
  async function news(content: string): Promise<void> {
    expect(codeOf(await robot.ask("message:send", { content }))).toBe("ok");
    for (const { client } of seats) await client.heartbeat();
  }

  const onConversation = () => `conversation:${conversationId}`;
  const doors: readonly (readonly [string, Who, () => string])[] = [
    ["an agent on agent:", { role: "agent", sub: "two" }, () => "agent:two"],
    ["an agent on conversation:", { role: "agent", sub: "two" }, onConversation],
    ["a user on conversation:", { role: "user", sub: "bob" }, onConversation],
    ["a coordinator on conversation:", { role: "coordinator", sub: "cleo" }, onConversation],
  ];

  describe.each(doors)("%s", (_name, who, topicOf) => {
    const say = (seat: Seat, content: string) => seat.ask("message:send", { conversationId, content });

    test("[X9] is told before it ends, renews it in place, and hears on", async () => {
      const seat = await take(who, topicOf(), 2 * minute);
      clock.advance(minute);
      await seat.hears("token_expiring");
      const renewed = await seat.ask("access_token", { token: await token(who, 10 * minute) });
      expect(renewed.response).toEqual({ expiresAt: new Date(clock.now() + 10 * minute).toISOString() });
      clock.advance(2 * minute);
      await news("after the first end");
      expect(contents(seat)).toEqual(["after the first end"]);
      expect(codeOf(await say(seat, "me too"))).toBe("ok");
      const another = { ...who, sub: `${who.sub}2` };
      expect(codeOf(await seat.ask("access_token", { token: await token(another, minute) }))).toBe("forbidden");
    });

    test("[X9] from its end on says and hears nothing; then it is out, for good", async () => {
      const seat = await take(who, topicOf(), minute);
      await news("in time");
      clock.advance(minute);
      await news("a secret");
      expect(contents(seat)).toEqual(["in time"]);
      expect(codeOf(await say(seat, "too late"))).toBe("token_expired");
      expect(codeOf(await seat.ask("typing", { typing: true }))).toBe("token_expired");
      clock.advance(25_001);
      await seat.hears("phx_error");
      const { response } = await seat.client.call(topicOf(), "phx_join", {});
      expect(response).toEqual({ reason: "token_expired" });
      await seat.hears("phx_close");
      await news("another");
      expect(contents(seat)).toEqual(["in time"]);
      const stored = await app.store.readMessages(conversationId, { limit: 10 });
      expect(stored.items.map(({ content }) => content)).toEqual(["in time", "a secret", "another"]);
    });

    test("[X9] renewed in the time of grace it joins again, and finds what it missed", async () => {
      const seat = await take(who, topicOf(), minute);
      clock.advance(minute + 5000);
      await news("meanwhile");
      expect((await seat.ask("access_token", { token: await token(who, 10 * minute) })).status).toBe("ok");
      await seat.hears("phx_error");
      const { status, response } = await seat.client.call(topicOf(), "phx_join", {});
      expect(status).toBe("ok");
      // On its own topic an agent is told of its own conversation, and hears of others from then on.
      const missed = who.role === "agent" && topicOf() === "agent:two" ? [] : [{ content: "meanwhile" }];
      expect(response.messages).toMatchObject(missed);
      await news("and now");
      expect(contents(seat)).toEqual(["and now"]);
    });

    test("[X10] revoked it is out within five seconds, and is told nothing meanwhile", async () => {
      const seat = await take(who, topicOf(), 10 * minute);
      clock.advance(1000);
      expect((await asService(`/api/tokens?sub=${who.sub}&businessId=${businessId}`, "DELETE")).status).toBe(200);
      await news("a secret");
      await seat.hears("phx_close");
      expect(contents(seat)).toEqual([]);
      expect((await seat.client.call(topicOf(), "phx_join", {})).response).toEqual({ reason: "forbidden" });
    });
  });
});

describe("on an open server", () => {
  let desk: ConversationDesk;

  afterEach(() => desk.dispose());

  async function started(environment: Readonly<Record<string, string>> = {}): Promise<[Seat, string]> {
    desk = await ConversationDesk.start("B1", environment);
    const robot = await desk.agent("one");
    return [robot, String(robot.joined.conversationId)];
  }

  test("[L40] 100 take part; the 101st is busy, however they come, and nobody is told of them", async () => {
    const [robot, conversationId] = await started();
    const joined = new Date(desk.clock.now()).toISOString();
    const others = Array.from({ length: participantsMax - 1 }, (_, index): Participant => ({
      ...{ type: "coordinator", id: `carla${index}`, joined },
    }));
    await desk.app.store.changeSession(conversationId, (head) => {
      const participants = [...head.session.participants, ...others];
      return { result: null, head: { ...head, session: { ...head.session, participants } } };
    });
    const add = (participantType: string, participantId: string) =>
      desk.http("POST", `/conversations/${conversationId}/participants/add`, { participantType, participantId });
    const full = await add("user", "ana");
    expect([full.status, full.body.code]).toEqual([503, "busy"]);
    await expect(desk.member(conversationId, "ana")).rejects.toThrow("busy");
    const cleo = await desk.member(conversationId);
    expect(codeOf(await cleo.ask("message:send", { content: "hello" }))).toBe("busy");
    expect((await add("coordinator", "carla7")).status).toBe(200);
    await desk.settled();
    expect([...robot.heard("conversation:updated"), ...robot.heard("message:new")]).toEqual([]);
    const out = { participantType: "coordinator", participantId: "carla7" };
    expect((await desk.http("POST", `/conversations/${conversationId}/participants/remove`, out)).status).toBe(200);
    const ana = await desk.member(conversationId, "ana");
    expect(codeOf(await ana.ask("message:send", { content: "just fits" }))).toBe("ok");
    expect(await robot.hears("message:new")).toMatchObject({ content: "just fits" });
  });

  test("[L16] a user's messages are counted here as anywhere; what is refused is not stored, nor told", async () => {
    const [robot, conversationId] = await started({ MESSAGES_PER_MINUTE_PER_USER: "2" });
    const [ana, tab] = [await desk.member(conversationId, "ana"), await desk.onMessages("ana")];
    await tab.says("elsewhere");
    expect(codeOf(await ana.ask("message:send", { content: "one" }))).toBe("ok");
    const refused = await ana.ask("message:send", { content: "two" });
    expect(refused.response).toMatchObject({ code: "rate_limited", retryAfterMs: expect.any(Number) });
    // What agents say is none of it.
    for (const content of ["a", "b", "c"]) expect(codeOf(await robot.ask("message:send", { content }))).toBe("ok");
    desk.clock.advance(61_000);
    expect(codeOf(await ana.ask("message:send", { content: "three" }))).toBe("ok");
    await desk.settled();
    expect(contents(robot)).toEqual(["one", "three"]);
  });

  test("[B8] a day's messages are those of every door, this one too; a retry is no message", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bennu-businesses-"));
    const yaml = "businessId: B1\nname: Small\nlocale: en\ntimeZone: UTC\nlimits: { messagesPerDayPerUser: 2 }\n";
    await writeFile(join(folder, "B1.yaml"), yaml);
    const [robot, conversationId] = await started({ BUSINESSES_DIR: folder });
    await rm(folder, { recursive: true, force: true });
    const [ana, tab] = [await desk.member(conversationId, "ana"), await desk.onMessages("ana")];
    const one = { content: "one", clientMessageId: "c1" };
    const first = await ana.ask("message:send", one);
    await ana.ask("message:send", one);
    await tab.says("two");
    const refused = await ana.ask("message:send", { content: "three" });
    expect(refused.response).toMatchObject({ code: "quota_exceeded", retryAfterMs: expect.any(Number) });
    expect((await ana.ask("message:send", one)).response).toEqual({ ...first.response, duplicate: true });
    await desk.settled();
    expect(contents(robot)).toEqual(["one"]);
  });

  test("[L15] whoever pushes without end is refused, an agent too", async () => {
    const [robot, conversationId] = await started({ EVENTS_PER_SECOND_PER_SOCKET: "3" });
    const ana = await desk.member(conversationId, "ana");
    for (const seat of [robot, ana]) {
      // Time stands still: what it may do at once, and one more.
      const all = Array.from({ length: 101 }, () => seat.ask("typing", { typing: true }));
      const codes = (await Promise.all(all)).map(codeOf);
      expect([new Set(codes.slice(0, 100)), codes[100]]).toEqual([new Set(["ok"]), "rate_limited"]);
      desk.clock.advance(1000);
      expect(codeOf(await seat.ask("typing", { typing: false }))).toBe("ok");
    }
    await desk.settled();
    expect(ana.heard("typing").map(({ typing }) => typing)).toEqual([true, false]);
  });

  test("[X-09] two businesses with the same agents, users and ids of messages: each finds and hears its own", async () => {
    const [robot, conversationId] = await started();
    const other = await desk.agent("one", "B2");
    const otherId = String(other.joined.conversationId);
    const [ana, anaElsewhere] = [await desk.member(conversationId, "ana"), await desk.member(otherId, "ana", "B2")];
    const tabs = [await desk.onMessages("ana"), await desk.onMessages("ana", "B2")];
    for (const [seat, place] of [
      [ana, "north"],
      [anaElsewhere, "south"],
    ] as const) {
      const { status, response } = await seat.ask("message:send", { content: place, clientMessageId: "c1" });
      expect([status, response.duplicate]).toEqual(["ok", undefined]);
    }
    await robot.hears("message:new");
    const theirs = await other.hears("message:new");
    const [answer] = [{ conversationId: otherId, inReplyTo: theirs.messageId, content: "not yours" }];
    // Neither answers the other's questions, nor says anything there, nor shows that it writes.
    expect(codeOf(await robot.ask("message:send", answer))).toBe("not_found");
    expect(codeOf(await robot.ask("message:send", { conversationId: otherId, content: "x" }))).toBe(
      "session_not_found",
    );
    expect(codeOf(await robot.ask("typing", { conversationId: otherId, typing: true }))).toBe("session_not_found");
    await expect(desk.member(otherId, "ana", "B1")).rejects.toThrow("not_found");
    await expect(desk.member(otherId, undefined, "B1")).rejects.toThrow("not_found");
    await expect(desk.agentIn("one", otherId)).rejects.toThrow("not_found");
    await other.ask("message:send", { ...answer, content: "answer south", clientMessageId: "c2" });
    await robot.ask("message:send", { content: "answer north", clientMessageId: "c2" });
    await desk.settled();
    expect([contents(ana), contents(anaElsewhere)]).toEqual([
      ["north", "answer north"],
      ["south", "answer south"],
    ]);
    for (const [index, foreign] of ["south", "north"].entries()) {
      const heard = JSON.stringify([tabs[index]!.frames, [robot, other][index]!.frames]);
      expect(heard).not.toContain(foreign);
    }
    for (const [method, rest] of [
      ["GET", ""],
      ["GET", "/messages"],
      ["PATCH", ""],
      ["DELETE", ""],
      ["POST", "/participants/add"],
    ] as const) {
      const bodies = { POST: { participantType: "user", participantId: "bob" }, PATCH: { title: "mine" } };
      const body = (bodies as Readonly<Record<string, unknown>>)[method];
      const answered = await desk.http(method, `/conversations/${otherId}${rest}`, body);
      expect([method, rest, answered.status]).toEqual([method, rest, 404]);
    }
    const listed = await desk.http("GET", "/conversations?filter[agentId]=one");
    expect((listed.body.data as Fields[]).map(({ _id }) => _id)).toEqual([conversationId]);
  });
});
