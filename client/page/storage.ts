import type { KeyValueStorage } from "../outbox.js";

/**
 * The browser's storage. Where it may not be used, or is full, what is put into it is kept as long as the page: it is
 * somebody's private window, not a fault.
 */
export function storageOf(kind: "localStorage" | "sessionStorage"): KeyValueStorage {
  const memory = new Map<string, string>();
  return {
    getItem: (key) => memory.get(key) ?? attempt(() => window[kind].getItem(key)) ?? null,
    setItem(key, value) {
      memory.delete(key);
      if (attempt(() => (window[kind].setItem(key, value), true)) === undefined) memory.set(key, value);
    },
  };
}

function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}
