import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { createDynamoClient, dynamoLimits, isLocalEndpoint } from "../../../server/stores/dynamodb/client.js";
import type { DeskEvents } from "../../../server/desk-telemetry.js";
import { Telemetry } from "../../../server/telemetry.js";
import { makeTables, startDynamo, type TestDynamo } from "../../support/dynalite.js";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.js";

let dynamo: TestDynamo;
let proxy: FaultProxy;
let client: DynamoDBClient;
let prefix: string;
let seen: string[];
let consumed: DeskEvents["dynamodb.consumed"][];
let answered: Omit<DeskEvents["dynamodb.answered"], "durationMs">[];
let throttled: string[];

beforeAll(async () => {
  dynamo = await startDynamo();
});

afterAll(async () => {
  await dynamo.stop();
});

beforeEach(async () => {
  [seen, consumed, answered, throttled] = [[], [], [], []];
  const telemetry = new Telemetry<DeskEvents>();
  proxy = await startFaultProxy({ endpoint: dynamo.endpoint });
  client = await createDynamoClient({
    endpoint: proxy.endpoint,
    telemetry,
    onRequest: ({ operation }) => seen.push(operation),
    limits: { requestTimeoutMs: 200 },
  });
  prefix = await makeTables(client);
  seen = [];
  proxy.clear();
  telemetry.attach("dynamodb.consumed", (event) => consumed.push(event));
  telemetry.attach("dynamodb.throttled", ({ operation }) => throttled.push(operation));
  telemetry.attach("dynamodb.answered", ({ durationMs, ...event }) => {
    expect(durationMs).toBeGreaterThan(0);
    answered.push(event);
  });
});

afterEach(async () => {
  client.destroy();
  await proxy.stop();
});

describe("[S-02] a request", () => {
  test("is tried three times and no more, with a wait between, and then fails", async () => {
    proxy.add({ fault: { kind: "error" }, operation: "PutItem" });
    await expect(put("1")).rejects.toMatchObject({ name: "InternalServerError" });
    expect(puts()).toBe(dynamoLimits.attemptsMax);
    expect(answered).toEqual([{ operation: "PutItem", result: "failed", attempts: 3 }]);
    expect(seen).toEqual(["PutItem"]);
  });

  test("that is not answered is given up, each attempt for itself", async () => {
    proxy.add({ fault: { kind: "timeout" }, operation: "PutItem", count: 1 });
    await put("1");
    expect(puts()).toBe(2);
    proxy.add({ fault: { kind: "timeout" }, operation: "PutItem" });
    await expect(put("2")).rejects.toMatchObject({ name: "TimeoutError" });
    expect(puts()).toBe(5);
  });

  test("takes at most five seconds in all", () => {
    const { attemptsMax, requestTimeoutMs } = dynamoLimits;
    expect(attemptsMax * requestTimeoutMs).toBeLessThan(5000);
  });

  test("that was throttled is counted once an attempt", async () => {
    proxy.add({ fault: { kind: "throttle" }, operation: "PutItem", count: 1 });
    await put("1");
    expect(throttled).toEqual(["PutItem"]);
    expect(answered).toEqual([{ operation: "PutItem", result: "ok", attempts: 2 }]);
  });

  test("whose connection was cut is tried again", async () => {
    proxy.add({ fault: { kind: "cut" }, operation: "PutItem", count: 1 });
    await put("1");
    expect(puts()).toBe(2);
  });
});

test("[S] every request says what it cost, for the table and for each index", async () => {
  await put("1");
  const Key = { sessionId: { S: "1" } };
  await client.send(new GetItemCommand({ TableName: `${prefix}sessions`, Key, ConsistentRead: true }));
  await client.send(
    new QueryCommand({
      TableName: `${prefix}sessions`,
      IndexName: "owner",
      KeyConditionExpression: "#o = :o",
      ExpressionAttributeNames: { "#o": "owner" },
      ExpressionAttributeValues: { ":o": { S: "o" } },
      Limit: 1,
    }),
  );
  const table = `${prefix}sessions`;
  expect(consumed).toContainEqual({ operation: "PutItem", table, index: null, units: 1, kind: "write" });
  expect(consumed).toContainEqual({ operation: "GetItem", table, index: null, units: 1, kind: "read" });
  expect(consumed).toContainEqual({ operation: "Query", table, index: "owner", units: 0.5, kind: "read" });
  const items = proxy.requests.filter(({ operation }) => ["PutItem", "GetItem", "Query"].includes(operation));
  expect(items.map(({ body }) => body.ReturnConsumedCapacity)).toEqual(["INDEXES", "INDEXES", "INDEXES"]);
});

test("[S-03] a condition that does not hold is an answer, not a failure, and is not tried again", async () => {
  const once = { ConditionExpression: "attribute_not_exists(#id)", ExpressionAttributeNames: { "#id": "sessionId" } };
  await put("1", once);
  await expect(put("1", once)).rejects.toMatchObject({ name: "ConditionalCheckFailedException" });
  expect(answered.map(({ result, attempts }) => [result, attempts])).toEqual([
    ["ok", 1],
    ["conflict", 1],
  ]);
});

test("[S] a DynamoDB on this machine needs no AWS settings", () => {
  expect(["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000"].map(isLocalEndpoint)).toEqual([
    true,
    true,
    true,
  ]);
  expect(["https://dynamodb.eu-central-1.amazonaws.com", "http://127.0.0.1.evil.com", undefined].map(isLocalEndpoint)) //
    .toEqual([false, false, false]);
});

test("[S] elsewhere the region is the one that was set, and the credentials are the SDK's to find", async () => {
  const away = await createDynamoClient({ endpoint: "https://dynamodb.example.com", region: "eu-central-1" });
  expect(await away.config.region()).toBe("eu-central-1");
  expect(await away.config.maxAttempts()).toBe(3);
  const here = await client.config.credentials();
  expect([here.accessKeyId, await client.config.region()]).toEqual(["local", "local"]);
  away.destroy();
});

function put(id: string, more: object = {}) {
  const Item = { sessionId: { S: id }, owner: { S: "o" }, createdAt: { S: "2026" } };
  return client.send(new PutItemCommand({ TableName: `${prefix}sessions`, Item, ...more }));
}

function puts(): number {
  return proxy.requests.filter(({ operation }) => operation === "PutItem").length;
}
