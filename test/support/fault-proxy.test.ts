import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandOutput,
} from "@aws-sdk/client-dynamodb";
import { createDynamoClient, type DynamoLimits } from "../../server/stores/dynamodb/client.js";
import { freshPrefix, makeTables, startDynamo, type TestDynamo } from "./dynalite.js";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.js";
import { createRandom } from "./random.js";

let dynamo: TestDynamo;
let proxy: FaultProxy;
let client: DynamoDBClient;
/** Sees what is stored, past the proxy. */
let direct: DynamoDBClient;
let records: string;

beforeAll(async () => {
  dynamo = await startDynamo();
  direct = await createDynamoClient({ endpoint: dynamo.endpoint });
});

afterAll(async () => {
  direct.destroy();
  await dynamo.stop();
});

beforeEach(async () => {
  proxy = await startFaultProxy({ endpoint: dynamo.endpoint });
  client = await connect(proxy);
  records = `${await makeTables(direct)}records`;
});

afterEach(async () => {
  client.destroy();
  await proxy.stop();
});

// One attempt, so that each fault is seen as it is.
function connect({ endpoint }: FaultProxy, limits: Partial<DynamoLimits> = {}): Promise<DynamoDBClient> {
  return createDynamoClient({ endpoint, limits: { attemptsMax: 1, requestTimeoutMs: 20_000, ...limits } });
}

test("[S] a request without a fault passes as it is, and is recorded", async () => {
  await put("1");
  expect(await idsIn(client)).toEqual(["1"]);
  expect(proxy.requests.map(({ operation, tables }) => [operation, tables])).toEqual([
    ["PutItem", ["records"]],
    ["Query", ["records"]],
  ]);
  expect(proxy.requests[0]!.body).toMatchObject({ TableName: records, Item: { id: { S: "1" } } });
  expect(proxy.writeCount).toBe(1);
});

test.each([
  ["throttle", "ProvisionedThroughputExceededException", false],
  ["error", "InternalServerError", false],
  ["timeout", "TimeoutError", false],
  ["cut", "Error", false],
  ["applied-then-500", "InternalServerError", true],
  ["applied-then-cut", "Error", true],
  ["applied-then-timeout", "TimeoutError", true],
] as const)("[S-01] [S-02] %s: the client sees %s, and applied is %s", async (kind, name, isApplied) => {
  proxy.add({ fault: { kind }, operation: "PutItem", count: 1 });
  const hasty = await connect(proxy, { requestTimeoutMs: 1500 });
  await expect(put("1", hasty)).rejects.toMatchObject({ name });
  hasty.destroy();
  expect(await idsIn(direct)).toEqual(isApplied ? ["1"] : []);
  await put("2");
  expect(proxy.requests.map(({ faults }) => faults)).toEqual([[kind], []]);
});

describe("[S] a rule fits", () => {
  test("an operation, a table, a condition", async () => {
    proxy.add({ fault: { kind: "error" }, operation: "GetItem" });
    proxy.add({ fault: { kind: "error" }, operation: "write", table: "messages" });
    proxy.add({ fault: { kind: "error" }, when: ({ body }) => JSON.stringify(body).includes("poison") });
    await put("1");
    expect(await idsIn(client)).toEqual(["1"]);
    await expect(put("poison")).rejects.toMatchObject({ name: "InternalServerError" });
    const Key = { partition: { S: "p" }, id: { S: "1" } };
    await expect(client.send(new GetItemCommand({ TableName: records, Key }))).rejects.toThrow();
  });

  test("the n-th request, and none after it was removed", async () => {
    const remove = proxy.add({ fault: { kind: "error" }, operation: "PutItem", nth: 3 });
    expect(await outcomes(4)).toEqual([true, true, false, true]);
    remove();
    proxy.add({ fault: { kind: "error" }, operation: "PutItem", count: 2 });
    expect(await outcomes(4)).toEqual([false, false, true, true]);
    proxy.add({ fault: { kind: "error" } });
    proxy.clear();
    expect(await outcomes(2)).toEqual([true, true]);
  });

  test("with a probability, the same requests for the same seed", async () => {
    const run = async (seed: number) => {
      const seeded = await startFaultProxy({ endpoint: dynamo.endpoint, random: createRandom(seed) });
      const own = await connect(seeded);
      seeded.add({ fault: { kind: "throttle" }, probability: 0.5 });
      const result = await outcomes(16, own);
      own.destroy();
      await seeded.stop();
      return result;
    };
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
    expect(new Set(first).size).toBe(2);
  });
});

test("[D-06] after the n-th write nothing reaches the database any more", async () => {
  proxy.stopAfterWrites(2);
  expect(await outcomes(4)).toEqual([true, true, false, false]);
  expect((await idsIn(direct)).length).toBe(2);
  await expect(idsIn(client)).rejects.toThrow();
  expect(proxy.writeCount).toBe(2);
});

test("[D-06] of the last write before a stop nothing may be heard", async () => {
  proxy.stopAfterWrites(2, "unanswered");
  expect(await outcomes(3)).toEqual([true, false, false]);
  expect((await idsIn(direct)).length).toBe(2);
});

test("[D-06] writes at the same time do not slip past the last one", async () => {
  proxy.stopAfterWrites(3);
  proxy.add({ fault: { kind: "latency", ms: 20 } });
  const all = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => put(`${index}`)));
  expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  expect(await idsIn(direct)).toHaveLength(3);
});

