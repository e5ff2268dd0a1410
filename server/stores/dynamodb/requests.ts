import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { type Clock, stallMs } from "../../clock.js";
import { StoreError } from "../../messaging/store.js";
import { isNetworkError } from "../../network-errors.js";
import { dynamoLimits } from "./client.js";

export type Item = Record<string, unknown>;

/** Names stand for attributes, because many words are reserved. */
export interface Condition {
  readonly expression: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values?: Readonly<Record<string, unknown>>;
}

export interface QueryOptions extends Condition {
  readonly table: string;
  /** An index is eventually consistent; a table is read consistently. */
  readonly index?: string;
  readonly isDescending?: boolean;
  /** Of one request; more requests follow as long as items are asked for. */
  readonly pageSize?: number;
  /** Only the keys of the table. */
  readonly attributes?: readonly string[];
}

/** A put, or the deletion of a key, in a batch. Both can be repeated. */
export type BatchEntry =
  { readonly table: string; readonly put: Item } | { readonly table: string; readonly deleteKey: Item };

/** What one request may take when it is not what all others get. */
export interface Patience {
  /** With all its attempts. */
  readonly ms?: number;
  /** It is sent although nothing is answered at present: whoever asks has to know, whatever it takes. */
  readonly evenInTheDark?: boolean;
}

/** How long one call may take, with all its attempts: who waits for it is told within five seconds. */
const callMinMs = 4800;
/** Requests time out one by one while others are answered. When none was answered for so long, none is. */
const silenceMs = 1000;
/** In the dark one request at a time finds out whether it still is. It need not wait as long as others, nor come sooner. */
const probeMs = 2000;
/** Beyond what one attempt may take. */
const probeSlackMs = 500;
const probePauseMs = 1000;
const batchGetMax = 100;
const batchWriteMax = 25;
const idleRoundsMax = 8;
const backoffMs = 25;

/**
 * The requests that the store makes, each with a deadline. Retries of a request are the SDK's; what remains here are
 * the parts of a batch that DynamoDB did not get to. No Scan and no transaction is among them. (docs/decisions/0003)
 */
export class Requests {
  readonly #client: DynamoDBDocumentClient;
  readonly #clock: Clock;
  readonly #onTablesLost: () => Promise<void>;
  readonly #onDark: () => void;
  readonly #probeMs: number;
  /** How long one call may take: more than usual only where its attempts may. */
  readonly callMs: number;
  #failure: string | null = null;
  #areTablesLost = false;
  #looking: Promise<void> | null = null;
  /** By the monotonic clock. */
  #answeredAt = -Infinity;
  /** Nothing has been answered since a request failed for want of an answer. */
  #isDark = false;
  #isProbing = false;
  #probeAt = 0;

  /**
   * @param onTablesLost a table was not there at the latest request. If it is there again it is another one, and it is
   * looked at before anything else is asked of it
   * @param options.onDark nothing is answered, and it is about to be asked whether that is still so: not over a connection
   * of before, which may be dead without anybody having said so
   * @param options.attemptMs what one attempt may take
   */
  constructor(
    client: DynamoDBDocumentClient,
    clock: Clock,
    onTablesLost: () => Promise<void>,
    options: { readonly onDark?: () => void; readonly attemptMs?: number | undefined } = {},
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#onTablesLost = onTablesLost;
    this.#onDark = options.onDark ?? (() => undefined);
    const { attemptMs = dynamoLimits.requestTimeoutMs } = options;
    this.#probeMs = Math.max(probeMs, attemptMs + probeSlackMs);
    this.callMs = Math.max(callMinMs, dynamoLimits.attemptsMax * attemptMs);
  }

  /** Why the latest request failed; null as soon as one succeeds. */
  get failure(): string | null {
    return this.#failure;
  }

  async get(table: string, key: Item, patience: Patience = {}): Promise<Item | null> {
    const command = new GetCommand({ TableName: table, Key: key, ConsistentRead: true });
    const { Item: item } = await this.#send("read", (options) => this.#client.send(command, options), patience);
    return item ?? null;
  }

