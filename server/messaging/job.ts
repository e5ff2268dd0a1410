import type { Nodes } from "./nodes.js";
import { jobKey, type JobHolder } from "./records.js";
import type { Store } from "./store.js";

/** Something that one node does at a time. (SPEC S17) */
export interface Job {
  /** Whether it is ours to do, or becomes ours now because nobody does it. @throws StoreError */
  holds(): Promise<boolean>;
  /** Leaves it to others; without this they take it when they find that we are gone. @throws StoreError */
  giveUp(): Promise<void>;
}

export function createJob(
  name: string,
  deps: {
    readonly store: Pick<Store, "readRecord" | "writeRecord">;
    readonly nodes: Pick<Nodes, "isGone">;
    /** Names this process among those that share the store. */
    readonly node: string;
  },
): Job {
  const { store, nodes, node } = deps;
  const key = jobKey(name);

  return { holds, giveUp };

  async function holds(): Promise<boolean> {
    const holder = await store.readRecord<JobHolder>(key);
    if (holder?.value.node === node) return true;
    if (holder !== null && !nodes.isGone(holder.value.node)) return false;
    return (await store.writeRecord<JobHolder>(key, holder?.rev ?? null, { node })).isWritten;
  }

  async function giveUp(): Promise<void> {
    const holder = await store.readRecord<JobHolder>(key);
    if (holder?.value.node === node) await store.writeRecord(key, holder.rev, null);
  }
}
