import { describe, expect, test } from "@jest/globals";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import { type BacklogLimits, createBacklog } from "../../server/messaging/backlog.js";
import { Telemetry } from "../../server/telemetry.js";

const roomy = { maxBacklog: 100, maxBacklogPerBusiness: 100, maxBacklogPerUser: 100 };

function backlogOf(limits: Partial<BacklogLimits>) {
  const telemetry = new Telemetry<DeskEvents>();
  const reached: string[] = [];
  telemetry.attach("limit.reached", ({ limit }) => void reached.push(limit));
  const backlog = createBacklog({ ...roomy, ...limits, telemetry });
  const reserve = (id: string) => {
    const [businessId = "", userId = ""] = id.split("/");
    return backlog.reserve({ businessId, userId });
  };
  return { reserve, reached };
}

describe("[M21] [L27] backlog", () => {
  test.each<[string, Partial<BacklogLimits>, readonly string[], readonly (string | null)[]]>([
    ["of a node", { maxBacklog: 2 }, ["B1/a", "B2/b", "B3/c"], [null, null, "MAX_BACKLOG"]],
    [
      "of a business",
      { maxBacklogPerBusiness: 2 },
      ["B1/a", "B1/b", "B1/c", "B2/a"],
      [null, null, "MAX_BACKLOG_PER_BUSINESS", null],
    ],
    [
      "of a user of a business",
      { maxBacklogPerUser: 2 },
      ["B1/a", "B1/a", "B1/a", "B1/b", "B2/a"],
      [null, null, "MAX_BACKLOG_PER_USER", null, null],
    ],
  ])("%s: room for so many open turns, and what is full is told by its name", (_, limits, ids, expected) => {
    const { reserve, reached } = backlogOf(limits);
    const told = ids.map((id) => (reserve(id) === null ? reached.pop() : null));
    expect([told, reached]).toEqual([expected, []]);
  });

  test("a place that is given back is another's, and what is given back twice counts once", () => {
    const { reserve } = backlogOf({ maxBacklogPerUser: 2, maxBacklogPerBusiness: 2, maxBacklog: 2 });
    const first = reserve("B1/a")!;
    reserve("B1/a");
    first.release();
    first.release();
    expect([reserve("B1/a"), reserve("B1/a")].map((place) => place !== null)).toEqual([true, false]);
  });

  test("what was refused takes no place", () => {
    const { reserve } = backlogOf({ maxBacklogPerUser: 1, maxBacklogPerBusiness: 2 });
    reserve("B1/a");
    expect([reserve("B1/a"), reserve("B1/b"), reserve("B1/c")].map((place) => place !== null)).toEqual([
      false,
      true,
      false,
    ]);
  });
});
