import type { Telemetry, TelemetryEvents } from "./telemetry.js";

/** What the desk says about itself, beside what the engine does. */
export interface DeskEvents extends TelemetryEvents {
  "message.accepted": { businessId: string; sessionId: string; duplicate: boolean; durationMs: number };
  "message.refused": { businessId: string; code: string };
  "turn.answered": { businessId: string; sessionId: string; node: string; durationMs: number };
  "turn.failed": { businessId: string; sessionId: string; code: string; error: unknown };
  "turns.recovered": { sessions: number };
  "store.failed": { operation: string; error: unknown };
  "http.failed": { method: string; route: string; error: unknown };
}

export type DeskTelemetry = Telemetry<DeskEvents>;
