import type { AgentTurn } from "../../../messaging/agent.js";
import type { Plan } from "../decide.js";
import { type Node, step } from "../node.js";
import type { Outcome } from "../outcome.js";
import { beginTask, continueTask, fillTask, resumeTask } from "../tasks.js";

/** What the message says of the intent, and what is still missing. (SPEC A4, A24) */
export const takeParameters: Node = async (state, context) => ({
  outcome: await step("parameters", state, context, () => workOn(state.turn, state.plan)),
});

function workOn(turn: AgentTurn, plan: Plan): Outcome {
  switch (plan.kind) {
    case "begin":
      return beginTask(turn, plan.intent, plan.values);
    case "resume":
      return resumeTask(turn, plan.resumed);
    case "fill":
      return fillTask(turn, plan.task, plan.filled);
    case "continue":
      return continueTask(turn, plan) ?? plan.otherwise;
    case "tell":
      return plan.outcome;
  }
}
