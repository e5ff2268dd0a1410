import { setImmediate } from "node:timers/promises";
import type { Business } from "../../messaging/business.js";

/** What is made of the parts of a business, once for each version of it. */
export interface ReadOnce<Result> {
  /** Of all parts, in their order, always the same objects. */
  all(business: Business): readonly Result[];
  /** Reads one part more. @returns false when there is none left */
  next(business: Business): boolean;
}

export function readOnce<Part, Result>(
  partsOf: (business: Business) => readonly Part[],
  read: (part: Part, business: Business) => Result,
): ReadOnce<Result> {
  // A business that is changed is a new object, so its parts are read anew and the old go with it.
  const known = new WeakMap<Business, Result[]>();
  return { all, next };

  function all(business: Business): readonly Result[] {
    while (next(business));
    return resultsOf(business);
  }

  function next(business: Business): boolean {
    const results = resultsOf(business);
    const parts = partsOf(business);
    if (results.length >= parts.length) return false;
    results.push(read(parts[results.length]!, business));
    return true;
  }

  function resultsOf(business: Business): Result[] {
    const results = known.get(business) ?? [];
    known.set(business, results);
    return results;
  }
}

/** Reads all parts, with room for others between any two: the first answer of a large business holds nobody else up. */
export async function readInSlices(business: Business, readings: readonly ReadOnce<unknown>[]): Promise<void> {
  for (const reading of readings) while (reading.next(business)) await setImmediate();
}
