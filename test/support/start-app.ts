import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, type AppOptions, startApp } from "../../server/app.js";
import { readConfig } from "../../server/config.js";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import { Telemetry } from "../../server/telemetry.js";
import { checkAnswers, noteFault } from "./answer-faults.js";
import { startDynamoProcess, type TestDynamo } from "./dynalite.js";
import { LogChecker } from "./log-checker.js";
import { storeOfRun } from "./store-of-run.js";
import { unlimited } from "./unlimited.js";
import { watchAnswers } from "./watched-answers.js";

export interface TestApp extends App {
  readonly dataDir: string;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
}

/** Where the apps of a test file listen. */
const ports = new Set<number>();
watchAnswers((port) => ports.has(port), noteFault);

const root = join(import.meta.dirname, "..", "..");

/**
 * The whole server, on a free port, with its data in a folder of its own. With DynamoDB the data is in tables that
 * belong to the folder: who starts again with the same DATA_DIR finds what was there.
 */
export async function startTestApp(
  environment: Readonly<Record<string, string>> = {},
  options: Partial<Omit<AppOptions, "config">> = {},
): Promise<TestApp> {
  const dataDir = environment.DATA_DIR ?? (await makeDataDir());
  const isInDynamo = (environment.STORE ?? storeOfRun) === "dynamodb";
  const dynamo = isInDynamo && environment.DYNAMODB_ENDPOINT === undefined ? await useDynamo() : null;
  const config = readConfig({
    PORT: "0",
    AGENT: "echo",
    LOG_LEVEL: "silent",
    ...unlimited,
    DRAIN_TIMEOUT_MS: "2000",
    BUSINESSES_DIR: join(root, "businesses"),
    STORE: storeOfRun,
    ...(dynamo === null ? {} : { DYNAMODB_ENDPOINT: dynamo.endpoint }),
    // Hundreds at once are more than one dynalite takes on a busy machine; DynamoDB does.
    DYNAMODB_TIMEOUT_MS: "20000",
    DYNAMODB_TABLE_PREFIX: prefixOf(dataDir),
    // What a test puts into the store is of some day long gone, and the cleanup runs in a test that takes a minute.
    SESSION_IDLE_HOURS: "800000",
    RETENTION_DAYS: "36500",
    ...environment,
    DATA_DIR: dataDir,
  });
  const telemetry = options.telemetry ?? new Telemetry<DeskEvents>(() => undefined);
  const log = new LogChecker();
  log.watch(telemetry);
  const app = await startApp({ config, publicDir: join(root, "dist", "client", "public"), ...options, telemetry });
  const listening = [app.port, ...(app.metricsUrl === null ? [] : [Number(new URL(app.metricsUrl).port)])];
  for (const port of listening) ports.add(port);
  const stop = async () => {
    await app.stop();
    for (const port of listening) ports.delete(port);
  };
  let isDisposed = false;
  const dispose = async () => {
    if (!isDisposed) await log.check(app.store);
    await stop();
    checkAnswers();
    if (dynamo !== null && !isDisposed) await leaveDynamo();
    isDisposed = true;
    await rm(dataDir, { recursive: true, force: true });
  };
  return { ...app, dataDir, stop, dispose };
}

export function makeDataDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), "bennu-"));
}

// One DynamoDB for all apps of a test file, as long as one of them has not been disposed of.
let dynamoOfRun: Promise<TestDynamo> | null = null;
let users = 0;

function useDynamo(): Promise<TestDynamo> {
  users += 1;
  dynamoOfRun ??= startDynamoProcess();
  return dynamoOfRun;
}

async function leaveDynamo(): Promise<void> {
  users -= 1;
  if (users > 0 || dynamoOfRun === null) return;
  const last = dynamoOfRun;
  dynamoOfRun = null;
  await (await last).stop();
}

function prefixOf(dataDir: string): string {
  return `t${createHash("sha256").update(dataDir).digest("hex").slice(0, 12)}-`;
}
