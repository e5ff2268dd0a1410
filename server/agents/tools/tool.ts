import type { IntentTool, Locale } from "../../messaging/business.js";

/** What a tool is sent, to the letter. (SPEC A21) */
export interface ToolRequest {
  readonly businessId: string;
  readonly locationId: string;
  readonly userId: string;
  readonly sessionId: string;
  /** The idempotency key, too: the same for as long as the task is the same. */
  readonly intentId: string;
  /** Its name. */
  readonly intent: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly locale: Locale;
  /** ISO 8601, of the turn. */
  readonly timestamp: string;
}

export interface ToolCall {
  readonly tool: IntentTool;
  readonly request: ToolRequest;
  /** Its address was written by the operator, and may be a private one. */
  readonly isTrusted: boolean;
  /** On the monotonic clock, in ms: nothing of the call is left then. */
  readonly endsAt: number;
  readonly signal: AbortSignal;
}

/** What came of a call. */
export type ToolOutcome = ToolDone | ToolRefused | ToolFailed;

export interface ToolDone {
  readonly status: "done";
  /** To be told in place of the confirmation. */
  readonly message: string | null;
  /** May be used in what is told. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** It cannot be as it was asked for. */
export interface ToolRefused {
  readonly status: "refused";
  readonly message: string | null;
  /** Names of parameters, as the tool says; maybe none that there is. */
  readonly invalid: readonly string[];
}

/** Nobody knows whether it was done. */
export interface ToolFailed {
  readonly status: "failed";
  /** Why, in a word for operators, such as `status_503`. */
  readonly code: string;
}

export interface Tools {
  /**
   * Calls a tool, and calls again while that can help and there is time.
   * @throws the signal's reason, and nothing else
   */
  call(call: ToolCall): Promise<ToolOutcome>;
}
