import type { Head } from "./head.js";
import type { Session } from "./model.js";

/** The head of a session in which nothing was said yet. @param day the business day of a `daily` one */
export function newHead(session: Session, day: string | null): Head {
  return {
    rev: 0,
    day,
    turns: [],
    fence: 0,
    lease: null,
    intent: null,
    delivered: 0,
    read: 0,
    deletingSince: null,
    session,
  };
}
