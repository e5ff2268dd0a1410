import type { Aside } from "../messaging/model.js";
import { failure, type Result, success } from "../../protocol/result.js";

/**
 * Refuses what was meant as one of these parameters and is another name, such as `limit[]` or `after[x]`: whoever sent it
 * would take what comes for what was asked for. Names that have nothing to do with ours are nobody's mistake. (SPEC H2, H3)
 */
export function refuseLookalikes(
  query: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Result<null, string> {
  for (const name of Object.keys(query)) {
    const meant = name.split("[", 1)[0]!.trim().toLowerCase();
    if (names.includes(meant) && meant !== name) return failure(`${meant} is given once, under that very name`);
  }
  return success(null);
}

/** The `limit` of a list: 1 to four digits, at most `max`. Said twice, or anything else, is an error. (SPEC H2) */
export function parseLimit(
  value: unknown,
  { fallback, max }: { readonly fallback: number; readonly max: number },
): Result<number, string> {
  if (value === undefined) return success(Math.min(fallback, max));
  if (typeof value !== "string" || !/^\d{1,4}$/.test(value) || Number(value) === 0)
    return failure("limit is not a whole number from 1 to 9999");
  return success(Math.min(Number(value), max));
}

/** A place in a session: after so many messages, or at a time. */
export type Position = { readonly offset: number } | { readonly timestamp: string };

/** A moment in ms: ISO 8601, or milliseconds since 1970; null: none is given. (SPEC H11) */
export function parseMoment(name: string, value: unknown): Result<number | null, string> {
  if (value === undefined) return success(null);
  if (typeof value !== "string") return failure(`${name} is given twice`);
  const ms = momentOf(value);
  return Number.isNaN(ms) ? failure(`${name} is not a timestamp`) : success(ms);
}

/** A cursor as we gave it out, or a timestamp: ISO 8601, or milliseconds since 1970. (SPEC H3) */
export function parsePosition(name: string, value: unknown): Result<Position | null, string> {
  if (value === undefined) return success(null);
  if (typeof value !== "string") return failure(`${name} is given twice`);
  const cursor = /^o(\d{1,15})$/.exec(value);
  if (cursor !== null) return success({ offset: Number(cursor[1]) });
  const ms = momentOf(value);
  if (Number.isNaN(ms)) return failure(`${name} is neither a cursor nor a timestamp`);
  return success({ timestamp: new Date(ms).toISOString() });
}

const asideTypes: ReadonlySet<string> = new Set(["thinking", "note", "draft"] satisfies Aside["type"][]);

/** The `include` of a history: types of asides, with commas between them. (SPEC H8) */
export function parseInclude(value: unknown): Result<ReadonlySet<Aside["type"]>, string> {
  if (value === undefined) return success(new Set());
  if (typeof value !== "string") return failure("include is given twice");
  const types = value.split(",");
  const areKnown = (names: readonly string[]): names is Aside["type"][] => names.every((name) => asideTypes.has(name));
  return areKnown(types) ? success(new Set(types)) : failure("include is a list of thinking, note and draft");
}

/** The `include` of what shows sessions: whether what was said last in them is asked for. (SPEC H28) */
export function parseIncludeLatest(value: unknown): Result<boolean, string> {
  if (value !== undefined && value !== "latest") return failure("include is latest");
  return success(value === "latest");
}

// Timestamps are compared as texts, and from the year 10000 on they sort before all others.
const latestMs = Date.parse("9999-12-31T00:00:00.000Z");

export function offsetCursor(offset: number): string {
  return `o${offset}`;
}

function momentOf(value: string): number {
  return Math.min(/^\d{12,15}$/.test(value) ? Number(value) : isoMs(value), latestMs);
}

function isoMs(value: string): number {
  const match = /^(\d{4}-\d{2}-\d{2})(T[\d:.]{4,16}(Z|[+-]\d{2}:?\d{2})?)?$/.exec(value);
  if (match === null || !isDay(match[1]!)) return NaN;
  // Without a zone it would be the time of whatever machine this is.
  const isZoneless = match[2] !== undefined && match[3] === undefined;
  return Date.parse(isZoneless ? `${value}Z` : value);
}

// Date.parse takes 30 February for 2 March.
function isDay(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/**
 * Where the next page of a list begins, as it is given out. A place in one list says nothing in another.
 * @param list names the list; without a space at its end
 */
export function cursorOf(list: string, next: string): string {
  return Buffer.from(`${list} ${next}`).toString("base64url");
}

/** The same back; null for the first page, undefined for what is no cursor of this list. */
export function parseCursor(list: string, value: unknown): string | null | undefined {
  if (value === undefined) return null;
  if (typeof value !== "string" || !/^[\w-]{1,1024}$/.test(value)) return undefined;
  const text = Buffer.from(value, "base64url").toString();
  const prefix = `${list} `;
  return text.startsWith(prefix) && text.length > prefix.length ? text.slice(prefix.length) : undefined;
}
