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
  return success({ timestamp: new Date(ms).toISOString() });
}

export function offsetCursor(offset: number): string {
  return `o${offset}`;
}

function isoMs(value: string): number {
  return /^\d{4}-\d{2}-\d{2}(T[\d:.]{4,16}(Z|[+-]\d{2}:?\d{2})?)?$/.test(value) ? Date.parse(value) : NaN;
}
