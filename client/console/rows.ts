import type { Holder } from "../session.js";

/** A session as the list shows it. */
export interface Row {
  readonly sessionId: string;
  readonly userId: string | null;
  readonly title: string | null;
  readonly status: string;
  readonly holder: Holder | null;
  /** Its user asked for a human, and none has come yet. */
  readonly wantsHuman: boolean;
  readonly createdAt: string;
  readonly lastMessageAt: string;
  /** When the session was as it is told here, ISO 8601; empty: not told yet. */
  readonly updatedAt: string;
  /** What was said last; null where nobody has looked yet. */
  readonly last: LastSaid | null;
  /** Questions without an outcome, by messageId, and when they were asked (ms). */
  readonly open: ReadonlyMap<string, number>;
}

export interface LastSaid {
  readonly from: "user" | "agent" | "coordinator" | "system";
  readonly text: string;
  /** Its user was told that there is no answer. */
  readonly isFailure: boolean;
}

/** `waiting`: for a human; `answered`: the assistant has it in hand. */
export type RowState = "waiting" | "human" | "answered" | "resolved";

export const filters = ["all", "waiting", "human", "answered", "resolved"] as const;
export type Filter = (typeof filters)[number];

/** An assistant that has not answered by then is of no help. */
export const patienceMs = 20_000;
/** Of what was said last; a line shows less of it. */
export const previewMax = 160;

/** Pure. @param now wall time in ms */
export function stateOf(row: Row, now: number): RowState {
  if (row.status !== "active") return "resolved";
  if (waitingSince(row, now) !== null) return "waiting";
  return isHeld(row, now) ? "human" : "answered";
}

/** Ended by somebody: it has to be reopened before anything is said. One that was abandoned has not. */
export function isEnded({ status }: Row): boolean {
  return status === "resolved" || status === "closed";
}

/** Since when its user waits for a human, in ms; null: does not. */
export function waitingSince(row: Row, now: number): number | null {
  if (row.status !== "active") return null;
  const [asked] = row.open.values();
  const isOurs = isHeld(row, now);
  if (asked !== undefined && (isOurs || row.wantsHuman || now - asked >= patienceMs)) return asked;
  const isLeftAlone = row.wantsHuman || row.last?.isFailure === true;
  return isLeftAlone && !isOurs ? Date.parse(row.lastMessageAt) : null;
}

export function isHeld({ holder }: Row, now: number): boolean {
  return holder !== null && Date.parse(holder.expiresAt) > now;
}

/** Pure: whether a filter shows a row. One that a human has, and whose customer waits for him, is under both. */
export function meets(row: Row, filter: Filter, now: number): boolean {
  switch (filter) {
    case "all":
      return true;
    case "human":
      return row.status === "active" && isHeld(row, now);
    case "waiting":
    case "answered":
    case "resolved":
      return stateOf(row, now) === filter;
  }
}

export interface Shown {
  readonly filter: Filter;
  readonly query: string;
  /** Wall time in ms. */
  readonly now: number;
  /** How a customer is called: what is seen can be searched for. */
  readonly nameOf: (userId: string | null) => string;
}

/** Pure: which rows are shown, in their order: who waits comes first, who waits longest before all, then the latest message. */
export function shownRows(rows: readonly Row[], { filter, query, now, nameOf }: Shown): readonly Row[] {
  const words = folded(query).split(/\s+/).filter(Boolean);
  return rows
    .filter((row) => meets(row, filter, now) && matches(row, words, nameOf))
    .map((row) => ({ row, since: waitingSince(row, now) }))
    .sort((one, other) =>
      one.since === null && other.since === null
        ? compare(other.row.lastMessageAt, one.row.lastMessageAt)
        : (one.since ?? Infinity) - (other.since ?? Infinity),
    )
    .map(({ row }) => row);
}

/** Pure: how many rows of each filter there are. */
export function countsOf(rows: readonly Row[], now: number): Readonly<Record<Filter, number>> {
  const counts = { all: 0, waiting: 0, human: 0, answered: 0, resolved: 0 };
  for (const row of rows) for (const filter of filters) if (meets(row, filter, now)) counts[filter] += 1;
  return counts;
}

/** Whatever its case and accents. */
export function folded(text: string): string {
  return text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase().trim();
}

function matches(row: Row, words: readonly string[], nameOf: Shown["nameOf"]): boolean {
  if (words.length === 0) return true;
  const { userId, title, sessionId, last } = row;
  const text = folded([nameOf(userId), userId, title, sessionId, last?.text].join(" "));
  return words.every((word) => text.includes(word));
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
