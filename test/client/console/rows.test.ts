import { expect, test } from "@jest/globals";
import { labelsFor } from "../../../client/console/labels.js";
import { customerName } from "../../../client/console/names.js";
import {
  countsOf,
  type Filter,
  filters,
  type LastSaid,
  patienceMs,
  type Row,
  shownRows,
  stateOf,
  waitingSince,
} from "../../../client/console/rows.js";

const now = Date.parse("2026-03-02T10:00:00.000Z");
const visitor = "5a1c2b5e-5f0a-4f8e-9d57-0a4c0c8f9f3e";
const nameOf = (userId: string | null) => customerName(userId, labelsFor("en"));
const held = { expiresAt: at(60_000), coordinatorId: "maria" };
const expired = { expiresAt: at(-1), coordinatorId: "maria" };
const answer: LastSaid = { from: "agent", text: "Yes", isFailure: false };
const failure: LastSaid = { from: "system", text: "Sorry", isFailure: true };

test.each<[string, Partial<Row>, string]>([
  ["answered", { last: answer }, "answered"],
  ["asked a moment ago", { open: asked(1000) }, "answered"],
  ["asked longer ago than anybody is patient", { open: asked(patienceMs) }, "waiting"],
  ["held, and nothing asked", { holder: held, last: answer }, "human"],
  ["held, and asked a moment ago", { holder: held, open: asked(1) }, "waiting"],
  ["held until a moment ago", { holder: expired, open: asked(1) }, "answered"],
  ["a human was asked for", { wantsHuman: true, last: answer }, "waiting"],
  ["a human was asked for, and has come", { wantsHuman: true, holder: held }, "human"],
  ["there was no answer", { last: failure }, "waiting"],
  ["there was no answer, and a human has it", { last: failure, holder: held }, "human"],
  ["resolved with a question open", { status: "resolved", open: asked(patienceMs) }, "resolved"],
  ["closed", { status: "closed" }, "resolved"],
  ["abandoned", { status: "abandoned", wantsHuman: true }, "resolved"],
])("[console] a session that is %s is shown as it is", (_name, more, state) => {
  expect(stateOf(rowOf(more), now)).toBe(state);
  expect(waitingSince(rowOf(more), now) !== null).toBe(state === "waiting");
});

test("[console] who waits comes first under every filter, who waits longest before all, then the latest message", () => {
  const rows = [
    rowOf({ sessionId: "latest", lastMessageAt: at(0) }),
    rowOf({ sessionId: "new", open: asked(patienceMs), lastMessageAt: at(-1) }),
    rowOf({ sessionId: "held", holder: held, lastMessageAt: at(-1) }),
    rowOf({ sessionId: "over", status: "resolved", lastMessageAt: at(-3) }),
    rowOf({ sessionId: "both", holder: held, open: asked(5 * patienceMs), lastMessageAt: at(-4) }),
    rowOf({ sessionId: "old", open: asked(9 * patienceMs), lastMessageAt: at(-5) }),
    rowOf({ sessionId: "calm", lastMessageAt: at(-2) }),
  ];
  const shown = (filter: Filter) =>
    shownRows(rows, { filter, query: "", now, nameOf }).map(({ sessionId }) => sessionId);
  expect(Object.fromEntries(filters.map((filter) => [filter, shown(filter)]))).toEqual({
    all: ["old", "both", "new", "latest", "held", "calm", "over"],
    waiting: ["old", "both", "new"],
    human: ["both", "held"],
    answered: ["latest", "calm"],
    resolved: ["over"],
  });
  // What a filter counts is what it shows.
  expect(countsOf(rows, now)).toEqual(Object.fromEntries(filters.map((filter) => [filter, shown(filter).length])));
});

test.each<[string, boolean]>([
  ["visitor 9f3e", true],
  ["  STEFAN   ", true],
  ["ștefan yes", true],
  ["s-1", true],
  ["visitor s-1", true],
  ["web:5a1c", true],
  ["visitor 0000", false],
  ["bob", false],
])("[console] searching for %j: %s", (query, isFound) => {
  const rows = [rowOf({ userId: `web:${visitor}`, title: "Ștefan", sessionId: "s-1", last: answer })];
  expect(shownRows(rows, { filter: "all", query, now, nameOf })).toHaveLength(isFound ? 1 : 0);
});

function rowOf(more: Partial<Row>): Row {
  return {
    ...{ sessionId: "s", userId: "ana", title: null, status: "active", holder: null, wantsHuman: false },
    ...{ createdAt: at(-1000), lastMessageAt: at(-1000), updatedAt: "", last: null, open: new Map() },
    ...more,
  };
}

function asked(agoMs: number): Row["open"] {
  return new Map([["m", now - agoMs]]);
}

function at(ms: number): string {
  return new Date(now + ms).toISOString();
}
