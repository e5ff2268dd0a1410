import { type Node, step } from "../node.js";
import { retrieve } from "../retrieve.js";

/** What the business knows about the message. (SPEC A5) */
export const retrieveKnowledge: Node = async (state, context) => {
  const { message, business } = state.turn;
  return { found: await step("retrieval", state, context, () => retrieve(message, business)) };
};
