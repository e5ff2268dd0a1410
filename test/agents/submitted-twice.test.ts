import { beforeAll, describe, expect, test } from "@jest/globals";
import { createAssistant } from "../../server/agents/assistant/assistant.js";
import type { Business } from "../../server/messaging/business.js";
import { Conversation, dentist } from "./turns.js";

const assistant = createAssistant();
let business: Business;
let byForm: Business;
beforeAll(async () => {
  business = await dentist();
  byForm = { ...business, intents: business.intents.map((each) => ({ ...each, ask: "form" as const })) };
});

const values = { serviciu: "Detartraj", data: "2026-08-07", ora: "10:30", nume: "Ana Pop", telefon: "0722123456" };
const booked =
  "Programarea a fost înregistrată: Detartraj, vineri, 7 august 2026, ora 10:30, pe numele Ana Pop, telefon 0722123456. Te așteptăm!";

describe("[A24] a form that is filled in twice", () => {
  test("is one booking: the second time what was said of the first is said again", async () => {
    const talk = new Conversation(assistant, { business: byForm });
    const shown = await talk.say("Vreau să fac o programare");
    expect(await talk.fill(shown, values)).toMatchObject({ message: booked, intent: { status: "completed" } });
    for (const again of [values, { ...values, nume: "Ion Pop" }]) {
      const second = await talk.fill(shown, again);
      expect(second.message).toBe(`Am primit deja acest răspuns. ${booked}`);
      expect([second.intent, second.toolCalls, second.isComplete]).toEqual([undefined, undefined, true]);
    }
  });

  test("keeps the task that was begun since, and its question", async () => {
    const talk = new Conversation(assistant, { business: byForm });
    const shown = await talk.say("Vreau să fac o programare");
    await talk.fill(shown, values);
    talk.with({ business });
    const begun = await talk.say("Vreau o programare la plombă");
    const second = await talk.fill(shown, values);
    expect(second.message).toBe(`Am primit deja acest răspuns. ${booked} În ce zi ai vrea să vii?`);
    expect(talk.intent).toEqual(begun.intent);
  });

  test("may put right what could not be taken the first time", async () => {
    const talk = new Conversation(assistant, { business: byForm });
    const shown = await talk.say("Vreau să fac o programare");
    const { intentId } = talk.intent!;
    expect((await talk.fill(shown, { ...values, nume: "7" })).intent).toMatchObject({ missing: ["nume"] });
    expect(await talk.fill(shown, values)).toMatchObject({ message: booked, intent: { intentId } });
  });

  test("is one booking, too, when the task was given up in between", async () => {
    const talk = new Conversation(assistant, { business: byForm });
    const shown = await talk.say("Vreau să fac o programare");
    await talk.say("nu mai vreau");
    expect(await talk.fill(shown, values)).toMatchObject({ message: booked });
    expect((await talk.fill(shown, values)).intent).toBeUndefined();
  });

  test("[A21] begins the same task when nobody remembers it", async () => {
    const ids = new Set<string>();
    for (const messageId of ["message_1", "message_2"]) {
      const talk = new Conversation(assistant, { business: byForm, messageId });
      const { intent } = await talk.say("as filled in", { componentId: "c~1~0", values });
      ids.add(intent!.intentId);
    }
    expect(ids.size).toBe(1);
  });
});

