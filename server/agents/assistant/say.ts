import type { AgentAnswer, AgentComponent, AgentTurn } from "../../messaging/agent.js";
import type { Business } from "../../messaging/business.js";
import { optionsOf } from "./choices.js";
import { choicesOf, formOf } from "./forms.js";
import type { Asking, Outcome } from "./outcome.js";
import { humanAction } from "./human-action.js";
import { isName } from "./names.js";
import { sayComplete } from "./say-complete.js";
import { endOf, type Task } from "./task.js";
import { textsOf } from "./texts.js";

/** An answer, and what is shown with it. */
export interface Spoken {
  readonly answer: AgentAnswer;
  readonly component: AgentComponent | null;
}

/** Pure: what was decided, in the business's own words. */
export function say(turn: AgentTurn, outcome: Outcome): Spoken {
  const { business } = turn;
  const texts = textsOf(business.locale);
  switch (outcome.kind) {
    case "found":
      return aside(outcome.found.entry.answer, outcome.task, business, { sources: [outcome.found.entry.title] });
    case "written":
      return aside(outcome.text, outcome.task, business, { sources: outcome.sources }, "\n\n");
    case "courtesy":
      return aside(texts[outcome.courtesy], outcome.task, business);
    case "unknown":
      return aside(business.fallback, outcome.task, business, { actions: [humanAction(business)] });
    case "settled":
      return aside(`${texts.settled} ${outcome.said}`, outcome.task, business);
    case "abandoned": {
      const intent = endOf(turn, outcome.task, "abandoned");
      return alone({ type: "answer", message: texts.abandoned, intent, isComplete: true });
    }
    case "unclear":
      return alone(askAgain(outcome.task, business));
    case "asking":
      return ask(outcome, business);
    case "complete":
      return alone(sayComplete(turn, outcome));
  }
}

function alone(answer: AgentAnswer): Spoken {
  return { answer, component: null };
}

/** Says something; in the middle of a task the question that is still open follows. (SPEC A5) */
function aside(
  said: string,
  task: Task | null,
  business: Business,
  more: Pick<AgentAnswer, "actions" | "sources"> = {},
  between = " ",
): Spoken {
  const pending = task?.asked?.question;
  const message = pending === undefined ? said : said + between + pending;
  const answer = { type: "answer", message, actions: [], ...more, isComplete: task === null } as const;
  return { answer, component: task && choicesOf(task, business) };
}

function ask({ task, lead, byForm, sources = [] }: Asking, business: Business): Spoken {
  const asked = { type: "answer", actions: [], isComplete: false, intent: task.record, sources } as const;
  // What a form asks becomes part of the text for those who see none. (SPEC M63)
  if (byForm && task.record.missing.length > 1) {
    const message = lead.length > 0 ? lead.join(" ") : textsOf(business.locale).form;
    return { answer: { ...asked, message }, component: formOf(task, business) };
  }
  const message = [...lead, task.asked!.question].join(" ");
  return { answer: { ...asked, message }, component: choicesOf(task, business) };
}

/** Asks once more, saying what is expected. */
function askAgain({ asked }: Task, business: Business): AgentAnswer {
  const { expected, expectedName, options, help } = textsOf(business.locale);
  if (asked === null) return { type: "answer", message: help };
  const choices = asked.type === "choice" ? optionsOf(asked, business) : [];
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
