import type { Clock } from "../../clock.js";
import { AgentError } from "../../messaging/agent.js";
import { AgentFailure } from "../../messaging/steps/agent-failure.js";
import { CircuitBreaker } from "../../messaging/steps/circuit-breaker.js";
import type { ChatModel, ModelEvent, ModelRequest } from "./chat-model.js";

/** A model that says when it may be asked again is believed for so long. */
const restMaxMs = 60_000;

export interface ModelWatch {
  /** Told of each call that failed, but not of those that were not made. */
  readonly onFailure?: (model: ChatModel, error: AgentError) => void;
  /** Told when nobody asks the model any more, and when it is asked again. */
  readonly onCircuit?: (model: ChatModel, isOpen: boolean) => void;
}

/**
 * A model that is not asked while it cannot answer: after failures in a row but for a probe now and then, and not before
 * its Retry-After. Then it fails at once, as `model_resting`, and whoever asked loses no time. (SPEC A33)
 */
export function guardedModel(model: ChatModel, clock: Clock, { onFailure, onCircuit }: ModelWatch = {}): ChatModel {
  const circuit = new CircuitBreaker(clock, (isOpen) => onCircuit?.(model, isOpen));
  let restsUntil = -Infinity;
  return { name: model.name, complete };

  async function* complete(request: ModelRequest): AsyncGenerator<ModelEvent> {
    if (circuit.waitMs > 0 || clock.monotonic() < restsUntil) throw new AgentError("model_resting");
    circuit.called();
    try {
      yield* model.complete(request);
      circuit.succeeded();
    } catch (error) {
      if (hasTimedOut(request.signal)) failed(new AgentError("model_timeout"));
      // That nobody wants the answer any more says nothing about the model.
      else if (!request.signal.aborted && error instanceof AgentError) failed(error);
      throw error;
    }
  }

  function failed(error: AgentError): void {
    if (error.isThere) circuit.succeeded();
    else circuit.failed();
    if (error.retryAfterMs !== null) restsUntil = clock.monotonic() + Math.min(error.retryAfterMs, restMaxMs);
    onFailure?.(model, error);
  }
}

/** The model had begun, and was not done when the turn's time was over. */
function hasTimedOut({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof AgentFailure && reason.code === "agent_timeout";
}
