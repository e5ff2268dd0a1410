import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { systemClock } from "../../../server/clock.js";
import { readConfig } from "../../../server/config.js";
import { makeAgents } from "../../../server/make-agents.js";
import type { Agent, AgentAnswer, AgentEvent, AgentTurn } from "../../../server/messaging/agent.js";
import type { Business } from "../../../server/messaging/business.js";
import type { ChatMessage } from "../../../server/messaging/model.js";
import { type Behaviour, calls, chunk, cuts, FakeModel, refuses, says, sends } from "../../support/fake-model.js";
import { createTalk, dentist, eventsOf, turnOf } from "../turns.js";

let fake: FakeModel;
let business: Business;
let agent: Agent;
let failures: string[];

beforeAll(async () => {
  business = await dentist();
});

beforeEach(async () => {
  fake = await FakeModel.start();
  failures = [];
  const config = readConfig({ MODEL_URL: fake.url, MODEL_NAME: "m", MODEL_API_KEY: "sk-1" });
  const modelWatch = { onFailure: (_model: unknown, { code }: { code: string }) => void failures.push(code) };
  agent = makeAgents(config, systemClock, { modelWatch }).agentFor(business);
});

afterEach(() => fake.stop());

/** What was answered, and the text that was shown on the way. */
async function ask(message: string, more: Partial<AgentTurn> = {}) {
  const events: readonly AgentEvent[] = await eventsOf(agent, turnOf(message, { business, ...more }));
  const answer = events.at(-1) as AgentAnswer;
  return { answer, shown: events.map((each) => (each.type === "delta" ? each.text : "")).join("") };
}

/** A model that does not stream. */
function whole(content: string): Behaviour {
  return sends({ choices: [{ message: { content }, finish_reason: "stop" }] });
}

let offset = 0;

function earlierOf(type: ChatMessage["type"], content: string): ChatMessage {
  offset += 1;
  const ids = { messageId: `m${offset}`, sessionId: "session_1", businessId: "B0100001", userId: "user_123" };
  return { ...ids, offset, content, type, timestamp: "2026-08-05T06:59:00.000Z", metadata: { source: "websocket" } };
}

const unforeseen = "Aveți loc de joacă pentru copii?";
const known = "Cât costă o albire?";

