import { describe, expect, test } from "@jest/globals";
import type { Message } from "../../protocol/message.js";
import { type Decision, route } from "../../server/channel/route.js";

const topic = "room:1";
const message = (changes: Partial<Message>): Message => ({
  joinRef: "1",
  ref: "2",
  topic,
  event: "ping",
  payload: {},
  ...changes,
});

describe("a topic that is not joined", () => {
  test.each<[rule: string, changes: Partial<Message>, decision: Decision]>([
    ["R1", { topic: "phoenix", event: "heartbeat", joinRef: null }, "heartbeat"],
    ["R1", { topic: "phoenix", event: "heartbeat", joinRef: "stale" }, "heartbeat"],
    ["R2", { topic: "phoenix", event: "ping" }, "unmatched"],
    ["R2", { topic, event: "heartbeat" }, "unmatched"],
    ["R2", { topic: "phoenix", event: "phx_join" }, "join"],
    ["R3", { event: "phx_leave" }, "leaveUnjoined"],
    ["R3", { event: "phx_leave", topic: "phoenix" }, "leaveUnjoined"],
    ["R3", { event: "phx_leave", topic: null }, "leaveUnjoined"],
    ["R2", { event: "phx_join" }, "join"],
    ["R2", { event: "phx_join", joinRef: null }, "join"],
    ["R2", { event: "ping" }, "unmatched"],
    ["R2", { event: "phx_reply" }, "unmatched"],
    ["R2", { event: "phx_close" }, "unmatched"],
    ["R2", { event: "phx_error" }, "unmatched"],
    ["W8", { event: null }, "unmatched"],
    ["W8", { event: 5 }, "unmatched"],
    ["W8", { event: {} }, "unmatched"],
    ["W8", { topic: null, event: "phx_join" }, "join"],
    ["W8", { topic: {}, event: [] }, "unmatched"],
  ])("[%s] %j is %s", (_rule, changes, decision) => {
    expect(route(message(changes), undefined)).toBe(decision);
  });
});

describe("a topic that is joined as 1", () => {
  test.each<[rule: string, changes: Partial<Message>, decision: Decision]>([
    ["R4", { joinRef: "1" }, "deliver"],
    ["R4", { joinRef: null }, "deliver"],
    ["R4", { joinRef: 1 }, "stale"],
    ["R4", { joinRef: "" }, "stale"],
    ["R4", { joinRef: "01" }, "stale"],
    ["R4", { joinRef: false }, "stale"],
    ["R4", { joinRef: {} }, "stale"],
    ["R4", { joinRef: ["1"] }, "stale"],
    ["R4", { joinRef: "0", event: "phx_leave" }, "stale"],
    ["R5", { event: "phx_join" }, "rejoin"],
    ["R5", { event: "phx_join", joinRef: "2" }, "rejoin"],
    ["R5", { event: "phx_join", joinRef: null }, "rejoin"],
    ["R6", { event: "phx_leave" }, "leave"],
    ["R6", { event: "phx_leave", joinRef: null }, "leave"],
    ["W8", { event: null }, "deliver"],
    ["W8", { event: 5 }, "deliver"],
    ["C4", { event: "phx_reply" }, "deliver"],
    ["C4", { event: "phx_close" }, "deliver"],
    ["C4", { event: "phx_error" }, "deliver"],
    ["R1", { topic: "phoenix", event: "heartbeat" }, "heartbeat"],
  ])("[%s] %j is %s", (_rule, changes, decision) => {
    expect(route(message(changes), { joinRef: "1" })).toBe(decision);
  });
});

test.each<[joined: unknown, sent: unknown, decision: Decision]>([
  [null, null, "deliver"],
  [null, "1", "stale"],
  [1, 1, "deliver"],
  [1, "1", "stale"],
  [0, null, "deliver"],
  [0, "", "stale"],
  [0, false, "stale"],
  ["", "", "deliver"],
  [{ a: [1] }, { a: [1] }, "deliver"],
  [{ a: [1] }, { a: [2] }, "stale"],
  [["1"], "1", "stale"],
  [[], {}, "stale"],
  [{}, null, "deliver"],
])("[R4] joined as %j, a message with %j is %s", (joined, joinRef, decision) => {
  expect(route(message({ joinRef }), { joinRef: joined })).toBe(decision);
});
