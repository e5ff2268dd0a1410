import { beforeAll, describe, expect, test } from "@jest/globals";
import { createAssistant } from "../../server/agents/assistant/assistant.js";
import { systemClock } from "../../server/clock.js";
import type { AgentComponent, AgentTurn } from "../../server/messaging/agent.js";
import { type Business, businessSchema } from "../../server/messaging/business.js";
import { callAgent, type CheckedAnswer } from "../../server/messaging/steps/agent.js";
import { dentist, turnOf } from "./turns.js";

const assistant = createAssistant();

// What is loaded and learnt once is no part of a turn's time.
beforeAll(() => assistant.warm(), 60_000);

const business = businessSchema.parse({
  businessId: "G1",
  name: "Garage",
  locale: "en",
  timeZone: "Europe/London",
  openingHours: { thursday: ["08:00-16:00"], friday: ["08:00-16:00"] },
  intents: [
    {
      name: "repair",
      title: "Repair",
      phrases: ["I want to book a repair"],
      opening: "Let us find a day.",
      ask: "form",
      parameters: [
        { name: "work", question: "What is to be done?", type: "choice", options: ["Tyres", "Brakes", "Oil"] },
        { name: "day", question: "Which day suits you?", label: "Day", type: "date" },
        { name: "hour", question: "At what time?", label: "Time", type: "time" },
        { name: "name", question: "What is your name?", type: "text" },
        { name: "phone", question: "Which number can we call?", type: "phone" },
        { name: "km", question: "How far has it gone?", label: "Kilometres", type: "number", required: false },
      ],
      confirmation: "{work}: see you on {day} at {hour}, {name}.",
    },
    {
      name: "pickup",
      title: "Pick-up",
      phrases: ["Bring my car back"],
      opening: "With pleasure.",
      parameters: [{ name: "place", question: "Where to?", type: "choice", options: ["Home", "Work"] }],
      confirmation: "We bring it: {place}.",
    },
  ],
});

interface Said {
  readonly answer: CheckedAnswer;
  readonly shown: readonly Omit<AgentComponent, "type">[];
}

/** As the desk asks: what is shown is checked, and becomes part of the text where it is not in it. */
async function say(message: string, more: Partial<AgentTurn> = {}): Promise<Said> {
  const dropped: string[] = [];
  const answer = await callAgent(assistant, turnOf(message, { business, ...more }), systemClock, {
    timeoutMs: 120_000,
    maxAnswerBytes: 65_536,
    onDropped: (part) => void dropped.push(part),
  });
  expect(dropped).toEqual([]);
  return { answer, shown: answer.components ?? [] };
}

const begin = () => say("I want to book a repair");
const form = { work: "Brakes", day: "2026-08-07", hour: "10:30:00", name: "Ann Smith", phone: "02079460000" };
const fill = (values: object, more: Partial<AgentTurn> = {}) =>
  say("as filled in", { data: { componentId: "c1", values }, ...more });

