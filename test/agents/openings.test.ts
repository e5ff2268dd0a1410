import { beforeAll, describe, expect, test } from "@jest/globals";
import { createAssistant } from "../../server/agents/assistant/assistant.js";
import { newTask } from "../../server/agents/assistant/task.js";
import type { Business } from "../../server/messaging/business.js";
import { Conversation, dentist } from "./turns.js";

const assistant = createAssistant();
let business: Business;
beforeAll(async () => {
  business = await dentist();
});

const askPhone = "La ce număr te putem suna chiar acum?";

describe("[A4] what was said to begin a task is not asked for again", () => {
  test.each([
    ["Mi s-a spart un dinte", "urgenta", { problema: "Mi s-a spart un dinte" }],
    ["Bună ziua, mă doare tare o măsea!", "urgenta", { problema: "mă doare tare o măsea" }],
    ["Am o urgență, mi s-a umflat obrazul", "urgenta", { problema: "mi s-a umflat obrazul" }],
    ["Mi-a căzut coroana, 0722123456", "urgenta", { problema: "Mi-a căzut coroana", telefon: "0722123456" }],
    ["My tooth hurts", "urgenta", { problema: "My tooth hurts" }],
    ["Am o urgență", "urgenta", {}],
    ["Urgență!", "urgenta", {}],
    ["Am nevoie de ajutor urgent", "urgenta", {}],
    ["Vreau să vorbesc cu un om", "coleg", {}],
    ["Vreau să vorbesc cu cineva despre o factură", "coleg", { subiect: "o factură" }],
    ["I want to talk to a person about my invoice", "coleg", { subiect: "my invoice" }],
    ["Mă puteți suna?", "coleg", {}],
  ])("%j", async (said, name, parameters) => {
    const talk = new Conversation(assistant, { business });
    const { intent } = await talk.say(said);
    expect(talk.intent?.name ?? intent?.name).toBe(name);
    expect(intent!.parameters).toEqual(parameters);
  });

  test.each([
    ["despre programare", "programare"],
    ["e vorba de o programare", "o programare"],
  ])("%j answers what it is about", async (said, subiect) => {
    const talk = new Conversation(assistant, { business });
    await talk.say("Vreau să vorbesc cu un om");
    expect((await talk.say(said)).intent).toMatchObject({ name: "coleg", parameters: { subiect } });
  });

  test("the next question follows", async () => {
    const talk = new Conversation(assistant, { business });
    expect((await talk.say("Mi s-a spart un dinte")).message).toBe(`${business.intents[2]!.opening} ${askPhone}`);
  });

  test.each(["continuă", "go on"])("[A26] %j describes no problem", async (said) => {
    const talk = new Conversation(assistant, { business });
    await talk.say("Am o urgență");
    expect((await talk.say(said)).message).toBe("Spune-mi pe scurt ce s-a întâmplat.");
    const left = { ...talk.intent!, status: "abandoned" } as const;
    const later = new Conversation(assistant, { business, suspended: left });
    expect((await later.say(said)).intent!.parameters).toEqual({});
    expect((await later.say("de la capăt")).intent!.parameters).toEqual({});
  });
});

describe("[A7] after it is done", () => {
  async function booked(of: Business): Promise<Conversation> {
    const talk = new Conversation(assistant, { business: of });
    const { intent } = await talk.say("Vreau o programare la detartraj vineri la 10:30, mă numesc Ana Pop, 0722123456");
    expect(intent?.status).toBe("completed");
    return talk;
  }

  const wishes = [
    "nu mai vreau programarea",
    "nu mai vreau",
    "please delete my booking",
    "I don't want the appointment any more",
    "șterge programarea",
  ];

  test.each(wishes)("%j begins what cancels it", async (said) => {
    const talk = await booked(business);
    expect((await talk.say(said)).intent).toMatchObject({ name: "modificare", status: "active" });
  });

  test.each(wishes)("%j offers a human where nothing does", async (said) => {
    const talk = await booked({ ...business, intents: business.intents.slice(0, 1) });
    const { message, intent, actions } = await talk.say(said);
    expect([message, intent]).toEqual([business.fallback, undefined]);
    expect(actions).toEqual([{ type: "human", label: "Vorbește cu un coleg" }]);
  });

  test.each(["please delete my booking", "șterge programarea"])("%j, days later, too", async (said) => {
    const talk = new Conversation(assistant, { business });
    expect((await talk.say(said)).intent).toMatchObject({ name: "modificare" });
  });

  test("[A5] what is to be deleted is maybe something else", async () => {
    const talk = new Conversation(assistant, { business });
    expect((await talk.say("ștergeți datele mele personale")).intent?.name).not.toBe("modificare");
  });

  test("what is not wanted is maybe something else", async () => {
    const talk = await booked(business);
    expect((await talk.say("nu vreau albire")).intent).toBeUndefined();
  });
});

describe("[A21] a task that was begun by what got no answer", () => {
  const said = "Vreau o programare la detartraj vineri la 10:30, mă numesc Ana Pop, 0722123456";

  test("has the same id when it is begun again: its tool may have done it", async () => {
    const talk = new Conversation(assistant, { business });
    await talk.say("Bună ziua");
    const stopped = talk.leave(said);
    const { intentId } = newTask(stopped, business.intents[0]!).record;
    talk.leave("Aveți parcare?");
    expect((await talk.say(said)).intent!.intentId).toBe(intentId);
  });

  test("has another once there was an answer", async () => {
    const talk = new Conversation(assistant, { business });
    const first = await talk.say(said);
    const second = await talk.say(said);
    expect(second.intent!.intentId).not.toBe(first.intent!.intentId);
  });
});

describe("[A3] [A4] an appointment that there is already", () => {
  test.each([
    ["hi, I want to cancel my appointment", "anulare"],
    ["vreau să anulez programarea", "anulare"],
    ["trebuie să mut programarea", "reprogramare"],
    ["I need to reschedule", "reprogramare"],
  ])("%j says what is to be done", async (said, actiune) => {
    const talk = new Conversation(assistant, { business });
    expect((await talk.say(said)).intent).toMatchObject({ name: "modificare", parameters: { actiune } });
  });

  test.each([["next Tuesday"], ["marți"], ["pe 18 august"], ["tuesday at 10"]])(
    "%j answers the question for its day, and begins no other",
    async (day) => {
      const talk = new Conversation(assistant, { business });
      await talk.say("vreau să anulez programarea");
      expect((await talk.say(day)).intent).toMatchObject({ name: "modificare", missing: ["nume", "telefon"] });
    },
  );

  test("whoever is asked which of both may say it by its verb", async () => {
    const talk = new Conversation(assistant, { business });
    await talk.say("aș vrea să modific ceva la programarea mea");
    expect((await talk.say("cancel")).intent).toMatchObject({ name: "modificare", parameters: { actiune: "anulare" } });
  });
});
