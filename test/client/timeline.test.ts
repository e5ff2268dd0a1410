import { expect, test } from "@jest/globals";
import type { ChatEntry } from "../../client/entry.js";
import { limits } from "../../client/limits.js";
import { Timeline } from "../../client/timeline.js";

test("orders by time, within one moment by offset, whatever comes first", () => {
  const timeline = new Timeline();
  for (const offset of [3, 1, 4, 2]) timeline.merge(stored(offset, `2026-01-01T10:00:0${offset < 3 ? 0 : 1}.000Z`));
  expect(timeline.entries.map((entry) => entry.offset)).toEqual([1, 2, 3, 4]);
});

test("keeps a message once, however often it comes", () => {
  const timeline = new Timeline();
  expect(timeline.merge(stored(1))).not.toBeNull();
  expect(timeline.merge(stored(1))).toBeNull();
  expect(timeline.entries).toHaveLength(1);
});

test("an unsent message keeps its id when it is stored, and stands after what was there", () => {
  const timeline = new Timeline();
  timeline.merge(stored(1));
  timeline.merge(unsent("c1", "sending", timeline.lastTimestamp));
  timeline.merge(unsent("c2", "sending", timeline.lastTimestamp));
  expect(ids(timeline)).toEqual(["m1", "c1", "c2"]);
  timeline.merge({ ...stored(2), id: "m2", clientMessageId: "c1", from: "user" });
  expect(ids(timeline)).toEqual(["m1", "c1", "c2"]);
  expect(timeline.find("c1")).toMatchObject({ state: "stored", messageId: "m2", offset: 2 });
});

test("one that was kept from before anything was known stands behind all of it", () => {
  const timeline = new Timeline();
  timeline.merge(unsent("c1", "failed", ""));
  timeline.merge(stored(1));
  expect(ids(timeline)).toEqual(["m1", "c1"]);
});

test("a failed message that is tried again loses its code", () => {
  const timeline = new Timeline();
  timeline.merge({ ...unsent("c1", "failed", ""), code: "busy" });
  expect(timeline.merge(unsent("c1", "sending", ""))).not.toHaveProperty("code");
});

test("what is stored stays stored", () => {
  const timeline = new Timeline();
  timeline.merge({ ...stored(1), clientMessageId: "c1" });
  expect(timeline.merge(unsent("c1", "failed", ""))).toBeNull();
  expect(timeline.entries).toHaveLength(1);
});

test("knows what was read, whatever comes first, and tells of each message once", () => {
  const said = (offset: number): ChatEntry => ({ ...stored(offset), from: "user" });
  const timeline = new Timeline();
  for (const entry of [said(1), said(2), stored(3), said(4)]) timeline.merge(entry);
  expect(timeline.read("s", 3).map(({ offset }) => offset)).toEqual([1, 2]);
  expect(timeline.read("s", 3)).toEqual([]);
  expect(timeline.read("another", 9)).toEqual([]);
  // A page of history, and the reply to what was sent, come when they like.
  expect(timeline.merge(said(1))).toBeNull();
  expect(timeline.read("s", 6).map(({ offset }) => offset)).toEqual([4]);
  expect(timeline.merge(said(5))).toMatchObject({ isRead: true });
  expect(timeline.merge(said(7))).not.toHaveProperty("isRead");
});

test("drops the oldest at its limit", () => {
  const timeline = new Timeline();
  for (let offset = 1; offset <= limits.timelineMax + 2; offset += 1) timeline.merge(stored(offset));
  expect(timeline.entries).toHaveLength(limits.timelineMax);
  expect(timeline.entries[0]?.offset).toBe(3);
});

test("keeps what is older beyond its limit, until something new is said", () => {
  const timeline = new Timeline();
  timeline.merge(unsent("c1", "failed", ""));
  for (let offset = 101; offset < 100 + limits.timelineMax; offset += 1) timeline.merge(stored(offset));
  for (let offset = 51; offset <= 100; offset += 1) timeline.merge(stored(offset));
  expect(timeline.entries).toHaveLength(limits.timelineMax + 50);
  expect(timeline.entries[0]?.offset).toBe(51);
  timeline.merge(unsent("c1", "sending", ""));
  expect(timeline.entries[0]?.offset).toBe(51);
  timeline.merge(stored(9999));
  expect(timeline.entries).toHaveLength(limits.timelineMax + 50);
  expect(timeline.entries[0]?.offset).toBe(52);
});

test("whoever goes through the messages may change them on the way", () => {
  const timeline = new Timeline();
  const failed = ["c1", "c2", "c3", "c4"];
  for (const id of failed) timeline.merge(unsent(id, "failed", "2026-01-01T10:00:00.000Z"));
  const again: string[] = [];
  for (const { id } of timeline.entries) {
    again.push(id);
    timeline.merge(unsent(id, "sending", "2026-01-01T10:00:01.000Z"));
  }
  expect(again).toEqual(failed);
  for (const { id } of timeline.entries) timeline.forget((entry) => entry.id === id);
  expect(timeline.entries).toEqual([]);
});

function stored(offset: number, timestamp = "2026-01-01T10:00:00.000Z"): ChatEntry {
  const messageId = `m${offset}`;
  return {
    id: messageId,
    messageId,
    state: "stored",
    from: "agent",
    content: "x",
    timestamp,
    offset,
    sessionId: "s",
    actions: [],
    components: [],
  };
}

function unsent(id: string, state: "sending" | "failed", timestamp: string): ChatEntry {
  return { id, clientMessageId: id, state, from: "user", content: "x", timestamp, actions: [], components: [] };
}

function ids(timeline: Timeline): string[] {
  return timeline.entries.map((entry) => entry.id);
}
