import { describe, expect, test } from "@jest/globals";
import { abandon, admit, answer, close, type Head, type Outcome } from "../../server/messaging/head.js";
import { end, reply, type Saying } from "../../server/messaging/holding.js";
import type { Intent, SessionStatus } from "../../server/messaging/model.js";
import type { SessionChange } from "../../server/messaging/store.js";
import { headOf, headTime, questionOf, saidBy, turnOf } from "../support/heads.js";

const now = Date.parse(headTime) + 60_000;
const timestamp = new Date(now).toISOString();
const booking = intentOf("booking");
const left: Intent = { ...booking, status: "abandoned", updatedAt: timestamp };
const asked = headOf({
  ...{ intent: booking, turns: [turnOf("q1", 1)], lease: { owner: "here", fence: 3 }, fence: 3 },
  session: { offset: 1 },
});
const idle = headOf({ intent: booking });
const saying: Saying = {
  ...{ messageId: "c1", responseId: "r1", content: "text", cursor: "cursor", inReplyTo: null },
  ...{ respondsTo: null, source: "websocket", chatId: null },
};
const questions = new Map([["q1", { message: questionOf("q1", 1), cursor: "of q1" }]]);
const carla = { coordinatorId: "carla", now, questions };

function intentOf(name: string): Intent {
  const of = { intentId: `of ${name}`, businessId: "B1", userId: "ana", sessionId: "s1", name };
  return { ...of, status: "active", parameters: {}, missing: [], createdAt: headTime, updatedAt: headTime };
}

function answered(head: Head, more: Partial<Outcome>) {
  const outcome = { messageId: "a1", responseId: "r1", type: "agent", content: "text", tokens: 0 } as const;
  const metadata = { source: "websocket" } as const;
  return answer(head, questionOf("q1", 1), { ...outcome, metadata, ...more }, { now, fence: 3, cursor: "cursor" });
}

describe("[M69] nothing goes on in a session that ended", () => {
  const ends: [string, SessionChange<unknown>, SessionStatus][] = [
    ["it is closed", close(idle, "closed", now), "closed"],
    ["it is closed while something is open in it", close(asked, "closed", now), "closed"],
    ["it is abandoned", abandon(idle, "9999", now), "abandoned"],
    ["it is resolved", end(idle, saying, { ...carla, status: "resolved" }), "resolved"],
    ["it is resolved, and what is open ends", end(asked, saying, { ...carla, status: "resolved" }), "resolved"],
    ["its user ends it by a command", answered(asked, { status: "closed" }), "closed"],
  ];
  test.each(ends)("%s", (_how, { head }, status) => {
    expect([head?.session.status, head?.intent, head?.suspended]).toEqual([status, null, left]);
  });

  test("whoever tells of the end is told of it", () => {
    expect(end(idle, saying, { ...carla, status: "resolved" }).result).toMatchObject({ suspended: left });
    expect(end(asked, saying, { ...carla, status: "closed" }).result).toMatchObject({ suspended: left });
    expect(answered(asked, { status: "closed" }).result?.intents).toEqual([left]);
  });

  test("an outcome that comes after the end begins nothing that goes on", () => {
    const over = { ...asked, intent: null, session: { ...asked.session, status: "closed" } } as const;
    const { head, result } = answered(over, { intent: booking });
    expect([head?.intent, head?.suspended, result?.intents]).toEqual([null, left, [booking, left]]);
  });

  test.each([
    ["what is open ends, and nothing else", end(asked, saying, { ...carla, status: null })],
    ["a coordinator replies", reply(asked, saying, carla)],
  ])("in one that did not it goes on: %s", (_what, { head, result }) => {
    expect([head?.intent, head?.suspended]).toEqual([booking, null]);
    expect(result).not.toHaveProperty("suspended");
  });
});

describe("[M67] intentId", () => {
  const terms = { now, node: "here", isOver: false, isFinal: false };
  const idsOf = ({ messages = [] }: SessionChange<unknown>) => messages.map(({ metadata }) => metadata.intentId);

  test.each<[string, SessionChange<unknown>, string | undefined]>([
    ["of a user who is in the middle of it", admit(idle, null, saidBy("ana", "q1"), terms), "of booking"],
    ["of a user who is in the middle of nothing", admit(headOf(), null, saidBy("ana", "q1"), terms), undefined],
    ["of an answer that says nothing of it", answered(asked, {}), "of booking"],
    ["of one that completes it", answered(asked, { intent: { ...booking, status: "completed" } }), "of booking"],
    ["of one that gives it up", answered(asked, { intent: null }), "of booking"],
    ["of one that begins another", answered(asked, { intent: intentOf("moving") }), "of moving"],
    ["of a failure", answered(asked, { type: "system" }), "of booking"],
    ["of an answer to nothing of the kind", answered({ ...asked, intent: null }, {}), undefined],
    ["of a coordinator", reply(asked, saying, carla), "of booking"],
  ])("%s", (_of, change, intentId) => {
    expect(idsOf(change)).toEqual([intentId]);
  });
});
