import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { ConsumedCapacity, DynamoDBClient, DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import type { DeskTelemetry, DynamoResult } from "../../desk-telemetry.js";

export interface DynamoClientOptions {
  /** Undefined: the DynamoDB of the region. */
  readonly endpoint?: string | undefined;
  /** Undefined: what the SDK finds (AWS_REGION, the profile). */
  readonly region?: string | undefined;
  readonly telemetry?: DeskTelemetry;
  /** Is told of every request before it is sent: the one place that all of them pass. */
  readonly onRequest?: ((request: DynamoRequest) => void) | undefined;
  /** Other limits than `dynamoLimits`. */
  readonly limits?: Partial<DynamoLimits>;
}

export interface DynamoRequest {
  /** Such as `PutItem`. */
  readonly operation: string;
  /** What the command was made with. */
  readonly input: object;
}

export interface DynamoLimits {
  /**
   * Tries of one request at most, the first one counted. Between them is a wait that grows, with jitter. When many
   * requests fail, the SDK tries them once only, until enough of them succeed again: a DynamoDB that has too much to do
   * is not asked three times as much.
   */
  readonly attemptsMax: number;
  readonly connectTimeoutMs: number;
  /** Of one attempt. All of them stay below the five seconds that a request has. */
  readonly requestTimeoutMs: number;
  /** Connections; requests beyond them wait for one. */
  readonly socketsMax: number;
}

export const dynamoLimits: DynamoLimits = {
  attemptsMax: 3,
  connectTimeoutMs: 1000,
  requestTimeoutMs: 1500,
  socketsMax: 128,
};

/**
 * The official client. It is loaded here and not before, since a server with the embedded store does not need it.
 * Every request says what it cost and how long it took, as telemetry.
 * @throws when `@aws-sdk/client-dynamodb`, an optional dependency, is not installed
 */
export async function createDynamoClient(options: DynamoClientOptions): Promise<DynamoDBClient> {
  // The SDK warns that its releases of 2027 need another Node; ours is pinned. (docs/decisions/0001)
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const { DynamoDBClient } = await import("@aws-sdk/client-dynamodb");
  const { socketsMax } = { ...dynamoLimits, ...options.limits };
  const agents = {
    http: new HttpAgent({ keepAlive: true, maxSockets: socketsMax }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: socketsMax }),
  };
  const client = new DynamoDBClient(settings(options, agents));
  agentsOf.set(client, agents);
  observe(client, options);
  return client;
}

interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

const agentsOf = new WeakMap<DynamoDBClient, Agents>();

/**
 * Closes the connections that nobody uses at the moment. They may be dead, as after a NAT or a front end has forgotten
 * them without a word: each would take a request with it. What is under way goes on.
 */
export function closeIdleConnections(client: DynamoDBClient): void {
  const agents = agentsOf.get(client);
  if (agents === undefined) return;
  for (const { freeSockets } of [agents.http, agents.https]) {
    for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
  }
}

/** Whether an endpoint is a DynamoDB on this machine, such as dynalite: there are no AWS settings for it. */
export function isLocalEndpoint(endpoint: string | undefined): boolean {
  return endpoint !== undefined && ["127.0.0.1", "[::1]", "localhost"].includes(new URL(endpoint).hostname);
}

function settings({ endpoint, region, limits }: DynamoClientOptions, { http, https }: Agents): DynamoDBClientConfig {
  const { attemptsMax, connectTimeoutMs, requestTimeoutMs } = { ...dynamoLimits, ...limits };
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(isLocalEndpoint(endpoint) ? localSettings(region) : {}),
    retryMode: "standard",
    maxAttempts: attemptsMax,
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      // Without it the handler only warns, and waits on.
      throwOnRequestTimeout: true,
      httpAgent: http,
      httpsAgent: https,
    },
  };
}

// Only what is missing: DynamoDB Local keeps the tables of each region and key apart.
function localSettings(region: string | undefined): DynamoDBClientConfig {
  const { AWS_ACCESS_KEY_ID, AWS_PROFILE } = process.env;
  const hasCredentials = AWS_ACCESS_KEY_ID !== undefined || AWS_PROFILE !== undefined;
  return {
    region: region ?? "local",
    ...(hasCredentials ? {} : { credentials: { accessKeyId: "local", secretAccessKey: "local" } }),
  };
}

const itemOperations: ReadonlySet<string> = new Set([
  "BatchGetItem",
  "BatchWriteItem",
  "DeleteItem",
  "GetItem",
  "PutItem",
  "Query",
  "UpdateItem",
]);
const readOperations: ReadonlySet<string> = new Set(["BatchGetItem", "GetItem", "Query"]);

interface Answered {
  readonly ConsumedCapacity?: ConsumedCapacity | readonly ConsumedCapacity[];
  readonly $metadata?: { readonly attempts?: number };
}

function observe(client: DynamoDBClient, { telemetry, onRequest }: DynamoClientOptions): void {
  client.middlewareStack.add(
    (next, context) => async (given) => {
      const operation = nameOf(context.commandName);
      const input = itemOperations.has(operation)
        ? { ...given.input, ReturnConsumedCapacity: "INDEXES" as const }
        : given.input;
      onRequest?.({ operation, input });
      const startedAt = performance.now();
      const answered = (result: DynamoResult, metadata: Answered["$metadata"]) => {
        const durationMs = performance.now() - startedAt;
        telemetry?.emit("dynamodb.answered", { operation, result, attempts: metadata?.attempts ?? 1, durationMs });
      };
      try {
        const output = await next({ ...given, input });
        const answer = output.output as Answered;
        answered("ok", answer.$metadata);
        if (telemetry !== undefined) countConsumed(operation, answer, telemetry);
        return output;
      } catch (error) {
        answered(resultOf(error), (error as Answered).$metadata);
        throw error;
      }
    },
    { step: "initialize", name: "bennuObserve" },
  );
  client.middlewareStack.add(
    (next, context) => async (given) => {
      try {
        return await next(given);
      } catch (error) {
        // Once for every attempt: the retries are further out.
        const operation = nameOf(context.commandName);
        if (resultOf(error) === "throttled") telemetry?.emit("dynamodb.throttled", { operation });
        throw error;
      }
    },
    { step: "deserialize", priority: "high", name: "bennuThrottles" },
  );
}

function nameOf(command: string | undefined): string {
  return (command ?? "unknown").replace(/Command$/, "");
}

const throttles: ReadonlySet<string> = new Set([
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ThrottlingException",
]);

function resultOf(error: unknown): DynamoResult {
  const name = error instanceof Error ? error.name : "";
  if (name === "ConditionalCheckFailedException") return "conflict";
  return throttles.has(name) ? "throttled" : "failed";
}

function countConsumed(operation: string, { ConsumedCapacity: consumed }: Answered, telemetry: DeskTelemetry): void {
  const kind = readOperations.has(operation) ? "read" : "write";
  const parts: readonly ConsumedCapacity[] = consumed === undefined ? [] : [consumed].flat();
  for (const part of parts) {
    const table = part.TableName ?? "unknown";
    const emit = (index: string | null, units = 0) => {
      if (units > 0) telemetry.emit("dynamodb.consumed", { operation, table, index, units, kind });
    };
    const indexes = Object.entries(part.GlobalSecondaryIndexes ?? {});
    emit(null, part.Table?.CapacityUnits ?? (indexes.length === 0 ? part.CapacityUnits : 0));
    for (const [name, index] of indexes) emit(name, index.CapacityUnits);
  }
}
