import { beforeAll, expect, test } from "@jest/globals";
import { named } from "../../server/agents/assistant/named.js";
import type { Business } from "../../server/messaging/business.js";
import { dentist } from "./turns.js";

let business: Business;
beforeAll(async () => {
  business = await dentist();
});

test.each([
  ["cât costă un detartraj", ["Detartraj"], []],
  ["cat costa un detatraj la Titan", ["Detartraj"], ["Zâmbet Titan"]],
  ["o consultație de urgență", ["Consultație de urgență"], []],
  ["cat e un canal", ["Tratament de canal"], []],
  ["mi-ati scos ieri maseaua", ["Extracție"], []],
  ["where can i park my car", [], []],
  ["care e programul", [], []],
  ["", [], []],
])("[A5] %j names the services %j and the places %j", (text, services, places) => {
  const said = named(text, business);
  expect([[...said.services], [...said.places]]).toEqual([services, places]);
});

test("[A5] a service and a place are marked, whichever they are", () => {
  const { tokens } = named("detartraj joi la Titan", business);
  expect(tokens).toEqual([
    { word: "detartraj", mark: "@service" },
    { word: "joi" },
    { word: "la" },
    { word: "titan", mark: "@place" },
  ]);
});
