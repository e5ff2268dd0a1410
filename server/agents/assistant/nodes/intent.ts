import { type Node, step } from "../node.js";
import { implied, recognise } from "../recognise.js";

/** Which of the business's intents the message begins. (SPEC A3) */
export const recogniseIntent: Node = async (state, context) => {
  const { message, business } = state.turn;
  const recognised = await step(
    "intent",
    state,
    context,
    () => recognise(message, business) ?? implied(message, business),
  );
  return { recognised };
};
