import { DateTime } from "luxon";
import type { AgentAnswer, AgentTurn } from "../../messaging/agent.js";
import type { BusinessIntent, IntentParameter } from "../../messaging/business.js";
import type { Intent } from "../../messaging/model.js";
import { checkTimes, sayValue } from "./checks.js";
import { optionsOf } from "./choices.js";
import { isName, readParameters } from "./parameters.js";
import { textsOf } from "./texts.js";

/** An intent that the user is in the middle of: what the business wrote of it, and how far it has come. */
export interface Task {
  readonly intent: BusinessIntent;
  readonly values: ReadonlyMap<string, string>;
  /** What was asked for last; null before the first question. */
  readonly asked: IntentParameter | null;
  readonly record: Intent;
}

/** The task of a turn, or null: there is none, or the business no longer has that intent. */
export function taskOf({ intent: record, business }: AgentTurn): Task | null {
  const intent = business.intents.find((each) => each.name === record?.name);
  if (record?.status !== "active" || intent === undefined) return null;
  const values = new Map(Object.entries(record.parameters));
  return { intent, values, asked: missing(intent, values)[0] ?? null, record };
}

/** Begins an intent with all that the message already says of it. (SPEC A3, A4) */
export function beginTask(turn: AgentTurn, intent: BusinessIntent): AgentAnswer {
  const { businessId, userId, sessionId } = turn;
  const at = new Date(turn.now).toISOString();
  const state = { status: "active", parameters: {}, missing: [], createdAt: at, updatedAt: at } as const;
  const record: Intent = { intentId: turn.newId(), businessId, userId, sessionId, name: intent.name, ...state };
  const task: Task = { intent, values: new Map(), asked: null, record };
  return advance(turn, task, readFor(turn, task), [intent.opening]);
}

/** Goes on with what the message says, or returns null when it says nothing that the task can use. */
export function continueTask(turn: AgentTurn, task: Task): AgentAnswer | null {
  const given = readFor(turn, task);
  return given.size > 0 || task.asked === null ? advance(turn, task, given, []) : null;
}

/** Asks once more, saying what is expected. */
export function askAgain(turn: AgentTurn, { asked }: Task): AgentAnswer {
  const { expected, expectedName, options } = textsOf(turn.business.locale);
  if (asked === null) return { type: "answer", message: textsOf(turn.business.locale).help };
  const choices = asked.type === "choice" ? optionsOf(asked, turn.business) : [];
  const hints = [
    isName(asked) ? expectedName : expected[asked.type],
    ...(choices.length > 0 ? [options(choices)] : []),
  ];
  return {
    type: "answer",
    message: [...hints, asked.question].join(" "),
    actions: choices.map((choice) => ({ type: "choice", label: choice, value: choice })),
    isComplete: false,
  };
}

function readFor({ message, business, now }: AgentTurn, { intent, asked, values }: Task): ReadonlyMap<string, string> {
  return readParameters(message, { intent, business, asked, values, now: zonedNow(now, business.timeZone) });
}

/** Takes what is new, drops what cannot be, and asks for the next parameter or confirms. */
function advance(
  turn: AgentTurn,
  task: Task,
  given: ReadonlyMap<string, string>,
  lead: readonly string[],
): AgentAnswer {
  const now = zonedNow(turn.now, turn.business.timeZone);
  const { values, problems } = checkTimes(task.intent, new Map([...task.values, ...given]), turn.business, now);
  const open = missing(task.intent, values);
  const record: Intent = {
    ...task.record,
    parameters: inOrder(task.intent, values),
    missing: open.map((each) => each.name),
    updatedAt: new Date(turn.now).toISOString(),
  };
  if (open.length === 0) return complete(turn, { ...task, values, record }, lead);
  const message = [...lead, ...problems, open[0]!.question].join(" ");
  return { type: "answer", message, actions: [], isComplete: false, intent: record };
}

/**
 * Says that it is done. The answer itself is the record of what was settled: it carries the intent and its parameters
 * as a tool call, since the intent ends with it.
 */
function complete(turn: AgentTurn, { intent, values, record }: Task, lead: readonly string[]): AgentAnswer {
  const spoken = intent.confirmation.replace(/\{([^{}]*)\}/g, (place, name: string) => {
    const parameter = intent.parameters.find((each) => each.name === name);
    const value = values.get(name);
    return parameter === undefined || value === undefined ? place : sayValue(value, parameter, turn.business);
  });
  const toolCalls = [{ name: intent.name, intentId: record.intentId, parameters: record.parameters }];
  const message = [...(intent.parameters.length === 0 ? lead : []), spoken].join(" ");
  return { type: "answer", message, actions: [], isComplete: true, intent: null, toolCalls };
}

function missing(intent: BusinessIntent, values: ReadonlyMap<string, string>): readonly IntentParameter[] {
  return intent.parameters.filter((each) => each.required && !values.has(each.name));
}

/** The values as an object, in the order in which they are asked for. */
function inOrder(intent: BusinessIntent, values: ReadonlyMap<string, string>): Intent["parameters"] {
  return Object.fromEntries(
    intent.parameters.flatMap(({ name }) => (values.has(name) ? [[name, values.get(name)!]] : [])),
  );
}

function zonedNow(now: number, zone: string): DateTime {
  return DateTime.fromMillis(now, { zone });
}
