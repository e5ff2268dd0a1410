import type { Agent, AgentAnswer, AgentEvent, AgentTurn } from "../../messaging/agent.js";
import { streamOf } from "../stream.js";
import { namedOption } from "./choices.js";
import { givesUpOn, isQuestion, isRefusal, implied, type Recognised, recognise } from "./recognise.js";
import { type Found, retrieve } from "./retrieve.js";
import { askAgain, beginTask, continueTask, type Task, taskOf } from "./tasks.js";
import { type Texts, textsOf } from "./texts.js";
import { stems, words } from "./words.js";

/** How well another intent must fit to be begun in the middle of one. */
const SWITCH_SCORE_MIN = 0.6;

/**
 * The agent that comes with the server: it needs no model, no key and no download. It does what the business wrote
 * down, its intents and its knowledge, and says so when that is not enough.
 * @see SPEC A1 to A7
 */
export function createAssistant(): Agent {
  return { node: "agent", answer: (turn, signal) => streamOf(respond(turn), signal) };
}

/** What was understood of one message, before anything is decided. */
interface Understood {
  readonly recognised: Recognised | null;
  readonly found: Found | null;
  readonly isQuestion: boolean;
}

function* respond(turn: AgentTurn): Generator<AgentEvent, void> {
  const { message, business } = turn;
  const { steps } = textsOf(business.locale);
  const recognised = yield* step(
    "intent",
    steps.intent,
    () => recognise(message, business) ?? implied(message, business),
  );
  const found = yield* step("retrieval", steps.retrieval, () => retrieve(message, business));
  const understood = { recognised, found, isQuestion: isQuestion(message) };
  const task = taskOf(turn);
  const answer = task === null ? answerFreely(turn, understood) : answerInTask(turn, task, understood);
  yield turn.isFirstContact ? { ...answer, message: `${business.greeting} ${answer.message}` } : answer;
}

/** One stage of the answer, shown while it runs. */
function* step<Outcome>(name: string, label: string, run: () => Outcome): Generator<AgentEvent, Outcome> {
  yield { type: "thinking", step: name, label, status: "started" };
  const outcome = run();
  yield { type: "thinking", step: name, label, status: "done" };
  return outcome;
}

function answerFreely(turn: AgentTurn, understood: Understood): AgentAnswer {
  const { recognised, found, isQuestion } = understood;
  // "Cât durează o programare?" names an intent, yet asks something; the better fit tells which was meant.
  const asksSomething = isQuestion && found !== null && found.score >= (recognised?.score ?? 0);
  if (recognised !== null && !asksSomething) return beginTask(turn, recognised.intent);
  // "Nu vreau o programare": whatever its words find, nothing was asked for.
  if (!isQuestion && isRefusal(turn.message)) return plain(textsOf(turn.business.locale).help);
  return found === null ? answerWithout(turn) : tell(found);
}

/** In the middle of a task, in this order: an option said in full, giving up, a question, another task, an answer. */
function answerInTask(turn: AgentTurn, task: Task, { recognised, found, isQuestion }: Understood): AgentAnswer {
  const { message, business } = turn;
  const isOption = task.asked?.type === "choice" && namedOption(message, task.asked, business) !== null;
  if (!isOption && givesUpOn(task.intent, message)) {
    return { type: "answer", message: textsOf(business.locale).abandoned, intent: null, isComplete: true };
  }
  if (isQuestion && found !== null) return tell(found, task);
  if (!isOption && isAnotherTask(recognised, task)) return beginTask(turn, recognised.intent);
  return continueTask(turn, task) ?? (found === null ? askAgain(turn, task) : tell(found, task));
}

function isAnotherTask(recognised: Recognised | null, { intent }: Task): recognised is Recognised {
  return recognised !== null && recognised.intent !== intent && recognised.score >= SWITCH_SCORE_MIN;
}

/** Tells what was found and where; in the middle of a task the question that is still open follows. (SPEC A5) */
function tell({ entry }: Found, task: Task | null = null): AgentAnswer {
  const pending = task?.asked?.question;
  const message = pending === undefined ? entry.answer : `${entry.answer} ${pending}`;
  return { type: "answer", message, actions: [], isComplete: pending === undefined, sources: [entry.title] };
}

/** Courtesies are returned; to all else the answer is that we do not know, and who might. (SPEC A6) */
function answerWithout({ message, business }: AgentTurn): AgentAnswer {
  const texts = textsOf(business.locale);
  const courtesy = courtesyFor(message, texts);
  if (courtesy !== null) return plain(courtesy);
  return {
    type: "answer",
    message: business.fallback,
    actions: [{ type: "human", label: texts.human }],
    isComplete: true,
  };
}

function plain(message: string): AgentAnswer {
  return { type: "answer", message, actions: [], isComplete: true };
}

const COURTESY_WORDS_MAX = 6;
const thanks = new Set(["multumesc", "multumim", "mersi", "thanks", "thank"]);

/** The answer to "bună ziua" or "mulțumesc", or null when the text is about something. */
function courtesyFor(message: string, texts: Texts): string | null {
  const said = words(message);
  if (said.length === 0 || isQuestion(message)) return null;
  if (said.length <= COURTESY_WORDS_MAX && said.some((word) => thanks.has(word))) return texts.welcome;
  return stems(message).length === 0 ? texts.help : null;
}