  /** In no particular order; what is not there is left out. */
  async getAll(table: string, keys: readonly Item[]): Promise<readonly Item[]> {
    const batches = chunksOf(keys, batchGetMax).map((batch) => this.#getBatch(table, batch));
    return (await Promise.all(batches)).flat();
  }

  async #getBatch(table: string, keys: readonly Item[]): Promise<readonly Item[]> {
    const found: Item[] = [];
    let left: readonly Item[] = keys;
    await this.#rounds(
      "read",
      () => left.length,
      async (options) => {
        const RequestItems = { [table]: { Keys: [...left], ConsistentRead: true } };
        const { Responses, UnprocessedKeys } = await this.#client.send(new BatchGetCommand({ RequestItems }), options);
        found.push(...(Responses?.[table] ?? []));
        left = UnprocessedKeys?.[table]?.Keys ?? [];
      },
    );
    return found;
  }

  /** @returns false when the condition does not hold: then nothing was written, at least not now */
  put(table: string, item: Item, condition: Condition, patience: Patience = {}): Promise<boolean> {
    return this.#onCondition(
      new PutCommand({
        TableName: table,
        Item: item,
        ConditionExpression: condition.expression,
        ExpressionAttributeNames: condition.names,
        ...(condition.values === undefined ? {} : { ExpressionAttributeValues: condition.values }),
      }),
      patience,
    );
  }

  /** @returns false when the condition does not hold */
  delete(table: string, key: Item, condition: Condition): Promise<boolean> {
    return this.#onCondition(
      new DeleteCommand({
        TableName: table,
        Key: key,
        ConditionExpression: condition.expression,
        ExpressionAttributeNames: condition.names,
        ...(condition.values === undefined ? {} : { ExpressionAttributeValues: condition.values }),
      }),
    );
  }

  /** Puts and deletions without conditions, in no particular order. */
  async writeAll(entries: readonly BatchEntry[]): Promise<void> {
    await Promise.all(chunksOf(entries, batchWriteMax).map((batch) => this.#writeBatch(batch)));
  }

  async #writeBatch(entries: readonly BatchEntry[]): Promise<void> {
    type Tables = Record<
      string,
      NonNullable<ConstructorParameters<typeof BatchWriteCommand>[0]["RequestItems"]>[string]
    >;
    let left: Tables = {};
    for (const entry of entries) {
      const request =
        "put" in entry ? { PutRequest: { Item: entry.put } } : { DeleteRequest: { Key: entry.deleteKey } };
      left[entry.table] = [...(left[entry.table] ?? []), request];
    }
    await this.#rounds(
      "write",
      () => Object.values(left).reduce((sum, requests) => sum + requests.length, 0),
      async (options) => {
        const { UnprocessedItems } = await this.#client.send(new BatchWriteCommand({ RequestItems: left }), options);
        left = UnprocessedItems ?? {};
      },
    );
  }

  /** Page by page, as far as somebody reads. A page can be empty and not the last one. */
  async *query({
    table,
    index,
    isDescending = false,
    pageSize,
    attributes,
    ...condition
  }: QueryOptions): AsyncGenerator<readonly Item[]> {
    let from: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: table,
        KeyConditionExpression: condition.expression,
        ExpressionAttributeNames: {
          ...condition.names,
          ...Object.fromEntries((attributes ?? []).map((name) => [`#${name}`, name])),
        },
        ExpressionAttributeValues: { ...condition.values },
        ScanIndexForward: !isDescending,
        ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
        ...(pageSize === undefined ? {} : { Limit: pageSize }),
        ...(attributes === undefined ? {} : { ProjectionExpression: attributes.map((name) => `#${name}`).join(", ") }),
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      });
      const { Items = [], LastEvaluatedKey } = await this.#send("query", (options) =>
        this.#client.send(command, options),
      );
      yield Items;
      from = LastEvaluatedKey;
    } while (from !== undefined);
  }

  /** The first `limit` items of a query, and whether there are more. */
  async first(options: QueryOptions, limit: number): Promise<readonly Item[]> {
    const items: Item[] = [];
    for await (const page of this.query({ ...options, pageSize: limit })) {
      items.push(...page);
      if (items.length >= limit) break;
    }
    return items.slice(0, limit);
  }

  async count({ table, index, expression, names, values }: QueryOptions): Promise<number> {
    let count = 0;
    let from: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: table,
        Select: "COUNT",
        KeyConditionExpression: expression,
        ExpressionAttributeNames: { ...names },
        ExpressionAttributeValues: { ...values },
        ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      });
      const { Count = 0, LastEvaluatedKey } = await this.#send("count", (options) =>
        this.#client.send(command, options),
      );
      count += Count;
      from = LastEvaluatedKey;
    } while (from !== undefined);
    return count;
  }

  async #onCondition(command: PutCommand | DeleteCommand, patience: Patience = {}): Promise<boolean> {
    const send = async (options: CallOptions) => {
      try {
        await (command instanceof PutCommand
          ? this.#client.send(command, options)
          : this.#client.send(command, options));
        return true;
      } catch (cause) {
        if ((cause as Error).name === "ConditionalCheckFailedException") return false;
        throw cause;
      }
    };
    return this.#send("write", send, patience);
  }

  /**
   * Repeats what DynamoDB left over of a batch. It also leaves over what would be too much for one answer; a round in
   * which it did nothing at all is a throttled one, after which we wait, longer each time.
   */
  async #rounds(operation: string, left: () => number, round: (options: CallOptions) => Promise<void>): Promise<void> {
    await this.#send(operation, async (options) => {
      for (let idle = 0; left() > 0;) {
        if (idle >= idleRoundsMax) throw new Error("DynamoDB leaves a batch undone");
        if (idle > 0) await this.pause(idle);
        const before = left();
        await round(options);
        idle = left() < before ? 0 : idle + 1;
      }
    });
  }

  /** Waits a random while, up to twice as long with each attempt. */
  pause(attempt: number): Promise<void> {
    const ms = Math.random() * backoffMs * 2 ** Math.min(attempt, 5);
    return new Promise((resolve) => void this.#clock.after(ms, resolve));
  }

  async #send<T>(
    operation: string,
    send: (options: CallOptions) => Promise<T>,
    { ms = this.callMs, evenInTheDark = false }: Patience = {},
  ): Promise<T> {
    const isProbe = this.#isDark && !evenInTheDark;
    if (isProbe) this.#beginProbe(operation);
    const mayTakeMs = isProbe ? Math.min(ms, this.#probeMs) : ms;
    const dueAt = this.#clock.monotonic() + mayTakeMs;
    try {
      const result = await this.#within(mayTakeMs, async (options) => {
        if (this.#areTablesLost) await this.#lookAgain();
        return send(options);
      });
      this.#failure = null;
      this.#answered();
      return result;
    } catch (cause) {
      if ((cause as Error).name === tableNotFound) this.#areTablesLost = true;
      const retryable = !hopeless.has((cause as Error).name);
      this.#failure = `DynamoDB: ${(cause as Error).name}`;
      if (isUnanswered(cause)) this.#unanswered(dueAt);
      else if (isAnswer(cause)) this.#answered();
      throw new StoreError(`${operation} in DynamoDB`, { retryable, cause });
    } finally {
      if (isProbe) this.#isProbing = false;
    }
  }

  /** What is under way when the time is over may still be applied. The SDK's own waits between attempts do not count. */
  async #within<T>(ms: number, send: (options: CallOptions) => Promise<T>): Promise<T> {
    const { signal, abort } = abortable();
    const cancel = this.#clock.after(ms, abort);
    try {
      return await Promise.race([send({ abortSignal: signal }), aborted(signal)]);
    } finally {
      cancel();
    }
  }

  /** @throws NotAsked at once while nothing is answered: who waits behind others would wait for each of them in vain */
  #beginProbe(operation: string): void {
    if (this.#isProbing || this.#clock.monotonic() < this.#probeAt) {
      throw new NotAsked(operation);
    }
    this.#isProbing = true;
    this.#onDark();
  }

  #answered(): void {
    this.#answeredAt = this.#clock.monotonic();
    this.#isDark = false;
  }

  #unanswered(dueAt: number): void {
    const now = this.#clock.monotonic();
    // While we stood still nobody can have been heard: the silence begins now.
    if (now - dueAt > stallMs) this.#answeredAt = now;
    if (now - this.#answeredAt < silenceMs) return;
    this.#isDark = true;
    this.#probeAt = now + probePauseMs;
  }

  /** Once for all that wait for it. */
  async #lookAgain(): Promise<void> {
    this.#looking ??= this.#onTablesLost().finally(() => (this.#looking = null));
    await this.#looking;
    this.#areTablesLost = false;
  }
}

/** Nothing was sent: nothing can have been applied. */
export class NotAsked extends StoreError {
  constructor(operation: string) {
    super(`${operation} in DynamoDB`, { retryable: true, cause: new Error("it does not answer") });
  }
}

const tableNotFound = "ResourceNotFoundException";

interface CallOptions {
  readonly abortSignal: AbortSignal;
}

function abortable(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const error = Object.assign(new Error("no answer in time"), { name: "AbortError" });
    signal.addEventListener("abort", () => reject(error), { once: true });
  });
}

/** DynamoDB said nothing: out of time, or no connection. */
function isUnanswered(cause: unknown): boolean {
  const { name } = cause as Error;
  return name === "AbortError" || name === "TimeoutError" || isNetworkError(cause);
}

/** DynamoDB said no. */
function isAnswer(cause: unknown): boolean {
  const { $metadata } = cause as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode !== undefined;
}

/** What no repetition mends. */
const hopeless: ReadonlySet<string> = new Set([
  "ValidationException",
  tableNotFound,
  "AccessDeniedException",
  "UnrecognizedClientException",
  "CredentialsProviderError",
]);

function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
