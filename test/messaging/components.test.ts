import { describe, expect, test } from "@jest/globals";
import { fillIn } from "../../server/messaging/component-values.js";
import {
  type Component,
  componentIdOf,
  componentPlaceOf,
  componentsOf,
  withQuestions,
} from "../../server/messaging/components.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import { questionOf } from "../support/heads.js";

type Fields = NonNullable<Component["fields"]>;

const form = (...fields: Fields): Component => ({ componentId: "s1~a1~0", kind: "form", title: "Your visit", fields });
const field = (type: Fields[number]["type"], required = false) => ({ name: "it", label: "It", type, required });
const choices: Component = {
  ...{ componentId: "s1~a1~1", kind: "choices", title: "Which?" },
  choices: [
    { value: "1", label: "The first" },
    { value: "2", label: "The second" },
  ],
};

describe("[M63] ids of components", () => {
  test("name their place, whatever session ids there are", () => {
    for (const sessionId of ["8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11", "B1:ana:17", "a._@|+:-b"]) {
      const place = { sessionId, messageId: "0198f0c2", number: 15 };
      expect(componentPlaceOf(componentIdOf(place))).toEqual(place);
    }
  });

  test.each(["", "~", "~~", "s1~a1", "s1~a1~", "s1~~0", "~a1~0", "s1~a1~x", "s1~a1~-1", "s1~a1~100", "s1~a1~0~0"])(
    "%j is none",
    (text) => {
      expect(componentPlaceOf(text)).toBeNull();
    },
  );
});

describe("[M63] what is stored with an answer", () => {
  const message = (more: Partial<ChatMessage>): ChatMessage => ({ ...questionOf("a1", 2), type: "agent", ...more });

  test.each<[string, Partial<ChatMessage>, readonly Component[]]>([
    ["components", { data: { components: [choices] } }, [choices]],
    ["nothing", {}, []],
    ["nothing", { data: null }, []],
    ["something else", { data: { componentId: "s1~a1~0", values: {} } }, []],
    ["what is no component", { data: { components: [{ ...choices, choices: [] }] } }, []],
    ["components, of a user", { type: "user", data: { components: [choices] } }, []],
  ])("%s", (_what, more, expected) => {
    expect(componentsOf(message(more))).toEqual(expected);
  });
});

describe("[M63] an answer's text", () => {
  const day = { ...field("date"), label: "Day" };
  const part = { ...field("choice"), name: "part", label: "Part of the day", options: ["morning", "evening"] };

  test.each<[string, string, Component[], string]>([
    ["without components", "Hello", [], "Hello"],
    ["of a form", "Hello", [form(day, part)], "Hello\n\nYour visit\n- Day\n- Part of the day: morning, evening"],
    ["of choices", "Hello", [choices], "Hello\n\nWhich?\n- The first\n- The second"],
    ["of a card", "Hello", [{ componentId: "c", kind: "card", title: "A map" }], "Hello\n\nA map"],
    ["of several", "Hello", [choices, form(day)], "Hello\n\nWhich?\n- The first\n- The second\n\nYour visit\n- Day"],
    [
      "that asks already",
      "So,  WHICH? THE\nfirst, the second?\nWhich day is your visit?",
      [choices, form(day)],
      "So,  WHICH? THE\nfirst, the second?\nWhich day is your visit?",
    ],
    ["with the title alone", "Which? Say it.", [choices], "Which? Say it.\n\nWhich?\n- The first\n- The second"],
    [
      "with some of the choices",
      "Which? The first?",
      [choices],
      "Which? The first?\n\nWhich?\n- The first\n- The second",
    ],
    [
      "with the title of a form",
      "So, your visit:",
      [form(day, part)],
      "So, your visit:\n\nYour visit\n- Day\n- Part of the day: morning, evening",
    ],
    [
      "without the options of a field",
      "Your visit: day, part of the day?",
      [form(part)],
      "Your visit: day, part of the day?\n\nYour visit\n- Part of the day: morning, evening",
    ],
    ["that is the title", "Which?", [choices], "Which?\n- The first\n- The second"],
    [
      "with the title of a card",
      "Here is a map",
      [{ componentId: "c", kind: "card", title: "A map" }],
      "Here is a map",
    ],
  ])("%s", (_what, said, components, expected) => {
    expect(withQuestions(said, components)).toBe(expected);
  });

  test("asks in its own words where the agent says so, and has the title", () => {
    const asked = new Set([choices.componentId]);
    expect(withQuestions("So, which?", [choices, form(day)], asked)).toBe("So, which?\n\nYour visit\n- Day");
    expect(withQuestions("So?", [choices], asked)).toBe("So?\n\nWhich?\n- The first\n- The second");
  });
});

