import type { AgentTurn } from "../../messaging/agent.js";
import type { BusinessIntent, IntentParameter } from "../../messaging/business.js";
import { isCorrecting, isInstead, toBeChanged } from "./corrections.js";
import { courtesyFor } from "./courtesy.js";
import type { Filled, Submitted } from "./filled.js";
import { isName } from "./names.js";
import { deniedIn } from "./negations.js";
import type { Outcome } from "./outcome.js";
import { givesUpOn, isQuestion, isRefusal, type Recognised } from "./recognise.js";
import { type Continued, leftTask, resuming } from "./resuming.js";
import type { Found } from "./retrieve.js";
import { hear } from "./said.js";
import { isGoingOn, isStartingOver } from "./steering.js";
import type { Task } from "./task.js";
import { type Continuing, isOnlyMoment, isSilent, readIn } from "./tasks.js";
import { undoing } from "./undoing.js";
import { fold } from "./words.js";

/** How well another intent must fit to be begun in the middle of one. */
const SWITCH_SCORE_MIN = 0.6;

/** A question that was foreseen goes before an intent that fits hardly better. */
const QUESTION_AHEAD = 0.05;

/** What was understood of one message, before anything is decided. */
export interface Understood {
  readonly task: Task | null;
  readonly submitted: Submitted | null;
  readonly recognised: Recognised | null;
  readonly found: Found | null;
}

/** What is to be done with a message: work on an intent, or tell something. */
export type Plan =
  | {
      readonly kind: "begin";
      readonly intent: BusinessIntent;
      /** What a model read in the message, by parameter name. */
      readonly values?: ReadonlyMap<string, string>;
    }
  | Continuing
  | { readonly kind: "resume"; readonly resumed: Continued }
  | { readonly kind: "fill"; readonly task: Task | null; readonly filled: Filled }
  | { readonly kind: "tell"; readonly outcome: Outcome };

/** Pure: the one place where it is decided what a message means. */
export function decide(turn: AgentTurn, understood: Understood): Plan {
  const { task, submitted } = understood;
  switch (submitted?.kind) {
    case "filled": {
      const { filled } = submitted;
      // What is filled in late goes on with what was left, with all that was said then.
      const at = task ?? leftTask(turn);
      return { kind: "fill", task: filled.intent === at?.intent ? at : null, filled };
    }
    case "settled":
      return tell({ kind: "settled", said: submitted.said, task });
    case "stale":
      return tell(task === null ? { kind: "courtesy", courtesy: "help", task } : { kind: "unclear", task });
    case undefined:
  }
  return task === null ? decideFreely(turn, understood) : decideInTask(turn, task, understood);
}

function decideFreely(turn: AgentTurn, { recognised, found }: Understood): Plan {
  const { message } = turn;
  const undone = undoing(turn);
  if (undone !== null) {
    return undone.by === null ? tell({ kind: "unknown", task: null }) : { kind: "begin", intent: undone.by };
  }
  // "Cât durează o programare?" names an intent, yet asks something; the better fit tells which was meant.
  const asksSomething =
    isQuestion(message) && found !== null && found.score + QUESTION_AHEAD > (recognised?.score ?? 0);
  const begun = asksSomething ? null : recognised;
  const resumed = resuming(turn, { recognised: begun, mayAnswer: found === null && !isQuestion(message) });
  switch (resumed?.kind) {
    case "continued":
      return { kind: "resume", resumed };
    case "anew":
      return { kind: "begin", intent: resumed.task.intent };
    case "forgotten":
      return tell({ kind: "abandoned", task: resumed.task });
    case undefined:
  }
  if (begun !== null) return { kind: "begin", intent: begun.intent };
  // "Nu vreau o programare": whatever its words find, nothing was asked for.
  if (!isQuestion(message) && isRefusal(message)) return tell({ kind: "courtesy", courtesy: "help", task: null });
  if (found !== null) return tell({ kind: "found", found, task: null });
  const courtesy = courtesyFor(message);
  return tell(courtesy === null ? { kind: "unknown", task: null } : { kind: "courtesy", courtesy, task: null });
}

/**
 * In the middle of a task, in this order: beginning it anew, going on, giving it up, a question, another task, an answer.
 * Where values of the task are said, it is about the task.
 */
