import type { AgentTurn } from "../../../messaging/agent.js";
import { type IntentTool, isTrusted } from "../../../messaging/business.js";
import type { ToolRequest, Tools } from "../../tools/tool.js";
import { locationOfTask } from "../locations.js";
import { type Node, step } from "../node.js";
import type { Outcome } from "../outcome.js";
import { toolCallOf } from "../say-complete.js";
import type { Task } from "../task.js";
import { takeBack } from "../tasks.js";

/** The tool that is to be called next, or null. */
export function toolToCall(outcome: Outcome): IntentTool | null {
  return outcome.kind === "complete" ? (outcome.task.intent.tool ?? null) : null;
}

/** Calls the tool of an intent that is complete. (SPEC A21, A22) */
export function callTool(tools: Tools): Node {
  return async (state, context) => {
    const { turn, endsAt, outcome } = state;
    const tool = toolToCall(outcome);
    if (outcome.kind !== "complete" || tool === null) return {};
    const request = requestOf(turn, outcome.task);
    const call = { tool, request, isTrusted: isTrusted(turn.business), endsAt, signal: context.signal };
    const called = await step(
      "tool",
      state,
      context,
      () => tools.call(call),
      ({ status }) => status === "failed",
    );
    const asking = called.status === "refused" ? takeBack(turn, outcome.task, called) : null;
    if (asking === null) return { outcome: { ...outcome, called } };
    return { outcome: asking, refusedCall: toolCallOf(outcome.task, called) };
  };
}

function requestOf(turn: AgentTurn, task: Task): ToolRequest {
  const { businessId, userId, sessionId, business, now } = turn;
  const { intentId, name: intent, parameters } = task.record;
  const { locationId } = locationOfTask(turn, intentId) ?? turn;
  const timestamp = new Date(now).toISOString();
  const { locale } = business;
  return { businessId, locationId, userId, sessionId, intentId, intent, parameters, locale, timestamp };
}