describe("[M64] values", () => {
  const fill = (component: Component, given: Readonly<Record<string, unknown>>, locale: "ro" | "en" = "en") =>
    fillIn(component, given, locale);

  const good: [Fields[number]["type"], unknown, unknown][] = [
    ["text", " Ana \ud800 ", "Ana \ufffd"],
    ["text", "x".repeat(1024), "x".repeat(1024)],
    ["number", 3.5, 3.5],
    ["number", " -3,5 ", -3.5],
    ["date", "2028-02-29", "2028-02-29"],
    ["time", "09:30", "09:30"],
    ["time", "09:30:00", "09:30:00"],
    ["email", " ana@example.com ", "ana@example.com"],
    ["phone", "(0722) 123-456", "0722123456"],
    ["phone", "+40 722.123.456", "+40722123456"],
  ];

  test.each(good)("%s takes %j", (type, given, value) => {
    expect(fill(form(field(type)), { it: given })).toEqual({
      ok: true,
      value: { values: { it: value }, text: `It: ${String(value)}` },
    });
  });

  const bad: [Fields[number]["type"], unknown][] = [
    ["text", 5],
    ["text", {}],
    ["text", ["Ana"]],
    ["text", "x".repeat(1025)],
    ["number", "five"],
    ["number", "1e5"],
    ["number", "1".repeat(16)],
    ["number", true],
    ["date", "2026-02-29"],
    ["date", "5.3.2026"],
    ["date", 20260305],
    ["time", "24:00"],
    ["time", "9h"],
    ["time", "10:00:00.123"],
    ["email", "ana@"],
    ["email", `${"a".repeat(250)}@example.com`],
    ["number", 1e21],
    ["phone", "12345"],
    ["phone", "123456"],
    ["phone", "1".repeat(16)],
    ["phone", "call me"],
  ];

  test.each(bad)("%s refuses %j", (type, given) => {
    const reason = [{ name: "it", error: "invalid" }];
    expect(fill(form(field(type)), { it: given })).toEqual({ ok: false, reason });
  });

  test.each([undefined, null, "", " \n"])("%j is no value: needed, or left out", (given) => {
    expect(fill(form(field("text", true)), { it: given })).toEqual({
      ok: false,
      reason: [{ name: "it", error: "required" }],
    });
    expect(fill(form(field("text")), { it: given })).toEqual({ ok: true, value: { values: {}, text: "Your visit" } });
  });

  test.each([
    ["ro", "0722 123 456", "0722123456"],
    ["ro", "0040 722 123 456", "+40722123456"],
    ["ro", "0722 123 45", null],
    ["ro", "123456", null],
    ["en", "555 0123", "5550123"],
    ["en", "123456", null],
  ] as const)("a phone number is whole where people speak %s: %j", (locale, given, value) => {
    const filled = fill(form(field("phone")), { it: given }, locale);
    expect(filled.ok ? filled.value.values.it : null).toBe(value);
  });

  test.each([
    ["Which day?", "Which day? 2026-03-05"],
    ["Your day:", "Your day: 2026-03-05"],
    ["Day", "Day: 2026-03-05"],
  ])("a label is not punctuated twice: %j", (label, text) => {
    expect(fill(form({ ...field("date"), label }), { it: "2026-03-05" })).toMatchObject({ value: { text } });
    const choice = { ...field("choice"), label, options: ["2026-03-05"] };
    expect(withQuestions("", [form(choice)])).toContain(`- ${text}`);
  });

  test("choices are among what was offered, and are told in its words", () => {
    const part = { ...field("choice", true), options: ["morning", "evening"] };
    expect(fill(form(part), { it: "evening" })).toMatchObject({ ok: true, value: { text: "It: evening" } });
    expect(fill(form(part), { it: "night" })).toMatchObject({ ok: false });
    expect(fill(choices, { choice: "2" })).toEqual({
      ok: true,
      value: { values: { choice: "2" }, text: "The second" },
    });
    expect(fill(choices, { choice: "3" })).toEqual({ ok: false, reason: [{ name: "choice", error: "invalid" }] });
    expect(fill(choices, {})).toEqual({ ok: false, reason: [{ name: "choice", error: "required" }] });
  });

  test("everything that is wrong is told at once, and of a name not more than a name", () => {
    const day = { ...field("date", true), name: "day" };
    const given = JSON.parse(`{"__proto__": "x", "${"n".repeat(100)}": 1, "it": 5}`) as Record<string, unknown>;
    expect(fill(form(day, field("text")), given)).toEqual({
      ok: false,
      reason: [
        { name: "__proto__", error: "unknown" },
        { name: "n".repeat(64), error: "unknown" },
        { name: "day", error: "required" },
        { name: "it", error: "invalid" },
      ],
    });
  });

  test("what an object has by itself was not filled in", () => {
    const fields = ["constructor", "__proto__"].map((name) => ({ ...field("text"), name }));
    expect(fill(form(...fields), {})).toEqual({ ok: true, value: { values: {}, text: "Your visit" } });
    const filled = fill(form(...fields), JSON.parse('{"__proto__": "x"}') as Record<string, unknown>);
    expect(filled.ok && Object.entries(filled.value.values)).toEqual([["__proto__", "x"]]);
  });

  test("several lines, in the order of the form", () => {
    const [day, at] = [
      { ...field("date"), name: "day", label: "Day" },
      { ...field("time"), name: "at", label: "At" },
    ];
    const filled = fill(form(day, field("text"), at), { at: "09:30", day: "2026-03-05" });
    expect(filled).toMatchObject({ value: { text: "Day: 2026-03-05\nAt: 09:30" } });
  });
});
