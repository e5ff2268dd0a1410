import type { Entry } from "./transcript.js";

/** What a coordinator says in a session. */
export interface Words {
  readonly kind: "reply" | "note";
  readonly message: string;
}

/** What one knows of an entry to tell it from one that has come since. */
export type Seen = Pick<Entry, "id" | "offset">;

/** Words on their way to the server. */
export interface Sent extends Words {
  /** The last that was there before; null: nobody had looked, and whether they arrived cannot be known. */
  readonly before: readonly Seen[] | null;
}

/** Pure: the end of a session, by which it is known later what is new. */
export function endOf(entries: readonly Entry[]): readonly Seen[] {
  const end = entries.at(-1)?.offset;
  return entries.filter(({ offset }) => offset === end).map(({ id, offset }) => ({ id, offset }));
}

/**
 * Pure: whether words whose receipt was lost are stored. No event has a key for them, so they are known by themselves: they
 * are new since they were said, and nobody else can reply to a session that one holds. (SPEC M30, M31)
 * @param before the session's end, as it was when it was said
 * @param now its newest page
 */
export function hasArrived({ kind, message }: Words, before: readonly Seen[], now: readonly Entry[]): boolean {
  const known = new Set(before.map(({ id }) => id));
  const end = before.at(-1)?.offset ?? 0;
  const said = kind === "reply" ? "coordinator" : "note";
  return now.some((entry) => {
    return entry.kind === said && entry.content === message && entry.offset >= end && !known.has(entry.id);
  });
}
