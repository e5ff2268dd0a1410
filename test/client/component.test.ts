import { expect, test } from "@jest/globals";
import { readComponent, withoutQuestions } from "../../client/component.js";
import { type Component, withQuestions } from "../../server/messaging/components.js";

const form: Component = {
  componentId: "c1",
  kind: "form",
  title: "Your visit",
  fields: [
    { name: "day", label: "Day", type: "date", required: true },
    { name: "kind", label: "Kind", type: "choice", required: false, options: ["first", "again"] },
  ],
};
const choices: Component = {
  componentId: "c2",
  kind: "choices",
  title: "Which?",
  choices: [{ value: "1", label: "The first" }],
};
const asking: Component = {
  ...{ componentId: "c3", kind: "form", title: "Please:" },
  fields: [{ name: "kind", label: "Which kind?", type: "choice", required: true, options: ["first", "again"] }],
};
const read = (components: readonly Component[]) => components.map((component) => readComponent(component)!);

test.each([
  ["one form", "Here you are", [form]],
  ["a form and choices", "Here you are", [form, choices]],
  ["a form whose title the text has", "Tell me of your visit", [form, choices]],
  ["choices whose title the text has", "Which? Tell me.", [choices]],
  ["a text that is the title", "Which?", [choices]],
  ["a field whose label is a question", "Here you are", [asking]],
  ["none", "Here you are", []],
  ["a text of several lines", "Here\n\n- you\n- are", [choices]],
])("[M63] a text is shown without what its components ask: %s", (_name, message, components) => {
  expect(withoutQuestions(withQuestions(message, components), read(components))).toBe(message);
});

test("[M63] a text that only looks like a question stays", () => {
  expect(withoutQuestions("Which?\n- The first", read([choices]))).toBe("Which?");
  expect(withoutQuestions("Hello", read([choices]))).toBe("Hello");
});

test.each([null, 5, {}, { componentId: "c" }, { componentId: "c", title: "x", kind: "hologram" }])(
  "[M41] %p is no component",
  (raw) => expect(readComponent(raw)).toBeNull(),
);

test("[M41] a field of a type of tomorrow is a text, and a strange one is left out", () => {
  const fields = [{ name: "a", label: "A", type: "colour" }, null, { name: 5 }];
  expect(readComponent({ componentId: "c", kind: "form", title: "T", fields })?.fields).toEqual([
    { name: "a", label: "A", type: "text", required: false },
  ]);
});
