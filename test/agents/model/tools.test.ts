import { beforeAll, describe, expect, test } from "@jest/globals";
import { createToolbox, type Toolbox } from "../../../server/agents/model/tools.js";
import { type Business, type BusinessIntent, defaultBusiness } from "../../../server/messaging/business.js";
import { dentist } from "../turns.js";

const base = { title: "Book", phrases: ["book"], opening: "Yes.", confirmation: "Done." } as const;

function withIntents(...intents: readonly Partial<BusinessIntent>[]): Business {
  const whole = intents.map((intent) => ({ name: "book", parameters: [], ...base, ...intent }));
  return { ...defaultBusiness("B1", "UTC"), intents: whole };
}

const namesOf = ({ tools }: Toolbox) => tools.map(({ name }) => name);
const call = (name: string, given: Record<string, unknown> = {}) =>
  ({ type: "tool_call", name, arguments: given }) as const;

describe("[A32] what a model may call for", () => {
  let business: Business;

  beforeAll(async () => {
    business = await dentist();
  });

  test("is the business's intents, and a person", () => {
    const names = business.intents.map(({ name }) => name);
    expect(namesOf(createToolbox(business, null))).toEqual([...names, "ask_a_person"]);
    expect(namesOf(createToolbox(defaultBusiness("B1", "UTC"), null))).toEqual(["ask_a_person"]);
  });

  test("says what customers say, what each value answers, and how it is written", () => {
    const types = ["text", "number", "date", "time", "email", "phone"] as const;
    const parameters = [
      ...types.map((type) => ({ name: type, type, question: `Which ${type}?`, required: true })),
      { name: "service", type: "choice", options: ["A", "B"], question: "Which service?", required: true } as const,
    ];
    const [tool] = createToolbox(withIntents({ parameters, phrases: ["book it", 'say "yes"'] }), null).tools;
    expect(tool).toEqual({
      name: "book",
      description: `Book. Customers say, for example: "book it", "say \\"yes\\"".`,
      parameters: {
        type: "object",
        properties: {
          text: { type: "string", description: "The answer to: Which text?" },
          number: { type: "number", description: "The answer to: Which number?" },
          date: { type: "string", description: "The answer to: Which date? As YYYY-MM-DD." },
          time: { type: "string", description: "The answer to: Which time? As HH:MM, 24 hours." },
          email: { type: "string", description: "The answer to: Which email? An e-mail address." },
          phone: {
            type: "string",
            description: "The answer to: Which phone? A phone number, as the customer wrote it.",
          },
          service: { type: "string", description: "The answer to: Which service?", enum: ["A", "B"] },
        },
        additionalProperties: false,
      },
    });
  });

  test("has names that an endpoint takes, no two of them alike", () => {
    const long = "x".repeat(64);
    const names = ["a.b", "a_b", "a.b.", "ask_a_person", long, `${long.slice(1)}.`, `${long.slice(1)}_`];
    const toolbox = createToolbox(withIntents(...names.map((name) => ({ name }))), null);
    const given = namesOf(toolbox);
    expect(new Set(given).size).toBe(names.length + 1);
    for (const name of given) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    const meant = given.slice(0, -1).map((name) => {
      const read = toolbox.read(call(name));
      return read?.kind === "intent" ? read.intent.name : read?.kind;
    });
    expect(meant).toEqual(names);
    expect(toolbox.read(call("ask_a_person"))).toEqual({ kind: "person" });
  });

  test("is no more than 32 intents; the one that the user is in the middle of comes first", () => {
    const many = withIntents(...Array.from({ length: 100 }, (_, n) => ({ name: `i${n}` })));
    const task = { intent: many.intents[99]!, values: new Map<string, string>(), question: null };
    const names = namesOf(createToolbox(many, task));
    expect(names).toHaveLength(33);
    expect(names.slice(0, 2)).toEqual(["i99", "i0"]);
  });

  test("lists no more than a hundred options", () => {
    const options = Array.from({ length: 101 }, (_, n) => `option ${n}`);
    const parameter = { name: "which", type: "choice", options, question: "Which?", required: true } as const;
    const [tool] = createToolbox(withIntents({ parameters: [parameter] }), null).tools;
    expect(JSON.stringify(tool)).not.toContain("option 1");
  });
});

describe("[A32] what a model called for", () => {
  const parameters = [
    { name: "day", type: "date", question: "?", required: true },
    { name: "când", type: "text", question: "?", required: true },
    { name: "count", type: "number", question: "?", required: false },
  ] as const;
  const business = withIntents({ parameters });
  const toolbox = createToolbox(business, null);
  const [intent] = business.intents;

  const cases: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ["values of its parameters", { day: "2026-08-06", count: 2 }, { day: "2026-08-06", count: 2 }],
    ["one whose name is not plain", { _1: "azi" }, { când: "azi" }],
    ["others", { day: "2026-08-06", userId: "user_999", sessionId: "s" }, { day: "2026-08-06" }],
    ["what is no value", { day: null, _1: ["x"], count: {} }, {}],
    ["true, nothing, too much", { day: true, _1: "  ", count: "9".repeat(1001) }, {}],
    ["what every object has", { toString: "x", constructor: "y" }, {}],
  ];

  test.each(cases)("with %s", (_what, given, values) => {
    expect(toolbox.read(call("book", given))).toEqual({ kind: "intent", intent, values });
  });

  test.each(["cancel_all", "", "Book", "constructor", "book "])("is nothing when there is no such tool: %j", (name) => {
    expect(toolbox.read(call(name))).toBeNull();
  });
});
