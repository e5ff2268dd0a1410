import type { Agent, AgentEvent, AgentTurn } from "../messaging/agent.js";
import type { ConnectedAgents } from "../messaging/conversation/connected-agents.js";
import { humanAction } from "./assistant/human-action.js";

/** Agents that were made; the one that was made first is forgotten first. */
const agentsMax = 1000;

/** Which of a business's connected agents answer; null: whichever are there. */
export type AgentIds = readonly string[] | null;

/**
 * An agent that is whichever of these is connected to `agent:<agentId>` and the least busy. With none of them there its
 * answer is the business's fallback, with the offer of a human.
 * @see SPEC A40, A41
 */
export function createChannelAgent(connected: Pick<ConnectedAgents, "ask" | "silence">, agentIds: AgentIds): Agent {
  return {
    node: "agent",
    name: agentIds?.join() ?? "channel",
    historyMax: 0,
    answer,
    onSilenced: (turn) => connected.silence(turn),
  };

  async function* answer(turn: AgentTurn, signal: AbortSignal): AsyncGenerator<AgentEvent> {
    const { business } = turn;
    const said = await connected.ask(agentIds, turn, signal);
    if (said === null) {
      yield { type: "answer", message: business.fallback, actions: [humanAction(business)], isComplete: true };
      return;
    }
    const toolCalls = said.toolCalls as readonly unknown[] | undefined;
    yield { type: "answer", message: said.content, ...(toolCalls === undefined ? {} : { toolCalls }) };
  }
}

/** One for each business and its choice of agents, made when it is first needed. */
export function createChannelAgents(
  connected: Pick<ConnectedAgents, "ask" | "silence">,
): (businessId: string, agentIds: AgentIds) => Agent {
  const agents = new Map<string, Agent>();
  return (businessId, agentIds) => {
    const key = JSON.stringify([businessId, agentIds]);
    const known = agents.get(key);
    if (known !== undefined) return known;
    const [oldest] = agents.keys();
    if (oldest !== undefined && agents.size >= agentsMax) agents.delete(oldest);
    const agent = createChannelAgent(connected, agentIds);
    agents.set(key, agent);
    return agent;
  };
}
