import { expect, test } from "@jest/globals";
import { patienceMs, type Row, shownRows } from "../../../client/console/rows.js";
import { inSeenOrder, seenOrder } from "../../../client/console/still.js";

const start = Date.parse("2026-03-02T10:00:00.000Z");
const seen = [rowOf("a", 3), rowOf("b", 2), rowOf("c", 1)];

const nameOf = String;

test.each<[string, Partial<Row>, number, number]>([
  ["nothing has happened", {}, 0, 0],
  ["its customer has written", { lastMessageAt: at(4) }, 0, 1],
  ["its customer has begun to wait, and nobody has said anything", { open: new Map([["m", start]]) }, patienceMs, 1],
  ["its customer has a question that is not old enough", { open: new Map([["m", start]]) }, patienceMs - 1, 0],
  ["it is over", { status: "resolved" }, 0, 0],
])(
  "[console] rows stay where they were seen, and it is news when of one of them %s",
  (_name, changes, later, count) => {
    const rows = seen.map((row) => (row.sessionId === "c" ? { ...row, ...changes } : row));
    const now = start + later;
    const still = inSeenOrder(shownRows(rows, { filter: "all", query: "", now, nameOf }), seenOrder(seen, start), {
      rowOf: (sessionId) => rows.find((row) => row.sessionId === sessionId) ?? null,
      now,
    });
    expect(still.rows.map(({ sessionId }) => sessionId)).toEqual(["a", "b", "c"]);
    expect(still.newsCount).toBe(count);
  },
);

test("[console] who waited already when it was seen, and is before others now, is no news", () => {
  const waitsSince = (row: Row, agoMs: number) => ({ ...row, open: new Map([["m", start - agoMs]]) });
  const [first, second, quiet] = [waitsSince(seen[0]!, 3 * patienceMs), waitsSince(seen[1]!, patienceMs), seen[2]!];
  const order = seenOrder([first, second, quiet], start);
  // The first of them has been answered.
  const live = shownRows([seen[0]!, second, quiet], { filter: "all", query: "", now: start, nameOf });
  expect(live.map(({ sessionId }) => sessionId)).toEqual(["b", "a", "c"]);
  expect(inSeenOrder(live, order, { rowOf: () => null, now: start })).toEqual({ rows: [], newsCount: 0 });
});

const three = [rowOf("c", 3), rowOf("b", 2), rowOf("a", 1)];

test.each([
  ["nothing new", three, "cba", 0],
  ["one that moved up", [rowOf("a", 4), rowOf("c", 3), rowOf("b", 2)], "cba", 1],
  ["one that came", [rowOf("d", 4), ...three], "cba", 1],
  ["something new in the first, which stays there", [rowOf("c", 4), rowOf("b", 2), rowOf("a", 1)], "cba", 0],
  ["one that is gone: the others move up by that alone", [rowOf("b", 2), rowOf("a", 1)], "ba", 0],
  [
    "one that came, one that moved up, and one that others have overtaken",
    [rowOf("d", 6), rowOf("a", 5), rowOf("b", 4), rowOf("c", 3)],
    "cba",
    2,
  ],
] as const)("[console] rows that stay where they are: %s", (_name, live, shown, newsCount) => {
  const still = inSeenOrder(live, seenOrder(three, start), {
    rowOf: (sessionId) => live.find((each) => each.sessionId === sessionId) ?? null,
    now: start,
  });
  expect([still.rows.map(({ sessionId }) => sessionId).join(""), still.newsCount]).toEqual([shown, newsCount]);
  // As they are now, not as they were.
  expect(still.rows.every((each) => live.some((other) => other === each))).toBe(true);
});

function rowOf(sessionId: string, minute: number): Row {
  return {
    ...{ sessionId, userId: sessionId, title: null, status: "active", holder: null, wantsHuman: false },
    ...{ createdAt: at(0), lastMessageAt: at(minute), updatedAt: "", last: null, open: new Map() },
  };
}

function at(minute: number): string {
  return new Date(start - 60_000 * (10 - minute)).toISOString();
}
