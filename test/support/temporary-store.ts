import { rm } from "node:fs/promises";
import { systemClock } from "../../server/clock.js";
import type { Store } from "../../server/messaging/store.js";
import { EmbeddedStore } from "../../server/stores/embedded/store.js";
import { makeDataDir } from "./start-app.js";

/** The embedded store in a folder of its own. Its own time is the machine's: a disk is waited for in real time. */
export interface TemporaryStore {
  readonly directory: string;
  readonly store: Store;
  /** Lets go of it and opens it again, as a new process would. */
  reopen(): Promise<Store>;
  dispose(): Promise<void>;
}

export async function openTemporaryStore(): Promise<TemporaryStore> {
  const directory = await makeDataDir();
  let store = await open(directory);
  return {
    directory,
    get store() {
      return store;
    },
    async reopen() {
      await store.close();
      store = await open(directory);
      return store;
    },
    async dispose() {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Waits for a write: what was written before, without anybody waiting for it, is on the disk then. */
export async function touch(store: Store): Promise<void> {
  const key = { partition: "test", id: "touched" };
  await store.writeRecord(key, (await store.readRecord(key))?.rev ?? null, {});
}

function open(directory: string): Promise<Store> {
  return EmbeddedStore.open(directory, systemClock, () => undefined);
}
