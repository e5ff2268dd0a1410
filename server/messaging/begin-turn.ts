import type { Admitted } from "./admission.js";
import { type Broadcast, tellAccepted } from "./broadcast.js";

/** The user's sockets hear of a message that came by another way before they hear of its answer. (SPEC M14) */
export function beginTurn(broadcast: Broadcast, { accepted, locationId, begin }: Admitted): void {
  if (!accepted.duplicate) tellAccepted(broadcast, accepted, locationId);
  begin();
}
