import type { Agent, AgentEvent, AgentTurn } from "../../server/messaging/agent.js";
import { until } from "./until.js";

/** An agent that takes its time over one text, the first time that it is asked: until it is told to go on. */
export class LingeringAgent implements Agent {
  readonly node: Agent["node"];
  readonly historyMax: number;
  readonly #inner: Agent;
  readonly #text: string;
  readonly #waiting = new Map<string, () => void>();
  readonly #asked = new Set<string>();

  constructor(inner: Agent, text: string) {
    this.node = inner.node;
    this.historyMax = inner.historyMax ?? 0;
    this.#inner = inner;
    this.#text = text;
  }

  answer(turn: AgentTurn, signal: AbortSignal): AsyncIterable<AgentEvent> {
    const lingers = turn.message === this.#text && !this.#asked.has(turn.messageId);
    this.#asked.add(turn.messageId);
    return lingers ? this.#linger(turn, signal) : this.#inner.answer(turn, signal);
  }

  /** Resolves when it is at work on a message. */
  async isAsked(messageId: string): Promise<void> {
    await until("the agent lingers", () => this.#waiting.has(messageId));
  }

  goOn(messageId: string): void {
    this.#waiting.get(messageId)?.();
  }

  async *#linger(turn: AgentTurn, signal: AbortSignal): AsyncGenerator<AgentEvent> {
    await new Promise<void>((resolve) => this.#waiting.set(turn.messageId, resolve));
    yield* this.#inner.answer(turn, signal);
  }
}
