import type { Code } from "../../../protocol/codes.js";
import type { Clock } from "../../clock.js";
import type { Agent, AgentAnswer, AgentEvent, AgentTurn } from "../agent.js";

/** The agent gave no answer that can be used. */
export class AgentFailure extends Error {
  override readonly name = "AgentFailure";

  constructor(
    readonly code: Extract<Code, "agent_timeout" | "agent_failed">,
    cause?: unknown,
  ) {
    super(code, { cause });
  }
}

export interface AgentLimits {
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
}

/**
 * Calls the agent and waits for its one answer, but never beyond the deadline, whether or not it heeds the signal.
 * @throws AgentFailure
 * @see SPEC A1, M19
 */
export async function callAgent(
  agent: Agent,
  turn: AgentTurn,
  clock: Clock,
  limits: AgentLimits,
): Promise<AgentAnswer> {
  const controller = new AbortController();
  let cancel = () => {};
  const deadline = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(limits.timeoutMs, () => {
      const failure = new AgentFailure("agent_timeout");
      controller.abort(failure);
      reject(failure);
    });
  });
  // Whoever loses the race must not become an unhandled rejection.
  deadline.catch(() => undefined);
  try {
    return await Promise.race([answerOf(agent.answer(turn, controller.signal), limits.maxAnswerBytes), deadline]);
  } catch (cause) {
    throw cause instanceof AgentFailure ? cause : new AgentFailure("agent_failed", cause);
  } finally {
    cancel();
  }
}

async function answerOf(events: AsyncIterable<AgentEvent>, maxBytes: number): Promise<AgentAnswer> {
  for await (const event of events) {
    if (event.type !== "answer") continue;
    if (typeof event.message !== "string" || event.message === "") throw new TypeError("the answer has no text");
    if (Buffer.byteLength(event.message) > maxBytes)
      throw new RangeError(`the answer is longer than ${maxBytes} bytes`);
    return { ...event, message: event.message.toWellFormed() };
  }
  throw new TypeError("the agent ended without an answer");
}
