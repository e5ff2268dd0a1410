import type { Telemetry, TelemetryEvents } from "./telemetry.js";

/** What the desk says about itself, beside what the engine does. */
export interface DeskEvents extends TelemetryEvents {
  "message.accepted": { businessId: string; sessionId: string; duplicate: boolean; durationMs: number };
  "message.refused": { businessId: string; code: string };
  "turn.answered": { businessId: string; sessionId: string; node: string; durationMs: number };
  "turn.failed": { businessId: string; sessionId: string; code: string; error: unknown };
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

/** What a request to DynamoDB came to. A conflict is a condition that did not hold, which is an answer. */
export type DynamoResult = "ok" | "conflict" | "throttled" | "failed";

export type DeskTelemetry = Telemetry<DeskEvents>;
