import { v5 } from "uuid";
import type { AgentTurn } from "../../messaging/agent.js";
import type { BusinessIntent, IntentParameter } from "../../messaging/business.js";
import type { ChatMessage, Intent } from "../../messaging/model.js";
import { componentIdOf } from "./shown.js";
import { checkValues } from "./values.js";

/** An intent that the user is in the middle of: what the business wrote of it, and how far it has come. */
export interface Task {
  readonly intent: BusinessIntent;
  readonly values: ReadonlyMap<string, string>;
  /** What is asked for next; null before the first question, and when nothing is missing. */
  readonly asked: IntentParameter | null;
  readonly record: Intent;
}

const intentNamespace = "5a0c8f0e-6d0b-4f37-9a55-0d7a0f2b6c11";

/**
 * The task of a turn, or null: there is none, or the business no longer has that intent. What was said before the business
 * changed counts as far as it still can. (SPEC A4)
 */
export function taskOf({ intent: record, business }: AgentTurn): Task | null {
  const intent = business.intents.find((each) => each.name === record?.name);
  if (record?.status !== "active" || intent === undefined) return null;
  const { values } = checkValues(record.parameters, intent, business);
  const open = missing(intent, values);
  // What is answered now is what was asked then, if it is still to be known.
  const asked = open.find(({ name }) => name === record.missing[0]) ?? open[0] ?? null;
  return { intent, values, asked, record };
}

/**
 * A task of which nothing is known yet. Its id comes from what began it: a turn that is run again after a crash begins
 * the same task, and its tool is called with the same key. (SPEC A1, A21)
 */
export function newTask(turn: AgentTurn, intent: BusinessIntent): Task {
  const { businessId, userId, sessionId, now } = turn;
  const at = new Date(now).toISOString();
  const state = { status: "active", parameters: {}, missing: [], createdAt: at, updatedAt: at } as const;
  const intentId = v5(`${beginningOf(turn)}\n${intent.name}`, intentNamespace);
  const record: Intent = { intentId, businessId, userId, sessionId, name: intent.name, ...state };
  return { intent, values: new Map(), asked: null, record };
}

/**
 * What begins a task: what is filled in, however often it is sent; else the message, or the first of those before it that
 * got no answer of an agent. The tool may have done what was cancelled or failed then, so it is called with the same key.
 * (SPEC A21)
 */
function beginningOf({ messageId, data, history }: AgentTurn): string {
  const lastAnswer = history.findLastIndex(isAnswer);
  const unanswered = history.slice(lastAnswer + 1).filter(({ type }) => type === "user");
  return componentIdOf(data) ?? unanswered[0]?.messageId ?? messageId;
}

function isAnswer({ type }: ChatMessage): boolean {
  return type === "agent" || type === "coordinator";
}

/** The task with these values in place of those that it had. */
export function withValues({ now }: AgentTurn, task: Task, values: ReadonlyMap<string, string>): Task {
  const open = missing(task.intent, values);
  const record: Intent = {
    ...task.record,
    parameters: inOrder(task.intent, values),
    missing: open.map((each) => each.name),
    updatedAt: new Date(now).toISOString(),
  };
  return { ...task, values, asked: open[0] ?? null, record };
}

/** The record of a task that is over. */
export function endOf({ now }: AgentTurn, { record }: Task, status: "completed" | "abandoned"): Intent {
  return { ...record, status, updatedAt: new Date(now).toISOString() };
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
