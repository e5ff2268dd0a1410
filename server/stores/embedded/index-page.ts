import type { IndexPage, IndexRange } from "../../messaging/store.js";
import type { Table } from "./table.js";
import { last } from "./tables.js";

export interface Positioned<T> {
  readonly position: string;
  readonly value: T;
}

export interface PageOptions extends IndexRange {
  /** Positions from this one on. */
  readonly above?: string;
  /** Positions before this one. */
  readonly below?: string;
  /** The greatest position first. */
  readonly isReverse?: boolean;
}

/** Characters; a position of ours is shorter. */
const positionMax = 300;

/**
 * A page of what a table holds under keys `[scope, position]`. `next` is the position that the next page begins with,
 * so whatever text comes back as `from` is a position.
 */
export function readPage<T>(table: Table<T>, scope: string, options: PageOptions): IndexPage<Positioned<T>> {
  const { limit } = options;
  const bounds = options.isReverse === true ? downwards(scope, options) : upwards(scope, options);
  const found = [...table.entries({ ...bounds, limit: limit + 1 })].map(({ key, value }) => ({
    position: key[1] as string,
    value,
  }));
  return { items: found.slice(0, limit), next: found[limit]?.position ?? null };
}

function upwards(scope: string, { from, above = "", below }: PageOptions) {
  const start = from != null && from > above ? from : above;
  return { start: [scope, clamp(start)], end: [scope, below === undefined ? last : clamp(below)] };
}

function downwards(scope: string, { from, above = "", below }: PageOptions) {
  const start = from != null && (below === undefined || from < below) ? from : below;
  return { start: [scope, start === undefined ? last : clamp(start)], end: [scope, clamp(above)], reverse: true };
}

function clamp(position: string): string {
  return position.slice(0, positionMax);
}
