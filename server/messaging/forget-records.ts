import type { Pauses } from "./pauses.js";
import type { IndexPage, Store, StoredRecord } from "./store.js";

const stepRows = 100;

/**
 * Takes records of one partition away, in steps.
 * @returns false when stopped before the last of them
 * @throws StoreError
 */
export async function forgetRecords<T>(
  { store, pauses }: { readonly store: Store; readonly pauses: Pauses },
  partition: string,
  isToGo: (value: T) => boolean = () => true,
): Promise<boolean> {
  let from: string | null = null;
  do {
    const page: IndexPage<StoredRecord<T> & { readonly id: string }> = await store.listRecords(partition, {
      limit: stepRows,
      from,
    });
    for (const { id, rev, value } of page.items) {
      if (isToGo(value)) await store.writeRecord({ partition, id }, rev, null);
    }
    from = page.next;
    if (from !== null) await pauses.pause();
  } while (from !== null && !pauses.isStopped);
  return from === null;
}
