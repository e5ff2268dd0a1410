import { decide } from "../decide.js";
import type { Node } from "../node.js";

/** What is to be done. */
export const decidePlan: Node = ({ turn, task, submitted, recognised, found }) => {
  const plan = decide(turn, { task, submitted, recognised, found });
  return plan.kind === "tell" ? { plan, outcome: plan.outcome } : { plan };
};
