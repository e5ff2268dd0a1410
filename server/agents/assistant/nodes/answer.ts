import type { AgentAnswer } from "../../../messaging/agent.js";
import { type AssistantState, type Node, step } from "../node.js";
import { say } from "../say.js";
import { leadOf } from "./model.js";

/** Words what was decided, and says it: the last node, and the only one that answers. (SPEC A1, A2) */
export const answer: Node = async (state, context) => {
  const { turn, outcome, refusedCall, written } = state;
  const run = () => say(turn, outcome);
  // Where a model has written, that step has been shown.
  const { answer: said, component } = written === null ? await step("response", state, context, run) : run();
  const message = wholeMessage(state, said);
  const shown = written?.shown ?? "";
  // What was begun piece by piece is gone on with so.
  if (shown !== "" && message !== shown) context.show({ type: "delta", text: message.slice(shown.length) });
  if (component !== null) context.show(component);
  context.show({
    ...said,
    message,
    ...(refusedCall === null ? {} : { toolCalls: [refusedCall] }),
    ...(written === null || written.tokens === null ? {} : { tokens: written.tokens }),
  });
  return {};
};

function wholeMessage({ turn, written }: AssistantState, { message }: AgentAnswer): string {
  const before = written === null || written.before === "" ? "" : `${written.before}\n\n`;
  return leadOf(turn) + before + message;
}
