import { resolve } from "node:path";
import { type Clock, systemClock } from "./clock.js";
import { type Config, ConfigError } from "./config.js";
import type { DeskTelemetry } from "./desk-telemetry.js";
import { createIds, type Ids } from "./messaging/ids.js";
import type { Store } from "./messaging/store.js";
import type { TableFinding } from "./stores/dynamodb/check-tables.js";
import { createDynamoClient, isLocalEndpoint } from "./stores/dynamodb/client.js";
import { EmbeddedStore } from "./stores/embedded/store.js";

export interface OpenStoreOptions {
  readonly clock: Clock;
  readonly telemetry: DeskTelemetry;
  /** The clock's own when left out. */
  readonly ids?: Ids;
}

/**
 * Opens the store that the configuration names.
 * @throws ConfigError when DynamoDB or its tables are not there; DataDirInUse, StoreError
 */
export function openStore(config: Config, options: OpenStoreOptions): Promise<Store> {
  const { telemetry } = options;
  // What is written bears the desk's time; a disk or a network is waited for in the machine's.
  const clock: Clock = { ...systemClock, now: () => options.clock.now() };
  switch (config.STORE) {
    case "embedded":
      return EmbeddedStore.open(config.DATA_DIR, clock, (error) =>
        telemetry.emit("store.failed", { operation: "write", error }),
      );
    case "dynamodb":
      return openDynamo(config, { telemetry, clock, ids: options.ids ?? createIds(options.clock) });
  }
}

/** Where the data is, for people. */
export function placeOf(config: Config): string {
  const { STORE, DATA_DIR, DYNAMODB_ENDPOINT, DYNAMODB_TABLE_PREFIX, AWS_REGION } = config;
  if (STORE === "embedded") return resolve(DATA_DIR);
  const place =
    DYNAMODB_ENDPOINT === undefined ? (AWS_REGION ?? "the SDK's region") : new URL(DYNAMODB_ENDPOINT).origin;
  return `DynamoDB, tables ${DYNAMODB_TABLE_PREFIX}*, at ${place}`;
}

async function openDynamo(config: Config, { clock, telemetry, ids }: Required<OpenStoreOptions>): Promise<Store> {
  const tablePrefix = config.DYNAMODB_TABLE_PREFIX;
  const client = await dynamoClient(config, telemetry);
  try {
    const { createTables, missingTables } = await import("./stores/dynamodb/create-tables.js");
    const missing = await missingTables(client, tablePrefix);
    if (missing.length > 0) {
      if (!isLocalEndpoint(config.DYNAMODB_ENDPOINT)) throw new ConfigError(tablesMissing(missing));
      await createTables(client, tablePrefix, () => undefined);
    }
    const { checkTables } = await import("./stores/dynamodb/check-tables.js");
    const wrong = (await checkTables(client, tablePrefix)).filter((finding) => finding.wrong.length > 0);
    // Without an index nobody would hear of it before the first list.
    if (wrong.length > 0) throw new ConfigError(tablesWrong(wrong));
    const { DynamoStore } = await import("./stores/dynamodb/store.js");
    const onError = (operation: string, error: unknown) => telemetry.emit("store.failed", { operation, error });
    const attemptMs = config.DYNAMODB_TIMEOUT_MS;
    return await DynamoStore.open({ client, tablePrefix, attemptMs, clock, ids, onError });
  } catch (cause) {
    client.destroy();
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`STORE=dynamodb: ${placeOf(config)}: ${reasonOf(cause)}`, { cause });
  }
}

/** The client of the configured DynamoDB. @throws ConfigError when its package is not installed */
export async function dynamoClient(config: Config, telemetry?: DeskTelemetry): ReturnType<typeof createDynamoClient> {
  try {
    return await createDynamoClient({
      endpoint: config.DYNAMODB_ENDPOINT,
      region: config.AWS_REGION,
      limits: { requestTimeoutMs: config.DYNAMODB_TIMEOUT_MS },
      ...(telemetry === undefined ? {} : { telemetry }),
    });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new ConfigError("STORE=dynamodb needs the package @aws-sdk/client-dynamodb: npm install", { cause });
  }
}

function tablesMissing(missing: readonly string[]): string {
  return `STORE=dynamodb: no table ${missing.join(", ")}; make what is missing with: npm run dynamodb:create-tables`;
}

function tablesWrong(findings: readonly TableFinding[]): string {
  const what = findings.map(({ table, wrong }) => `table ${table} ${wrong.join(", ")}`).join("; ");
  return `STORE=dynamodb: ${what}; wait until it is made, name other tables with DYNAMODB_TABLE_PREFIX, or remove them and run: npm run dynamodb:create-tables`;
}

/** What the SDK or the network said, in one line. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { code, name, message, cause: inner } = cause as NodeJS.ErrnoException;
  if (name === "StoreError" && inner !== undefined) return reasonOf(inner);
  if (message === "Region is missing") return "no region; set AWS_REGION";
  const said = message === "" ? (code ?? name) : message;
  return (name === "Error" ? said : `${name}: ${said}`).split("\n", 1)[0]!;
}