describe("[A32] the assistant with a model", () => {
  test("has it write the answer from what was found, whose titles are its sources", async () => {
    fake.will(says("Albirea ", "costă 900 lei."));
    const { answer, shown } = await ask(known);
    expect(answer).toMatchObject({ message: "Albirea costă 900 lei.", tokens: 42, isComplete: true });
    expect(shown).toBe(answer.message);
    expect(answer.sources).toContain("Albire");
    expect(fake.calls[0]!.body.messages[0]!.content).toContain("## Albire\nAlbire: 900 lei");
    expect(fake.calls[0]!.headers.authorization).toBe("Bearer sk-1");
  });

  test("[A2] opens the first answer with the greeting, shown with its first word", async () => {
    fake.will(says("Nu știu", "."));
    const { answer, shown } = await ask(unforeseen, { isFirstContact: true });
    expect([shown, answer.message]).toEqual(["Bună! Nu știu.", "Bună! Nu știu."]);
  });

  test("[A3] does not ask it where an intent is plainly begun, gone on with or given up, nor for a courtesy", async () => {
    const say = createTalk(agent, { business });
    for (const message of ["Vreau să fac o programare", "Albire", "mâine", "Renunț", "Mulțumesc"]) await say(message);
    expect(fake.calls).toEqual([]);
  });

  test("begins the intent that it called for, with those of its values that the user said", async () => {
    const values = { serviciu: "Albire", data: "2026-08-06", ora: "10:30", telefon: "12", nume: "4" };
    fake.will(calls("programare", values));
    const { answer } = await ask(unforeseen, {
      history: [earlierOf("user", "Aș albi dinții mâine pe la 10 și jumătate")],
    });
    const parameters = { serviciu: "Albire", data: "2026-08-06", ora: "10:30" };
    expect(answer.intent).toMatchObject({ name: "programare", status: "active", parameters, userId: "user_123" });
    expect(answer).toMatchObject({ isComplete: false, tokens: 42 });
    expect(answer.message).toContain(business.intents[0]!.opening);
  });

  const contacts = { nume: "Ștefan Pop", telefon: "0722123456" };
  const saying: [what: string, message: string, earlier: ChatMessage[], taken: object][] = [
    ["now", "Dinți albi, sunt stefan  POP, 0722 123.456?", [], contacts],
    ["before", unforeseen, [earlierOf("user", "Ștefan Pop"), earlierOf("user", "tel. 0722-123-456")], contacts],
    ["by nobody", unforeseen, [], {}],
    ["by those who answered", unforeseen, [earlierOf("agent", "Ștefan Pop, 0722123456")], {}],
    ["in part", "Ștefan, 0722 123", [], {}],
    ["as a part of other words", "Dinți albi, Ștefan Popescu, 40072212345678?", [], {}],
    [
      "in two pieces",
      "Dinți albi: 0722, 123 de lei și 456?",
      [earlierOf("user", "Ștefan"), earlierOf("user", "Pop")],
      {},
    ],
  ];

  test.each(saying)("takes a name and a number that were said %s", async (_when, message, history, taken) => {
    fake.will(calls("programare", contacts));
    const { answer } = await ask(message, { history });
    expect(fake.calls).toHaveLength(1);
    expect(answer.intent!.parameters).toEqual(taken);
  });

  const when = { data: "2026-08-07", ora: "10:30" };
  const wanted: [message: string, earlier: ChatMessage[], taken: object][] = [
    // What was said on another day is counted from that day.
    [unforeseen, [{ ...earlierOf("user", "poimâine la 10:30"), timestamp: "2026-08-05T06:00:00.000Z" }], when],
    [unforeseen, [{ ...earlierOf("user", "mâine la 10:30"), timestamp: "2026-08-05T06:00:00.000Z" }], { ora: "10:30" }],
    [unforeseen, [{ ...earlierOf("user", "mâine la 10:30"), timestamp: "2026-08-06T06:00:00.000Z" }], when],
    [unforeseen, [earlierOf("user", "vineri sau sâmbătă, la 10 sau 10:30")], {}],
    [unforeseen, [earlierOf("agent", "Poate vineri la 10:30?")], {}],
    [unforeseen, [earlierOf("user", "vin cu 10 copii")], {}],
    ["Îi faceți mai albi?", [earlierOf("user", "albire")], { serviciu: "Albire" }],
  ];

  test.each(wanted)("takes of a service, a day and an hour what %j said, after %j", async (message, history, taken) => {
    fake.will(calls("programare", { serviciu: "Albire", ...when }));
    const { answer } = await ask(message, { history });
    expect(fake.calls).toHaveLength(1);
    expect(answer.intent!.parameters).toEqual(taken);
  });

  test("changes nothing of an open task that was not said now", async () => {
    const { answer: begun } = await ask("Vreau o programare la albire mâine la 17");
    const history = [earlierOf("user", "Detartraj vineri la 10:30"), earlierOf("user", "albire mâine la 17")];
    fake.will(calls("programare", { serviciu: "Detartraj", data: "2026-08-07", ora: "10:30" }));
    const { answer } = await ask("Se poate plăti cu cardul?", { intent: begun.intent!, history });
    expect(fake.calls).toHaveLength(1);
    expect(answer.intent!.parameters).toEqual(begun.intent!.parameters);
  });

  test("[A9] what it writes leaves room for the greeting and the question around it", async () => {
    const config = readConfig({ MODEL_URL: fake.url, MODEL_NAME: "m", MAX_ANSWER_BYTES: "200" });
    agent = makeAgents(config, systemClock).agentFor(business);
    fake.will(whole("a".repeat(200)), whole("a".repeat(200 - "Bună! ".length - 1)));
    expect((await ask(unforeseen, { isFirstContact: true })).answer.message).toBe(`Bună! ${business.fallback}`);
    expect((await ask(unforeseen, { isFirstContact: true })).answer.message).toHaveLength(199);
  });

  test("[A4] takes no day on which the business is closed, whoever says it", async () => {
    fake.will(calls("programare", { serviciu: "Albire", data: "2026-08-09" }));
    const { answer } = await ask(unforeseen, { history: [earlierOf("user", "albire duminică")] });
    expect(answer.intent!.parameters).toEqual({ serviciu: "Albire" });
    expect(answer.message).toContain("închis");
  });

  test("goes on, in the same text, with what was shown before a call", async () => {
    fake.will(calls("programare", {}, "Sigur."));
    const { answer, shown } = await ask(unforeseen, { isFirstContact: true });
    expect(answer.message.startsWith("Bună! Sigur.\n\n")).toBe(true);
    expect(shown).toBe(answer.message);
  });

  test("[A6] offers a person when the model says that it does not know", async () => {
    fake.will(calls("ask_a_person", {}));
    expect((await ask(unforeseen)).answer).toMatchObject({ message: business.fallback, actions: [{ type: "human" }] });
  });

  test("[A5] asks the open question again after what it wrote in the middle of a task, which stays", async () => {
    const { answer: begun } = await ask("Vreau să fac o programare");
    fake.will(says("Da, cu cardul."));
    const { answer, shown } = await ask("Se poate plăti cu cardul?", { intent: begun.intent! });
    const [asked] = business.intents[0]!.parameters;
    expect(answer.message).toBe(`Da, cu cardul.\n\n${asked!.question}`);
    expect(shown).toBe(answer.message);
    expect(answer).toMatchObject({ isComplete: false });
    expect(answer.intent).toBeUndefined();
    expect(fake.calls[0]!.body.messages[0]!.content).toContain(asked!.question);
  });

  test("goes on with the task that it called for in the middle of it", async () => {
    const { answer: begun } = await ask("Vreau să fac o programare");
    fake.will(calls("programare", { serviciu: "Albire" }));
    const { answer } = await ask("dinți ca zăpada", { intent: begun.intent! });
    expect(answer.intent).toMatchObject({ intentId: begun.intent!.intentId, parameters: { serviciu: "Albire" } });
  });
});

describe("[A33] when the model fails", () => {
  const failing: [string, Behaviour, string][] = [
    ["500", refuses(500), "model_status_500"],
    ["429", refuses(429), "model_status_429"],
    ["a call for what there is not", calls("cancel_all", {}), "model_empty"],
  ];

  test.each(failing)(
    "before a word was shown, the answer is the one without it: %s",
    async (_what, behaviour, code) => {
      const without = makeAgents(readConfig({}), systemClock).agentFor(business);
      for (const message of [known, unforeseen]) {
        fake.will(behaviour);
        const { answer, shown } = await ask(message, { isFirstContact: true });
        const plain = await eventsOf(without, turnOf(message, { business, isFirstContact: true }));
        expect(answer).toEqual(plain.at(-1));
        expect(shown).toBe("");
      }
      expect(fake.calls).toHaveLength(2);
      if (code !== "model_empty") expect(failures).toEqual([code, code]);
    },
  );

  test("[A-07] in the middle of its text, there is no answer", async () => {
    fake.will(cuts(chunk({ content: "Albirea " })));
    await expect(ask(known)).rejects.toMatchObject({ code: "model_answer_cut" });
    expect(failures).toEqual(["model_answer_cut"]);
  });
});
