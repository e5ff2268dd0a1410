import type { AgentEvent } from "../messaging/agent.js";

/**
 * Events that are made without waiting, as the stream that an agent owes. Each is made
 * only when it is asked for, and none once the turn was stopped.
 */
export function streamOf(events: Iterable<AgentEvent>, signal: AbortSignal): AsyncIterable<AgentEvent> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = events[Symbol.iterator]();
      const next = (): IteratorResult<AgentEvent> => {
        signal.throwIfAborted();
        return iterator.next();
      };
      // What is thrown while an event is made must reject the promise, never escape from the call.
      return { next: () => new Promise((resolve) => resolve(next())) };
    },
  };
}
