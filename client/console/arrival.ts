import type { Entry } from "./transcript.js";

/** What a coordinator says in a session. */
export interface Words {
  readonly kind: "reply" | "note";
  readonly message: string;
}

/**
 * Pure: whether words whose receipt was lost are stored. No event has a key for them, so they are known by themselves: they
 * are new since they were said, and nobody else can reply to a session that one holds. (SPEC M30, M31)
 * @param before the session's entries up to its newest, as they were when it was said
 * @param now its newest page
 */
export function hasArrived({ kind, message }: Words, before: readonly Entry[], now: readonly Entry[]): boolean {
  const known = new Set(before.map(({ id }) => id));
  const end = before.at(-1)?.offset ?? 0;
  const said = kind === "reply" ? "coordinator" : "note";
  return now.some((entry) => {
    return entry.kind === said && entry.content === message && entry.offset >= end && !known.has(entry.id);
  });
}
