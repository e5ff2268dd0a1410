import { beforeAll, describe, expect, test } from "@jest/globals";
import { createAssistant } from "../../server/agents/assistant/assistant.js";
import type { AgentTurn } from "../../server/messaging/agent.js";
import type { Business } from "../../server/messaging/business.js";
import type { Intent } from "../../server/messaging/model.js";
import { answerOf, dentist, turnOf } from "./turns.js";

const assistant = createAssistant();
let business: Business;
beforeAll(async () => {
  business = await dentist();
});

const say = (message: string, more: Partial<AgentTurn> = {}) =>
  answerOf(assistant, turnOf(message, { business, suspended: left(), ...more }));

/** A booking of Wednesday that stopped at the question for the time. */
function left(parameters: Intent["parameters"] = { serviciu: "Detartraj", data: "2026-08-07" }): Intent {
  const missing = ["serviciu", "data", "ora", "nume", "telefon"].filter((name) => !(name in parameters));
  const of = { intentId: "left", businessId: "B0100001", userId: "user_123", sessionId: "session_0" };
  const at = { createdAt: "2026-08-05T05:00:00.000Z", updatedAt: "2026-08-05T05:30:00.000Z" };
  return { ...of, name: "programare", status: "abandoned", parameters, missing, ...at };
}

const known = "Continuăm de unde am rămas: Programare, Detartraj, vineri, 7 august 2026.";
const askTime = "La ce oră îți este bine?";

describe("[A26] what was left goes on", () => {
  test.each([
    ["it is begun again", "Vreau să fac o programare", `${known} ${askTime}`],
    ["continuă", "Continuă", `${known} ${askTime}`],
    ["hai să continuăm", "Hai să continuăm!", `${known} ${askTime}`],
    ["go on", "go on", `${known} ${askTime}`],
    ["what the offer says", "Continuă: Programare", `${known} ${askTime}`],
    [
      "an answer to what was asked for last",
      "10:30",
      "Continuăm de unde am rămas: Programare, Detartraj, vineri, 7 august 2026, 10:30. Pe ce nume facem programarea?",
    ],
    [
      "what is said now replaces what was said then",
      "Vreau o programare la plombă luni",
      `Continuăm de unde am rămas: Programare, Plombă, luni, 10 august 2026. ${askTime}`,
    ],
  ])("%s", async (_what, message, answer) => {
    const { message: said, intent, isComplete } = await say(message);
    expect(said).toBe(answer);
    expect(intent).toMatchObject({ intentId: "left", status: "active", sessionId: "session_1" });
    expect(isComplete).toBe(false);
  });

  test("in the business's language", async () => {
    const { message } = await say("continue", { business: { ...business, locale: "en" } });
    expect(message).toBe(`We go on where we left off: Programare, Detartraj, Friday, 7 August 2026. ${askTime}`);
  });

  test("a day that is over by now is asked for again", async () => {
    const { message, intent } = await say("continuă", { now: Date.parse("2026-08-10T07:00:00.000Z") });
    expect(message).toBe(
      "Continuăm de unde am rămas: Programare, Detartraj. Momentul acesta a trecut deja. În ce zi ai vrea să vii?",
    );
    expect(intent).toMatchObject({
      parameters: { serviciu: "Detartraj" },
      missing: ["data", "ora", "nume", "telefon"],
    });
  });

  test("to its end, by what was missing", async () => {
    const all = { serviciu: "Detartraj", data: "2026-08-07", ora: "10:30", nume: "Ana Pop" };
    const { message, intent } = await say("0722 123 456", { suspended: left(all) });
    expect(message).toContain("Programarea a fost înregistrată: Detartraj, vineri, 7 august 2026, ora 10:30");
    expect(intent).toMatchObject({ intentId: "left", status: "completed" });
  });
});

describe("[A26] what was left stays left", () => {
  const untilName = { serviciu: "Detartraj", data: "2026-08-07", ora: "10:30" };
  test.each([
    ["a question", "Aveți loc de parcare?", left(), /parcare/],
    ["what nobody wrote down", "abracadabra", left(), /Nu am găsit răspunsul/],
    ["words, where any words would answer", "abracadabra", left(untilName), /Nu am găsit răspunsul/],
    ["thanks", "mulțumesc", left(untilName), /Cu plăcere/],
    ["a greeting", "Bună ziua", left(untilName), /Cu ce te pot ajuta/],
  ])("by %s", async (_what, message, suspended, answer) => {
    const { message: said, intent } = await say(message, { suspended });
    expect(said).toMatch(answer);
    expect(intent).toBeUndefined();
  });

  test("by another task, and is offered once that is done, by a button that says what goes on with it", async () => {
    const begun = await say("Vreau să anulez programarea");
    expect(begun.intent).toMatchObject({ name: "modificare", status: "active" });
    const parameters = { actiune: "anulare", data: "2026-08-07", nume: "Ana Pop" };
    const last = await say("0722 123 456", { intent: { ...begun.intent!, parameters, missing: ["telefon"] } });
    expect(last.intent).toMatchObject({ name: "modificare", status: "completed" });
    expect(last.message).toMatch(/Dacă vrei, putem continua și: Programare\.$/);
    const label = "Continuă: Programare";
    expect(last.actions).toEqual([{ type: "choice", label, value: label }]);
    expect((await say(label)).message).toBe(`${known} ${askTime}`);
  });
});

test.each([["De la capăt"], ["start over"], ["Vreau o programare de la capăt"]])(
  "[A26] %j begins anew, with another id and nothing of what was said then",
  async (message) => {
    const { message: said, intent } = await say(message);
    expect(said).toBe("Te ajut să faci o programare. Ce tip de serviciu dorești?");
    expect(intent).toMatchObject({ status: "active", parameters: {} });
    expect(intent!.intentId).not.toBe("left");
  },
);

test("[A26] who does not want it any more is never asked about it again", async () => {
  const { message, intent } = await say("Nu mai vreau programarea");
  expect(message).toBe("Am renunțat. Cu ce altceva te pot ajuta?");
  expect(intent).toMatchObject({ intentId: "left", status: "abandoned" });
});

test("[A26] nothing can be gone on with that the business has no more", async () => {
  const suspended = { ...left(), name: "gone" };
  expect((await say("continuă", { suspended })).intent).toBeUndefined();
  expect((await say("Vreau să fac o programare", { suspended })).intent).toMatchObject({ parameters: {} });
});
