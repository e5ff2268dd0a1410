import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { CreateTableCommand, type CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import { systemClock } from "../../server/clock.js";
import { readConfig } from "../../server/config.js";
import type { Store } from "../../server/messaging/store.js";
import { openStore } from "../../server/open-store.js";
import { createDynamoClient } from "../../server/stores/dynamodb/client.js";
import { createTables } from "../../server/stores/dynamodb/create-tables.js";
import { tableDefinitions } from "../../server/stores/dynamodb/tables.js";
import { EmbeddedStore } from "../../server/stores/embedded/store.js";
import { Telemetry } from "../../server/telemetry.js";
import { freshPrefix, startDynamo, type TestDynamo } from "../support/dynalite.js";
import { bennu } from "../support/cli.js";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.js";
import { fill } from "../support/filled-store.js";
import { Load } from "../support/load.js";
import { inDynamo, TestServer } from "../support/server-process.js";
import { until } from "../support/until.js";

let directory: string;
const at = (...names: string[]) => join(directory, ...names);
const whole = { code: 0, signal: null, stderr: "" };

async function withStore<T>(name: string, use: (store: EmbeddedStore) => Promise<T>): Promise<T> {
  const store = await EmbeddedStore.open(at(name), systemClock, () => undefined);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "bennu-cli-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe("bennu check", () => {
  const check = (environment: Readonly<Record<string, string>> = {}) =>
    bennu(["check"], { DATA_DIR: at("data"), ...environment });

  test("[S12] prints all settings and where they come from, no secret, and says that there is no store yet", async () => {
    const secret = "a secret of more than thirty-two bytes";
    const { code, stdout } = await check({ AUTH_SECRET: secret, PORT: "4000" });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^PORT +4000 +\(environment\)$/m);
    expect(stdout).toMatch(/^HOST +127\.0\.0\.1 +\(default\)$/m);
    expect(stdout).toMatch(/^AUTH_SECRET +\(secret\) +\(environment\)$/m);
    expect(stdout).toMatch(/^AUTH_JWKS_URL +- +\(not set\)$/m);
    expect(stdout).not.toContain(secret);
    expect(stdout).toContain(`There is no store in ${at("data")} yet.`);
    expect(existsSync(at("data"))).toBe(false);
  });

  test("[S12] a data directory that cannot be one is exit code 1", async () => {
    writeFileSync(at("file"), "");
    for (const path of [at("file"), at("file/below"), at("file/far/below")]) {
      const { code, stdout } = await bennu(["check"], { DATA_DIR: path });
      expect([code, stdout]).toEqual([1, expect.stringContaining(`cannot be used: ${at("file")} is not a directory`)]);
    }
  });

  test("[S12] settings that the server cannot start with are exit code 1", async () => {
    const wrong = await check({ PORT: "many" });
    expect(wrong).toMatchObject({ code: 1 });
    expect(wrong.stdout).toMatch(/^PORT +many +\(environment; expected a whole number, 0 or more\)$/m);
    expect(wrong.stdout).toContain("The server cannot start with this PORT.");
    const open = await check({ NODE_ENV: "production" });
    expect(open).toMatchObject({ code: 1 });
    expect(open.stdout).toContain("The server cannot start with this: NODE_ENV=production needs to know who is who");
  });

  test("[S12] counts what a whole store holds, and names what is damaged in another", async () => {
    await withStore("data", (store) => fill(store));
    const fine = await check();
    expect(fine).toMatchObject(whole);
    expect(fine.stdout).toContain(
      `The store in ${at("data")} has 6 sessions, 45 messages, 27 asides, 3 open turns, 6 records, 21 events.\nNothing is wrong with it.`,
    );
    const path = at("data", "store", "data.mdb");
    const bytes = readFileSync(path);
    for (let found = bytes.indexOf("Ană"); found !== -1; found = bytes.indexOf("Ană", found + 1)) bytes[found]! ^= 1;
    writeFileSync(path, bytes);
    const damaged = await check();
    expect(damaged).toMatchObject({ code: 1, signal: null });
    expect(damaged.stdout).toContain('Damaged: the record ["user#B1#u0","of s0"] of records is damaged\n');
    expect(damaged.stdout).toContain("The store is damaged: 6 findings.");
  });
});

