import { describe, expect, test } from "@jest/globals";
import { businessSchema, defaultBusiness, inLocale } from "../../server/messaging/business.js";

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

test("[A24] what a form can hold may be asked by form", () => {
  const options = Array.from({ length: 100 }, (_, n) => `Option ${n}`);
  const choice = { name: "kind", question: "?".repeat(201), label: "Kind", type: "choice", options };
  const others = Array.from({ length: 30 }, (_, n) => ({ name: `p${n}`, question: "?".repeat(200), type: "text" }));
  const parameters = [choice, ...intent.parameters, ...others];
  expect(problems({ intents: [{ ...intent, ask: "form", parameters }] })).toEqual([]);
});

test("[M43] a business in another language is one and the same each time, and its own in its own", () => {
  const business = defaultBusiness("B1", "UTC");
  expect(inLocale(business, "en")).toBe(business);
  expect(inLocale(business, "ro")).toEqual({ ...business, locale: "ro" });
  expect(inLocale(business, "ro")).toBe(inLocale(business, "ro"));
});

describe("refusals", () => {
  const withParameter = (parameter: object) => ({
    intents: [{ ...intent, parameters: [...intent.parameters, parameter] }],
  });
  const asForm = (parameter: object, count = 1) => {
    const parameters = Array.from({ length: count }, (_, n) => ({ name: `p${n}`, question: "?", type: "text" }));
    return {
      intents: [
        {
          ...intent,
          confirmation: "Done.",
          ask: "form",
          parameters: [{ ...parameters[0], ...parameter }, ...parameters.slice(1)],
        },
      ],
    };
  };
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
    [{ synonyms: [["bread", "dark loaf"]] }, "synonyms.0.1: expected one word, of letters and digits"],
    [{ synonyms: [["bread"]] }, "synonyms.0: Too small: expected array to have >=2 items"],
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
    [{ intents: [{ ...intent, ask: "nicely" }] }, 'intents.0.ask: Invalid option: expected one of "form"|"questions"'],
    [
      asForm({ question: "?".repeat(201) }),
      "intents.0.parameters.0: in a form, a question of over 200 characters needs a label",
    ],
    [
      asForm({ type: "choice", options: Array.from({ length: 101 }, (_, n) => `Option ${n}`) }),
      "intents.0.parameters.0.options: in a form, a choice has at most 100 options",
    ],
    [
      {
        ...asForm({ type: "choice", options: "services" }),
        services: Array.from({ length: 101 }, (_, n) => ({ name: `Service ${n}` })),
      },
      "intents.0.parameters.0.options: in a form, a choice has at most 100 options",
    ],
    [asForm({}, 33), "intents.0.parameters: a form has at most 32 parameters"],
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

test("[B3] the choices of all intents have so many options that a message can be held against them", () => {
  const services = Array.from({ length: 999 }, (_, n) => ({ name: `Service ${n}`, aliases: [`s${n}`] }));
  const parameters = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ name: `p${n}`, question: "?", type: "choice", options: "services" }));
  const of = (count: number) =>
    problems({ services, intents: [{ ...intent, confirmation: "Done.", parameters: parameters(count) }] });
  expect(of(10)).toEqual([]);
  expect(of(11)).toEqual([
    expect.stringMatching(/^intents: all choices together have 21978 options and aliases, at most 20000/),
  ]);
});
