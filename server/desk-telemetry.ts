import type { Telemetry, TelemetryEvents } from "./telemetry.js";

/** What the desk says about itself, beside what the engine does. */
export interface DeskEvents extends TelemetryEvents {
  "message.accepted": { businessId: string; sessionId: string; duplicate: boolean; durationMs: number };
  "message.refused": { businessId: string; code: string };
  /** Who came with a token that is no good, or with none where one is needed. */
  "token.refused": { door: string; reason: string };
  "token.revoked": { businessId: string | null; userId: string };
  /** Somebody who is known asked for what is not theirs. */
  "access.denied": { action: string; role: string; businessId: string | null; userId: string | null };
  "turn.answered": {
    businessId: string;
    sessionId: string;
    node: string;
    outcome: TurnOutcome;
    durationMs: number;
  };
  "turn.failed": { businessId: string; sessionId: string; code: string; error: unknown };
  /** What an agent said was not as it must be, or too much: that part was left out. */
  "agent.dropped": { businessId: string; sessionId: string; part: string };
  /** An agent is left alone, after failures in a row; or is asked again. `agent` names it, without secrets. */
  "agent.circuit": { agent: string; state: "open" | "closed" };
  /** The answer was made without it, or failed; `model` names it, without secrets. */
  "model.failed": { model: string; code: string };
  /** Something said to a user has left for their platform. */
  "platform.sent": { businessId: string; sessionId: string; platform: string; tries: number };
  /** It was not taken; `isGivenUp`: and is not sent again. */
  "platform.failed": { businessId: string; sessionId: string; platform: string; code: string; isGivenUp: boolean };
  "turns.recovered": { sessions: number };
  "session.abandoned": { businessId: string; sessionId: string };
  /** What was said in it is gone. */
  "session.deleted": { businessId: string; sessionId: string; messages: number };
  "store.failed": { operation: string; error: unknown };
  /** Capacity units that one request took from a table, or from one index of it. */
  "dynamodb.consumed": {
    operation: string;
    table: string;
    index: string | null;
    units: number;
    kind: "read" | "write";
  };
  /** One request as the store sees it: with all its attempts. */
  "dynamodb.answered": { operation: string; result: DynamoResult; attempts: number; durationMs: number };
  /** One attempt that DynamoDB refused because there were too many. */
  "dynamodb.throttled": { operation: string };
  "http.failed": { method: string; route: string; error: unknown };
}

/** What became of a turn: `failed` has no answer, and a command is answered without the agent. */
export type TurnOutcome = "answered" | "failed" | "human" | "command";

/** What a request to DynamoDB came to. A conflict is a condition that did not hold, which is an answer. */
export type DynamoResult = "ok" | "conflict" | "throttled" | "failed";

export type DeskTelemetry = Telemetry<DeskEvents>;
