import { asRecord, optional, text } from "./fields.js";

/** What an agent shows besides text: a form to fill in, choices, or a card that only has a title. */
export interface Component {
  readonly componentId: string;
  readonly kind: "form" | "choices" | "card";
  readonly title: string;
  readonly fields: readonly FormField[];
  readonly choices: readonly Choice[];
}

export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly type: "text" | "number" | "date" | "time" | "email" | "phone" | "choice";
  readonly required: boolean;
  /** Of a `choice`. */
  readonly options?: readonly string[];
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

const fieldTypes = ["text", "number", "date", "time", "email", "phone", "choice"] as const;

/** Null for what is none, so that a kind of tomorrow is left out and its question still stands in the text. */
export function readComponent(raw: unknown): Component | null {
  const { componentId, kind, title, fields, choices } = asRecord(raw);
  const [id, shown] = [text(componentId), text(title)];
  if (id === undefined || shown === undefined || (kind !== "form" && kind !== "choices" && kind !== "card"))
    return null;
  return { componentId: id, kind, title: shown, fields: rows(fields, readField), choices: rows(choices, readChoice) };
}

export function readComponents(raw: unknown): readonly Component[] {
  return rows(raw, readComponent);
}

/**
 * The text of an answer without the questions that its components ask themselves. The server puts them at its end, for
 * whoever sees no components. Of an answer that is nothing but a question its title is left. (SPEC M63)
 */
export function withoutQuestions(content: string, components: readonly Component[]): string {
  return components.reduceRight((rest, component) => {
    const question = questionOf(component);
    if (rest === question) return component.title;
    return rest.endsWith(question) ? rest.slice(0, -question.length).trimEnd() : rest;
  }, content);
}

function questionOf({ title, fields, choices }: Component): string {
  const asked = fields.map(({ label, options }) =>
    // As the server writes it: a label that ends as a sentence has no colon.
    options === undefined ? label : `${label.replace(/[^?!.:…]$/, "$&:")} ${options.join(", ")}`,
  );
  return [title, ...[...asked, ...choices.map(({ label }) => label)].map((line) => `- ${line}`)].join("\n");
}

function readField(raw: unknown): FormField | null {
  const { name, label, type, required, options } = asRecord(raw);
  const [id, shown] = [text(name), text(label)];
  if (id === undefined || shown === undefined) return null;
  return {
    name: id,
    label: shown,
    type: fieldTypes.find((known) => known === type) ?? "text",
    required: required === true,
    ...optional("options", Array.isArray(options) ? options.filter((option) => typeof option === "string") : undefined),
  };
}

function readChoice(raw: unknown): Choice | null {
  const { value, label } = asRecord(raw);
  const [said, shown] = [text(value), text(label)];
  return said === undefined || shown === undefined ? null : { value: said, label: shown };
}

function rows<Row>(raw: unknown, read: (row: unknown) => Row | null): readonly Row[] {
  return Array.isArray(raw) ? raw.map(read).filter((row) => row !== null) : [];
}
