import { DateTime } from "luxon";
import type { AgentTurn } from "../../messaging/agent.js";
import type { BusinessIntent } from "../../messaging/business.js";
import type { ToolRefused } from "../tools/tool.js";
import { checkTimes } from "./checks.js";
import { takeDate } from "./dates.js";
import { sayDoubt } from "./doubts.js";
import type { Filled } from "./filled.js";
import { locationIn } from "./locations.js";
import type { Asking, Complete, Outcome } from "./outcome.js";
import { type Heard, hearParameters, type ReadingContext } from "./parameters.js";
import type { Continued } from "./resuming.js";
import type { Found } from "./retrieve.js";
import { type Doubt, hear } from "./said.js";
import { newTask, type Task, withValues } from "./task.js";
import { textsOf } from "./texts.js";
import { takeTime } from "./times.js";
import { stems } from "./words.js";

/** Going on with a task. */
export interface Continuing {
  readonly kind: "continue";
  readonly task: Task;
  /** What the message says of it. */
  readonly heard: Heard;
  /** Of what is known, what is to be asked for again. */
  readonly dropped: readonly string[];
  /** What a question beside that asks for; null: there is none. */
  readonly answered: Found | null;
  /** What is told when it says nothing of it. */
  readonly otherwise: Outcome;
}

/** What a message gives a task: values by parameter name, and why others of them were not taken. */
interface Given {
  readonly values: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
  /** What was said, but not so that it could be taken: it is not known any more, and asked for. */
  readonly doubts?: ReadonlyMap<string, Doubt>;
}

/**
 * Begins an intent with all that the message already says of it. (SPEC A3, A4)
 * @param values what a model read in it; what can be read without one goes before
 */
export function beginTask(
  turn: AgentTurn,
  intent: BusinessIntent,
  values: ReadonlyMap<string, string> = new Map(),
): Asking | Complete {
  const task = newTask(turn, intent);
  const read = { ...readIn(turn, task, { isOpening: true }), problems: [] };
  return advance(
    turn,
    task,
    { ...read, values: new Map([...values, ...read.values]) },
    { lead: [intent.opening], byForm: true },
  );
}

/** Goes on with a task that the user had left. (SPEC A26) */
export function resumeTask(turn: AgentTurn, { task, given, lead }: Continued): Asking | Complete {
  return advance(turn, task, { values: given, problems: [] }, { lead: [lead], byForm: true });
}

/** Goes on with what the message says, or returns null when it says nothing that the task can use. (SPEC A4) */
export function continueTask(
  turn: AgentTurn,
  { task, heard, dropped, answered }: Continuing,
): Asking | Complete | null {
  if (isSilent(heard) && dropped.length === 0 && task.asked !== null) return null;
  const kept = new Map([...task.values].filter(([name]) => !dropped.includes(name)));
  const lead = answered === null ? [] : [answered.entry.answer];
  const next = advance(turn, { ...task, values: kept }, { ...heard, problems: [] }, { lead });
  return next.kind === "asking" && answered !== null ? { ...next, sources: [answered.entry.title] } : next;
}

/** Takes what was filled in as it is; what is still missing then is asked for by form again. (SPEC A24) */
export function fillTask(turn: AgentTurn, task: Task | null, { intent, ...given }: Filled): Asking | Complete {
  return advance(turn, task ?? newTask(turn, intent), given, { byForm: true });
}

/** Asks again for what the tool could not take. Nothing else is lost. (SPEC A22) */
export function takeBack(turn: AgentTurn, task: Task, { message, invalid }: ToolRefused): Asking | null {
  const values = new Map([...task.values].filter(([name]) => !invalid.includes(name)));
  const reduced = withValues(turn, task, values);
  if (reduced.asked === null) return null;
  return { kind: "asking", task: reduced, lead: [message ?? textsOf(turn.business.locale).refused], byForm: false };
}

/** What a message holds of a task. @param text of it, where not the whole is meant */
export function readIn(
  { message, business, now }: AgentTurn,
  { intent, asked, values }: Task,
  { text = message, ...how }: { readonly text?: string } & Pick<ReadingContext, "isOpening" | "isTopical">,
): Heard {
  const zoned = zonedNow(now, business.timeZone);
  return hearParameters(text, { intent, business, asked, values, now: zoned, ...how });
}

/** Whether a message holds a day or an hour and nothing else: who was asked for one has answered. */
export function isOnlyMoment({ message, business, now }: AgentTurn): boolean {
  const said = hear(message);
  const date = takeDate(said, { today: zonedNow(now, business.timeZone), isAsked: true });
  const { rest } = date ?? { rest: said };
  const time = takeTime(rest, { isAsked: true });
  return (date ?? time) !== null && stems((time?.rest ?? rest).text).length === 0;
}

/** Whether it says nothing of a task. */
export function isSilent({ values, doubts }: Heard): boolean {
  return values.size === 0 && doubts.size === 0;
}

/** Takes what is new, and drops what cannot be. */
function advance(
  turn: AgentTurn,
  task: Task,
  given: Given,
  { lead = [], byForm = false }: { readonly lead?: readonly string[]; readonly byForm?: boolean } = {},
): Asking | Complete {
  const now = zonedNow(turn.now, turn.business.timeZone);
  const { doubts = new Map<string, Doubt>() } = given;
  const known = [...task.values].filter(([name]) => !doubts.has(name));
  const { values, problems } = checkTimes(task.intent, new Map([...known, ...given.values]), turn.business, now);
  const advanced = withValues(turn, task, values);
  if (advanced.asked === null) return { kind: "complete", task: advanced, lead, called: null };
  // Why something has to be asked is told when it is.
  const doubt = doubts.get(advanced.asked.name);
  const why = doubt === undefined || doubt.kind === "refused" ? [] : [sayDoubt(doubt, advanced.asked, turn.business)];
  const location = locationIn(turn.message, turn.business);
  const where = location === null ? [] : [textsOf(turn.business.locale).location(location.name)];
  return {
    kind: "asking",
    task: advanced,
    lead: [...lead, ...where, ...given.problems, ...problems, ...why],
    byForm: byForm && task.intent.ask === "form",
  };
}

function zonedNow(now: number, zone: string): DateTime {
  return DateTime.fromMillis(now, { zone });
}
