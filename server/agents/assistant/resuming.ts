import { DateTime } from "luxon";
import type { AgentTurn } from "../../messaging/agent.js";
import type { Business } from "../../messaging/business.js";
import type { Action, Intent } from "../../messaging/model.js";
import { checkTimes, sayValue } from "./checks.js";
import { readParameters } from "./parameters.js";
import { givesUpOn, isRefusal, type Recognised } from "./recognise.js";
import { isGoingOn, isStartingOver } from "./steering.js";
import { type Task, taskOf } from "./task.js";
import { textsOf } from "./texts.js";

/** A task that goes on where it was. */
export interface Continued {
  readonly kind: "continued";
  readonly task: Task;
  /** What the message says of it, which goes before what was said then. */
  readonly given: ReadonlyMap<string, string>;
  /** Says so, with what is known. */
  readonly lead: string;
}

/** What becomes of the task that the user left, by what they say now. */
export type Resuming =
  | Continued
  /** It begins again, with nothing of what was said then; or it is not wanted any more. */
  | { readonly kind: "anew" | "forgotten"; readonly task: Task };

/** What was understood of a message, when nothing is going on. */
interface Understood {
  /** Which task it begins. */
  readonly recognised: Recognised | null;
  /** It may be an answer: it asks nothing, and nothing was found that it may be about. */
  readonly mayAnswer: boolean;
}

/** Null when the message has nothing to do with what the user left, or there is nothing. (SPEC A26) */
export function resuming(turn: AgentTurn, { recognised, mayAnswer }: Understood): Resuming | null {
  const task = leftTask(turn);
  if (task === null) return null;
  const { intent } = task;
  if (isStartingOver(turn.message)) return { kind: "anew", task };
  if (isGoingOn(turn.message, intent)) return continued(turn, task, new Map());
  if (recognised?.intent === intent) return continued(turn, task, plainly(turn, task));
  const isGivenUp = givesUpOn(intent, turn.message);
  // "Nu mai vreau programarea" would cancel an appointment, were there none that was not finished.
  if (recognised !== null && !(isGivenUp && isRefusal(turn.message))) return null;
  if (isGivenUp) return { kind: "forgotten", task };
  const given = mayAnswer ? answered(turn, task) : null;
  return given === null ? null : continued(turn, task, given);
}

/** What is offered when another task is done: to go on with this one. Null: there is nothing. (SPEC A26) */
export function offerToGoOn(turn: AgentTurn, done: Intent): { readonly text: string; readonly action: Action } | null {
  const isOther = turn.intent !== null && turn.intent.intentId !== done.intentId;
  const record = isOther ? turn.intent : turn.suspended;
  const intent = turn.business.intents.find(({ name }) => name === record?.name);
  if (intent === undefined || intent.name === done.name) return null;
  const { goOn, offer } = textsOf(turn.business.locale);
  const label = goOn(intent.title);
  return { text: offer(intent.title), action: { type: "choice", label, value: label } };
}

/** What was left, as it is when it goes on; null: nothing. */
export function leftTask(turn: AgentTurn): Task | null {
  const { suspended, sessionId } = turn;
  return suspended === null ? null : taskOf({ ...turn, intent: { ...suspended, status: "active", sessionId } });
}

function continued(turn: AgentTurn, task: Task, given: ReadonlyMap<string, string>): Continued {
  const { business } = turn;
  const { intent } = task;
  const { values } = checkTimes(intent, new Map([...task.values, ...given]), business, zonedNow(turn));
  const known = intent.parameters.flatMap((parameter) => {
    const value = values.get(parameter.name);
    return value === undefined ? [] : [sayValue(value, parameter, business)];
  });
  const lead = textsOf(business.locale).resumed([intent.title, ...known].join(", "));
  return { kind: "continued", task, given, lead };
}

/** What the message says in so many words, as one that begins a task. */
function plainly(turn: AgentTurn, { intent }: Task): ReadonlyMap<string, string> {
  return readParameters(turn.message, {
    ...{ intent, business: turn.business, now: zonedNow(turn) },
    ...{ asked: null, values: new Map<string, string>(), isOpening: true },
  });
}

/** What an answer to the question asked last says, or null when it is none. */
function answered(turn: AgentTurn, { intent, asked, values }: Task): ReadonlyMap<string, string> | null {
  if (asked === null) return null;
  // After so long any words at all are no answer to what may be answered by any words.
  const given = readParameters(turn.message, {
    ...{ intent, business: turn.business, now: zonedNow(turn) },
    ...{ asked: asked.type === "text" ? null : asked, values },
  });
  return given.has(asked.name) ? given : null;
}

function zonedNow({ now, business }: { readonly now: number; readonly business: Business }): DateTime {
  return DateTime.fromMillis(now, { zone: business.timeZone });
}
