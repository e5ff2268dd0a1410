import { describe, expect, test } from "@jest/globals";
import { businessSchema, defaultBusiness } from "../../server/messaging/business.js";

const smallest = { businessId: "B1", name: "Bakery", locale: "en", timeZone: "Europe/London" };

const intent = {
  name: "order",
  title: "Order",
  phrases: ["I want bread"],
  opening: "With pleasure.",
  parameters: [{ name: "day", question: "When?", type: "date" }],
  confirmation: "On {day}.",
};

function problems(changes: Record<string, unknown>): string[] {
  const { error } = businessSchema.safeParse({ ...smallest, ...changes });
  return error?.issues.map((issue) => `${issue.path.map(String).join(".")}: ${issue.message}`) ?? [];
}

test("[B1] what is left out has a default", () => {
  expect(businessSchema.parse(smallest)).toEqual({
    ...smallest,
    type: "general",
    locations: [],
    services: [],
    questions: [],
    documents: [],
    intents: [],
    greeting: "Hello!",
    fallback: "I do not know the answer to that. I can call a colleague to help you.",
    welcomesVisitors: false,
  });
});

test("[B1] greets in the language of the business", () => {
  expect(businessSchema.parse({ ...smallest, locale: "ro" }).greeting).toBe("Bună!");
});

test("[B1] a business that nobody described is one that the schema takes", () => {
  const business = defaultBusiness("B1", "Europe/Bucharest");
  expect(business).toMatchObject({ name: "B1", locale: "en", type: "general", timeZone: "Europe/Bucharest" });
  expect(businessSchema.parse(business)).toEqual(business);
});

test("[B1] a weekday that is left out is closed", () => {
  const { openingHours } = businessSchema.parse({
    ...smallest,
    openingHours: { monday: ["09:00-13:00", "14:00-24:00"] },
  });
  expect(openingHours).toMatchObject({ monday: ["09:00-13:00", "14:00-24:00"], tuesday: [], sunday: [] });
});

test("[B1] a parameter is required unless it says otherwise", () => {
  expect(businessSchema.parse({ ...smallest, intents: [intent] }).intents[0]?.parameters[0]?.required).toBe(true);
});

describe("refusals", () => {
  const withParameter = (parameter: object) => ({
    intents: [{ ...intent, parameters: [...intent.parameters, parameter] }],
  });
  const order = "expected each range to end after it begins, and to begin after the one before it";
  const cases: [changes: Record<string, unknown>, problem: string][] = [
    [{ servics: [] }, ': Unrecognized key: "servics"'],
    [{ businessId: "../etc" }, "businessId: expected 1 to 64 of the letters A-Z, a-z, digits, dot, _ and -"],
    [{ businessId: "x".repeat(65) }, "businessId: expected 1 to 64 of the letters A-Z, a-z, digits, dot, _ and -"],
    [{ name: " " }, "name: Too small: expected string to have >=1 characters"],
    [{ locale: "fr" }, 'locale: Invalid option: expected one of "ro"|"en"'],
    [{ timeZone: "Bucharest" }, "timeZone: expected the IANA name of a time zone, such as Europe/Bucharest"],
    [{ timeZone: "+02:00" }, "timeZone: expected the IANA name of a time zone, such as Europe/Bucharest"],
    [{ openingHours: { monday: ["9-13"] } }, 'openingHours.monday.0: expected times such as "09:00-13:00"'],
    [{ openingHours: { monday: ["13:00-09:00"] } }, `openingHours.monday: ${order}`],
    [{ openingHours: { monday: ["09:00-13:00", "12:00-14:00"] } }, `openingHours.monday: ${order}`],
    [{ openingHours: { luni: [] } }, 'openingHours: Unrecognized key: "luni"'],
    [{ services: [{ name: "Bread", price: 3 }] }, "services.0.price: Invalid input: expected string, received number"],
    [
      { agent: { kind: "magic" } },
      "agent.kind: Invalid discriminator value. Expected 'assistant' | 'echo' | 'http' | 'channel'",
    ],
    [
      { agent: { kind: "http", url: "ftp://x" } },
      "agent.url: expected an address that begins with https:// or http://",
    ],
    [{ limits: { messagesPerSecond: 0 } }, "limits.messagesPerSecond: Too small: expected number to be >=1"],
    [{ intents: [{ ...intent, phrases: [] }] }, "intents.0.phrases: Too small: expected array to have >=1 items"],
    [
      withParameter({ name: "a b", question: "?", type: "text" }),
      "intents.0.parameters.1.name: expected a name of letters, digits and _ that begins with a letter",
    ],
    [
      withParameter({ name: "kind", question: "?", type: "choice" }),
      'intents.0.parameters.1.options: expected "services" or a list of options',
    ],
    [
      withParameter({ name: "kind", question: "?", type: "text", options: ["a"] }),
      'intents.0.parameters.1: Unrecognized key: "options"',
    ],
  ];

  test.each(cases)("[B1] refuses %j", (changes, problem) => {
    expect(problems(changes)).toEqual([problem]);
  });

  const location = { locationId: "L1", name: "Shop" };
  const broken: [changes: Record<string, unknown>, problem: string][] = [
    [{ locations: [location, location] }, 'locations.1.locationId: "L1" is there twice'],
    [{ services: [{ name: "Bread" }, { name: "Bread" }] }, 'services.1.name: "Bread" is there twice'],
    [{ intents: [intent, intent] }, 'intents.1.name: "order" is there twice'],
    [withParameter(intent.parameters[0]!), 'intents.0.parameters.1.name: "day" is there twice'],
    [
      { intents: [{ ...intent, confirmation: "{hour}" }] },
      "intents.0.confirmation: {hour} names no required parameter of this intent",
    ],
    [
      { intents: [{ ...intent, parameters: [{ ...intent.parameters[0], required: false }] }] },
      "intents.0.confirmation: {day} names no required parameter of this intent",
    ],
    [
      withParameter({ name: "kind", question: "?", type: "choice", options: "services" }),
      "intents.0.parameters.1.options: there are no services to choose from",
    ],
  ];

  test.each(broken)("[B3] refuses %j", (changes, problem) => {
    expect(problems(changes)).toEqual([problem]);
  });
});

test.each([
  { kind: "assistant" },
  { kind: "echo" },
  { kind: "http", url: "https://agent.example/turn" },
  { kind: "channel", agentIds: ["A1"] },
])("[B1] takes the agent %j", (agent) => {
  expect(businessSchema.parse({ ...smallest, agent }).agent).toEqual(agent);
});
