import type { Business } from "./business.js";
import type { Action, ChatMessage, Intent } from "./model.js";

/** What an agent is given to answer one user message. Ids come from us; nothing in its answer can change them. */
export interface AgentTurn {
  readonly businessId: string;
  readonly locationId: string;
  readonly userId: string;
  readonly sessionId: string;
  /** Of the user's message; the idempotency key, should the turn be run again after a crash. */
  readonly messageId: string;
  readonly message: string;
  /** What was said before in this session, oldest first, at most `historyMax`; never another user's words. */
  readonly history: readonly ChatMessage[];
  readonly business: Business;
  /** The task the user is in the middle of, or null. */
  readonly intent: Intent | null;
  /** The user has never been answered by this business: the assistant opens with its greeting. */
  readonly isFirstContact: boolean;
  readonly context: Readonly<Record<string, unknown>>;
  /** Wall time in ms; the call is abandoned then. */
  readonly deadline: number;
  /** The time now, wall clock in ms, by the server's clock. */
  readonly now: number;
  /** Makes an id, from the server's source of ids. */
  readonly newId: () => string;
}

export type AgentEvent =
  | {
      readonly type: "thinking";
      readonly step: string;
      readonly label: string;
      readonly status: "started" | "done" | "failed";
    }
  | { readonly type: "delta"; readonly text: string }
  | AgentAnswer;

/** The end of a turn: exactly one, and nothing after it. */
export interface AgentAnswer {
  readonly type: "answer";
  readonly message: string;
  readonly actions?: readonly Action[];
  /** The task is done, or there was none. Default true. */
  readonly isComplete?: boolean;
  readonly toolCalls?: readonly unknown[];
  /** Titles of what the answer was taken from. */
  readonly sources?: readonly string[];
  readonly tokens?: number;
  /** The task as it stands after this answer; null ends it; left out, it stays as it was. */
  readonly intent?: Intent | null;
}

/** Whoever answers. An implementation keeps no conversation of its own: all that it may know is in the turn. */
export interface Agent {
  /** Which kind answered, for `metadata.node`. */
  readonly node: "agent" | "echo";
  /** How much of the history it wants to see; reading it costs. Default 50. */
  readonly historyMax?: number;
  /**
   * Answers one turn. It may be called again for the same `messageId` after a crash.
   * @param signal aborted at the deadline, or when the turn was cancelled
   * @throws anything: the turn then ends with a `system` message, code `agent_failed`
   */
  answer(turn: AgentTurn, signal: AbortSignal): AsyncIterable<AgentEvent>;
}
