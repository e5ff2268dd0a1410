import type { AgentComponent, ComponentField } from "../../messaging/agent.js";
import type { Business, IntentParameter } from "../../messaging/business.js";
import { componentLimits } from "../../messaging/components.js";
import { optionsOf } from "./choices.js";
import type { Task } from "./task.js";
import { textsOf } from "./texts.js";

/** All that a task does not know yet, to be filled in at once. (SPEC A24) */
export function formOf({ intent, values }: Task, business: Business): AgentComponent {
  const open = intent.parameters.filter(({ name }) => !values.has(name));
  return {
    type: "component",
    kind: "form",
    title: textsOf(business.locale).form,
    fields: open.map((each) => fieldOf(each, business)),
  };
}

export function fieldOf(parameter: IntentParameter, business: Business): ComponentField {
  const { name, question, label = question, type, required } = parameter;
  const field = { name, label, type, required };
  return parameter.type === "choice" ? { ...field, options: optionsOf(parameter, business) } : field;
}

/** The options of what is asked for, or null where there are none, or more than can be shown. (SPEC A25) */
export function choicesOf({ asked }: Task, business: Business): AgentComponent | null {
  if (asked?.type !== "choice" || asked.question.length > componentLimits.label) return null;
  const options = optionsOf(asked, business);
  if (options.length > componentLimits.choices) return null;
  return {
    type: "component",
    kind: "choices",
    title: asked.question,
    choices: options.map((option) => ({ value: option, label: option })),
    // An answer in one's own words does as well.
    inText: true,
  };
}
