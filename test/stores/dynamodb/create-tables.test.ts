import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { DeleteTableCommand, DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createDynamoClient } from "../../../server/stores/dynamodb/client.js";
import { createTables, missingTables } from "../../../server/stores/dynamodb/create-tables.js";
import { tableDefinitions } from "../../../server/stores/dynamodb/tables.js";
import { freshPrefix, startDynamo, type TestDynamo } from "../../support/dynalite.js";
import { startFaultProxy } from "../../support/fault-proxy.js";

let dynamo: TestDynamo;
let client: DynamoDBClient;

beforeAll(async () => {
  dynamo = await startDynamo();
  client = await createDynamoClient({ endpoint: dynamo.endpoint });
});

afterAll(async () => {
  client.destroy();
  await dynamo.stop();
});

async function create(prefix: string): Promise<string[]> {
  const lines: string[] = [];
  await createTables(client, prefix, (line) => lines.push(line));
  return lines.sort();
}

test("[S] what is missing is created, on demand, with keys alone in the indexes, and can be used", async () => {
  const prefix = freshPrefix();
  const names = tableDefinitions(prefix).map(({ TableName }) => TableName!);
  expect(await missingTables(client, prefix)).toEqual(names);
  const lines = await create(prefix);
  for (const name of names) expect(lines).toContain(`${name}: created`);
  expect(await missingTables(client, prefix)).toEqual([]);
  for (const name of names) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    expect(Table?.TableStatus).toBe("ACTIVE");
    expect(Table?.BillingModeSummary?.BillingMode).toBe("PAY_PER_REQUEST");
    const projections = (Table?.GlobalSecondaryIndexes ?? []).map(({ Projection }) => Projection?.ProjectionType);
    expect(new Set(projections).size).toBeLessThan(2);
    expect(projections.every((projection) => projection === "KEYS_ONLY")).toBe(true);
  }
});

test("[S] a second time nothing is changed, and a table that went missing is made again", async () => {
  const prefix = freshPrefix();
  await create(prefix);
  const again = await create(prefix);
  expect(again.filter((line) => line.includes("created"))).toEqual([]);
  const [first] = tableDefinitions(prefix).map(({ TableName }) => TableName!);
  await client.send(new DeleteTableCommand({ TableName: first! }));
  expect((await create(prefix)).filter((line) => line.includes("created"))).toEqual([`${first!}: created`]);
});

test("[S] two that create them at the same time both come through", async () => {
  const prefix = freshPrefix();
  await Promise.all([create(prefix), create(prefix), create(prefix)]);
  expect(await missingTables(client, prefix)).toEqual([]);
});

test("[S] a DynamoDB without time to live is told, and everything else is there", async () => {
  const prefix = freshPrefix();
  const lines = await create(prefix);
  for (const table of ["events", "records"]) {
    expect(lines).toContain(
      `${prefix}${table}: this DynamoDB has no time to live; what is over stays until somebody deletes it`,
    );
  }
});

test("[S] an answer that is none fails, and says so", async () => {
  const proxy = await startFaultProxy({ endpoint: dynamo.endpoint });
  const own = await createDynamoClient({ endpoint: proxy.endpoint, limits: { attemptsMax: 1 } });
  proxy.add({ fault: { kind: "error" } });
  await expect(missingTables(own, freshPrefix())).rejects.toMatchObject({ name: "InternalServerError" });
  own.destroy();
  await proxy.stop();
});