describe("bennu check with STORE=dynamodb", () => {
  let dynamo: TestDynamo;
  let proxy: FaultProxy;

  beforeAll(async () => {
    dynamo = await startDynamo();
    // An address that is not known to be of this machine.
    proxy = await startFaultProxy({ endpoint: dynamo.endpoint, host: "127.0.0.2" });
  });

  afterAll(async () => {
    await proxy.stop();
    await dynamo.stop();
  });

  const check = (prefix: string, endpoint: string, more: Readonly<Record<string, string>> = {}) => {
    const credentials = { AWS_REGION: "local", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" };
    return bennu(["check"], { ...inDynamo(endpoint, prefix), ...credentials, ...more });
  };

  test("[S12] tables that are missing are named, with exit code 1 where a server would not make them", async () => {
    const prefix = freshPrefix();
    const there = await check(prefix, proxy.endpoint);
    expect(there).toMatchObject({ code: 1, stderr: "" });
    for (const table of ["sessions", "messages", "records", "events"]) {
      expect(there.stdout).toContain(`  ${prefix}${table} is missing\n`);
    }
    expect(there.stdout).toContain("make what is missing with: npm run dynamodb:create-tables\n");
    const here = await check(prefix, dynamo.endpoint);
    expect(here).toMatchObject({ code: 0, stderr: "" });
    expect(here.stdout).toContain("On this machine a server makes what is missing when it starts.\n");
  });

  test("[S12] tables that a server can use are exit code 0, and nothing in them is read", async () => {
    const prefix = freshPrefix();
    await makeTables(prefix);
    const before = proxy.requests.length;
    const { code, stdout } = await check(prefix, proxy.endpoint);
    expect([code, stdout.match(/ is there$/gm)?.length]).toEqual([0, 4]);
    expect(stdout).toContain("A server can start on them. What is in them was not read.\n");
    expect(new Set(proxy.requests.slice(before).map(({ operation }) => operation))).toEqual(new Set(["DescribeTable"]));
  });

  test("[S12] a table that is another one is exit code 1, also on this machine", async () => {
    const prefix = freshPrefix();
    await makeTables(prefix, { KeySchema: [{ AttributeName: "id", KeyType: "HASH" }] });
    const { code, stdout } = await check(prefix, dynamo.endpoint);
    expect(code).toBe(1);
    expect(stdout).toContain(
      `  ${prefix}records has the key id (HASH, S), not partition (HASH, S) and id (RANGE, S)\n`,
    );
    expect(stdout).toContain("A server cannot work with these tables");
  });

  test("[S12] a DynamoDB that does not answer, and a setting that is wrong, are exit code 1", async () => {
    const silent = await check(freshPrefix(), "http://127.0.0.1:9");
    expect(silent).toMatchObject({ code: 1, stderr: "" });
    expect(silent.stdout).toContain("The tables cannot be looked at: ");
    for (const DYNAMODB_TIMEOUT_MS of ["abc", "0"]) {
      const wrong = await check(freshPrefix(), dynamo.endpoint, { DYNAMODB_TIMEOUT_MS });
      expect(wrong.code).toBe(1);
      expect(wrong.stdout).toMatch(/^DYNAMODB_TIMEOUT_MS .*; expected a whole number, 1 or more\)$/m);
      expect(wrong.stdout).not.toContain("tables");
    }
  });

  /** @param records how that table is made, if not as it should be */
  async function makeTables(prefix: string, records?: Pick<CreateTableCommandInput, "KeySchema">): Promise<void> {
    const client = await createDynamoClient({ endpoint: dynamo.endpoint, region: "local" });
    if (records !== undefined) {
      const definition = tableDefinitions(prefix).find(({ TableName }) => TableName === `${prefix}records`)!;
      const AttributeDefinitions = [{ AttributeName: "id", AttributeType: "S" as const }];
      await client.send(new CreateTableCommand({ ...definition, ...records, AttributeDefinitions }));
    }
    await createTables(client, prefix, () => undefined);
    client.destroy();
  }
});

