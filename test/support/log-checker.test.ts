import { expect, test } from "@jest/globals";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import { defaultBusiness } from "../../server/messaging/business.js";
import { createConversations } from "../../server/messaging/conversations.js";
import { createIds } from "../../server/messaging/ids.js";
import { Telemetry } from "../../server/telemetry.js";
import { FakeClock } from "./fake-clock.js";
import { intentLife, userMessageOf } from "./heads.js";
import { LogChecker, logFaults } from "./log-checker.js";
import { openTemporaryStore } from "./temporary-store.js";
import { tokenOf } from "./tokens.js";

const line = (more: object) => `${JSON.stringify({ level: 30, ...more })}\n`;

test.each<[string, string, string | null]>([
  ["ids and numbers", line({ businessId: "B1", durationMs: 3 }), null],
  ["a short text, which may be there by chance", line({ msg: "turn" }), null],
  ["what somebody wrote", line({ cause: "I said: I want an appointment" }), "a text"],
  ["what somebody wrote, with a line of its own in it", line({ cause: 'so\n{"level":"error"}' }), "a text"],
  ["a line that was broken by what somebody wrote", '{"msg":"so\n{"level":"error"}', "no JSON object"],
  ["two lines in one", `${line({})}${line({})}`, "no JSON object"],
])("[X-17] %s", (_what, logged, fault) => {
  const texts = ["turn", "I want an appointment", 'so\n{"level":"error"}'];
  const faults = logFaults([logged], texts);
  if (fault === null) expect(faults).toEqual([]);
  else expect(faults[0]).toMatch(fault);
});

test("[X-17] [X-05] a token is found wherever it stands", async () => {
  const token = await tokenOf({ sub: "ana" });
  expect(logFaults([line({ url: `/socket/websocket?token=${token}` })], [])).toHaveLength(1);
});

test("[X-17] what a telemetry event carries into the log is found", async () => {
  const under = await openTemporaryStore();
  const telemetry = new Telemetry<DeskEvents>();
  const checker = new LogChecker();
  checker.watch(telemetry);
  const clock = new FakeClock();
  const desk = createConversations({
    store: under.store,
    clock,
    ids: createIds(clock),
    node: "node",
    onError: () => undefined,
    onChanged: () => undefined,
    onIntent: () => undefined,
    intentLife,
  });
  await desk.accept(userMessageOf(defaultBusiness("B1", "UTC"), "ana", "I want an appointment"));
  telemetry.emit("turns.recovered", { sessions: 1 });
  await checker.check(under.store);
  telemetry.emit("message.refused", { businessId: "I want an appointment", code: "busy" });
  await expect(checker.check(under.store)).rejects.toThrow("[X-17]");
  await under.dispose();
});
