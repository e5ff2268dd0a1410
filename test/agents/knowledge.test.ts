import { beforeAll, describe, expect, test } from "@jest/globals";
import { createAssistant } from "../../server/agents/assistant/assistant.js";
import { type Business, businessSchema, defaultBusiness } from "../../server/messaging/business.js";
import { answerOf, dentist, turnOf } from "./turns.js";

let business: Business;
beforeAll(async () => {
  business = await dentist();
});

const say = (message: string, more = {}) => answerOf(createAssistant(), turnOf(message, { business, ...more }));

describe("knowledge", () => {
  test("[A5] every question of the file finds its own answer and names itself as the source", async () => {
    const asked = business.questions.flatMap((each) =>
      [each.question, ...(each.alternatives ?? [])].map((text) => ({ text, each })),
    );
    const answers = await Promise.all(asked.map(({ text }) => say(text)));
    expect(answers.map(({ message, sources }) => ({ message, sources }))).toEqual(
      asked.map(({ each }) => ({ message: each.answer, sources: [each.question] })),
    );
  });

  test.each([
    ["cat costa o plomba", /^Plombă: de la 280 lei, 60 de minute\./, "Plombă"],
    [
      "Ce program aveți sâmbăta?",
      /^Programul nostru: luni–joi: 09:00–13:00, 14:00–20:00; .* duminică: închis\.$/,
      "Program",
    ],
    [
      "unde vă aflați?",
      /^Zâmbet Centru: Strada Academiei 28, București, telefon 021 555 01 01\. Zâmbet Titan: /,
      "Locații",
    ],
    ["sunteți deschiși duminica?", /duminică: închis\.$/, "Program"],
    ["cât durează o albire?", /^Albire: 900 lei, 75 de minute\./, "Albire"],
    ["how much is a root canal?", /^Tratament de canal: de la 600 lei/, "Tratament de canal"],
    ["unde e clinica din Centru?", /^Zâmbet Centru: Strada Academiei 28/, "Zâmbet Centru"],
    ["ce telefon aveți la Titan?", /^Zâmbet Titan: .* telefon 021 555 01 02\.$/, "Zâmbet Titan"],
    ["Mulțumesc pentru ajutor. Mai am o nelămurire. Cât costă o coroană?", /^Coroană: de la 1\.100 lei/, "Coroană"],
    ["ce prețuri aveți", /^Servicii: Consultație \(150 lei\), Detartraj \(250 lei\), /, "Servicii"],
    [
      "cât este avansul pentru neprezentare?",
      /^Pentru neprezentare fără anunț se percepe un avans/,
      "Regulile programărilor",
    ],
    ["Cât durează o programare?", /^Între 30 și 90 de minute/, "Cât durează o programare?"],
  ])("[A5] %j is answered from what the business wrote", async (message, answer, source) => {
    const said = await say(message);
    expect(said.message).toMatch(answer);
    expect(said).toMatchObject({ sources: [source], isComplete: true });
    expect(said.intent).toBeUndefined();
  });

  test.each(["Vindeți pizza?", "Cât costă un implant?", "Cine este președintele României?", "asdfgh"])(
    "[A6] says that it does not know %j and offers a human",
    async (message) => {
      expect(await say(message)).toEqual({
        type: "answer",
        message: business.fallback,
        actions: [{ type: "human", label: "Vorbește cu un coleg" }],
        isComplete: true,
      });
    },
  );

  test("[A5] the business's synonyms find what it wrote with another word, typing errors aside", async () => {
    const bakery = businessSchema.parse({
      businessId: "B1",
      name: "Bakery",
      locale: "en",
      timeZone: "Europe/London",
      synonyms: [["bread", "loaf", "pâine"]],
      questions: [{ question: "Is your bread sliced?", answer: "On request." }],
    });
    const asked = ["Are the loafs sliced?", "is the loaf sliiced", "is paine sliced?", "Is your cake sliced?"];
    const answers = await Promise.all(asked.map((text) => say(text, { business: bakery })));
    expect(answers.map(({ message }) => message)).toEqual([
      "On request.",
      "On request.",
      "On request.",
      bakery.fallback,
    ]);
  });

  test("[A6] a business that nobody described is answered for in English", async () => {
    const undescribed = defaultBusiness("B9", "UTC");
    const said = await say("Do you sell bicycles?", { business: undescribed, isFirstContact: true });
    expect(said.message).toBe("Hello! I do not know the answer to that. I can call a colleague to help you.");
    expect(said.actions).toEqual([{ type: "human", label: "Talk to a person" }]);
  });
});
