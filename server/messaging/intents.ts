import { isDeepStrictEqual } from "node:util";
import type { Intent } from "./model.js";

/** The intents of a session. */
export interface Intents {
  /** The one that the user is in the middle of. */
  readonly intent: Intent | null;
  /** The latest that the user left without a word of giving it up: it can be gone on with. Left out: none. (SPEC M68) */
  readonly suspended?: Intent | null;
}

/** What becomes of a session's intents with an outcome. */
export interface IntentChange {
  readonly intent: Intent | null;
  readonly suspended: Intent | null;
  /** Those that are not as they were, in the order in which it happened. */
  readonly changed: readonly Intent[];
}

/**
 * Pure. A task that is done or given up is nobody's any more; one that another takes the place of can be gone on with.
 * @param said what the outcome says of it; undefined: it is as it was, null: it is given up
 * @param timestamp of the outcome
 * @see SPEC M60, M68
 */
export function changeIntent(
  { intent: before, suspended = null }: Intents,
  said: Intent | null | undefined,
  timestamp: string,
): IntentChange {
  if (said === undefined || isDeepStrictEqual(said, before)) return { intent: before, suspended, changed: [] };
  const isOther = before?.status === "active" && before.intentId !== said?.intentId;
  const left = isOther ? abandoned(before, timestamp) : null;
  if (said === null) return { intent: null, suspended, changed: left === null ? [] : [left] };
  // What is begun again, or done after all, is not waiting any more.
  const isSame = (each: Intent | null) => each?.intentId === said.intentId || each?.name === said.name;
  const kept = isSame(suspended) ? null : suspended;
  // One that was told as abandoned already is forgotten without a word, and changes nothing of another.
  if (said.status === "abandoned" && before?.intentId !== said.intentId) {
    return { intent: before, suspended: kept, changed: [] };
  }
  return {
    intent: said.status === "active" ? said : null,
    suspended: left === null || isSame(left) ? kept : left,
    changed: left === null ? [said] : [left, said],
  };
}

/** What is going on stops, and can be gone on with. The same object when nothing is. */
export function suspend<Before extends Intents>(before: Before, timestamp: string): Before {
  if (before.intent === null) return before;
  return { ...before, intent: null, suspended: abandoned(before.intent, timestamp) };
}

/** The intent that was going on before a change which suspends, and is not after it; or null. */
export function suspendedBy(before: Intents, after: Intents): Intent | null {
  const isStopped = before.intent !== null && after.intent === null;
  return isStopped && after.suspended?.intentId === before.intent.intentId ? after.suspended : null;
}

/** A session as far as it matters for what goes on in it. */
interface Talk extends Intents {
  readonly turns: readonly unknown[];
  readonly session: { readonly lastMessageAt: string };
}

/** A session as it is now, whether or not anybody has written yet that nothing was said for long. (SPEC M69) */
export function suspendIdle<Before extends Talk>(before: Before, now: number, idleMs: number): Before {
  const isSilent = Date.parse(before.session.lastMessageAt) + idleMs <= now;
  // Who waits for an answer has not turned away.
  return isSilent && before.turns.length === 0 ? suspend(before, new Date(now).toISOString()) : before;
}

/** What a user's next session takes over from the one before it: what was going on there, or can be gone on with. */
export function carriedOver(before: Intents, now: number, keptMs: number): Intent | null {
  const { suspended = null } = suspend(before, new Date(now).toISOString());
  return suspended !== null && Date.parse(suspended.updatedAt) + keptMs > now ? suspended : null;
}

function abandoned(intent: Intent, timestamp: string): Intent {
  return { ...intent, status: "abandoned", updatedAt: timestamp };
}
