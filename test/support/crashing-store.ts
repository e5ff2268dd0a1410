import { type Store, StoreError } from "../../server/messaging/store.js";

const writes: ReadonlySet<PropertyKey> = new Set<keyof Store>([
  "createHead",
  "changeSession",
  "settle",
  "deleteMessages",
  "deleteAsides",
  "deleteHead",
  "writeRecord",
  "importSession",
]);

/** A store as a process sees it that dies at one of its writes: from then on nothing comes back any more. */
export interface CrashingStore {
  readonly store: Store;
  /** Writes that were asked for, by name, in order. */
  readonly written: readonly string[];
  readonly hasCrashed: () => boolean;
}

/** @param at the write at which it dies: 0 is the first. @param when before that write reaches the disk, or after */
export function crashingStore(inner: Store, at: number, when: "before" | "after"): CrashingStore {
  const written: string[] = [];
  let hasCrashed = false;
  const crash = () => {
    hasCrashed = true;
    throw new StoreError("a write", { retryable: false });
  };
  const store = new Proxy(inner, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      return async (...given: unknown[]) => {
        if (hasCrashed) crash();
        if (!writes.has(name)) return method.apply(target, given) as unknown;
        const isLast = written.length === at;
        written.push(String(name));
        if (isLast && when === "before") crash();
        const result: unknown = await method.apply(target, given);
        if (isLast) crash();
        return result;
      };
    },
  });
  return { store, written, hasCrashed: () => hasCrashed };
}
