import { beforeAll, describe, expect, test } from "@jest/globals";
import { createAssistant } from "../../server/agents/assistant/assistant.js";
import type { Business } from "../../server/messaging/business.js";
import { Conversation, dentist } from "./turns.js";

const assistant = createAssistant();
let business: Business;
beforeAll(async () => {
  business = await dentist();
});

const askName = "Pe ce nume facem programarea?";

async function askedForName(): Promise<Conversation> {
  const talk = new Conversation(assistant, { business });
  const { message } = await talk.say("Vreau o programare la detartraj vineri la 10:30");
  expect(message).toMatch(/Pe ce nume facem programarea\?$/);
  return talk;
}

describe("[A4] asked for a name", () => {
  test.each([
    ["Ana Pop", "Ana Pop"],
    ["ana pop", "ana pop"],
    ["Ana", "Ana"],
    ["numele este Ana Pop", "Ana Pop"],
    ["numele meu e Ana Pop", "Ana Pop"],
    ["Nume: Ana Pop", "Ana Pop"],
    ["pe numele Ana Pop, te rog", "Ana Pop"],
    ["Ana Pop te rog frumos", "Ana Pop"],
    ["sunt Ana Pop", "Ana Pop"],
    ["păi, Ana Pop", "Ana Pop"],
    ["pentru Ana Pop", "Ana Pop"],
    ["e vorba de Ana Pop", "Ana Pop"],
    ["it's John O'Neill", "John O'Neill"],
    ["It’s John O’Neill", "John O’Neill"],
    ["John J. Smith", "John J. Smith"],
    ["my name's Will Smith", "Will Smith"],
    ["Jean-Luc de la Tour", "Jean-Luc de la Tour"],
    ["Ștefan Țurcanu", "Ștefan Țurcanu"],
    ["Pop, Ana", "Pop Ana"],
    ["I'm Mary-Jane Watson", "Mary-Jane Watson"],
  ])("%j is %j", async (said, nume) => {
    const talk = await askedForName();
    expect((await talk.say(said)).intent?.parameters).toMatchObject({ nume });
  });

  test.each([
    ["perfect"],
    ["ok"],
    ["Ok, perfect"],
    ["super, mersi"],
    ["mulțumesc"],
    ["da"],
    ["vreau o programare"],
    ["aș vrea altceva"],
    ["nu știu încă"],
    ["cum adică?"],
    ["cât durează"],
    ["Programare"],
    ["la Titan"],
    ["al meu"],
    ["parcare"],
    ["12345"],
    ["continuă"],
    ["numele e greșit"],
    ["sounds good"],
    ["hmm"],
    ["stai puțin"],
    ["schimb numele"],
  ])("%j is none", async (said) => {
    const talk = await askedForName();
    const { message, intent } = await talk.say(said);
    expect(intent?.parameters ?? {}).not.toHaveProperty("nume");
    expect(talk.intent).toMatchObject({ name: "programare", status: "active" });
    expect(message.endsWith(askName)).toBe(true);
  });

  test("thanks are returned, and it is asked for again", async () => {
    const talk = await askedForName();
    expect((await talk.say("mulțumesc")).message).toBe(`Cu plăcere! ${askName}`);
  });

  test("[A6] what nobody wrote down is admitted, and a human offered", async () => {
    const talk = await askedForName();
    const { message, actions, isComplete } = await talk.say("Aveți wifi?");
    expect(message).toBe(`${business.fallback} ${askName}`);
    expect(actions).toEqual([{ type: "human", label: "Vorbește cu un coleg" }]);
    expect(isComplete).toBe(false);
  });
});
