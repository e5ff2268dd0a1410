import { failure, type Result, success } from "../../protocol/result.js";

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

/** A cursor as we gave it out, or a timestamp: ISO 8601, or milliseconds since 1970. (SPEC H3) */
export function parsePosition(name: string, value: unknown): Result<Position | null, string> {
  if (value === undefined) return success(null);
  if (typeof value !== "string") return failure(`${name} is given twice`);
  const cursor = /^o(\d{1,15})$/.exec(value);
  if (cursor !== null) return success({ offset: Number(cursor[1]) });
  const ms = /^\d{12,15}$/.test(value) ? Number(value) : isoMs(value);
  if (Number.isNaN(ms)) return failure(`${name} is neither a cursor nor a timestamp`);
  return success({ timestamp: new Date(Math.min(ms, latestMs)).toISOString() });
}

// Timestamps are compared as texts, and from the year 10000 on they sort before all others.
const latestMs = Date.parse("9999-12-31T00:00:00.000Z");

export function offsetCursor(offset: number): string {
  return `o${offset}`;
}

function isoMs(value: string): number {
  const match = /^\d{4}-\d{2}-\d{2}(T[\d:.]{4,16}(Z|[+-]\d{2}:?\d{2})?)?$/.exec(value);
  if (match === null) return NaN;
  // Without a zone it would be the time of whatever machine this is.
  const isZoneless = match[1] !== undefined && match[2] === undefined;
  return Date.parse(isZoneless ? `${value}Z` : value);
}
