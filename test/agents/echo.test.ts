import { describe, expect, test } from "@jest/globals";
import { createEcho } from "../../server/agents/echo.js";
import { answerOf, eventsOf, turnOf } from "./turns.js";

describe("echo", () => {
  test.each(["Vreau să fac o programare", "", "  two\nlines ", "🦷"])(
    "[A1] says back exactly %j, once",
    async (message) => {
      const events = await eventsOf(createEcho(), turnOf(message));
      expect(events).toEqual([{ type: "answer", message, isComplete: true }]);
    },
  );

  test("[A2] does not greet", async () => {
    expect((await answerOf(createEcho(), turnOf("hello", { isFirstContact: true }))).message).toBe("hello");
  });

  test("[A1] says nothing once the turn was stopped", async () => {
    await expect(eventsOf(createEcho(), turnOf("hello"), AbortSignal.abort(new Error("stopped")))).rejects.toThrow(
      "stopped",
    );
  });
});
