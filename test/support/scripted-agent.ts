import type { Agent, AgentEvent, AgentTurn } from "../../server/messaging/agent.js";
import { until } from "./until.js";

/** An agent that says what the test tells it, when the test tells it. */
export class ScriptedAgent implements Agent {
  readonly node = "echo";
  readonly calls: AgentCall[] = [];

  constructor(readonly historyMax = 0) {}

  answer(turn: AgentTurn, signal: AbortSignal): AsyncIterable<AgentEvent> {
    const call = new AgentCall(turn, signal);
    this.calls.push(call);
    return call.events();
  }

  /** What was asked so far, in order. */
  get asked(): string[] {
    return this.calls.map(({ turn }) => turn.message);
  }

  /** The call for a message, now or later. */
  call(message: string): Promise<AgentCall> {
    return until(`a call for ${message}`, () => this.calls.findLast(({ turn }) => turn.message === message));
  }
}

/** One turn that an agent was given. */
export class AgentCall {
  readonly #said: (AgentEvent | Error | "end")[] = [];
  #wake: () => void = () => undefined;
  /** Whoever reads the events has stopped doing so. */
  isLeft = false;

  constructor(
    readonly turn: AgentTurn,
    readonly signal: AbortSignal,
  ) {}

  say(...events: readonly (AgentEvent | Error | "end")[]): void {
    this.#said.push(...events);
    this.#wake();
  }

  answer(message = `answer to ${this.turn.message}`): void {
    this.say({ type: "answer", message });
  }

  async *events(): AsyncGenerator<AgentEvent> {
    try {
      for (;;) {
        while (this.#said.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
        const next = this.#said.shift()!;
        if (next === "end") return;
        if (next instanceof Error) throw next;
        yield next;
      }
    } finally {
      this.isLeft = true;
    }
  }
}