describe("bennu backup", () => {
  const backup = (to: string) => bennu(["backup", to], { DATA_DIR: at("data") });

  test("[S12] makes a directory that is a data directory of its own, with another epoch", async () => {
    const epoch = await withStore("data", (store) => fill(store).then(() => store.epoch));
    const { stdout, ...end } = await backup(at("deep", "copy"));
    expect(end).toEqual(whole);
    expect(stdout).toMatch(/^Backed up .*data to .*copy: \d+ bytes, read through and on disk\.\n$/);
    expect((await bennu(["check"], { DATA_DIR: at("deep", "copy") })).stdout).toContain(
      "6 sessions, 45 messages, 27 asides, 3 open turns, 6 records, 21 events.\nNothing is wrong with it.",
    );
    await withStore(join("deep", "copy"), async (store) => {
      expect(store.epoch).not.toBe(epoch);
      expect((await store.readHead("s1"))?.session.offset).toBe(8);
    });
    await withStore("data", (store) => Promise.resolve(expect(store.epoch).toBe(epoch)));
  });

  test("[S12] never writes over anything, and repeats what was not finished", async () => {
    await withStore("data", (store) => fill(store));
    await backup(at("copy"));
    expect(await backup(at("copy"))).toMatchObject({ code: 1, stderr: `bennu: ${at("copy")} is not empty\n` });
    mkdirSync(at("unfinished", "store-partial"), { recursive: true });
    writeFileSync(at("unfinished", "store-partial", "data.mdb"), "half of it");
    expect((await bennu(["check"], { DATA_DIR: at("unfinished") })).stdout).toContain("was not finished");
    expect(await backup(at("unfinished"))).toMatchObject(whole);
    expect(readdirSync(at("unfinished"))).toEqual(["store"]);
  });

  test("[S12] into the directory that it is of, by whatever name, is refused, and beside it is not", async () => {
    await withStore("data", (store) => fill(store));
    symlinkSync(at("data"), at("link"));
    const before = readdirSync(at("data"), { recursive: true }).sort();
    for (const to of [at("data"), at("data", "copy"), at("data", "store", "deep"), at("link", "copy"), at("link")]) {
      expect(await backup(to)).toMatchObject({
        ...{ code: 1, stdout: "" },
        stderr: `bennu: ${to} lies in ${at("data")}, which is what is to be backed up\n`,
      });
    }
    expect(readdirSync(at("data"), { recursive: true }).sort()).toEqual(before);
    expect(await backup(at("data-copy"))).toMatchObject(whole);
  });

  test("[S12] of no store, of a damaged one, or of another kind of store is refused", async () => {
    expect(await backup(at("copy"))).toMatchObject({ code: 1, stderr: `bennu: there is no store in ${at("data")}\n` });
    await withStore("data", (store) => fill(store));
    const path = at("data", "store", "data.mdb");
    // All but the two pages that say where the others are.
    writeFileSync(path, readFileSync(path).fill(0, 2 * 4096));
    expect((await backup(at("copy"))).code).toBe(1);
    expect(existsSync(at("copy", "store"))).toBe(false);
    const other = await bennu(["backup", at("copy")], { STORE: "dynamodb" });
    expect(other).toMatchObject({ code: 1 });
    expect(other.stderr).toContain("backup reads the embedded store, and STORE is dynamodb");
  });
});

