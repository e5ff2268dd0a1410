import type { Clock } from "../../clock.js";
import type { AgentTurn } from "../agent.js";
import { TurnWithdrawn } from "../steps/agent-failure.js";

/** An agent of a business. */
export interface AgentName {
  readonly businessId: string;
  readonly agentId: string;
}

/** One channel of an agent that is connected. */
export interface AgentLine {
  /** Asks it for the answer to a message. */
  ask(turn: AgentTurn): void;
  /** Nobody waits for its answer to this one any more. */
  withdraw(turn: AgentTurn): void;
}

/** What an agent answered. None of it is trusted. */
export interface AgentSaid {
  readonly content: string;
  readonly toolCalls: unknown;
}

/**
 * The agents that are connected to this node, and what each is asked at present. As much is asked as there are calls at work,
 * which AGENT_CONCURRENCY limits. (SPEC A40)
 */
export interface ConnectedAgents {
  /** A channel of an agent is there, until the function that it returns is called. What the agent is asked, it is asked too. */
  enter(name: AgentName, line: AgentLine): () => void;
  isConnected(name: AgentName): boolean;
  /**
   * Asks the least busy of some agents, and if it goes before it has answered, the next one. One that went a moment ago,
   * with its connection or with an earlier process of ours, is waited for.
   * @param agentIds null: whichever are there of the business
   * @returns null when none of them is there
   * @throws the reason of the signal; TurnWithdrawn when none of them is there any more as we stop
   */
  ask(agentIds: readonly string[] | null, turn: AgentTurn, signal: AbortSignal): Promise<AgentSaid | null>;
  /** What an agent is asked under this messageId; without one, what it has been asked for longest in this session. */
  asked(name: AgentName, which: { readonly messageId: string } | { readonly sessionId: string }): AgentTurn | null;
  /** A human answers this message now: whoever was asked is told so, and may say what they have all the same. */
  silence(turn: Pick<AgentTurn, "businessId" | "messageId">): void;
  /** Hands an answer to whoever waits for it. @returns false when nobody does any more */
  answer(name: AgentName, messageId: string, said: AgentSaid): boolean;
  /** Nobody is waited for any more: those who come back come back to another process. */
  close(): void;
}

interface Question {
  readonly turn: AgentTurn;
  /** Null: the agent has gone. */
  readonly end: (said: AgentSaid | null) => void;
}

interface Connected {
  readonly name: AgentName;
  readonly lines: Set<AgentLine>;
  /** By messageId, what it was asked first at the front. */
  readonly questions: Map<string, Question>;
  /** How many were asked in all before it was asked last. */
  askedAt: number;
}

function newConnected(name: AgentName): Connected {
  return { name, lines: new Set(), questions: new Map(), askedAt: 0 };
}

/** So long an agent that is gone may take to come back: clients try again after a second or two. */
const returnMs = 5000;
/** Agents that are waited for; of more, those who went first are not. */
const goneMax = 1000;

/** When an agent went: monotonic ms. */
interface Gone {
  readonly name: AgentName;
  readonly at: number;
}

