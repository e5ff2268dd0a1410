import type { Agent } from "../messaging/agent.js";
import { streamOf } from "./stream.js";

/** Says back exactly what was said: for tests, and for measuring all that is around an agent. */
export function createEcho(): Agent {
  return {
    node: "echo",
    historyMax: 0,
    answer: (turn, signal) => streamOf([{ type: "answer", message: turn.message, isComplete: true }], signal),
  };
}
