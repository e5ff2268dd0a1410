import { type DynamoDBClient, type QueryCommandInput } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { systemClock } from "../../../server/clock.js";
import { createIds } from "../../../server/messaging/ids.js";
import type { Store } from "../../../server/messaging/store.js";
import { createDynamoClient } from "../../../server/stores/dynamodb/client.js";
import { DynamoStore } from "../../../server/stores/dynamodb/store.js";
import type { DynamoUnderTest } from "../../support/dynamo-store.js";

export interface Intercepted {
  readonly operation: string;
  readonly input: Input;
}

export interface Input {
  readonly TableName?: string;
  readonly RequestItems?: Readonly<Record<string, readonly unknown[]>>;
}

/** What happens to a request. `send` sends it, or another one in its place. */
export type Intercept = (request: Intercepted, send: (input?: Input) => Promise<unknown>) => Promise<unknown>;

export interface InterceptedStore {
  readonly store: Store;
  intercept(by: Intercept): void;
}

/** Another node on the data of a test, whose requests can be held back and cut to pieces. To be closed by the test. */
export async function interceptedStore({ proxy, prefix, errors }: DynamoUnderTest): Promise<InterceptedStore> {
  const client = await createDynamoClient({ endpoint: proxy.endpoint });
  let intercept: Intercept = (_request, send) => send();
  client.middlewareStack.add(
    (next, context) => (given) => {
      const operation = (context.commandName ?? "").replace(/Command$/, "");
      const send = (input: Input = given.input as Input) => next({ ...given, input });
      return intercept({ operation, input: given.input as Input }, send) as ReturnType<typeof next>;
    },
    { step: "initialize", name: "testIntercept" },
  );
  const store = await DynamoStore.open({
    ...{ client, tablePrefix: prefix, clock: systemClock, ids: createIds(systemClock) },
    onError: (_operation, error) => (errors as unknown[]).push(error),
  });
  return {
    store,
    intercept: (by) => {
      intercept = by;
    },
  };
}

/** A place where somebody waits until he is let through. */
export interface Gate {
  /** Resolves when somebody is there. */
  readonly reached: Promise<void>;
  pass(): Promise<void>;
  open(): void;
}

export function newGate(): Gate {
  const reached = newSignal();
  const opened = newSignal();
  return {
    reached: reached.promise,
    pass: () => {
      reached.resolve();
      return opened.promise;
    },
    open: opened.resolve,
  };
}

function newSignal(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** Whether it is a batch with parts of long bodies. */
export function hasParts({ operation, input }: Intercepted): boolean {
  return operation === "BatchWriteItem" && /"part"/.test(JSON.stringify(input));
}

/** Entries of a batch, each as a batch of its own. */
export function entriesOf(input: Input): readonly Input[] {
  return Object.entries(input.RequestItems ?? {}).flatMap(([table, requests]) =>
    requests.map((request) => ({ ...input, RequestItems: { [table]: [request] } })),
  );
}

/**
 * Ends a process in the middle of its batches, which are done in any order: of the batch with the n-th entry that it
 * writes that entry is written and no other, and nothing after it.
 */
export function stopAtEntry(n: number): { readonly intercept: Intercept; hasStopped(): boolean } {
  let left = n;
  let isStopped = false;
  return {
    hasStopped: () => isStopped,
    async intercept({ operation, input }, send) {
      if (isStopped) throw new Error("it has stopped");
      if (operation !== "BatchWriteItem") return send();
      const entries = entriesOf(input);
      const only = entries[left];
      left -= entries.length;
      if (only === undefined) return send();
      isStopped = true;
      await send(only);
      throw new Error("it has stopped");
    },
  };
}

/** All items of a partition, in the order of their keys. */
export async function itemsIn(
  client: DynamoDBClient,
  TableName: string,
  partition: string,
): Promise<readonly Record<string, unknown>[]> {
  const query: QueryCommandInput = {
    TableName,
    KeyConditionExpression: "#p = :p",
    ExpressionAttributeNames: { "#p": "partition" },
    ConsistentRead: true,
  };
  const command = new QueryCommand({ ...query, ExpressionAttributeValues: { ":p": partition } });
  const { Items = [] } = await DynamoDBDocumentClient.from(client).send(command);
  return Items;
}
