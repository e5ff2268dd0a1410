import { beforeEach, expect, test } from "@jest/globals";
import { entriesMax, entriesOf, Transcript } from "../../../client/console/transcript.js";

let transcript: Transcript;

beforeEach(() => {
  transcript = new Transcript("s");
});

test("[console] pages grow together, in order, each message once", () => {
  transcript.newest([row(3), row(4)], "before 3");
  transcript.older([row(1), row(2), row(3)], null);
  transcript.newest([row(4), row(5)], "before 4");
  expect(offsets()).toEqual([1, 2, 3, 4, 5]);
  expect(transcript.cursor).toBe(null);
});

test("[console] a page behind a hole takes the place of what was there: nothing is shown with a hole", () => {
  transcript.newest([row(1), row(2)], null);
  transcript.newest([row(9), row(10)], "before 9");
  expect(offsets()).toEqual([9, 10]);
  expect(transcript.cursor).toBe("before 9");
});

test("[console] [M15] a message is shown as soon as it is stored, but not behind a hole, and not before the page", () => {
  const accepted = { sessionId: "s", userId: "ana", locationId: "l", message: "hi", timestamp: at(0) };
  transcript.accepted({ ...accepted, messageId: "m1", offset: 1 });
  expect(offsets()).toEqual([]);
  transcript.newest([row(1)], null);
  transcript.accepted({ ...accepted, messageId: "m3", offset: 3 });
  expect(offsets()).toEqual([1]);
  transcript.accepted({ ...accepted, messageId: "m2", offset: 2 });
  expect(offsets()).toEqual([1, 2]);
});

test(`[console] of more than ${entriesMax} entries the oldest go, and can be read again`, () => {
  const page = (from: number) => Array.from({ length: 500 }, (_, index) => row(from + index));
  transcript.newest(page(1001), "before 1001");
  transcript.older(page(501), "before 501");
  transcript.newest([row(1500), row(1501)], "before 1500");
  expect([transcript.entries.length, transcript.entries[0]!.offset]).toEqual([entriesMax, 502]);
  expect(transcript.cursor).toBe(at(502));
});

test("[console] [M50] [M52] notes and drafts hang on what they follow, and steps on the answer that they led to", () => {
  const responseId = "r1";
  const entries = entriesOf([
    aside("note", 1, 30),
    aside("thinking", 1, 20, { responseId }, { step: "retrieval", status: "failed" }),
    // It began first, and ended last.
    { ...aside("thinking", 1, 10, { responseId }, { step: "intent", status: "done" }), timestamp: at(40) },
    aside("draft", 2, 5),
    { ...row(2), type: "agent", metadata: { responseId, sources: ["Hours", 7], toolCalls: [{ name: "book" }, 1] } },
    row(1),
  ]);
  expect(entries.map(({ kind, offset }) => [kind, offset])).toEqual([
    ["user", 1],
    ["note", 1],
    ["agent", 2],
    ["draft", 2],
  ]);
  expect(entries[2]!.made).toEqual({
    steps: [
      { step: "intent", label: "thinking", status: "done" },
      { step: "retrieval", label: "thinking", status: "failed" },
    ],
    sources: ["Hours"],
    tools: ["book", "1"],
    durationMs: null,
    tokens: null,
  });
  expect(entries[3]!.made.steps).toEqual([]);
});

function offsets(): number[] {
  return transcript.entries.map(({ offset }) => offset);
}

function row(offset: number) {
  return { messageId: `m${offset}`, type: "user", offset, content: `message ${offset}`, timestamp: at(offset) };
}

function aside(type: string, afterOffset: number, ms: number, metadata: object = {}, data: object = {}) {
  return { messageId: `${type} ${ms}`, type, afterOffset, content: type, timestamp: at(ms), metadata, data };
}

function at(ms: number): string {
  return new Date(Date.parse("2026-03-02T10:00:00.000Z") + ms).toISOString();
}