describe("bennu export and import", () => {
  test("[S13] an export to stdout and one to a file are the same, and only its owner may read the file", async () => {
    await withStore("data", (store) => fill(store));
    const toStdout = await bennu(["export"], { DATA_DIR: at("data") });
    const toFile = await bennu(["export", at("export.jsonl")], { DATA_DIR: at("data") });
    expect(toFile).toMatchObject(whole);
    expect(toFile.stdout).toContain(": 6 sessions, 45 messages, 27 asides, 6 records.\n");
    const body = (text: string) => text.split("\n").slice(1, -2);
    expect(body(readFileSync(at("export.jsonl"), "utf8"))).toEqual(body(toStdout.stdout));
    expect(statSync(at("export.jsonl")).mode & 0o777).toBe(0o600);
    const again = await bennu(["export", at("export.jsonl")], { DATA_DIR: at("data") });
    expect(again).toMatchObject({ code: 1, stderr: `bennu: ${at("export.jsonl")} exists already\n` });
  });

  test("[S13] a damaged store is not exported by half: no file, and the damaged record is named", async () => {
    await withStore("data", (store) => fill(store));
    const path = at("data", "store", "data.mdb");
    const bytes = readFileSync(path);
    for (let found = bytes.indexOf("Ană"); found !== -1; found = bytes.indexOf("Ană", found + 1)) bytes[found]! ^= 1;
    writeFileSync(path, bytes);
    const end = await bennu(["export", at("export.jsonl")], { DATA_DIR: at("data") });
    expect(end).toMatchObject({ code: 1, stderr: 'bennu: the record ["user#B1#u0","of s0"] of records is damaged\n' });
    expect(readdirSync(directory)).toEqual(["data"]);
  });

  test("[S13] what is imported is a whole store, whose open turns the server that starts next answers", async () => {
    await withStore("data", (store) => fill(store));
    await bennu(["export", at("export.jsonl")], { DATA_DIR: at("data") });
    const server = await TestServer.create();
    try {
      const imported = await bennu(["import", at("export.jsonl")], { DATA_DIR: server.dataDir });
      expect(imported).toMatchObject(whole);
      expect(imported.stdout).toBe(
        `Imported ${at("export.jsonl")} into ${server.dataDir}. Written: 6 sessions, 45 messages, 27 asides, 6 records. ` +
          "There already, and as it was: 0 sessions, 0 messages, 0 asides, 0 records.\n",
      );
      expect((await bennu(["check"], { DATA_DIR: server.dataDir })).stdout).toContain("Nothing is wrong with it.");
      await server.start();
      await expectAnswered(server);
      const beside = await bennu(["import", at("export.jsonl")], { DATA_DIR: server.dataDir });
      expect(beside).toMatchObject({ code: 1 });
      expect(beside.stderr).toContain(`is in use by process ${server.pid} on `);
    } finally {
      await server.dispose();
    }
  });

  test("[S13] an import says what was there already, and what is there in another state", async () => {
    await withStore("data", (store) => fill(store));
    await bennu(["export", at("export.jsonl")], { DATA_DIR: at("data") });
    const before = await bennu(["import", at("export.jsonl")], { DATA_DIR: at("data") });
    expect(before.stdout).toBe(
      `Imported ${at("export.jsonl")} into ${at("data")}. Written: 0 sessions, 0 messages, 0 asides, 0 records. ` +
        "There already, and as it was: 6 sessions, 45 messages, 27 asides, 6 records.\n",
    );
    await withStore("older", (store) => fill(store, { rounds: 2 }));
    const older = await bennu(["import", at("export.jsonl")], { DATA_DIR: at("older") });
    expect(older).toMatchObject(whole);
    expect(older.stdout).toContain(
      "\n6 sessions are there in another state and were left alone.\n39 messages and asides of theirs are not in the store.\n",
    );
  });

  test("[S13] a file that is cut off is refused with its line, and nothing is written", async () => {
    await withStore("data", (store) => fill(store));
    await bennu(["export", at("export.jsonl")], { DATA_DIR: at("data") });
    const lines = readFileSync(at("export.jsonl"), "utf8").split("\n");
    writeFileSync(at("cut.jsonl"), lines.slice(0, 20).join("\n"));
    const end = await bennu(["import", at("cut.jsonl")], { DATA_DIR: at("other") });
    expect(end).toMatchObject({ code: 1, stderr: "bennu: line 20 is cut off\n" });
    expect((await bennu(["export"], { DATA_DIR: at("other") })).stdout.split("\n")).toHaveLength(3);
    expect((await bennu(["import", at("nowhere")], { DATA_DIR: at("other") })).stderr).toContain("no such file");
  });
});

