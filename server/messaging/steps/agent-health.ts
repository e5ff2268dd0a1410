import type { Clock } from "../../clock.js";
import type { Agent } from "../agent.js";
import { CircuitBreaker } from "./circuit-breaker.js";
import { RetryBudget } from "./retry-budget.js";

/** What is known of one agent from the calls to it so far, on this node. */
export interface AgentHealth {
  readonly circuit: CircuitBreaker;
  readonly retries: RetryBudget;
}

/** The health of each agent, for as long as there is that agent. */
export interface AgentHealths {
  of(agent: Agent): AgentHealth;
  /** From 0 up to 1, so that calls that failed together are not made again together. */
  random(): number;
}

/** @param onCircuit told when an agent's circuit opens, and when it closes */
export function createAgentHealths(
  clock: Clock,
  {
    random = Math.random,
    onCircuit = () => undefined,
  }: { readonly random?: () => number; readonly onCircuit?: (agent: Agent, isOpen: boolean) => void } = {},
): AgentHealths {
  const healths = new WeakMap<Agent, AgentHealth>();
  return { of, random };

  function of(agent: Agent): AgentHealth {
    const known = healths.get(agent);
    if (known !== undefined) return known;
    const circuit = new CircuitBreaker(clock, (isOpen) => onCircuit(agent, isOpen));
    const health = { circuit, retries: new RetryBudget() };
    healths.set(agent, health);
    return health;
  }
}
