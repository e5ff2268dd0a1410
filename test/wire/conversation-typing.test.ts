import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { ConversationDesk } from "../support/conversation-desk.js";
import type { Fields, Seat } from "../support/seat.js";

// Who types in a conversation, on whatever topic: told to the others, on theirs.

let desk: ConversationDesk;
let conversationId: string;
let robot: Seat;
let ana: Seat;

beforeEach(async () => {
  desk = await ConversationDesk.start("B1");
  robot = await desk.agent("one");
  conversationId = String(robot.joined.conversationId);
  ana = await desk.member(conversationId, "ana");
});

afterEach(() => desk.dispose());

async function heard(seat: Seat): Promise<unknown[]> {
  await desk.settled();
  return seat.heard("typing").map(({ senderType, from, typing }) => [senderType ?? from, typing]);
}

const codeOf = ({ status, response }: { readonly status: string; readonly response: Fields }) =>
  status === "ok" ? "ok" : response.code;

/** Somebody who may type there, and what the others are told of them. */
interface Typist {
  readonly seat: Seat;
  /** What it says to type. */
  readonly said: Fields;
  readonly told: Fields;
  /** What they are told who watch the session on `messages:`. */
  readonly watched: Fields;
}

const typists: Readonly<Record<string, () => Promise<Typist>>> = {
  "an agent on agent:": () =>
    Promise.resolve({
      seat: robot,
      said: {},
      told: { senderType: "agent", senderId: "one" },
      watched: { from: "agent" },
    }),
  "an agent on conversation:": async () => ({
    ...{ seat: await desk.agentIn("one", conversationId), said: { conversationId } },
    ...{ told: { senderType: "agent", senderId: "one" }, watched: { from: "agent" } },
  }),
  "a user on conversation:": () =>
    Promise.resolve({ seat: ana, said: {}, told: { senderType: "user", senderId: "ana" }, watched: { from: "user" } }),
  "a coordinator on conversation:": async () => ({
    ...{ seat: await desk.member(conversationId), said: {} },
    ...{ told: { senderType: "coordinator", senderId: "coordinator" } },
    watched: { from: "coordinator", coordinatorId: expect.any(String) },
  }),
  "a coordinator on messages:": async () => ({
    ...{ seat: await desk.onMessages(), said: { sessionId: conversationId } },
    ...{ told: { senderType: "coordinator", senderId: "coordinator" } },
    watched: { from: "coordinator", coordinatorId: expect.any(String) },
  }),
};

describe.each(Object.keys(typists))("[M98] [M61] %s", (name) => {
  test("is told to those who take part and to the watchers, as often as people can see, and ends by itself", async () => {
    const { seat, said, told, watched } = await typists[name]!();
    const [watching, other, elsewhere] = [
      await desk.onMessages(),
      await desk.onMessages("bob"),
      await desk.agent("two"),
    ];
    await watching.ask("watch", { sessionId: conversationId });
    const isUser = told.senderType === "user";
    const listener = isUser ? robot : ana;
    const type = (typing: boolean) => seat.ask("typing", { ...said, typing });
    expect((await type(true)).status).toBe("ok");
    expect(await listener.hears("typing")).toEqual({ conversationId, ...told, typing: true });
    expect(await watching.hears("typing")).toEqual({ sessionId: conversationId, ...watched, typing: true });
    const who = told.senderType;
    // Within 2 s nothing more is told, and at their end how it is then.
    for (const typing of [false, true, true, false]) await type(typing);
    expect(await heard(listener)).toEqual([[who, true]]);
    desk.clock.advance(1999);
    expect(await heard(listener)).toEqual([[who, true]]);
    desk.clock.advance(1);
    expect(await heard(listener)).toEqual([
      [who, true],
      [who, false],
    ]);
    desk.clock.advance(2000);
    await type(true);
    desk.clock.advance(5999);
    expect((await heard(listener)).at(-1)).toEqual([who, true]);
    desk.clock.advance(1);
    const all = [true, false, true, false].map((typing) => [who, typing]);
    for (const each of [listener, watching]) expect(await heard(each)).toEqual(all);
    for (const each of [other, elsewhere]) expect(each.heard("typing")).toEqual([]);
    // Nobody is told of themselves, but for coordinators, who hear all.
    if (who !== "coordinator") expect(seat.heard("typing")).toEqual([]);
  });
});

describe("[M98] who may not speak there may not type either", () => {
  test("a user who is blocked, one who takes no part, an agent elsewhere: and nobody is told", async () => {
    const stranger = await desk.agent("two");
    expect(codeOf(await stranger.ask("typing", { conversationId, typing: true }))).toBe("session_not_found");
    expect(codeOf(await ana.ask("typing", { conversationId: "other", typing: true }))).toBe("session_not_found");
    // Whom it has never heard of, the business cannot block.
    await ana.ask("message:send", { content: "hello" });
    await robot.hears("message:new");
    await robot.ask("message:send", { content: "hi" });
    expect((await desk.http("PATCH", "/api/businesses/B1/users/ana", { blocked: true })).status).toBe(200);
    expect(codeOf(await ana.ask("typing", { typing: true }))).toBe("blocked");
    expect(codeOf(await ana.ask("message:send", { content: "let me in" }))).toBe("blocked");
    expect(await heard(robot)).toEqual([]);
    expect(robot.heard("message:new")).toHaveLength(1);
    await desk.http("PATCH", "/api/businesses/B1/users/ana", { blocked: false });
    expect(codeOf(await ana.ask("typing", { typing: true }))).toBe("ok");
  });

  test.each([
    [{}, "missing_parameters"],
    [{ typing: "yes" }, "invalid_payload"],
    [{ typing: true, conversationId: 7 }, "invalid_payload"],
    [null, "missing_parameters"],
  ])("%j is %s", async (payload, code) => {
    for (const seat of [robot, ana]) expect(codeOf(await seat.ask("typing", payload as Fields))).toBe(code);
  });

  test("[M95] once its conversation is over, an agent types in the next one as soon as it speaks there", async () => {
    await desk.http("PATCH", `/conversations/${conversationId}`, { status: "closed" });
    const { response } = await robot.ask("message:send", { content: "still here" });
    const bob = await desk.member(response.conversationId, "bob");
    await robot.ask("typing", { typing: true });
    expect(await bob.hears("typing")).toMatchObject({ conversationId: response.conversationId });
    expect(await heard(ana)).toEqual([]);
  });
});
