import { describe, expect, test } from "@jest/globals";
import { outcomeAmong } from "../../server/messaging/answers.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import { questionOf } from "../support/heads.js";

/**
 * `u3` is what a user said at offset 3, h3 a command of theirs, `a4>u3` an answer to it; c a coordinator, s the system;
 * w what an agent and x what a coordinator says in a conversation beside that. */
function rows(text: string): ChatMessage[] {
  const types = {
    u: "user",
    h: "user",
    a: "agent",
    c: "coordinator",
    s: "system",
    w: "agent",
    x: "coordinator",
  } as const;
  return text
    .split(" ")
    .filter((each) => each !== "")
    .map((each) => {
      const [messageId = "", inReplyTo] = each.split(">");
      const isOutcome = /^[acs]/.test(messageId);
      const metadata = {
        source: "http" as const,
        ...(inReplyTo === undefined ? {} : { inReplyTo }),
        ...(isOutcome ? { responseId: `r-${messageId}` } : {}),
      };
      const type = types[messageId[0] as keyof typeof types];
      const said = messageId.startsWith("h") ? { content: "/help" } : {};
      return { ...questionOf(messageId, Number(messageId.slice(1))), ...said, type, metadata };
    });
}

describe("[H25] the outcome of what was said as u1, among what was said after it", () => {
  test.each<[string, string | null]>([
    ["", null],
    ["u2 u3", null],
    ["a2>u1", "a2"],
    ["u2 a3>u1 a4>u2", "a3"],
    ["s2>u1", "s2"],
    // Of one before it.
    ["a2>u0 s3>u00", null],
    ["a2>u0 u3 a4>u1", "a4"],
    // It ended with a later one, which alone is answered.
    ["u2 a3>u2", "a3"],
    ["u2 u3 s4>u3 a5>u6", "s4"],
    // A coordinator speaks to all that is open, whatever it is a reply to.
    ["u2 c3>u2", "c3"],
    ["c2>u0", "c2"],
    ["u2 c3", "c3"],
    // What others say meanwhile is the outcome of nothing, whatever it is a reply to.
    ["w2>u1", null],
    ["x2>u1 w3 a4>u1", "a4"],
  ])("%j: %j", (later, outcome) => {
    expect(outcomeAmong(rows(later), rows("u1")[0]!)?.messageId ?? null).toBe(outcome);
  });

  test.each<[string, string, string | null]>([
    // While a coordinator holds the session commands are answered at once, ahead of the questions that wait.
    ["u1", "h2 a3>h2", null],
    ["u1", "h2 a3>h2 c4>u1", "c4"],
    ["u1", "h2 u3 a4>h2 a5>u3", "a5"],
    ["h1", "c2", null],
    ["h1", "c2>h1 a3>h1", "a3"],
    ["h1", "s2>h1", "s2"],
    ["h1", "u2 a3>u2", null],
  ])("[M43] of %j among %j: %j", (question, later, outcome) => {
    expect(outcomeAmong(rows(later), rows(question)[0]!)?.messageId ?? null).toBe(outcome);
  });
});
