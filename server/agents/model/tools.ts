import type { Business, BusinessIntent, IntentParameter } from "../../messaging/business.js";
import { optionsOf } from "../assistant/choices.js";
import type { ModelTool, ModelToolCall } from "./chat-model.js";
import type { OpenTask } from "./model-turn.js";

/** The tool by which a model says that it does not know, or that a person is wanted. */
export const askPerson = "ask_a_person";

/** Of a business's intents; in the order in which it wrote them. */
const intentsMax = 32;
/** Of an intent, told as examples of what begins it. */
const phrasesMax = 5;
/** More options than these are not listed; what is said is held against them anyway. */
const optionsMax = 100;
const valueLengthMax = 1000;

/** What a model may call for: the business's intents, and a person. */
export interface Toolbox {
  readonly tools: readonly ModelTool[];
  /** What a call means; null when it is for nothing that there is. */
  read(call: ModelToolCall): ToolCall | null;
}

export type ToolCall =
  | { readonly kind: "person" }
  /** Its values by parameter name: of the right JSON type, and not yet checked any further. */
  | { readonly kind: "intent"; readonly intent: BusinessIntent; readonly values: Values };

export type Values = Readonly<Record<string, string | number>>;

/**
 * The intents as functions, none of whose parameters is required: what is missing is asked for. What the user is in the
 * middle of comes first, and is always among them. (SPEC A32)
 */
export function createToolbox(business: Business, task: OpenTask | null): Toolbox {
  const intents = [...new Set([...(task === null ? [] : [task.intent]), ...business.intents])].slice(0, intentsMax);
  const byName = new Map<string, BusinessIntent>();
  for (const intent of intents) byName.set(nameFor(intent, byName), intent);
  return {
    tools: [...[...byName].map(([name, intent]) => toolOf(name, intent, business)), personTool],
    read: ({ name, arguments: given }) => {
      if (name === askPerson) return { kind: "person" };
      const intent = byName.get(name);
      return intent === undefined ? null : { kind: "intent", intent, values: valuesOf(given, intent) };
    },
  };
}

const personTool: ModelTool = {
  name: askPerson,
  description: "Says to the customer that this is not known here, and offers a person of the business.",
  parameters: { type: "object", properties: {} },
};

/** Ids may hold dots, which names of functions may not. */
function nameFor({ name }: BusinessIntent, taken: ReadonlyMap<string, unknown>): string {
  const plain = name.replaceAll(".", "_");
  const isTaken = (each: string) => each === askPerson || taken.has(each);
  let free = plain;
  for (let n = 2; isTaken(free); n += 1) free = `${plain.slice(0, 60)}_${n}`;
  return free;
}

function toolOf(name: string, intent: BusinessIntent, business: Business): ModelTool {
  const { title, phrases, parameters } = intent;
  const examples = phrases.slice(0, phrasesMax).map((phrase) => JSON.stringify(phrase));
  const properties = parameters.map((each, place) => [keyOf(each, place), schemaOf(each, business)] as const);
  return {
    name,
    description: `${title}. Customers say, for example: ${examples.join(", ")}.`,
    parameters: { type: "object", properties: Object.fromEntries(properties), additionalProperties: false },
  };
}

/** Names are letters of any alphabet, keys had better be plain. No name begins with "_". */
function keyOf({ name }: IntentParameter, place: number): string {
  return /^\w+$/.test(name) ? name : `_${place}`;
}

const formats: Readonly<Record<IntentParameter["type"], string>> = {
  text: "",
  number: "",
  date: " As YYYY-MM-DD.",
  time: " As HH:MM, 24 hours.",
  email: " An e-mail address.",
  phone: " A phone number, as the customer wrote it.",
  choice: "",
};

function schemaOf(parameter: IntentParameter, business: Business): Readonly<Record<string, unknown>> {
  const { type, question } = parameter;
  const description = `The answer to: ${question}${formats[type]}`;
  if (type !== "choice") return { type: type === "number" ? "number" : "string", description };
  const options = optionsOf(parameter, business);
  return { type: "string", description, ...(options.length <= optionsMax ? { enum: options } : {}) };
}

/** What is no text or number, too long, or for no parameter, is left out. What every object inherits is neither. */
function valuesOf(given: ModelToolCall["arguments"], { parameters }: BusinessIntent): Values {
  const values = parameters.flatMap((each, place) => {
    const value = given[keyOf(each, place)];
    return isValue(value) ? [[each.name, value] as const] : [];
  });
  return Object.fromEntries(values);
}

function isValue(value: unknown): value is string | number {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value === "string" && value.trim() !== "" && value.length <= valueLengthMax;
}
