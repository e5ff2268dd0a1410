import { beforeEach, expect, test } from "@jest/globals";
import { Inbox, rowsMax } from "../../../client/console/inbox.js";
import { previewMax } from "../../../client/console/rows.js";

const turn = {
  ...{ cursor: "c", businessId: "B1", locationId: "l", userId: "ana", sessionId: "s", messageId: "m1" },
  ...{ responseId: "r", durationMs: 1, source: "websocket", message: "Hello", answer: "Hi", timestamp: at(2) },
};
const accepted = { sessionId: "s", userId: "ana", locationId: "l", offset: 1, message: "Hello", timestamp: at(1) };

let inbox: Inbox;

beforeEach(() => {
  inbox = new Inbox();
});

test("[console] a question is open until its outcome, and not its neighbour's", () => {
  expect(inbox.accepted({ ...accepted, messageId: "m1" })).toBe(true);
  expect(inbox.accepted({ ...accepted, messageId: "m2" })).toBe(false);
  expect([...inbox.row("s")!.open.keys()]).toEqual(["m1", "m2"]);
  inbox.processed({ ...turn, status: "answered" });
  expect([...inbox.row("s")!.open.keys()]).toEqual(["m2"]);
  expect(inbox.row("s")!.last).toEqual({ from: "agent", text: "Hi", isFailure: false });
});

test.each([
  ["answered", "/human", true],
  ["answered", "Hello", false],
  ["failed", "/human", false],
  ["human", "Hello", false],
] as const)("[console] [M43] %s to %s: asks for a human: %s", (status, message, wantsHuman) => {
  inbox.processed({ ...turn, message, status });
  expect(inbox.row("s")!.wantsHuman).toBe(wantsHuman);
});

test("[console] [H27] a list tells what was said last and what is open; a command's reply leaves that as it is", () => {
  const session = { sessionId: "s", userId: "ana", status: "active", createdAt: at(0), lastMessageAt: at(3) };
  const latest = { type: "system", content: "Sorry", timestamp: at(3), code: "agent_timeout" };
  const openQuestions = [{ messageId: "m2", timestamp: at(2) }];
  inbox.told({ ...session, latest, openQuestions });
  const last = { from: "system", text: "Sorry", isFailure: true };
  expect(inbox.row("s")).toMatchObject({ last, open: new Map([["m2", Date.parse(at(2))]]) });
  inbox.told({ ...session, status: "resolved" });
  expect(inbox.row("s")).toMatchObject({ status: "resolved", last, open: new Map([["m2", Date.parse(at(2))]]) });
  inbox.told({ ...session, latest: null, openQuestions: [] });
  expect(inbox.row("s")).toMatchObject({ last: null, open: new Map() });
});

test.each([
  ["agent_timeout", true],
  ["agent_failed", true],
  ["cancelled", false],
  [undefined, false],
])("[console] an answer that failed is one that its user waits for once it is known why: %s", (code, isFailure) => {
  inbox.processed({ ...turn, answer: "Sorry", status: "failed" });
  expect(inbox.row("s")!.last).toEqual({ from: "system", text: "Sorry", isFailure: false });
  const latest = { type: "system", content: "Sorry", timestamp: turn.timestamp, code };
  inbox.told({ sessionId: "s", status: "active", lastMessageAt: turn.timestamp, latest, openQuestions: [] });
  expect(inbox.row("s")!.last!.isFailure).toBe(isFailure);
});

test("[console] [M43] that a human was asked for is what the session says", () => {
  const told = (context: object) =>
    inbox.told({ sessionId: "s", status: "active", lastMessageAt: at(3), metadata: { context } });
  told({ wantsHuman: true });
  expect(inbox.row("s")!.wantsHuman).toBe(true);
  told({});
  expect(inbox.row("s")!.wantsHuman).toBe(false);
});

test("[console] what was asked for before something was said changes nothing of that", () => {
  inbox.accepted({ ...accepted, messageId: "m5", timestamp: at(5) });
  inbox.told({
    ...{ sessionId: "s", status: "resolved", lastMessageAt: at(4) },
    ...{ latest: { type: "agent", content: "earlier", timestamp: at(4) }, openQuestions: [] },
  });
  expect(inbox.row("s")).toMatchObject({ status: "active", last: { from: "user", text: "Hello" } });
});

test("[console] [M39] an update ends what was open, and tells the holder", () => {
  inbox.accepted({ ...accepted, messageId: "m1" });
  const holder = { expiresAt: at(9), coordinatorId: "maria" };
  inbox.updated({ sessionId: "s", status: "active", deleted: false, holder, updatedAt: at(2) });
  expect(inbox.row("s")).toMatchObject({ holder, userId: "ana", lastMessageAt: at(1) });
  expect(inbox.row("s")!.open.size).toBe(1);
  inbox.updated({ sessionId: "s", status: "resolved", deleted: false, holder: null, updatedAt: at(3) });
  expect(inbox.row("s")!.open.size).toBe(0);
});

test("[console] [M39] of two that tell of a session the newer one counts, whichever comes last", () => {
  const session = { sessionId: "s", userId: "ana", lastMessageAt: at(1) };
  const update = { sessionId: "s", deleted: false, holder: null };
  inbox.told({ ...session, status: "active", updatedAt: at(1) });
  inbox.updated({ ...update, status: "resolved", updatedAt: at(2) });
  inbox.updated({ ...update, status: "active", updatedAt: at(3) });
  inbox.told({ ...session, status: "resolved", updatedAt: at(2) });
  expect(inbox.row("s")!.status).toBe("active");
  inbox.told({ ...session, status: "resolved", updatedAt: at(5) });
  expect(inbox.updated({ ...update, status: "active", updatedAt: at(4) })).toBe(false);
  expect(inbox.row("s")!.status).toBe("resolved");
});

test("[console] of a long text a line is kept", () => {
  inbox.accepted({ ...accepted, messageId: "m1", message: "x".repeat(100_000) });
  expect(inbox.row("s")!.last!.text).toHaveLength(previewMax);
});

test(`[console] of more than ${rowsMax} sessions those go that are over, and then the oldest`, () => {
  const told = (sessionId: string, status: string, ms: number) =>
    inbox.told({ sessionId, status, lastMessageAt: at(ms) });
  told("old", "active", 0);
  told("over", "resolved", 9_999_999);
  for (let index = 0; index < rowsMax - 1; index += 1) told(`s${index}`, "active", index + 1);
  expect([inbox.rows.length, inbox.row("over"), inbox.row("old")?.sessionId]).toEqual([rowsMax, null, "old"]);
  told("one more", "active", 1);
  expect([inbox.rows.length, inbox.row("old")]).toEqual([rowsMax, null]);
});

function at(ms: number): string {
  return new Date(Date.parse("2026-03-02T10:00:00.000Z") + ms).toISOString();
}
