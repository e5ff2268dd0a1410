import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { readSession } from "./support/desk-history.js";
import { freshPrefix, startDynamoProcess, type TestDynamo } from "./support/dynalite.js";
import { type FaultProxy, startFaultProxy } from "./support/fault-proxy.js";
import { inDynamo, TestServer } from "./support/server-process.js";
import { WireClient } from "./support/wire.js";
import { joined, newMessage, topic } from "./support/witness.js";

let dynamo: TestDynamo;
let proxy: FaultProxy | null = null;
let servers: TestServer[] = [];

beforeAll(async () => {
  dynamo = await startDynamoProcess();
});

afterAll(async () => {
  await dynamo.stop();
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.dispose()));
  await proxy?.stop();
  [servers, proxy] = [[], null];
});

async function newServer(environment: Readonly<Record<string, string>>): Promise<TestServer> {
  const server = await TestServer.create(environment);
  servers.push(server);
  return server;
}

/** Says something, and waits until it is answered. @returns the session */
async function converse(url: string, userId: string): Promise<string> {
  const client = await WireClient.connect(url);
  await joined(client, userId);
  const { status, response } = await client.call(topic, "new_message", newMessage(userId));
  expect(status).toBe("ok");
  // What was not delivered before may come first.
  await client.next(([, , , event, { inReplyTo }]) => event === "new_message" && inReplyTo === response.messageId);
  client.close();
  return String(response.sessionId);
}

describe("[S] the server as a process", () => {
  test("says where its pages and its data are, on both stores", async () => {
    const embedded = await newServer({});
    await embedded.start();
    for (const [name, path] of [
      ["chat page", "/"],
      ["console  ", "/console"],
    ] as const) {
      expect(embedded.greeting).toContain(`  ${name}  ${embedded.url}${path}`);
      expect((await fetch(`${embedded.url}${path}`)).headers.get("content-type")).toMatch(/^text\/html/);
    }
    expect(embedded.greeting).toContain(`  data       ${embedded.dataDir}`);
    expect(embedded.greeting).toContain(`  metrics    ${embedded.url}/metrics`);
    const prefix = freshPrefix();
    const tables = await newServer(inDynamo(dynamo.endpoint, prefix));
    await tables.start();
    expect(tables.greeting).toContain(`  data       DynamoDB, tables ${prefix}*, at ${dynamo.endpoint}`);
    expect(tables.stderr).not.toContain("NodeVersionSupportWarning");
    expect(await tables.terminate()).toEqual({ code: 0, signal: null });
  });

  test("[D-14] two processes on the same tables are one desk", async () => {
    const environment = inDynamo(dynamo.endpoint, freshPrefix());
    const [first, second] = [await newServer(environment), await newServer(environment)];
    await Promise.all([first.start(), second.start()]);
    const sessionId = await converse(first.url, "user_1");
    expect(await converse(second.url, "user_1")).toBe(sessionId);
    const seen = await readSession(first.url, sessionId);
    expect(seen.map(({ offset, type }) => [offset, type])).toEqual([
      [1, "user"],
      [2, "agent"],
      [3, "user"],
      [4, "agent"],
    ]);
    expect(await readSession(second.url, sessionId)).toEqual(seen);
    await first.terminate();
    expect(await converse(second.url, "user_1")).toBe(sessionId);
  });

  test("[S] tables that are missing end the start, with the command that makes them", async () => {
    proxy = await startFaultProxy({ endpoint: dynamo.endpoint, host: "127.0.0.2" });
    const prefix = freshPrefix();
    const environment = { ...inDynamo(proxy.endpoint, prefix), ...aws };
    const server = await newServer(environment);
    const { code, stderr } = await server.startInVain();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^bennu cannot start: STORE=dynamodb: no table ${prefix}sessions, .*npm run dynamodb:create-tables$`),
    );
    const made = await createTables(environment);
    expect(made.stdout).toContain(`DynamoDB, tables ${prefix}*, at ${proxy.endpoint}\n`);
    expect(made.stdout).toContain(`  ${prefix}sessions: created\n`);
    expect(made.stdout).toContain("has no time to live");
    expect((await createTables(environment)).stdout).toContain(`  ${prefix}sessions: is there\n`);
    await server.start();
    await converse(server.url, "user_1");
  });

  test("[S] tables that cannot be made are one line and exit code 1", async () => {
    const { code, stderr } = await createTables({ DYNAMODB_ENDPOINT: "http://127.0.0.1:1" });
    expect([code, stderr.split("\n").length]).toEqual([1, 2]);
    expect(stderr).toMatch(/^the tables were not made: .*ECONNREFUSED/);
    const wrong = await createTables({ DYNAMODB_TABLE_PREFIX: "a b" });
    expect(wrong.stderr).toMatch(/^the tables were not made: DYNAMODB_TABLE_PREFIX is "a b"; expected /);
  });
});

/** Elsewhere than on this machine the SDK wants to know these. */
const aws = { AWS_REGION: "local", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" };

function createTables(
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const program = join(import.meta.dirname, "..", "dist", "server", "create-tables.js");
  const env = { PATH: process.env.PATH ?? "", ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, [program], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
