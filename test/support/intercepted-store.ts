import type { Store } from "../../server/messaging/store.js";

/** A store whose every call goes through `around`, which makes it, or does not. */
export function interceptedStore(
  inner: Store,
  around: (name: keyof Store, given: readonly unknown[], call: () => Promise<unknown>) => Promise<unknown>,
): Store {
  return new Proxy(inner, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      return async (...given: unknown[]) => {
        const call = () => method.apply(target, given) as Promise<unknown>;
        return around(name as keyof Store, given, call);
      };
    },
  });
}

/** A store that takes any time for anything, so that what is done at once happens in any order. */
export function shuffledStore(inner: Store, random: () => number): Store {
  const wait = async () => {
    for (let turns = Math.floor(random() ** 2 * 8); turns > 0; turns -= 1) await soon();
  };
  return interceptedStore(inner, async (_name, _given, call) => {
    await wait();
    const result = await call();
    await wait();
    return result;
  });
}

/** Lets what is under way go on for a moment. */
export function soon(): Promise<void> {
  return new Promise<void>((resolve) => setImmediate(resolve));
}

/**
 * A store that asks the next change again after it was written: its answer was lost, and with it whose write it was.
 * Changes that look up what they may have written are left alone.
 */
export function forgetfulStore(inner: Store): { readonly store: Store; readonly forgetOnce: () => void } {
  let isForgetful = false;
  const store = interceptedStore(inner, async (name, given, call) => {
    if (name !== "changeSession" || !isForgetful) return call();
    const [sessionId, change, lookUp] = given as Parameters<Store["changeSession"]>;
    isForgetful = false;
    if (lookUp !== undefined) return call();
    await inner.changeSession(sessionId, change);
    return inner.changeSession(sessionId, change);
  });
  return { store, forgetOnce: () => void (isForgetful = true) };
}
