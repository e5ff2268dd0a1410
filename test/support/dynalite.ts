import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createTables } from "../../server/stores/dynamodb/create-tables.js";
import { createDynamoClient } from "../../server/stores/dynamodb/client.js";

/** A DynamoDB for tests. */
export interface TestDynamo {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** The DynamoDB that DYNAMODB_ENDPOINT names, or a dynalite in this process, in memory. */
export async function startDynamo(): Promise<TestDynamo> {
  const given = givenDynamo();
  if (given !== null) return given;
  // Most suites that can run on DynamoDB do not, and it takes long to load.
  const { default: dynalite } = await import("dynalite");
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { endpoint: endpointOf(server), stop: () => close(server) };
}

function givenDynamo(): TestDynamo | null {
  const endpoint = process.env.DYNAMODB_ENDPOINT ?? "";
  return endpoint === "" ? null : { endpoint, stop: () => Promise.resolve() };
}

/**
 * The same, but for the dynalite being a process of its own: its work is not mixed with that of this process.
 * @param path where it keeps its data, so that it can be ended and started again; in memory without
 */
export async function startDynamoProcess(path?: string): Promise<TestDynamo> {
  const given = givenDynamo();
  if (given !== null && path === undefined) return given;
  const options = { path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program, JSON.stringify(options)], {
    cwd: root,
    env: { PATH: process.env.PATH ?? "" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  let said = "";
  const endpoint = await new Promise<string>((resolve, reject) => {
    void ended.then(() => reject(new Error(`dynalite ended: ${said}`)));
    const onData = (chunk: Buffer) => {
      said += String(chunk);
      const port = /^port (\d+)$/m.exec(said)?.[1];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    };
    child.stdout.on("data", onData);
    child.stderr.on("data", onData);
  });
  // Nobody waits for it: a test that starts a server twice on the same data stops it only once.
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) (handle as { unref?(): void }).unref?.();
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  return { endpoint, stop };
}

const root = join(import.meta.dirname, "..", "..");

// Its input ends when we end, however that happens.
const program = `
  import dynalite from "dynalite";
  process.stdin.resume().on("end", () => process.exit());
  const server = dynalite(JSON.parse(process.argv[1]));
  server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));
`;

/** A prefix that nobody has used: the tables of one test. */
export function freshPrefix(): string {
  return `t${randomBytes(6).toString("hex")}-`;
}

/** Makes all tables under a prefix of their own. @returns the prefix */
export async function makeTables(client: DynamoDBClient, prefix = freshPrefix()): Promise<string> {
  await createTables(client, prefix, () => undefined);
  return prefix;
}

/** A client of a test's DynamoDB, with tables of its own. */
export async function openTables(
  endpoint: string,
): Promise<{ readonly client: DynamoDBClient; readonly prefix: string }> {
  const client = await createDynamoClient({ endpoint });
  return { client, prefix: await makeTables(client) };
}

function endpointOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

// Its own close waits for connections that clients keep alive.
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
