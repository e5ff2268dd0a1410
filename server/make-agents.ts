import { createAssistant } from "./agents/assistant/assistant.js";
import { isGraphInstalled } from "./agents/assistant/load-graph.js";
import type { ChatModel } from "./agents/model/chat-model.js";
import { guardedModel, type ModelWatch } from "./agents/model/guarded-model.js";
import { createHttpModel } from "./agents/model/http-model.js";
import { type AgentIds, createChannelAgents } from "./agents/channel.js";
import { createEcho } from "./agents/echo.js";
import { createHttpAgents } from "./agents/http.js";
import { isPublicAddress, isPublicHost } from "./agents/public-address.js";
import type { Clock } from "./clock.js";
import { type Config, ConfigError } from "./config.js";
import type { Agent } from "./messaging/agent.js";
import { type Business, isTrusted } from "./messaging/business.js";
import { problemsOfPlatforms } from "./make-platforms.js";
import { type ConnectedAgents, createConnectedAgents } from "./messaging/conversation/connected-agents.js";
import type { BusinessProblem } from "./messaging/business-problems.js";

/** Everybody who can answer. */
export interface Agents {
  /** A business's own choice wins over what the server was started with. */
  agentFor(business: Business): Agent;
  /** The agent to which a conversation belongs. (SPEC M90) @param agentId null: it was taken out, and nobody is asked */
  connectedAgent(businessId: string, agentId: string | null): Agent;
  /** @throws ConfigError when an agent that is wanted is not installed */
  check(businesses: ReadonlyMap<string, Business>): void;
  /** What a business cannot have here: addresses that are not for it. (SPEC B6) */
  problemsOf(business: Business): readonly BusinessProblem[];
  /**
   * Loads what some of these businesses' first answers would have to wait for. Never rejects: what cannot be loaded
   * fails again, and is told, when it is needed.
   */
  warm(businesses: ReadonlyMap<string, Business>): Promise<void>;
}

export interface AgentsOptions {
  /** Agents by kind, beside or instead of the built-in ones. */
  readonly given?: Readonly<Record<string, Agent>> | undefined;
  /** Told how it goes with the model of MODEL_URL. */
  readonly modelWatch?: ModelWatch;
  /** Those who connect as a client. */
  readonly connected?: Pick<ConnectedAgents, "ask" | "silence">;
}

export function makeAgents(
  config: Config,
  clock: Clock,
  { given = {}, modelWatch = {}, connected = createConnectedAgents(clock) }: AgentsOptions = {},
): Agents {
  const { AGENT_URL, AGENT_SECRET: secret, MAX_ANSWER_BYTES: maxAnswerBytes } = config;
  const assistant = createAssistant({ clock, secret, model: modelOf(config, clock, modelWatch) });
  const agents: Readonly<Record<string, Agent>> = { assistant, echo: createEcho(), ...given };
  const byUrl = createHttpAgents({ secret, clock, maxAnswerBytes });
  const guards = { isForBusinesses: true, mayConnectTo: isPublicAddress };
  const byPublicUrl = createHttpAgents({ secret, clock, maxAnswerBytes, ...guards });
  const byChannel = createChannelAgents(connected);
  return {
    agentFor,
    connectedAgent: (businessId, agentId) => byChannel(businessId, agentId === null ? [] : [agentId]),
    check,
    problemsOf,
    warm,
  };

  function agentFor(business: Business): Agent {
    const { agent } = business;
    const kind = agent?.kind ?? config.AGENT;
    if (Object.hasOwn(agents, kind)) return agents[kind]!;
    if (kind === "channel") return byChannel(business.businessId, agentIdsOf(business));
    // The configuration was refused without it, and the businesses were checked.
    if (agent?.kind !== "http") return byUrl(AGENT_URL!);
    return isTrusted(business) ? byUrl(agent.url) : byPublicUrl(agent.url);
  }

  function check(businesses: ReadonlyMap<string, Business>): void {
    if (wantsAssistant(businesses) && !isGraphInstalled()) {
      throw new ConfigError(
        "the assistant needs the package @langchain/langgraph, which is not installed: " +
          "run npm install without --omit=optional, or set AGENT to another agent",
      );
    }
  }

  async function warm(businesses: ReadonlyMap<string, Business>): Promise<void> {
    if (wantsAssistant(businesses)) await assistant.warm().catch(() => undefined);
  }

  function wantsAssistant(businesses: ReadonlyMap<string, Business>): boolean {
    const isWanted =
      config.AGENT === "assistant" || [...businesses.values()].some(({ agent }) => agent?.kind === "assistant");
    return isWanted && agents.assistant === assistant;
  }

  function problemsOf(business: Business): readonly BusinessProblem[] {
    return isTrusted(business) ? [] : [...privateAddresses(business), ...problemsOfPlatforms(business)];
  }
}

// With AGENT=channel whichever agents of the business are there.
function agentIdsOf({ agent }: Business): AgentIds {
  return agent?.kind === "channel" ? agent.agentIds : null;
}

function privateAddresses({ agent, intents, platforms }: Business): readonly BusinessProblem[] {
  const urls = [
    { path: ["agent", "url"], url: agent?.kind === "http" ? agent.url : undefined },
    { path: ["platforms", "webhook", "url"], url: platforms?.webhook?.url },
    ...intents.map(({ tool }, index) => ({ path: ["intents", index, "tool", "url"], url: tool?.url })),
  ];
  return urls.flatMap(({ path, url }) =>
    url === undefined || isPublicHost(new URL(url).hostname)
      ? []
      : [{ path, message: "expected an address on the public internet, not one of this machine or a private network" }],
  );
}

function modelOf(config: Config, clock: Clock, watch: ModelWatch): ChatModel | null {
  const { MODEL_URL: url, MODEL_NAME: modelName, MODEL_API_KEY: apiKey, MAX_ANSWER_BYTES: maxAnswerBytes } = config;
  return url === undefined
    ? null
    : guardedModel(createHttpModel({ url, modelName, apiKey, clock, maxAnswerBytes }), clock, watch);
}
