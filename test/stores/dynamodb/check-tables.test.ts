import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { CreateTableCommand, type CreateTableCommandInput, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { checkTables } from "../../../server/stores/dynamodb/check-tables.js";
import { createDynamoClient } from "../../../server/stores/dynamodb/client.js";
import { createTables } from "../../../server/stores/dynamodb/create-tables.js";
import { tableDefinitions } from "../../../server/stores/dynamodb/tables.js";
import { freshPrefix, startDynamo, type TestDynamo } from "../../support/dynalite.js";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.js";

let dynamo: TestDynamo;
let proxy: FaultProxy;
let client: DynamoDBClient;

beforeAll(async () => {
  dynamo = await startDynamo();
  proxy = await startFaultProxy({ endpoint: dynamo.endpoint });
  client = await createDynamoClient({ endpoint: proxy.endpoint });
});

afterAll(async () => {
  client.destroy();
  await proxy.stop();
  await dynamo.stop();
});

/** What is wrong with each table, without the prefix, when the sessions were made like this. Undefined: not at all. */
async function wrongWith(sessions: Partial<CreateTableCommandInput> | undefined) {
  const prefix = freshPrefix();
  const [definition] = tableDefinitions(prefix);
  if (sessions !== undefined) await client.send(new CreateTableCommand({ ...definition!, ...sessions }));
  if (sessions !== undefined) await createTables(client, prefix, () => undefined);
  const before = proxy.requests.length;
  const findings = await checkTables(client, prefix);
  const asked = proxy.requests.slice(before).map(({ operation }) => operation);
  expect(asked).toEqual(findings.map(() => "DescribeTable"));
  return Object.fromEntries(findings.map(({ table, wrong }) => [table.slice(prefix.length), wrong.join("; ")]));
}

const fine = { sessions: "", messages: "", records: "", events: "" };
const [definition] = tableDefinitions("any-");
const indexes = definition!.GlobalSecondaryIndexes!;
const attributes = definition!.AttributeDefinitions!;
const without = (...names: string[]) => attributes.filter(({ AttributeName }) => !names.includes(AttributeName!));

test("[S12] tables as they are made are fine", async () => {
  expect(await wrongWith({})).toEqual(fine);
});

test("[S12] tables that are not there are missing", async () => {
  const missing = "is missing";
  expect(await wrongWith(undefined)).toEqual({
    ...{ sessions: missing, messages: missing, records: missing, events: missing },
  });
});

test.each<[string, Partial<CreateTableCommandInput>, string]>([
  [
    "another key",
    {
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      AttributeDefinitions: [...without("sessionId"), { AttributeName: "id", AttributeType: "S" }],
    },
    "has the key id (HASH, S), not sessionId (HASH, S)",
  ],
  [
    "a key of another type",
    { AttributeDefinitions: [...without("sessionId"), { AttributeName: "sessionId", AttributeType: "N" }] },
    "has the key sessionId (HASH, N), not sessionId (HASH, S)",
  ],
  [
    "without an index",
    {
      GlobalSecondaryIndexes: indexes.filter(({ IndexName }) => IndexName !== "work"),
      AttributeDefinitions: without("workIn", "workAt"),
    },
    "has no index work",
  ],
  [
    "an index by something else",
    {
      GlobalSecondaryIndexes: indexes.map((index) =>
        index.IndexName === "work" ? { ...index, KeySchema: [index.KeySchema![0]!] } : index,
      ),
      AttributeDefinitions: without("workAt"),
    },
    "has the index work by workIn (HASH, S), not workIn (HASH, S) and workAt (RANGE, S)",
  ],
])("[S12] %s is named", async (_what, sessions, expected) => {
  expect(await wrongWith(sessions)).toEqual({ ...fine, sessions: expected });
});