function decideInTask(turn: AgentTurn, task: Task, { recognised, found }: Understood): Plan {
  const { message } = turn;
  const { intent, asked } = task;
  if (isStartingOver(message)) return { kind: "begin", intent };
  if (asked !== null && isGoingOn(message, intent)) return tell({ kind: "asking", task, lead: [], byForm: false });
  const isTopical = recognised !== null || found !== null;
  const heard = readIn(turn, task, { isTopical });
  const { values, doubts } = heard;
  const plain = [...values.keys(), ...doubts.keys()].filter((name) => !isFreeText(intent, name));
  const isOption = asked?.type === "choice" && values.has(asked.name);
  const isKept = isOption || (plain.length > 0 && isInstead(message));
  if (!isKept && givesUpOn(intent, message)) return tell({ kind: "abandoned", task });
  if (isQuestion(message) && found !== null) {
    const beside = readIn(turn, task, { text: withoutQuestions(message), isTopical });
    const otherwise = { kind: "found", found, task } as const;
    return isSilent(beside)
      ? tell(otherwise)
      : { kind: "continue", task, heard: beside, dropped: [], answered: found, otherwise };
  }
  const changed = [...toBeChanged(message, task), ...deniedOf(turn, task)].filter(
    (name) => !values.has(name) && !doubts.has(name),
  );
  const isAnswer = asked !== null && isAnswerTo(asked, turn, values);
  const isOfTask =
    isOption ||
    isAnswer ||
    isSubject(message, task) ||
    changed.length > 0 ||
    (plain.length > 0 && isCorrecting(message));
  if (!isOfTask && isAnotherTask(recognised, task)) return { kind: "begin", intent: recognised.intent };
  const dropped = changed.filter((name) => task.values.has(name));
  const said = dropped.length === 0 ? values : new Map([...values].filter(([name]) => !isFreeText(intent, name)));
  const otherwise = tellOtherwise(message, task, found);
  return { kind: "continue", task, heard: { values: said, doubts }, dropped, answered: null, otherwise };
}

/** Of which values a message says that they are not wanted: "nu vreau detartraj", when that is known. */
function deniedOf(turn: AgentTurn, task: Task): readonly string[] {
  const text = deniedIn(hear(turn.message));
  if (text === null) return [];
  return [...readIn(turn, task, { text }).values]
    .filter(([name, value]) => task.values.get(name) === value)
    .map(([name]) => name);
}

function isAnswerTo({ type, name }: IntentParameter, turn: AgentTurn, values: ReadonlyMap<string, string>): boolean {
  if (type === "date" || type === "time") return isOnlyMoment(turn);
  return (type === "phone" || type === "email") && values.has(name);
}

/** "Despre programare", where any words are an answer, begins nothing. */
function isSubject(message: string, { intent, asked }: Task): boolean {
  return (
    asked !== null &&
    isFreeText(intent, asked.name) &&
    /^(?:e(?:ste)? vorba|despre|(?:it is )?about)\b/.test(fold(message))
  );
}

/** What is told of a message that is no answer to what is asked for. */
function tellOtherwise(message: string, task: Task, found: Found | null): Outcome {
  if (courtesyFor(message) === "welcome") return { kind: "courtesy", courtesy: "welcome", task };
  if (found !== null) return { kind: "found", found, task };
  return isQuestion(message) ? { kind: "unknown", task } : { kind: "unclear", task };
}

function isFreeText({ parameters }: BusinessIntent, name: string): boolean {
  const parameter = parameters.find((each) => each.name === name);
  return parameter?.type === "text" && !isName(parameter);
}

/** The parts of a message that ask nothing: "vineri la 10, cât costă?" */
function withoutQuestions(message: string): string {
  return message
    .split(/(?<=[.!?])\s+|[,;\n]+/)
    .filter((part) => !isQuestion(part))
    .join(", ");
}

function isAnotherTask(recognised: Recognised | null, { intent }: Task): recognised is Recognised {
  return recognised !== null && recognised.intent !== intent && recognised.score >= SWITCH_SCORE_MIN;
}

function tell(outcome: Outcome): Plan {
  return { kind: "tell", outcome };
}
