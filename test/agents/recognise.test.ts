import { beforeAll, describe, expect, test } from "@jest/globals";
import { givesUpOn, implied, isQuestion, recognise } from "../../server/agents/assistant/recognise.js";
import type { Business } from "../../server/messaging/business.js";
import { dentist } from "./turns.js";

let business: Business;
beforeAll(async () => {
  business = await dentist();
});

describe("recognise", () => {
  const cases: [text: string, intent: string | null][] = [
    ["Vreau să fac o programare", "programare"],
    ["VREAU SA FAC O PROGRAMARE!!!", "programare"],
    ["Salut! Vreau să fac o programare pentru mâine", "programare"],
    ["as dori sa ma programez", "programare"],
    ["vreau o porgramare", "programare"],
    ["vreau o programre", "programare"],
    ["Bună ziua, mă numesc Ion și aș dori foarte mult o programare la dumneavoastră", "programare"],
    ["Vreau să anulez programarea", "modificare"],
    ["pot sa mut programarea de vineri?", "modificare"],
    ["am o urgenta", "urgenta"],
    ["ma doare foarte tare o masea", "urgenta"],
    ["vreau sa vorbesc cu cineva", "coleg"],
    ["operator", "coleg"],
    ["ce program aveți?", null],
    ["Nu vreau o programare", null],
    ["Aveți parcare?", null],
    ["", null],
    ["vreau", null],
    ["I can't come tomorrow", "modificare"],
    ["Can I come tomorrow?", "programare"],
    ["nu pot veni mâine", "modificare"],
    ["pot veni mâine?", "programare"],
    ["O să ajung mâine", null],
    ["Nu o să ajung mâine", "modificare"],
    [
      "Vreau să anulez programarea. Șeful pleacă în concediu, colegii lipsesc, proiectul arde. Mă înțelegeți?",
      "modificare",
    ],
  ];

  test.each(cases)("[A3] %j begins %j", (text, intent) => {
    expect(recognise(text, business)?.intent.name ?? null).toBe(intent);
  });

  test("[A3] every phrase of the file begins its own intent", () => {
    for (const intent of business.intents) {
      for (const phrase of intent.phrases)
        expect([phrase, recognise(phrase, business)?.intent.name]).toEqual([phrase, intent.name]);
    }
  });

  test.each([
    ["Vreau un detartraj", "programare"],
    ["aș dori o albire mâine", "programare"],
    ["detartraj", null],
    ["vreau pizza", null],
    ["nu vreau detartraj", null],
  ])("[A3] the wish %j implies %j", (text, intent) => {
    expect(implied(text, business)?.intent.name ?? null).toBe(intent);
  });
});

test.each([
  ["Aveți parcare?", true],
  ["cat costa o plomba", true],
  ["și unde sunteți", true],
  ["mâine la 10?", true],
  ["vineri la 10", false],
  ["Ana Pop", false],
  ["", false],
])("[A5] %j is a question: %j", (text, expected) => {
  expect(isQuestion(text)).toBe(expected);
});

test.each([
  ["nu mai vreau", true],
  ["Renunț.", true],
  ["anulează", true],
  ["anulati programarea", true],
  ["never mind", true],
  ["Vreau să anulez programarea de la plombă", false],
  ["programare", false],
  ["vineri", false],
  ["", false],
])("[A7] %j gives up an appointment: %j", (text, expected) => {
  expect(givesUpOn(business.intents[0]!, text)).toBe(expected);
});
