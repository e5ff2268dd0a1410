import { createIds, type Ids } from "../../server/messaging/ids.js";
import type { LeftOver } from "../../server/messaging/store.js";
import { createDynamoClient } from "../../server/stores/dynamodb/client.js";
import { DynamoStore } from "../../server/stores/dynamodb/store.js";
import { FakeClock } from "./fake-clock.js";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.js";

/**
 * One process over shared tables, whose time stands still: what it would do a moment later it never does, as if it had
 * ended before.
 */
export interface DynamoNode {
  readonly store: DynamoStore;
  readonly clock: FakeClock;
  readonly ids: Ids;
  readonly proxy: FaultProxy;
  /** Outcomes that nobody else tells of, and how many events were written before each. */
  readonly told: readonly (LeftOver & { readonly eventsWritten: number })[];
  readonly errors: readonly unknown[];
  /** Everything that waits to be written or taken out is left as it is. */
  die(): void;
  dispose(): Promise<void>;
}

export async function startDynamoNode(
  { endpoint, prefix }: { readonly endpoint: string; readonly prefix: string },
  now: number,
): Promise<DynamoNode> {
  const proxy = await startFaultProxy({ endpoint });
  const clock = new FakeClock(now);
  const ids = createIds(clock);
  const errors: unknown[] = [];
  const told: (LeftOver & { readonly eventsWritten: number })[] = [];
  const onError = (_operation: string, error: unknown) => void errors.push(error);
  const client = await createDynamoClient({ endpoint: proxy.endpoint });
  const store = await DynamoStore.open({ client, tablePrefix: prefix, clock, ids, onError });
  store.onLeftOver((outcome) => told.push({ ...outcome, eventsWritten: eventsWritten(proxy).length }));
  const die = () => proxy.stopAfterWrites(0);
  const dispose = async () => {
    await store.close();
    await proxy.stop();
  };
  return { store, clock, ids, proxy, told, errors, die, dispose };
}

/** Requests that write events, as they reached the database whole. */
export function eventsWritten({ requests }: FaultProxy) {
  return requests.filter(
    ({ operation, tables, faults, body }) =>
      operation === "BatchWriteItem" &&
      tables.includes("events") &&
      faults.length === 0 &&
      JSON.stringify(body).includes("PutRequest"),
  );
}
