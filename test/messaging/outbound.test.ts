import { describe, expect, test } from "@jest/globals";
import type { ChatMessage } from "../../server/messaging/model.js";
import {
  carriedOutbound,
  claimOutbound,
  isUnsent,
  noteSent,
  type Outbound,
  outboundAfter,
  platformOf,
  seenOn,
  telegramIdOf,
} from "../../server/messaging/outbound.js";
import { headOf } from "../support/heads.js";

const userId = "telegram:7";
const idle: Outbound = { platform: "telegram", isOn: true, sent: 4, pieces: 0, due: 4, sender: null };

function said(type: ChatMessage["type"], source: ChatMessage["metadata"]["source"], offset = 5): ChatMessage {
  return {
    ...{ messageId: `m${offset}`, sessionId: "s1", offset, businessId: "B1", userId: type === "user" ? userId : type },
    ...{ content: "x", type, timestamp: "2026-03-02T10:00:00.000Z", metadata: { source } },
  };
}

test.each([
  ["telegram:7", 7],
  ["telegram:999999999999999", 999_999_999_999_999],
  ["telegram:", null],
  ["telegram:7x", null],
  ["telegram:-7", null],
  ["xtelegram:7", null],
  ["ana", null],
])("[H37] %s is the chat %p", (id, chat) => expect(telegramIdOf(id)).toBe(chat));

test.each([
  [userId, "webhook", "telegram", "telegram"],
  ["sms:+40", "webhook", "webhook", "webhook"],
  [userId, "websocket", null, "channel"],
  ["ana", "http", null, "channel"],
  [userId, "cron", null, undefined],
] as const)("[M110] %s by %s comes from %p, and is seen on %p", (id, source, platform, seen) => {
  const message = { userId: id, metadata: { source } };
  expect([platformOf(message), seenOn(message)]).toEqual([platform, seen]);
});

describe("[M110] what is to leave after", () => {
  test.each<[string, Outbound | undefined, ChatMessage, Partial<Outbound> | undefined]>([
    ["the first word from a platform", undefined, said("user", "webhook"), { ...idle, sent: 5, due: 5 }],
    ["a word by a way of our own", undefined, said("user", "websocket"), undefined],
    ["an answer to it", undefined, said("agent", "websocket"), undefined],
    ["one more from the platform", idle, said("user", "webhook"), idle],
    ["an answer", idle, said("agent", "webhook"), { ...idle, due: 5 }],
    ["a coordinator's word", idle, said("coordinator", "webhook"), { ...idle, due: 5 }],
    ["a failure", idle, said("system", "webhook"), { ...idle, due: 5 }],
    ["what is said at a time", idle, said("user", "cron"), idle],
    ["a word on the web", idle, said("user", "websocket"), { ...idle, isOn: false }],
    ["a word over HTTP", idle, said("user", "http"), { ...idle, isOn: false }],
    ["an answer on the web", { ...idle, isOn: false }, said("agent", "websocket"), { ...idle, isOn: false }],
    ["coming back", { ...idle, isOn: false }, said("user", "webhook"), { ...idle, sent: 5, due: 5 }],
    [
      "coming back, with something unsent",
      { ...idle, isOn: false, sent: 2 },
      said("user", "webhook"),
      { ...idle, sent: 2 },
    ],
  ])("%s", (_name, before, message, after) => expect(outboundAfter(before, message)).toEqual(after));

  test("the beginning of the next session", () => {
    const fresh = { ...idle, sent: 0, due: 0 };
    expect(carriedOutbound(headOf({ outbound: { ...idle, due: 9, pieces: 2, sender: "n" } }))).toEqual({
      outbound: fresh,
    });
    expect(carriedOutbound(headOf({ outbound: { ...idle, isOn: false } }))).toEqual({});
    expect([carriedOutbound(headOf()), carriedOutbound(null)]).toEqual([{}, {}]);
  });
});

describe("[M111] one node sends", () => {
  const due = { ...idle, due: 9 };
  const isGone = (node: string) => node === "gone";
  const claim = (outbound: Outbound | undefined, more = {}) => {
    const head = headOf({ ...(outbound === undefined ? {} : { outbound }), ...more });
    const { result, head: next } = claimOutbound(head, "us", isGone);
    return [isUnsent(head), result?.sender ?? null, next?.outbound?.sender ?? null];
  };
  test.each([
    ["nothing", undefined, {}, [false, null, null]],
    ["nothing any more", idle, {}, [false, null, null]],
    ["what is nobody's", due, {}, [true, "us", "us"]],
    ["what is ours", { ...due, sender: "us" }, {}, [true, "us", "us"]],
    ["what is another's", { ...due, sender: "other" }, {}, [true, null, null]],
    ["what was of one that is gone", { ...due, sender: "gone" }, {}, [true, "us", "us"]],
    ["what is being deleted", due, { deletingSince: "2026-03-02T10:00:00.000Z" }, [false, null, null]],
  ])("of %s", (_name, outbound, more, expected) => expect(claim(outbound, more)).toEqual(expected));

  const ours = { ...due, sender: "us" };
  test.each<[string, Outbound, Parameters<typeof noteSent>[2], Outbound | null, Partial<Outbound> | null, number]>([
    ["a piece", ours, { sent: 4, pieces: 1, isTaken: false }, { ...ours, pieces: 1 }, { pieces: 1, sender: "us" }, 3],
    ["a message", ours, { sent: 6, pieces: 0, isTaken: true }, { ...ours, sent: 6 }, { sent: 6, sender: "us" }, 6],
    ["the last", ours, { sent: 9, pieces: 0, isTaken: true }, null, { sent: 9, sender: null }, 9],
    ["one that was given up", ours, { sent: 9, pieces: 0, isTaken: false }, null, { sent: 9, sender: null }, 3],
    ["after another took it", { ...due, sender: "other" }, { sent: 9, pieces: 0, isTaken: true }, null, null, 3],
  ])("notes %s", (_name, outbound, progress, left, noted, delivered) => {
    const before = headOf({ outbound, delivered: 3 });
    const { result, head } = noteSent(before, "us", progress);
    expect(result).toEqual(left);
    if (noted === null) expect(head).toBeUndefined();
    else expect(head!.outbound).toMatchObject(noted);
    expect((head ?? before).delivered).toBe(delivered);
  });
});
