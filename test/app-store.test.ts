import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { systemClock } from "../server/clock.js";
import { readConfig } from "../server/config.js";
import { openStore } from "../server/open-store.js";
import { createDynamoClient } from "../server/stores/dynamodb/client.js";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { tableDefinitions } from "../server/stores/dynamodb/tables.js";
import { createTables, missingTables } from "../server/stores/dynamodb/create-tables.js";
import type { DeskEvents } from "../server/desk-telemetry.js";
import { Telemetry } from "../server/telemetry.js";
import { freshPrefix, startDynamo, type TestDynamo } from "./support/dynalite.js";
import { type FaultProxy, startFaultProxy } from "./support/fault-proxy.js";
import { dynamoViolations } from "./support/dynamo-rules.js";
import { Load } from "./support/load.js";
import { makeDataDir, startTestApp, type TestApp } from "./support/start-app.js";
import { until } from "./support/until.js";
import { WireClient } from "./support/wire.js";

let dynamo: TestDynamo;
let app: TestApp | null = null;
let proxy: FaultProxy | null = null;

beforeAll(async () => {
  dynamo = await startDynamo();
});

afterAll(async () => {
  await dynamo.stop();
});

afterEach(async () => {
  await app?.dispose();
  await proxy?.stop();
  [app, proxy] = [null, null];
});

function open(environment: Readonly<Record<string, string>>) {
  const config = readConfig({ STORE: "dynamodb", DYNAMODB_ENDPOINT: dynamo.endpoint, ...environment });
  return openStore(config, { clock: systemClock, telemetry: new Telemetry<DeskEvents>() });
}

describe("[S] a server that keeps its data in DynamoDB", () => {
  test("makes the tables itself where they are on this machine, and finds them the next time", async () => {
    const DYNAMODB_TABLE_PREFIX = freshPrefix();
    const first = await open({ DYNAMODB_TABLE_PREFIX });
    await first.writeRecord({ partition: "p", id: "1" }, null, { told: true });
    await first.close();
    const second = await open({ DYNAMODB_TABLE_PREFIX });
    expect((await second.readRecord({ partition: "p", id: "1" }))?.value).toEqual({ told: true });
    expect(second.epoch).toBe(first.epoch);
    await second.close();
  });

  test("elsewhere names what is missing, and the command that makes it", async () => {
    // An address that is not known to be of this machine.
    proxy = await startFaultProxy({ endpoint: dynamo.endpoint, host: "127.0.0.2" });
    const prefix = freshPrefix();
    const environment = { DYNAMODB_ENDPOINT: proxy.endpoint, DYNAMODB_TABLE_PREFIX: prefix, AWS_REGION: "local" };
    const expected = ["sessions", "messages", "records", "events"].map((name) => `${prefix}${name}`).join(", ");
    await withCredentials(async () => {
      await expect(open(environment)).rejects.toThrow(
        `STORE=dynamodb: no table ${expected}; make what is missing with: npm run dynamodb:create-tables`,
      );
    });
    const client = await createDynamoClient({ endpoint: dynamo.endpoint });
    expect(await missingTables(client, prefix)).toHaveLength(4);
    client.destroy();
  });

  test("[S12] refuses tables of which one lacks an index, and says what to do", async () => {
    const prefix = freshPrefix();
    const client = await createDynamoClient({ endpoint: dynamo.endpoint });
    const [sessions] = tableDefinitions(prefix);
    const kept = sessions!.GlobalSecondaryIndexes!.slice(1);
    const [lost] = sessions!.GlobalSecondaryIndexes!;
    const names = new Set(
      [sessions!, ...kept].flatMap(({ KeySchema }) => KeySchema!.map(({ AttributeName }) => AttributeName)),
    );
    const AttributeDefinitions = sessions!.AttributeDefinitions!.filter(({ AttributeName }) =>
      names.has(AttributeName),
    );
    await client.send(new CreateTableCommand({ ...sessions!, AttributeDefinitions, GlobalSecondaryIndexes: kept }));
    await createTables(client, prefix, () => undefined);
    client.destroy();
    await expect(open({ DYNAMODB_TABLE_PREFIX: prefix })).rejects.toMatchObject({
      name: "ConfigError",
      message:
        `STORE=dynamodb: table ${prefix}sessions has no index ${lost!.IndexName!}; wait until it is made, name other ` +
        "tables with DYNAMODB_TABLE_PREFIX, or remove them and run: npm run dynamodb:create-tables",
    });
  });

  test("that cannot reach it says where it looked, in one line", async () => {
    const starting = open({ DYNAMODB_ENDPOINT: "http://127.0.0.1:1", DYNAMODB_TABLE_PREFIX: "desk-" });
    await expect(starting).rejects.toMatchObject({
      name: "ConfigError",
      message: expect.stringMatching(
        /^STORE=dynamodb: DynamoDB, tables desk-\*, at http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.*$/,
      ) as unknown,
    });
  });

  test("without credentials says so", async () => {
    const environment = { DYNAMODB_ENDPOINT: "http://127.0.0.2:1", AWS_REGION: "local" };
    await withEnvironment({ AWS_EC2_METADATA_DISABLED: "true", HOME: "/nonexistent" }, async () => {
      await expect(open(environment)).rejects.toThrow(/credentials/i);
    });
  });

  test("does not touch the data directory", async () => {
    const dataDir = await makeDataDir();
    app = await startTestApp({ ...at(dynamo), DATA_DIR: dataDir });
    const other = await startTestApp({ ...at(dynamo), DATA_DIR: dataDir });
    await other.dispose();
  });

  test("is not ready as long as DynamoDB does not answer, and is again when it does", async () => {
    proxy = await startFaultProxy({ endpoint: dynamo.endpoint });
    app = await startTestApp({ ...at(proxy), DYNAMODB_TIMEOUT_MS: "300" });
    const ready = async () => (await fetch(`${app!.url}/readyz`)).status;
    expect(await ready()).toBe(200);
    proxy.add({ fault: { kind: "error" } });
    await expect(app.store.readHead("s1")).rejects.toMatchObject({ name: "StoreError" });
    expect(await ready()).toBe(503);
    proxy.clear();
    await app.store.readHead("s1");
    expect(await ready()).toBe(200);
  });
});

test("[S-10] [S-06] what a desk at work asks of DynamoDB: no scan, no transaction, no bare name, no stale read", async () => {
  proxy = await startFaultProxy({ endpoint: dynamo.endpoint });
  app = await startTestApp(at(proxy));
  const load = new Load("K1", 4);
  load.connect(app.url);
  await until("the load runs", () => load.acknowledgedCount > 8, 30_000);
  const console = await WireClient.connect(app.url);
  expect((await console.call("messages:K1", "phx_join", {})).status).toBe("ok");
  console.close();
  await load.finish();
  expect(await load.checkAnswered(app.url)).toEqual([]);
  load.disconnect();
  await app.stop();
  expect(dynamoViolations(proxy.requests)).toEqual([]);
  expect(new Set(proxy.requests.flatMap(({ tables }) => tables))).toEqual(
    new Set(["sessions", "messages", "records", "events"]),
  );
});

function at({ endpoint }: { readonly endpoint: string }): Record<string, string> {
  return { STORE: "dynamodb", DYNAMODB_ENDPOINT: endpoint };
}

const withCredentials = (run: () => Promise<void>) =>
  withEnvironment({ AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" }, run);

async function withEnvironment(changes: Readonly<Record<string, string>>, run: () => Promise<void>): Promise<void> {
  const before = { ...process.env };
  Object.assign(process.env, changes);
  try {
    await run();
  } finally {
    for (const name of Object.keys(changes)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}