test("[S-05] a page holds as many rows as it is told, and says where it goes on", async () => {
  for (const id of ["1", "2", "3", "4"]) await put(id);
  proxy.add({ fault: { kind: "page", rows: 3 } });
  const first = await page(client);
  expect([first.Items?.length, first.LastEvaluatedKey?.id?.S]).toEqual([3, "3"]);
  expect(await idsIn(client)).toEqual(["1", "2", "3", "4"]);
});

test("[S-05] a page without rows goes on with the same key, once", async () => {
  for (const id of ["1", "2", "3"]) await put(id);
  proxy.add({ fault: { kind: "page", rows: 2 } });
  proxy.add({ fault: { kind: "empty-page" } });
  const { LastEvaluatedKey } = await page(client);
  const empty = await page(client, LastEvaluatedKey);
  expect([empty.Items, empty.LastEvaluatedKey]).toEqual([[], LastEvaluatedKey]);
  expect((await page(client, LastEvaluatedKey)).Items).toHaveLength(1);
  expect(await idsIn(client)).toEqual(["1", "2", "3"]);
});

test("[S-02] half of a batch is left over, and the client is told", async () => {
  proxy.add({ fault: { kind: "unprocessed" }, count: 2 });
  const { UnprocessedItems } = await putBatch(["1", "2", "3"]);
  expect(UnprocessedItems?.[records]?.map(({ PutRequest }) => PutRequest?.Item?.id?.S)).toEqual(["3"]);
  expect(await idsIn(direct)).toEqual(["1", "2"]);
  const Keys = ["1", "2"].map((id) => ({ partition: { S: "p" }, id: { S: id } }));
  const got = await client.send(
    new BatchGetItemCommand({ RequestItems: { [records]: { Keys, ConsistentRead: true } } }),
  );
  expect(got.Responses?.[records]).toHaveLength(1);
  expect(got.UnprocessedKeys).toEqual({ [records]: { Keys: [Keys[1]], ConsistentRead: true } });
});

test("[D-06] half of a batch is there, and nobody knows", async () => {
  proxy.add({ fault: { kind: "half-then-cut" }, count: 1 });
  await expect(putBatch(["1", "2", "3"])).rejects.toThrow();
  expect(await idsIn(direct)).toEqual(["1", "2"]);
});

test("[S-06] a stale read sees an earlier moment, a consistent one does not, and in the end they agree", async () => {
  const replica = await startDynamo();
  const behind = await startFaultProxy({ endpoint: dynamo.endpoint, replica: replica.endpoint });
  const own = await connect(behind);
  const prefix = freshPrefix();
  await makeTables(own, prefix);
  records = `${prefix}records`;
  behind.add({ fault: { kind: "stale" } });
  await put("1", own);
  behind.holdReplica();
  await put("2", own);
  expect(await idsIn(own, false)).toEqual(["1"]);
  expect(await idsIn(own, true)).toEqual(["1", "2"]);
  await behind.catchUp();
  expect(await idsIn(own, false)).toEqual(["1", "2"]);
  await put("3", own);
  expect(await idsIn(own, false)).toEqual(["1", "2", "3"]);
  own.destroy();
  await behind.stop();
  await replica.stop();
});

test("[S-02] a request can be made to wait", async () => {
  proxy.add({ fault: { kind: "latency", ms: 60 } });
  const startedAt = performance.now();
  await put("1");
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(60);
});

test("[S-01] the client tries again by itself: a write whose answer was lost is refused as its own double", async () => {
  const patient = await connect(proxy, { attemptsMax: 3 });
  proxy.add({ fault: { kind: "applied-then-500" }, operation: "PutItem", count: 1 });
  const Item = { partition: { S: "p" }, id: { S: "1" } };
  const once = new PutItemCommand({
    TableName: records,
    Item,
    ConditionExpression: "attribute_not_exists(#id)",
    ExpressionAttributeNames: { "#id": "id" },
  });
  await expect(patient.send(once)).rejects.toMatchObject({ name: "ConditionalCheckFailedException" });
  expect(await idsIn(direct)).toEqual(["1"]);
  patient.destroy();
});

async function put(id: string, by = client): Promise<void> {
  await by.send(new PutItemCommand({ TableName: records, Item: { partition: { S: "p" }, id: { S: id } } }));
}

function putBatch(ids: readonly string[]) {
  const requests = ids.map((id) => ({ PutRequest: { Item: { partition: { S: "p" }, id: { S: id } } } }));
  return client.send(new BatchWriteItemCommand({ RequestItems: { [records]: requests } }));
}

async function outcomes(count: number, by = client): Promise<boolean[]> {
  const results: boolean[] = [];
  for (let index = 0; index < count; index += 1) {
    results.push(
      await put(`${index}`, by).then(
        () => true,
        () => false,
      ),
    );
  }
  return results;
}

type Key = QueryCommandOutput["LastEvaluatedKey"];

function page(by: DynamoDBClient, from?: Key, isConsistent = true): Promise<QueryCommandOutput> {
  return by.send(
    new QueryCommand({
      TableName: records,
      KeyConditionExpression: "#p = :p",
      ExpressionAttributeNames: { "#p": "partition" },
      ExpressionAttributeValues: { ":p": { S: "p" } },
      ConsistentRead: isConsistent,
      ...(from === undefined ? {} : { ExclusiveStartKey: from }),
    }),
  );
}

async function idsIn(by: DynamoDBClient, isConsistent = true): Promise<string[]> {
  const ids: string[] = [];
  let from: Key;
  do {
    const { Items = [], LastEvaluatedKey } = await page(by, from, isConsistent);
    ids.push(...Items.map(({ id }) => id?.S ?? ""));
    from = LastEvaluatedKey;
  } while (from !== undefined);
  return ids;
}