/** The open turn of the first session has its outcome. */
async function expectAnswered(server: TestServer): Promise<void> {
  const history = async () => {
    const response = await fetch(`${server.url}/api/sessions/s0/messages?limit=200`, {
      headers: { "X-Role": "coordinator" },
    });
    return ((await response.json()) as { messages: unknown[] }).messages;
  };
  const end = Date.now() + 10_000;
  while ((await history()).length < 8 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await history()).toHaveLength(8);
}

test("[S13] an import goes into the store that STORE names, is the same there, and its open turns are answered", async () => {
  const dynamo = await startDynamo();
  let server: TestServer | null = null;
  try {
    await withStore("data", (store) => fill(store));
    await bennu(["export", at("export.jsonl")], { DATA_DIR: at("data") });
    const prefix = freshPrefix();
    const credentials = { AWS_REGION: "local", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" };
    const environment = { ...inDynamo(dynamo.endpoint, prefix), ...credentials };
    const place = `DynamoDB, tables ${prefix}*, at ${dynamo.endpoint}`;
    const [all, none] = [
      "6 sessions, 45 messages, 27 asides, 6 records",
      "0 sessions, 0 messages, 0 asides, 0 records",
    ];
    for (const [written, there] of [
      [all, none],
      [none, all],
    ]) {
      const { stdout, ...end } = await bennu(["import", at("export.jsonl")], environment);
      expect(end).toEqual(whole);
      expect(stdout).toBe(
        `Imported ${at("export.jsonl")} into ${place}. Written: ${written}. There already, and as it was: ${there}.\n`,
      );
    }
    const config = readConfig(environment);
    const there = await openStore(config, { clock: systemClock, telemetry: new Telemetry() });
    await withStore("data", async (here) => {
      for (const sessionId of ["s0", "s1", "s2", "s3", "s4", "s5"]) {
        const of = async (store: Store) => ({
          session: (await store.readHead(sessionId))!.session,
          turns: (await store.readHead(sessionId))!.turns,
          messages: (await store.readMessages(sessionId, { limit: 100 })).items,
        });
        expect(await of(there)).toEqual(await of(here));
      }
      const key = { partition: "user#B1#u1", id: "of s1" };
      expect((await there.readRecord(key))!.value).toEqual((await here.readRecord(key))!.value);
    });
    await there.close();
    server = await TestServer.create(environment);
    await server.start();
    await expectAnswered(server);
  } finally {
    await server?.dispose();
    await dynamo.stop();
  }
});

test("[S12] [S13] backups, exports and checks beside a server under load are each of one moment", async () => {
  const server = await TestServer.create();
  const load = new Load("B9", 8);
  try {
    await server.start();
    load.connect(server.url);
    await until("the load runs", () => load.acknowledgedCount > 50);
    const environment = { DATA_DIR: server.dataDir };
    for (let round = 0; round < 2; round += 1) {
      const before = load.acknowledgedCount;
      const [copy, file] = [at(`copy${round}`), at(`export${round}.jsonl`)];
      const ends = await Promise.all([
        bennu(["check"], environment),
        bennu(["backup", copy], environment),
        bennu(["export", file], environment),
      ]);
      for (const end of ends) expect(end).toMatchObject(whole);
      expect(ends[0].stdout).toContain("Nothing is wrong with it.");
      for (const [name, dataDir] of [
        ["backup", copy],
        ["import", at(`imported${round}`)],
      ] as const) {
        if (name === "import") expect(await bennu(["import", file], { DATA_DIR: dataDir })).toMatchObject(whole);
        const found = await bennu(["check"], { DATA_DIR: dataDir });
        expect(found).toMatchObject(whole);
        expect(Number(/(\d+) messages/.exec(found.stdout)![1])).toBeGreaterThanOrEqual(before);
      }
    }
    load.users.forEach((user) => (user.isTalking = false));
    await load.finish();
    expect(await load.checkAnswered(server.url)).toEqual([]);
  } finally {
    load.disconnect();
    await server.dispose();
  }
});