describe("[A25] a choice counts for what it was offered for", () => {
  const known = { serviciu: "Detartraj", data: "2026-08-07", ora: "10:30" };

  test("clicked later, it puts that right, and is no answer to what is asked for now", async () => {
    const talk = new Conversation(assistant, { business });
    const shown = await talk.say("Vreau să fac o programare");
    for (const said of ["Detartraj", "vineri", "10:30"]) await talk.say(said);
    const { message, intent } = await talk.fill(shown, { choice: "Albire" });
    expect(message).toBe("Pe ce nume facem programarea?");
    expect(intent).toMatchObject({ status: "active", parameters: { ...known, serviciu: "Albire" } });
  });

  test("clicked twice, it is taken once", async () => {
    const talk = new Conversation(assistant, { business });
    const shown = await talk.say("Vreau să fac o programare");
    const answers = [await talk.fill(shown, { choice: "Albire" }), await talk.fill(shown, { choice: "Albire" })];
    expect(answers.map(({ message }) => message)).toEqual(["În ce zi ai vrea să vii?", "În ce zi ai vrea să vii?"]);
    expect(talk.intent!.parameters).toEqual({ serviciu: "Albire" });
  });

  test("of a task that is over, it says how that ended", async () => {
    const talk = new Conversation(assistant, { business });
    const shown = await talk.say("Vreau să fac o programare");
    await talk.fill(shown, { choice: "Detartraj" });
    expect((await talk.say("vineri la 10:30, mă numesc Ana Pop, 0722123456")).message).toBe(booked);
    await talk.say("Vreau o programare la plombă vineri la 11");
    const { message } = await talk.fill(shown, { choice: "Albire" });
    expect(message).toBe(`Am primit deja acest răspuns. ${booked} Pe ce nume facem programarea?`);
    expect(talk.intent!.parameters).toMatchObject({ serviciu: "Plombă" });
    expect(talk.intent!.parameters).not.toHaveProperty("nume");
  });

  test("of a task that was given up, it is no name in another", async () => {
    const talk = new Conversation(assistant, { business });
    const shown = await talk.say("Vreau să fac o programare");
    await talk.say("nu mai vreau");
    await talk.say("Vreau o programare la plombă vineri la 11");
    const { message } = await talk.fill(shown, { choice: "Albire" });
    expect(message).toMatch(/Pe ce nume facem programarea\?$/);
    expect(talk.intent!.parameters).not.toHaveProperty("nume");
  });

  test("of a task that was given up, it is no name in another, though it may be one", async () => {
    const doctor = {
      name: "medic",
      question: "La ce medic?",
      required: true,
      type: "choice" as const,
      options: ["Ana", "Ion"],
    };
    const ask = { title: "Control", phrases: ["Vreau la control"], opening: "Sigur.", confirmation: "Gata." };
    const own = { ...business, intents: [{ ...ask, name: "control", parameters: [doctor] }, business.intents[0]!] };
    const talk = new Conversation(assistant, { business: own });
    const shown = await talk.say("Vreau la control");
    await talk.say("nu mai vreau");
    await talk.say("Vreau o programare la plombă vineri la 11");
    await talk.fill(shown, { choice: "Ana" });
    expect(talk.intent).toMatchObject({ name: "programare", missing: ["nume", "telefon"] });
  });

  test.each([
    ["prima", "Consultație"],
    ["al doilea", "Detartraj"],
    ["a treia, te rog", "Plombă"],
    ["the second one", "Detartraj"],
    ["the first option please", "Consultație"],
    ["ultima", "Consultație de urgență"],
    ["2", "Detartraj"],
    ["varianta 3", "Plombă"],
  ])("[A4] %j picks one by its place", async (said, serviciu) => {
    const talk = new Conversation(assistant, { business });
    await talk.say("Vreau să fac o programare");
    expect((await talk.say(said)).intent?.parameters).toEqual({ serviciu });
  });

  test.each(["prima zi liberă", "10", "0"])("[A4] %j picks none", async (said) => {
    const talk = new Conversation(assistant, { business });
    await talk.say("Vreau să fac o programare");
    await talk.say(said);
    expect(talk.intent!.parameters).not.toHaveProperty("serviciu");
  });
});

describe("[A4] a business that changes in the middle of a task", () => {
  async function until(count: number): Promise<Conversation> {
    const talk = new Conversation(assistant, { business });
    for (const said of ["Vreau să fac o programare", "Detartraj", "vineri", "10:30", "Ana Pop"].slice(0, count + 1)) {
      await talk.say(said);
    }
    return talk;
  }

  test("asks again for an option that is gone, once its question is answered", async () => {
    const talk = await until(3);
    talk.with({ business: { ...business, services: business.services.filter(({ name }) => name !== "Detartraj") } });
    const { message, intent } = await talk.say("Ana Pop");
    expect(message).toBe("Ce tip de serviciu dorești?");
    expect(intent).toMatchObject({ status: "active", missing: ["serviciu", "telefon"] });
    expect(intent!.parameters).toEqual({ data: "2026-08-07", ora: "10:30", nume: "Ana Pop" });
  });

  test("forgets what is no longer asked for, and asks for what is new", async () => {
    const talk = await until(4);
    const [programare, ...others] = business.intents;
    const parameters = programare!.parameters
      .filter(({ name }) => name !== "ora")
      .concat({ name: "email", question: "E-mail?", type: "email", required: true });
    talk.with({ business: { ...business, intents: [{ ...programare!, parameters }, ...others] } });
    const { message, intent } = await talk.say("0722123456");
    expect(message).toBe("E-mail?");
    expect(intent!.parameters).toEqual({ ...values, ora: undefined });
    expect(Object.keys(intent!.parameters)).not.toContain("ora");
  });

  test("takes nothing of another type", async () => {
    const talk = await until(4);
    const [programare, ...others] = business.intents;
    const parameters = programare!.parameters.map((each) =>
      each.name === "data" ? { ...each, type: "phone" as const } : each,
    );
    talk.with({ business: { ...business, intents: [{ ...programare!, parameters }, ...others] } });
    expect((await talk.say("0722123456")).intent!.missing).toEqual(["data"]);
  });
});