export function createConnectedAgents(clock: Clock): ConnectedAgents {
  /** By business, by agent. */
  const businesses = new Map<string, Map<string, Connected>>();
  /** Those who went last are at the end. */
  const gone: Gone[] = [];
  /** Told that somebody has come, or nobody will. */
  const expecting = new Set<() => void>();
  const startedAt = { wall: clock.now(), monotonic: clock.monotonic() };
  let count = 0;
  let isClosed = false;

  return { enter, isConnected: (name) => find(name) !== undefined, ask, asked, silence, answer, close };

  function find({ businessId, agentId }: AgentName): Connected | undefined {
    return businesses.get(businessId)?.get(agentId);
  }

  function enter(name: AgentName, line: AgentLine): () => void {
    const { businessId, agentId } = name;
    const agents = businesses.get(businessId) ?? new Map<string, Connected>();
    const agent = agents.get(agentId) ?? newConnected(name);
    businesses.set(businessId, agents.set(agentId, agent));
    agent.lines.add(line);
    for (const { turn } of agent.questions.values()) line.ask(turn);
    lookAgain();
    return () => leave(agent, line);
  }

  function leave(agent: Connected, line: AgentLine): void {
    if (!agent.lines.delete(line) || agent.lines.size > 0) return;
    const { businessId, agentId } = agent.name;
    const agents = businesses.get(businessId);
    agents?.delete(agentId);
    if (agents?.size === 0) businesses.delete(businessId);
    gone.push({ name: agent.name, at: clock.monotonic() });
    if (gone.length > goneMax) gone.shift();
    for (const { end } of [...agent.questions.values()]) end(null);
  }

  async function ask(
    agentIds: readonly string[] | null,
    turn: AgentTurn,
    signal: AbortSignal,
  ): Promise<AgentSaid | null> {
    for (;;) {
      signal.throwIfAborted();
      const agent = leastBusy(turn.businessId, agentIds);
      const said = agent === null ? null : await askOne(agent, turn, signal);
      if (said !== null) return said;
      if (agent === null && isClosed) throw new TurnWithdrawn();
      if (agent === null && !(await isComing(agentIds, turn, signal))) return null;
    }
  }

  /** Waits until somebody comes. @returns false once nobody is expected any more @throws the reason of the signal */
  function isComing(agentIds: readonly string[] | null, turn: AgentTurn, signal: AbortSignal): Promise<boolean> {
    const waitMs = expectedUntil(agentIds, turn) - clock.monotonic();
    if (waitMs <= 0) return Promise.resolve(false);
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => () => {
        cancel();
        expecting.delete(come);
        signal.removeEventListener("abort", stop);
        act();
      };
      const come = settle(() => resolve(true));
      const stop = settle(() => reject(signal.reason as Error));
      const cancel = clock.after(
        waitMs,
        settle(() => resolve(false)),
      );
      expecting.add(come);
      signal.addEventListener("abort", stop, { once: true });
    });
  }

  function lookAgain(): void {
    for (const come of [...expecting]) come();
  }

  function close(): void {
    isClosed = true;
    lookAgain();
  }

  /** Until when one of these agents may come back: monotonic ms. */
  function expectedUntil(agentIds: readonly string[] | null, { businessId, timestamp }: AgentTurn): number {
    // What was asked of an earlier process was asked when its agents were there.
    const isOlder = Date.parse(timestamp) < startedAt.wall;
    const last = gone.findLast(({ name }) => isOneOf(name, businessId, agentIds));
    return Math.max(isOlder ? startedAt.monotonic : -Infinity, last?.at ?? -Infinity) + returnMs;
  }

  function leastBusy(businessId: string, agentIds: readonly string[] | null): Connected | null {
    const there = [...(businesses.get(businessId)?.values() ?? [])];
    const candidates = there.filter(({ name }) => isOneOf(name, businessId, agentIds));
    // Of those that are as busy the one that was asked longest ago.
    const [first] = candidates.toSorted(
      (one, other) => one.questions.size - other.questions.size || one.askedAt - other.askedAt,
    );
    return first ?? null;
  }

  function askOne(agent: Connected, turn: AgentTurn, signal: AbortSignal): Promise<AgentSaid | null> {
    count += 1;
    agent.askedAt = count;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        agent.questions.delete(turn.messageId);
        for (const line of agent.lines) line.withdraw(turn);
        reject(signal.reason as Error);
      };
      const end = (said: AgentSaid | null) => {
        agent.questions.delete(turn.messageId);
        signal.removeEventListener("abort", onAbort);
        resolve(said);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      agent.questions.set(turn.messageId, { turn, end });
      for (const line of agent.lines) line.ask(turn);
    });
  }

  function asked(
    name: AgentName,
    which: { readonly messageId: string } | { readonly sessionId: string },
  ): AgentTurn | null {
    const questions = find(name)?.questions;
    if ("messageId" in which) return questions?.get(which.messageId)?.turn ?? null;
    const found = [...(questions?.values() ?? [])].find(({ turn }) => turn.sessionId === which.sessionId);
    return found?.turn ?? null;
  }

  function silence({ businessId, messageId }: Pick<AgentTurn, "businessId" | "messageId">): void {
    for (const { lines, questions } of businesses.get(businessId)?.values() ?? []) {
      const question = questions.get(messageId);
      if (question !== undefined) for (const line of lines) line.withdraw(question.turn);
    }
  }

  function answer(name: AgentName, messageId: string, said: AgentSaid): boolean {
    const question = find(name)?.questions.get(messageId);
    question?.end(said);
    return question !== undefined;
  }
}

function isOneOf(name: AgentName, businessId: string, agentIds: readonly string[] | null): boolean {
  return name.businessId === businessId && (agentIds === null || agentIds.includes(name.agentId));
}
