import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { connectAgent } from "../support/agent-seat.js";
import { ConversationDesk } from "../support/conversation-desk.js";
import { LongPollClient } from "../support/longpoll-client.js";
import type { Fields, Seat } from "../support/seat.js";
import { type Frame, WireClient } from "../support/wire.js";

// An agent that connects says as much as an answer may have, whatever its client's JSON makes of it; nobody else does.

const businessId = "B1";
const maxAnswerBytes = 262_144;
const maxFrameBytes = 65_536;

/** A text as JSON of the longest kind: each byte is six. */
const escaped = (bytes: number) => `"${"\\u0061".repeat(bytes)}"`;
const frameOf = (ref: string, topic: string, { conversationId, messageId }: Fields, content: string) =>
  `[null,"${ref}","${topic}","message:send",{"conversationId":"${String(conversationId)}","inReplyTo":"${String(messageId)}","content":${content}}]`;

let desk: ConversationDesk;
let robot: Seat;

beforeEach(async () => {
  desk = await ConversationDesk.start(businessId);
  robot = await desk.agent("robot");
});

afterEach(() => desk.dispose());

/** A question of a user's in the agent's conversation. */
async function asked(): Promise<{ readonly ana: Seat; readonly question: Fields }> {
  const ana = await desk.member(robot.joined.conversationId, "ana");
  await ana.ask("message:send", { content: "tell me all" });
  return { ana, question: await robot.hears("message:new") };
}

const isReplyTo = (ref: string) => (frame: Frame) => frame[1] === ref && frame[3] === "phx_reply";

async function isHeardWhole(ana: Seat): Promise<void> {
  const { content } = await ana.hears("message:new", ({ senderType }) => senderType === "agent");
  expect((content as string).length).toBe(maxAnswerBytes);
  expect(new Set(content as string)).toEqual(new Set("a"));
}

const tooLong = { status: "error", response: { code: "message_too_long" } };

describe("[L1] [L11] [M96] what an agent answers", () => {
  test("on its topic is limited as a text, and a longer one leaves the question open", async () => {
    const { ana, question } = await asked();
    robot.client.ws.send(frameOf("long", robot.topic, question, escaped(maxAnswerBytes + 1)));
    expect((await robot.client.next(isReplyTo("long")))[4]).toMatchObject(tooLong);
    robot.client.ws.send(frameOf("whole", robot.topic, question, escaped(maxAnswerBytes)));
    expect((await robot.client.next(isReplyTo("whole")))[4]).toMatchObject({ status: "ok" });
    await isHeardWhole(ana);
  });

  test("on the topic of the conversation is limited likewise", async () => {
    const { ana, question } = await asked();
    const there = await desk.agentIn("robot", question.conversationId);
    there.client.ws.send(frameOf("long", there.topic, question, escaped(maxAnswerBytes + 1)));
    expect((await there.client.next(isReplyTo("long")))[4]).toMatchObject(tooLong);
    there.client.ws.send(frameOf("whole", there.topic, question, escaped(maxAnswerBytes)));
    expect((await there.client.next(isReplyTo("whole")))[4]).toMatchObject({ status: "ok" });
    await isHeardWhole(ana);
  });

  test("over long-poll is limited likewise", async () => {
    const { ana, question } = await asked();
    const { accessToken } = await connectAgent(desk.app, "robot", businessId);
    const line = await LongPollClient.open(desk.app, { query: `&token=${String(accessToken)}` });
    await line.join(robot.topic, {});
    const post = async (frame: string) => (await line.postText(frame)).status;
    expect(await post(frameOf("long", robot.topic, question, escaped(maxAnswerBytes + 1)))).toBe(200);
    expect((await line.next(isReplyTo("long")))[4]).toMatchObject(tooLong);
    expect(await post(frameOf("whole", robot.topic, question, escaped(maxAnswerBytes)))).toBe(200);
    expect((await line.next(isReplyTo("whole")))[4]).toMatchObject({ status: "ok" });
    await isHeardWhole(ana);
    line.close();
  });

  test("in a frame that no answer needs closes with 1009, as any larger one of a user's does", async () => {
    robot.client.ws.send(" ".repeat(6 * maxAnswerBytes + maxFrameBytes + 1));
    expect(await robot.client.closeCode()).toBe(1009);
    const user = await WireClient.connect(desk.app.url, "&userId=ana");
    user.ws.send(" ".repeat(maxFrameBytes + 1));
    expect(await user.closeCode()).toBe(1009);
  });
});
