import { useRef } from "preact/hooks";
import { type Row, waitingSince } from "./rows.js";

/** An order of rows, as somebody saw it. */
export interface SeenOrder {
  readonly sessionIds: readonly string[];
  /** The newest of their messages, ISO 8601. */
  readonly newest: string;
  /** Those that waited then. */
  readonly waiting: ReadonlySet<string>;
}

export interface StillRows {
  readonly rows: readonly Row[];
  /** How many have come, or moved up, that are not where they would be by now. */
  readonly newsCount: number;
}

/** Pure. @param now wall time in ms */
export function seenOrder(rows: readonly Row[], now: number): SeenOrder {
  const sessionIds = rows.map(({ sessionId }) => sessionId);
  const newest = rows.reduce((latest, { lastMessageAt }) => (lastMessageAt > latest ? lastMessageAt : latest), "");
  return { sessionIds, newest, waiting: waitingOf(rows, now) };
}

/** Pure. The rows as they are now, in an order that was seen before. */
export function inSeenOrder(
  live: readonly Row[],
  { sessionIds, newest, waiting }: SeenOrder,
  { rowOf, now }: Pick<StillOptions, "rowOf" | "now">,
): StillRows {
  const places = new Map(sessionIds.map((sessionId, place) => [sessionId, place]));
  const waitingNow = waitingOf(live, now);
  const isNews = ({ sessionId, lastMessageAt }: Row, place: number) => {
    const before = places.get(sessionId);
    if (before === undefined) return true;
    // Nobody has to say anything for a customer to begin to wait.
    const hasNews = lastMessageAt > newest || (waitingNow.has(sessionId) && !waiting.has(sessionId));
    return place < before && hasNews;
  };
  return { rows: sessionIds.map(rowOf).filter((row) => row !== null), newsCount: live.filter(isNews).length };
}

/**
 * Rows that stay where they are while somebody is about to choose one: under a pointer nothing moves.
 * @param question of which the rows are the answer: to another one there is another order
 */
export function useStillRows(live: readonly Row[], { isStill, question, rowOf, now }: StillOptions): StillRows {
  const seen = useRef<{ readonly question: string; readonly order: SeenOrder } | null>(null);
  if (!isStill || live.length === 0) seen.current = null;
  else if (seen.current?.question !== question) seen.current = { question, order: seenOrder(live, now) };
  return seen.current === null ? { rows: live, newsCount: 0 } : inSeenOrder(live, seen.current.order, { rowOf, now });
}

interface StillOptions {
  readonly isStill: boolean;
  readonly question: string;
  /** Null: it is gone. */
  readonly rowOf: (sessionId: string) => Row | null;
  /** Wall time in ms. */
  readonly now: number;
}

function waitingOf(rows: readonly Row[], now: number): ReadonlySet<string> {
  return new Set(rows.filter((row) => waitingSince(row, now) !== null).map(({ sessionId }) => sessionId));
}