describe("an intent that is asked by form", () => {
  test("[A24] shows all that is missing, and asks it in the text", async () => {
    const { answer, shown } = await begin();
    expect(answer.message).toBe(
      "Let us find a day.\n\nPlease fill this in, or write to me here:\n- What is to be done? Tyres, Brakes, Oil\n" +
        "- Day\n- Time\n- What is your name?\n- Which number can we call?\n- Kilometres",
    );
    expect(shown).toMatchObject([
      {
        kind: "form",
        title: "Please fill this in, or write to me here:",
        fields: [
          {
            name: "work",
            label: "What is to be done?",
            type: "choice",
            required: true,
            options: ["Tyres", "Brakes", "Oil"],
          },
          { name: "day", label: "Day", type: "date", required: true },
          { name: "hour", label: "Time", type: "time", required: true },
          { name: "name", label: "What is your name?", type: "text", required: true },
          { name: "phone", label: "Which number can we call?", type: "phone", required: true },
          { name: "km", label: "Kilometres", type: "number", required: false },
        ],
      },
    ]);
    expect(answer).toMatchObject({ isComplete: false, intent: { name: "repair", status: "active" } });
  });

  test("[A24] asks only for what was not said already", async () => {
    const { shown } = await say("I want to book a repair of my brakes tomorrow");
    expect(shown[0]?.fields?.map(({ name }) => name)).toEqual(["hour", "name", "phone", "km"]);
  });

  test("[A24] asks for a single thing by its question", async () => {
    const { answer, shown } = await say("I want to book a repair of my brakes tomorrow at 10:30, my name is Ann Smith");
    expect([answer.message, shown]).toEqual(["Let us find a day. Which number can we call?", []]);
  });

  test("[A24] takes what was filled in as it is, and is done", async () => {
    const { intent } = (await begin()).answer;
    const { answer } = await fill({ ...form, km: 1200.5 }, { intent: intent! });
    expect(answer).toMatchObject({
      message: "Brakes: see you on Friday, 7 August 2026 at 10:30, Ann Smith.",
      isComplete: true,
      intent: { ...intent, status: "completed", missing: [], parameters: { ...form, hour: "10:30", km: "1200.5" } },
    });
  });

  test("[A24] a name that is an order, or a date, is only a name", async () => {
    const { intent } = (await begin()).answer;
    const values = { ...form, name: "Anna Stop Tomorrow" };
    expect((await fill(values, { intent: intent!, message: "never mind, tomorrow" })).answer.intent).toMatchObject({
      status: "completed",
      parameters: { name: "Anna Stop Tomorrow", day: "2026-08-07" },
    });
  });

  const wrong: [what: string, values: object, message: RegExp, missing: string[]][] = [
    ["a day that is over", { day: "2026-08-04" }, /^That time has already passed\. Which day suits you\?$/, ["day"]],
    ["a day that is closed", { day: "2026-08-09" }, /^Sunday, 9 August 2026: closed\. .* Which day/, ["day"]],
    ["a time that is closed", { hour: "20:00" }, /^We are closed at that time\. .* At what time\?$/, ["hour"]],
    ["what is no name", { name: "12345" }, /^Please write the name in letters.* What is your name\?$/, ["name"]],
    ["what is no number here", { phone: "123456" }, /^That does not look like a phone number/, ["phone"]],
    ["an option that is gone", { work: "Paint" }, /^I could not find that option\. What is to be done\?$/, ["work"]],
    ["no date", { day: "soon" }, /^I did not understand the date.* Which day suits you\?$/, ["day"]],
  ];

  test.each(wrong)("[A24] %s is asked for again, and all else is kept", async (_what, values, message, missing) => {
    const { intent } = (await begin()).answer;
    const { answer } = await fill({ ...form, ...values }, { intent: intent! });
    expect(answer.message).toMatch(message);
    expect(answer.intent).toMatchObject({ status: "active", missing });
  });

  test("[A24] what is wrong in several places is asked for by a smaller form", async () => {
    const { intent } = (await begin()).answer;
    const { answer, shown } = await fill({ ...form, day: "2026-08-04", name: "7", km: 5 }, { intent: intent! });
    expect(answer.message).toMatch(/letters.*passed.*\n\nPlease fill this in, or write to me here:\n- Day\n- What is/s);
    expect(shown[0]?.fields?.map(({ name }) => name)).toEqual(["day", "name"]);
  });

  test("[A24] whoever writes instead is asked one thing after the other", async () => {
    let { intent } = (await begin()).answer;
    const questions: string[] = [];
    for (const message of ["brakes", "friday", "10:30", "Ann Smith", "0207 946 0000"]) {
      const { answer, shown } = await say(message, { intent: intent! });
      expect(shown).toEqual([]);
      questions.push(answer.message);
      intent = answer.intent ?? intent;
    }
    expect(questions).toEqual([
      "Which day suits you?",
      "At what time?",
      "What is your name?",
      "Which number can we call?",
      "Brakes: see you on Friday, 7 August 2026 at 10:30, Ann Smith.",
    ]);
  });

  test("[A24] a form that is filled in late begins its intent, whatever else was begun", async () => {
    const pickup = (await say("Bring my car back")).answer.intent!;
    for (const intent of [null, pickup]) {
      expect((await fill(form, { intent })).answer.intent).toMatchObject({ name: "repair", status: "completed" });
    }
  });

  test("[A24] [A26] one that is filled in after the silence goes on with what was left, under the same id", async () => {
    const begun = (await say("I want to book a repair of my brakes, friday at 10:30")).answer.intent!;
    expect(begun).toMatchObject({ parameters: { work: "Brakes", hour: "10:30" }, missing: ["name", "phone"] });
    const left = { ...begun, status: "abandoned" } as const;
    const { answer } = await fill({ name: "Ann Smith", phone: "02079460000" }, { intent: null, suspended: left });
    expect(answer).toMatchObject({
      message: "Brakes: see you on Friday, 7 August 2026 at 10:30, Ann Smith.",
      intent: { intentId: begun.intentId, status: "completed" },
    });
  });

  test("[A24] what was filled in for no intent is a message like any other", async () => {
    const { answer } = await say("Bring my car back", { data: { componentId: "c1", values: { colour: "red" } } });
    expect(answer.intent).toMatchObject({ name: "pickup", status: "active" });
  });
});

describe("a choice that is asked for", () => {
  test("[A25] is shown with its options, under the question that is in the text", async () => {
    const { answer, shown } = await say("Bring my car back");
    expect(answer.message).toBe("With pleasure. Where to?");
    expect(shown).toMatchObject([
      {
        kind: "choices",
        title: "Where to?",
        choices: [
          { value: "Home", label: "Home" },
          { value: "Work", label: "Work" },
        ],
      },
    ]);
  });

  test("[A25] one that is chosen is the answer", async () => {
    const { intent } = (await say("Bring my car back")).answer;
    const { answer } = await fill({ choice: "Work" }, { intent: intent! });
    expect(answer).toMatchObject({ message: "We bring it: Work.", intent: { status: "completed" } });
  });

  test("[A25] of more options than can be shown, only the text asks", async () => {
    const services = Array.from({ length: 51 }, (_, n) => ({ name: `Service ${n}` }));
    const many: Business = { ...(await dentist()), services };
    const { answer, shown } = await say("Vreau să fac o programare", { business: many });
    expect([answer.message, shown]).toEqual(["Te ajut să faci o programare. Ce tip de serviciu dorești?", []]);
  });
});
