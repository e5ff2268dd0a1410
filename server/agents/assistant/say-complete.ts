import type { AgentAnswer, AgentTurn } from "../../messaging/agent.js";
import type { ToolOutcome } from "../tools/tool.js";
import { sayValue } from "./checks.js";
import { locationOfTask } from "./locations.js";
import type { Complete } from "./outcome.js";
import { offerToGoOn } from "./resuming.js";
import { humanAction } from "./human-action.js";
import { endOf, type Task } from "./task.js";
import { textsOf } from "./texts.js";

/**
 * Says that it is done, or that its tool did not do it: then the task stays, with all that is known of it. The answer
 * itself is the record of what was settled: it carries the intent and its parameters as a tool call, since the
 * session's intent ends with it. (SPEC A22)
 */
export function sayComplete(turn: AgentTurn, { task, lead, called }: Complete): AgentAnswer {
  const { business } = turn;
  const texts = textsOf(business.locale);
  const toolCalls = [toolCallOf(task, called)];
  const open = { type: "answer", isComplete: false, intent: task.record, toolCalls } as const;
  switch (called?.status) {
    case "failed":
      return { ...open, message: texts.undone, actions: [humanAction(business)] };
    case "refused":
      return { ...open, message: called.message ?? texts.refused, actions: [humanAction(business)] };
    case "done":
    case undefined: {
      const spoken = fillPlaces(called?.message ?? task.intent.confirmation, turn, task, called?.parameters);
      const offer = offerToGoOn(turn, task.record);
      const location = locationOfTask(turn, task.record.intentId);
      const where = location === null ? [] : [texts.location(location.name)];
      const said = [...(task.intent.parameters.length === 0 ? lead : []), spoken, ...where];
      const message = [...said, ...(offer === null ? [] : [offer.text])].join(" ");
      const intent = endOf(turn, task, "completed");
      return {
        type: "answer",
        message,
        actions: offer === null ? [] : [offer.action],
        isComplete: true,
        intent,
        toolCalls,
      };
    }
  }
}

/** What is kept of a call with the answer. Its message is the answer. */
export function toolCallOf({ intent, record }: Task, called: ToolOutcome | null): Readonly<Record<string, unknown>> {
  const call = { name: intent.name, intentId: record.intentId, parameters: record.parameters };
  switch (called?.status) {
    case undefined:
      return call;
    case "done":
      return { ...call, status: "done", result: called.parameters };
    case "refused":
      return { ...call, status: "refused", invalid: called.invalid };
    case "failed":
      return { ...call, status: "failed", code: called.code };
  }
}

/** `{name}` stands for the value of that name: what the user said of it, else what the tool did. */
function fillPlaces(
  text: string,
  { business }: AgentTurn,
  { intent, values }: Task,
  given: Readonly<Record<string, string>> = {},
): string {
  return text.replace(/\{([^{}]*)\}/g, (place, name: string) => {
    const parameter = intent.parameters.find((each) => each.name === name);
    const value = values.get(name);
    if (parameter !== undefined && value !== undefined) return sayValue(value, parameter, business);
    return Object.hasOwn(given, name) ? given[name]! : place;
  });
}
