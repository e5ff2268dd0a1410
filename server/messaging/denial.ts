import type { Action } from "../auth/access.js";
import type { Identity } from "../auth/identity.js";
import type { DeskTelemetry } from "../desk-telemetry.js";

/** Tells operators that somebody who is known asked for what is not theirs. (SPEC X14) */
export function tellDenied(telemetry: DeskTelemetry, identity: Identity, action: Action): void {
  const { role, businessId, userId } = identity;
  telemetry.emit("access.denied", { action, role, businessId, userId });
}
