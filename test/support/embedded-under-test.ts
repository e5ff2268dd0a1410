import type { Store } from "../../server/messaging/store.js";
import type { Stop, StoppingStore, StoreUnderTest } from "../contract/store-harness.js";
import { crashingStore } from "./crashing-store.js";
import { openTemporaryStore, touch } from "./temporary-store.js";

/** The embedded store, as the contract wants it: one process has the data, and each of its writes is one commit. */
export async function openEmbeddedUnderTest(): Promise<StoreUnderTest> {
  const temporary = await openTemporaryStore();
  return {
    get store() {
      return temporary.store;
    },
    reopen: () => temporary.reopen(),
    another: () => Promise.resolve(temporary.store),
    stopping: (stop) => Promise.resolve(stopping(temporary.store, stop)),
    dispose: () => temporary.dispose(),
  };
}

function stopping(inner: Store, { afterWrites, last }: Stop): StoppingStore {
  const { store, hasCrashed } =
    last === "answered"
      ? crashingStore(inner, afterWrites, "before")
      : crashingStore(inner, Math.max(0, afterWrites - 1), afterWrites > 0 ? "after" : "before");
  const end = async () => {
    // Commits come one after another: what was under way is done when this one is.
    await touch(inner);
    return hasCrashed();
  };
  return { store, end };
}
