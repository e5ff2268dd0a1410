import { expect, test } from "@jest/globals";
import { Cursor } from "../../client/cursor.js";
import type { ChatEntry } from "../../client/entry.js";

test("[M12] has nothing to resume before anything was said", () => {
  const cursor = new Cursor();
  cursor.joined({ sessionId: null, offset: 0, epoch: "e1" });
  expect(cursor.resume).toBeNull();
});

test("[M12] resumes where the join reply and the messages after it left off", () => {
  const cursor = new Cursor();
  cursor.joined({ sessionId: "s1", offset: 4, epoch: "e1" });
  cursor.heard(said("s1", 5, "user"));
  cursor.heard(said("s1", 6, "agent"));
  cursor.heard(said("s1", 6, "agent"));
  expect(cursor.resume).toEqual({ sessionId: "s1", offset: 6, epoch: "e1" });
});

test("[M12] stays before a hole, so that the next join fills it", () => {
  const cursor = new Cursor();
  cursor.joined({ sessionId: "s1", offset: 4 });
  cursor.heard(said("s1", 6, "agent"));
  expect(cursor.resume).toEqual({ sessionId: "s1", offset: 4 });
});

test("[M12] follows the user into a new session, and no late answer back into the old one", () => {
  const cursor = new Cursor();
  cursor.joined({ sessionId: "s1", offset: 4 });
  cursor.heard(said("s2", 1, "user"));
  cursor.heard(said("s1", 5, "agent"));
  expect(cursor.resume).toEqual({ sessionId: "s2", offset: 1 });
});

function said(sessionId: string, offset: number, from: ChatEntry["from"]): ChatEntry {
  return {
    id: `${sessionId}${offset}`,
    state: "stored",
    from,
    content: "x",
    timestamp: "",
    sessionId,
    offset,
    actions: [],
    components: [],
  };
}
