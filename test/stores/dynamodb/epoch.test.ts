import { afterEach, expect, test } from "@jest/globals";
import { DeleteTableCommand } from "@aws-sdk/client-dynamodb";
import { StoreError } from "../../../server/messaging/store.js";
import { createDynamoClient } from "../../../server/stores/dynamodb/client.js";
import { createTables } from "../../../server/stores/dynamodb/create-tables.js";
import { tableDefinitions } from "../../../server/stores/dynamodb/tables.js";
import { newHead, say } from "../../contract/store-acts.js";
import { dynamoStores, type DynamoUnderTest } from "../../support/dynamo-store.js";

const { open, endpoint } = dynamoStores();
let under: DynamoUnderTest | null = null;

afterEach(async () => {
  await under?.dispose();
  under = null;
});

async function dropTables(prefix: string): Promise<void> {
  const client = await createDynamoClient({ endpoint: endpoint() });
  for (const { TableName } of tableDefinitions(prefix)) await client.send(new DeleteTableCommand({ TableName }));
  client.destroy();
}

async function makeTables(prefix: string): Promise<void> {
  const client = await createDynamoClient({ endpoint: endpoint() });
  await createTables(client, prefix, () => undefined);
  client.destroy();
}

test("[S11] tables that are made anew under a running server have another epoch, before anything is read from them", async () => {
  under = await open();
  const { store, prefix, proxy } = under;
  const { epoch } = store;
  await store.createHead(newHead("s1"));
  await say(store, "s1", "m1");
  await dropTables(prefix);
  for (let left = 2; left > 0; left -= 1) await expect(store.readHead("s1")).rejects.toThrow(StoreError);
  await makeTables(prefix);
  const before = proxy.requests.length;
  const heads = await Promise.all(Array.from({ length: 5 }, () => store.readHead("s1")));
  expect([store.failure, heads]).toEqual([null, [null, null, null, null, null]]);
  // One look, which all waited for.
  const asked = proxy.requests.slice(before).map(({ operation }) => operation);
  expect(asked).toEqual(["DescribeTable", ...heads.map(() => "GetItem")]);
  expect(store.epoch).not.toBe(epoch);
  expect((await under.another()).epoch).toBe(store.epoch);
  await store.createHead(newHead("s1"));
  expect(await say(store, "s1", "m1")).toMatchObject({ kind: "admitted", message: { offset: 1 } });
});

test("[S11] a request that fails for another reason changes no epoch, and asks for none", async () => {
  under = await open();
  const { store, proxy } = under;
  const { epoch } = store;
  proxy.add({ fault: { kind: "error" }, count: 3 });
  await expect(store.readHead("s1")).rejects.toThrow(StoreError);
  const before = proxy.requests.length;
  expect(await store.readHead("s1")).toBeNull();
  expect(proxy.requests.slice(before).map(({ operation }) => operation)).toEqual(["GetItem"]);
  expect(store.epoch).toBe(epoch);
});
