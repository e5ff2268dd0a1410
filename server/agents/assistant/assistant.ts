import { type Clock, systemClock } from "../../clock.js";
import type { Agent, AgentEvent, AgentTurn } from "../../messaging/agent.js";
import type { ChatModel } from "../model/chat-model.js";
import { createWebhooks, type WebhookOptions } from "../tools/webhook.js";
import type { AssistantGraph } from "./graph.js";
import { loadGraph } from "./load-graph.js";

export interface AssistantOptions extends Partial<WebhookOptions> {
  readonly clock?: Clock;
  /** Writes what nobody wrote down. Default: none. */
  readonly model?: ChatModel | null;
}

export interface Assistant extends Agent {
  /** Loads what the first answer would have to wait for. Again, it costs nothing. */
  warm(): Promise<void>;
}

/** What is left of a turn's time for saying how it ended. */
const sayMs = 1000;

/**
 * The agent that comes with the server: it needs no model, no key and no download. It does what the business wrote
 * down, its intents and its knowledge, and says so when that is not enough. Its graph is loaded when it is first
 * needed: a server that never asks it pays nothing for it.
 * @see SPEC A1 to A7, A20 to A25
 */
export function createAssistant(options: AssistantOptions = {}): Assistant {
  const { clock = systemClock, model = null } = options;
  let graph: Promise<AssistantGraph> | null = null;
  return { node: "agent", answer, warm };

  async function* answer(turn: AgentTurn, signal: AbortSignal): AsyncGenerator<AgentEvent> {
    signal.throwIfAborted();
    const endsAt = clock.monotonic() + (turn.deadline - turn.now) - sayMs;
    const loaded = await load();
    signal.throwIfAborted();
    yield* loaded.run({ turn, endsAt }, signal);
  }

  async function warm(): Promise<void> {
    await load();
  }

  function load(): Promise<AssistantGraph> {
    graph ??= loadGraph({ tools: createWebhooks({ ...options, clock }), model }).catch((error: unknown) => {
      // The next turn tries again.
      graph = null;
      throw error;
    });
    return graph;
  }
}
