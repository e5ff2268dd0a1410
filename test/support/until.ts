import { patienceMs } from "./store-of-run.js";

const stepMs = 5;

/** Waits until `holds` gives something other than false, null or undefined, and gives that. */
export async function until<T>(
  what: string,
  holds: () => T,
  timeoutMs = patienceMs,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = holds();
    if (value !== false && value !== null && value !== undefined) return value as NonNullable<Exclude<T, false>>;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, stepMs));
  }
}
