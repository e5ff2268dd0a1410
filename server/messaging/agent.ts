import type { Business } from "./business.js";
import type { Action, ChatMessage, Intent } from "./model.js";

/** What an agent is given to answer one user message. Ids come from us; nothing in its answer can change them. */
export interface AgentTurn {
  readonly businessId: string;
  readonly locationId: string;
  readonly userId: string;
  readonly sessionId: string;
  /** The window in which the user wrote. Left out where the client knows of none. */
  readonly chatId?: string;
  /** Of the user's message; the idempotency key, should the turn be run again after a crash. */
  readonly messageId: string;
  readonly message: string;
  /** Of the user's message in its session. */
  readonly offset: number;
  /** When it was stored: ISO 8601, UTC. */
  readonly timestamp: string;
  /** Beside its text: what was filled in. Left out where nothing was. */
  readonly data?: unknown;
  /** Under which the answer will be stored. */
  readonly answerId: string;
  /** What was said before in this session, oldest first, at most `historyMax`; never another user's words. */
  readonly history: readonly ChatMessage[];
  readonly business: Business;
  /** The task the user is in the middle of, or null. */
  readonly intent: Intent | null;
  /**
   * The latest task that the user left without giving it up, maybe in an earlier session, or null. An answer whose
   * `intent` is this one, `active`, goes on with it; `abandoned`, has it forgotten. (SPEC M68)
   */
  readonly suspended: Intent | null;
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

/** What an agent says while it works, and at the end its answer. None of it is trusted: see steps/agent-events.ts. */
export type AgentEvent = AgentThinking | AgentDelta | AgentComponent | AgentAction | AgentAnswer;

export interface AgentThinking {
  readonly type: "thinking";
  readonly step: string;
  readonly label: string;
  readonly status: "started" | "done" | "failed";
}

/** The next piece of the answer's text, to be shown at once. The answer itself says the whole text again. */
export interface AgentDelta {
  readonly type: "delta";
  readonly text: string;
}

/** Something to fill in, to choose from, or to look at. */
export interface AgentComponent {
  readonly type: "component";
  /** Ours, whatever an agent says. */
  readonly componentId?: string;
  readonly kind: "form" | "choices" | "card";
  readonly title: string;
  readonly fields?: readonly ComponentField[];
  readonly choices?: readonly ComponentChoice[];
  /** The answer's text asks it in its own words, its title in it: what else it asks is not added there. (SPEC M63) */
  readonly inText?: boolean;
}

export interface ComponentField {
  readonly name: string;
  readonly label: string;
  readonly type: "text" | "number" | "date" | "time" | "email" | "phone" | "choice";
  readonly required: boolean;
  readonly options?: readonly string[];
}

export interface ComponentChoice {
  readonly value: string;
  readonly label: string;
}

/** One of the answer's actions, said before it; those of the answer itself come behind. */
export interface AgentAction {
  readonly type: "action";
  readonly action: Action;
}

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
  /** The task as it stands after this answer, maybe completed; null gives it up; left out, it stays as it was. */
  readonly intent?: Intent | null;
}

/** Why an agent gave no answer, in its own words. */
export class AgentError extends Error {
  override readonly name = "AgentError";
  /** A word for logs and for the operator, such as `status_503`. Never anything that was said. */
  readonly code: string;
  /** It was not reached, or said that it cannot now: the same call may be answered in a moment. */
  readonly isRetryable: boolean;
  /** Not before this. */
  readonly retryAfterMs: number | null;
  /** It is there and does its work; only this one answer is no good. Calls to it go on as before. */
  readonly isThere: boolean;

  constructor(
    code: string,
    {
      isRetryable = false,
      retryAfterMs = null,
      isThere = false,
      cause,
    }: {
      readonly isRetryable?: boolean;
      readonly retryAfterMs?: number | null;
      readonly isThere?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(code, cause === undefined ? undefined : { cause });
    this.code = code;
    this.isRetryable = isRetryable;
    this.retryAfterMs = retryAfterMs;
    this.isThere = isThere;
  }
}

/** Whoever answers. An implementation keeps no conversation of its own: all that it may know is in the turn. */
export interface Agent {
  /** Which kind answered, for `metadata.node`. */
  readonly node: "agent" | "echo";
  /** For logs: which one it is, without secrets. Default: its kind. */
  readonly name?: string;
  /** How much of the history it wants to see; reading it costs. Default 50. */
  readonly historyMax?: number;
  /**
   * Answers one turn. It may be called again for the same `messageId` after a crash.
   * @param signal aborted at the deadline, or when the turn was cancelled
   * @throws AgentError says why there is no answer, and whether asking again can help; anything else counts as
   * one that cannot
   */
  answer(turn: AgentTurn, signal: AbortSignal): AsyncIterable<AgentEvent>;
  /** Told that a human speaks in its place now: what it still makes of this turn is a draft, at best. (SPEC M36) */
  onSilenced?(turn: Pick<AgentTurn, "businessId" | "messageId">): void;
}
