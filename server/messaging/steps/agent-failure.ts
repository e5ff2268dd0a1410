import type { Code } from "../../../protocol/codes.js";

/** The agent gave no answer that can be used, or was not asked in time. */
export class AgentFailure extends Error {
  override readonly name = "AgentFailure";

  constructor(
    readonly code: Extract<Code, "agent_timeout" | "agent_failed" | "agent_unavailable" | "busy" | "cancelled">,
    cause?: unknown,
  ) {
    super(code, { cause });
  }
}

/** Nobody is to answer this turn here and now: it stays open, without an outcome, for whoever takes it up. */
export class TurnWithdrawn extends Error {
  override readonly name = "TurnWithdrawn";
}
