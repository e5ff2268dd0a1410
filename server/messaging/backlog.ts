import type { DeskTelemetry } from "../desk-telemetry.js";

/** Room for one more turn on this node. It is given back when the turn has its outcome, or by `release`. */
export interface Place {
  release(): void;
}

/** How many turns this node has open: in all, of each business, and of each of its users. (SPEC M21) */
export interface Backlog {
  /** Null when there are as many as there may be: nothing must be stored then. */
  reserve(user: { readonly businessId: string; readonly userId: string }): Place | null;
}

export interface BacklogLimits {
  readonly maxBacklog: number;
  readonly maxBacklogPerBusiness: number;
  readonly maxBacklogPerUser: number;
}

export function createBacklog(deps: BacklogLimits & { readonly telemetry: DeskTelemetry }): Backlog {
  const limits = {
    MAX_BACKLOG: deps.maxBacklog,
    MAX_BACKLOG_PER_BUSINESS: deps.maxBacklogPerBusiness,
    MAX_BACKLOG_PER_USER: deps.maxBacklogPerUser,
  } as const;
  /** By whose they are: everybody's, a business's, a user's. */
  const open = new Map<string, number>();

  return { reserve };

  function reserve({ businessId, userId }: { readonly businessId: string; readonly userId: string }): Place | null {
    const counts = [
      { limit: "MAX_BACKLOG", of: "" },
      { limit: "MAX_BACKLOG_PER_BUSINESS", of: businessId },
      // Neither id has this sign.
      { limit: "MAX_BACKLOG_PER_USER", of: `${businessId}#${userId}` },
    ] as const;
    const full = counts.find(({ limit, of }) => (open.get(of) ?? 0) >= limits[limit]);
    if (full !== undefined) {
      deps.telemetry.emit("limit.reached", { limit: full.limit });
      return null;
    }
    for (const { of } of counts) open.set(of, (open.get(of) ?? 0) + 1);
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      for (const { of } of counts) {
        const left = open.get(of)! - 1;
        if (left > 0) open.set(of, left);
        else open.delete(of);
      }
    };
    return { release };
  }
}
