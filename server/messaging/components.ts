import * as z from "zod";
import type { AgentComponent } from "./agent.js";
import type { ChatMessage } from "./model.js";

/** What an agent showed with its answer, as it is sent and as it is stored with the answer. (SPEC M41, M63) */
export type Component = Omit<AgentComponent, "type" | "componentId" | "inText"> & { readonly componentId: string };

/** Where a component is found again: with which answer, and which of that answer's it is. */
export interface ComponentPlace {
  readonly sessionId: string;
  /** Of the answer. */
  readonly messageId: string;
  /** From 0. */
  readonly number: number;
}

// Neither id has this sign.
const separator = "~";

/** Names its place, so that nothing need be kept to find it. To clients it says nothing. */
export function componentIdOf({ sessionId, messageId, number }: ComponentPlace): string {
  return [sessionId, messageId, number].join(separator);
}

/** Null for what is no id of ours. */
export function componentPlaceOf(componentId: string): ComponentPlace | null {
  const [sessionId = "", messageId = "", number = "", ...more] = componentId.split(separator);
  const isOne = sessionId !== "" && messageId !== "" && /^\d{1,2}$/.test(number) && more.length === 0;
  return isOne ? { sessionId, messageId, number: Number(number) } : null;
}

/** What a component may hold, in characters and entries. */
export const componentLimits = { label: 200, fields: 32, options: 100, choices: 50 };
const { label: labelMax } = componentLimits;
const choiceValueMax = 1024;

const text = (max: number) =>
  z
    .string()
    .max(max)
    // White space can be neither read nor chosen.
    .regex(/\S/)
    .transform((given) => given.toWellFormed());

const field = z
  .object({
    name: text(64),
    label: text(labelMax),
    type: z.enum(["text", "number", "date", "time", "email", "phone", "choice"]),
    required: z.boolean().default(false),
    options: z.array(text(labelMax)).min(1).max(componentLimits.options).exactOptional(),
  })
  .refine(({ type, options }) => type !== "choice" || options !== undefined, "a choice needs options");

const choice = z.object({ value: text(choiceValueMax), label: text(labelMax) });

/** What an agent may show: all but the id, which is ours to give. (SPEC A8) */
export const componentSchema: z.ZodType<Omit<Component, "componentId">> = z
  .object({
    kind: z.enum(["form", "choices", "card"]),
    title: text(labelMax),
    fields: z
      .array(field)
      .min(1)
      .max(componentLimits.fields)
      .refine(areUnlike, "two fields of one name")
      .exactOptional(),
    choices: z.array(choice).min(1).max(componentLimits.choices).exactOptional(),
  })
  .refine(({ kind, fields }) => kind !== "form" || fields !== undefined, "a form needs fields")
  .refine(({ kind, choices }) => kind !== "choices" || choices !== undefined, "expected choices");

function areUnlike(fields: readonly { readonly name: string }[]): boolean {
  return new Set(fields.map(({ name }) => name)).size === fields.length;
}

/** `data` of an answer with which something was shown. */
export interface ComponentsData {
  readonly components: readonly Component[];
}

const dataSchema = z.object({ components: z.array(z.object({ componentId: z.string() }).and(componentSchema)) });

/** What was shown with a message that is stored. */
export function componentsOf({ type, data }: ChatMessage): readonly Component[] {
  const parsed = type === "agent" ? dataSchema.safeParse(data) : null;
  return parsed?.success === true ? parsed.data.components : [];
}

/**
 * An answer's text with all that its components ask: whoever sees no components is asked the same. (SPEC M63)
 * @param askedInText the ids of those of which the text need hold no more than the title
 */
export function withQuestions(
  message: string,
  components: readonly Component[],
  askedInText: ReadonlySet<string> = new Set(),
): string {
  const said = plain(message);
  return components
    .filter((component) => {
      const asked = askedInText.has(component.componentId) ? [component.title] : wordsOf(component);
      return !asked.every((words) => said.includes(plain(words)));
    })
    .reduce((text, component) => {
      const question = questionOf(component);
      // A text that is nothing but the title does not say it twice.
      return text.trim() === component.title ? question : `${text}\n\n${question}`;
    }, message);
}

function wordsOf({ title, fields = [], choices = [] }: Component): readonly string[] {
  const asked = fields.flatMap(({ label, options = [] }) => [label, ...options]);
  return [title, ...asked, ...choices.map(({ label }) => label)];
}

function questionOf({ title, fields = [], choices = [] }: Component): string {
  const asked = fields.map(({ label, options }) =>
    options === undefined ? label : labelled(label, options.join(", ")),
  );
  const lines = [...asked, ...choices.map(({ label }) => label)];
  return [title, ...lines.map((line) => `- ${line}`)].join("\n");
}

/** What belongs to a label, behind it: one that ends as a sentence, or with a colon, needs no other. */
export function labelled(label: string, text: string): string {
  return /[?!.:…]\s*$/.test(label) ? `${label.trimEnd()} ${text}` : `${label}: ${text}`;
}

function plain(said: string): string {
  return said.replace(/\s+/g, " ").trim().toLowerCase();
}
