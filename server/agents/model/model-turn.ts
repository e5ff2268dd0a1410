import type { AgentTurn } from "../../messaging/agent.js";
import type { BusinessIntent } from "../../messaging/business.js";

/** All that a model is told of one turn: what is not in here cannot reach it. */
export interface ModelTurn {
  readonly turn: AgentTurn;
  /** What the business knows that may be the answer; the best first. */
  readonly passages: readonly Passage[];
  /** What the user is in the middle of. */
  readonly task: OpenTask | null;
  /** What stands before what it writes, and behind it. */
  readonly around: readonly string[];
}

export interface Passage {
  readonly title: string;
  readonly text: string;
}

export interface OpenTask {
  readonly intent: BusinessIntent;
  /** What is known so far, by parameter name. */
  readonly values: ReadonlyMap<string, string>;
  /** What was asked for last. */
  readonly question: string | null;
}
