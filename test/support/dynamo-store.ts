import { afterAll, beforeAll, expect } from "@jest/globals";
import { systemClock } from "../../server/clock.js";
import { createIds } from "../../server/messaging/ids.js";
import type { Store } from "../../server/messaging/store.js";
import { createDynamoClient, dynamoLimits, type DynamoLimits } from "../../server/stores/dynamodb/client.js";
import { DynamoStore } from "../../server/stores/dynamodb/store.js";
import type { Stop, StoppingStore, StoreUnderTest } from "../contract/store-harness.js";
import { freshPrefix, makeTables, startDynamo, type TestDynamo } from "./dynalite.js";
import { dynamoViolations } from "./dynamo-rules.js";
import { type FaultProxy, type FaultProxyOptions, startFaultProxy } from "./fault-proxy.js";

/** Long: a machine that has much else to do is no fault of the database. */
const attemptMs = 20_000;

/** A store over tables of its own, through a proxy that sees every request. */
export interface DynamoUnderTest extends StoreUnderTest {
  readonly proxy: FaultProxy;
  readonly prefix: string;
  /** What failed where nobody waits for it. */
  readonly errors: readonly unknown[];
}

export interface DynamoStores {
  /** What every store does is held to the rules of docs/decisions/0003 when it is disposed of. */
  readonly open: (proxyOptions?: Omit<FaultProxyOptions, "endpoint">) => Promise<DynamoUnderTest>;
  readonly endpoint: () => string;
}

/** One DynamoDB for the tests of a file. To be called at its top. */
export function dynamoStores(): DynamoStores {
  let dynamo: TestDynamo | null = null;
  beforeAll(async () => {
    dynamo = await startDynamo();
  });
  afterAll(async () => {
    await dynamo?.stop();
  });
  const endpoint = () => dynamo!.endpoint;
  return { endpoint, open: (options) => openUnderTest(endpoint(), options) };
}

async function openUnderTest(
  endpoint: string,
  options: Omit<FaultProxyOptions, "endpoint"> = {},
): Promise<DynamoUnderTest> {
  const tablePrefix = freshPrefix();
  const client = await createDynamoClient({ endpoint });
  await makeTables(client, tablePrefix);
  client.destroy();
  const proxy = await startFaultProxy({ ...options, endpoint });
  const opened: Store[] = [];
  const errors: unknown[] = [];
  const open = async () => {
    const next = await openOver(proxy.endpoint, tablePrefix, (_operation, error) => errors.push(error));
    opened.push(next);
    return next;
  };
  let store = await open();
  return {
    proxy,
    prefix: tablePrefix,
    errors,
    get store() {
      return store;
    },
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    another: open,
    stopping: (stop) => openStopping(endpoint, tablePrefix, stop),
    async dispose() {
      await Promise.all(opened.map((each) => each.close()));
      await proxy.stop();
      expect(dynamoViolations(proxy.requests)).toEqual([]);
    },
  };
}

async function openStopping(endpoint: string, tablePrefix: string, stop: Stop): Promise<StoppingStore> {
  const proxy = await startFaultProxy({ endpoint });
  // A process that has stopped tries nothing again, and what is never answered is not waited for long.
  const limits = { attemptsMax: 1, requestTimeoutMs: dynamoLimits.requestTimeoutMs };
  const store = await openOver(proxy.endpoint, tablePrefix, () => undefined, limits);
  proxy.stopAfterWrites(stop.afterWrites, stop.last);
  return {
    store,
    async end() {
      await store.close();
      const isLastLost = stop.last === "unanswered" && proxy.writeCount >= stop.afterWrites;
      const wasRefused = isLastLost || proxy.requests.some(({ faults }) => faults.includes("cut"));
      await proxy.stop();
      return wasRefused;
    },
  };
}

async function openOver(
  endpoint: string,
  tablePrefix: string,
  onError: (operation: string, error: unknown) => void,
  limits: Partial<DynamoLimits> = {},
): Promise<DynamoStore> {
  const { requestTimeoutMs = attemptMs } = limits;
  const client = await createDynamoClient({ endpoint, limits: { ...limits, requestTimeoutMs } });
  return DynamoStore.open({
    client,
    tablePrefix,
    attemptMs: requestTimeoutMs,
    clock: systemClock,
    ids: createIds(systemClock),
    onError,
  });
}
