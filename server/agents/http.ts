import type { Clock } from "../clock.js";
import type { Agent, AgentEvent, AgentTurn } from "../messaging/agent.js";
import { createHttpClient, type HttpClientOptions } from "./http-client.js";
import { agentRequest, secretOfBusiness } from "./http-request.js";
import { readResponse } from "./http-response.js";

export interface HttpAgentOptions extends HttpClientOptions {
  /** Signs every request; none: they are not signed. */
  readonly secret?: string | undefined;
  /** The addresses are those of businesses: each is signed for with what `secret` makes for it. Default: false. */
  readonly isForBusinesses?: boolean;
  readonly clock: Clock;
  readonly maxAnswerBytes: number;
  /** Silence in the middle of an answer after which it counts as broken off. Default 10 s. */
  readonly idleMs?: number;
}

const idleMsDefault = 10_000;

/**
 * An agent behind a URL, to which each turn is posted.
 * @see SPEC A12, A13; docs/agents.md
 */
export function createHttpAgent({ url, ...options }: HttpAgentOptions & { readonly url: string }): Agent {
  const target = new URL(url);
  const client = createHttpClient(options);
  const { clock, maxAnswerBytes, secret, isForBusinesses = false, idleMs = idleMsDefault } = options;
  return { node: "agent", name: target.host, answer };

  async function* answer(turn: AgentTurn, signal: AbortSignal): AsyncGenerator<AgentEvent> {
    signal.throwIfAborted();
    const own = isForBusinesses ? secretOfBusiness(secret, turn.businessId) : secret;
    const response = await client.post(target, { ...agentRequest(turn, own), signal });
    yield* readResponse(response, { clock, idleMs, maxAnswerBytes });
  }
}

/** Agents with addresses of their own; the one that was made first is forgotten first. */
const agentsMax = 1000;

/** An agent for each URL, made when it is first needed. */
export function createHttpAgents(options: HttpAgentOptions): (url: string) => Agent {
  const agents = new Map<string, Agent>();
  return (url) => {
    const known = agents.get(url);
    if (known !== undefined) return known;
    const [oldest] = agents.keys();
    if (oldest !== undefined && agents.size >= agentsMax) agents.delete(oldest);
    const agent = createHttpAgent({ url, ...options });
    agents.set(url, agent);
    return agent;
  };
}
