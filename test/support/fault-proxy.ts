import { Agent, createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createRandom, seedOfRun } from "./random.js";

/** What is done to a request. A request has all the faults that fit: those that shape it, and the first that ends it. */
export type Fault =
  /** Refused with ProvisionedThroughputExceededException; not applied. */
  | { readonly kind: "throttle" }
  /** 500; not applied. */
  | { readonly kind: "error" }
  /** Never answered; not applied. */
  | { readonly kind: "timeout" }
  /** The connection is cut before anything happens. */
  | { readonly kind: "cut" }
  /** Applied, and answered with 500. */
  | { readonly kind: "applied-then-500" }
  /** Applied, and the connection is cut instead of an answer. */
  | { readonly kind: "applied-then-cut" }
  /** Applied, and never answered. */
  | { readonly kind: "applied-then-timeout" }
  /** Half of a batch is applied; the rest comes back as not processed. */
  | { readonly kind: "unprocessed" }
  /** Half of a batch is applied, and the connection is cut. */
  | { readonly kind: "half-then-cut" }
  /** A query gives at most so many rows, and where it goes on. */
  | { readonly kind: "page"; readonly rows: number }
  /** A query that goes on is first answered without rows, and with the same place to go on from. */
  | { readonly kind: "empty-page" }
  /** A read that did not ask for consistency, or is of an index, sees an earlier moment. Needs a replica. */
  | { readonly kind: "stale" }
  | { readonly kind: "latency"; readonly ms: number };

export interface Rule {
  readonly fault: Fault;
  /** Such as `PutItem`; `write` or `read` for all that write or read items. Every operation when left out. */
  readonly operation?: string;
  /** The table's name without its prefix. */
  readonly table?: string;
  /** Among the requests that fit. 1 when left out. */
  readonly probability?: number;
  /** How often it is done at most. */
  readonly count?: number;
  /** Only to the n-th request that fits; the first one is 1. */
  readonly nth?: number;
  readonly when?: (request: SeenRequest) => boolean;
}

/** A request as it arrived, an attempt each. */
export interface SeenRequest {
  readonly operation: string;
  /** Names of the tables without their prefix. */
  readonly tables: readonly string[];
  readonly body: Body;
  /** What was done to it. */
  readonly faults: readonly Fault["kind"][];
}

type Body = Readonly<Record<string, unknown>>;

export interface FaultProxy {
  /** Where clients find it, as their DYNAMODB_ENDPOINT. */
  readonly endpoint: string;
  /** Every request so far, in the order of arrival. */
  readonly requests: readonly SeenRequest[];
  /** Writes that reached the database so far. */
  readonly writeCount: number;
  /** @returns a function that removes the rule */
  add(rule: Rule): () => void;
  /**
   * As if the process that asks stopped there: `count` more writes reach the database, then nothing does any more.
   * @param how whether the process hears of the last one
   */
  stopAfterWrites(count: number, how?: "answered" | "unanswered"): void;
  /** Removes all rules, and what was said about stopping. */
  clear(): void;
  /** The replica stays as it is, until `catchUp`. */
  holdReplica(): void;
  /** Brings the replica up to date, and lets it follow at once. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

export interface FaultProxyOptions {
  /** The DynamoDB behind it. */
  readonly endpoint: string;
  /** Another, empty DynamoDB: what stale reads see. All writes then go one after another, first there, then here. */
  readonly replica?: string;
  readonly random?: () => number;
  /** An address of this machine. */
  readonly host?: string;
}

const writes: ReadonlySet<string> = new Set(["BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"]);
const reads: ReadonlySet<string> = new Set(["BatchGetItem", "GetItem", "Query"]);

export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new Proxy(options);
  await proxy.listen();
  return proxy;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

interface ActiveRule extends Rule {
  seen: number;
  done: number;
}

class Proxy implements FaultProxy {
  readonly requests: SeenRequest[] = [];
  writeCount = 0;
  readonly #rules = new Set<ActiveRule>();
  readonly #options: FaultProxyOptions;
  readonly #random: () => number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #server = createServer((request, response) => {
    this.#receive(request, response).catch(() => response.destroy());
  });
  /** Bodies of queries that have had their page without rows. */
  readonly #emptied = new Set<string>();
  #writesLeft = Infinity;
  #isLastAnswered = true;
  #line: Promise<unknown> = Promise.resolve();
  #isHeld = false;
  #held: { readonly target: string; readonly body: Buffer }[] = [];

  constructor(options: FaultProxyOptions) {
    this.#options = options;
    this.#random = options.random ?? createRandom(seedOfRun);
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, this.#host, resolve));
  }

  get #host(): string {
    return this.#options.host ?? "127.0.0.1";
  }

  get endpoint(): string {
    return `http://${this.#host}:${(this.#server.address() as AddressInfo).port}`;
  }

  add(rule: Rule): () => void {
    const active: ActiveRule = { ...rule, seen: 0, done: 0 };
    this.#rules.add(active);
    return () => this.#rules.delete(active);
  }

  stopAfterWrites(count: number, how: "answered" | "unanswered" = "answered"): void {
    this.#writesLeft = count;
    this.#isLastAnswered = how === "answered";
  }

  clear(): void {
    this.#rules.clear();
    this.#writesLeft = Infinity;
    this.#isLastAnswered = true;
  }

  holdReplica(): void {
    this.#isHeld = true;
  }

  async catchUp(): Promise<void> {
    await this.#inLine(async () => {
      for (const { target, body } of this.#held) await this.#forward(this.#options.replica!, target, body);
      this.#held = [];
      this.#isHeld = false;
    });
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await closed;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const target = String(request.headers["x-amz-target"] ?? "");
    const operation = target.slice(target.indexOf(".") + 1);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Body;
    const asked = { operation, tables: tablesOf(body), body, faults: [] };
    const hasStopped = this.#writesLeft <= 0;
    const faults = hasStopped ? [{ kind: "cut" } as const] : this.#faultsOf(asked);
    this.requests.push({ ...asked, faults: faults.map(({ kind }) => kind) });
    await this.#handle({ target, operation, body }, faults, response);
  }

  #faultsOf(asked: SeenRequest): readonly Fault[] {
    return [...this.#rules].filter((rule) => this.#applies(rule, asked)).map(({ fault }) => fault);
  }

  #applies(rule: ActiveRule, asked: SeenRequest): boolean {
    if (!fits(rule, asked)) return false;
    rule.seen += 1;
    if (rule.nth !== undefined && rule.seen !== rule.nth) return false;
    if (rule.done >= (rule.count ?? Infinity)) return false;
    if (rule.probability !== undefined && this.#random() >= rule.probability) return false;
    rule.done += 1;
    return true;
  }

  async #handle(
    { target, operation, body }: { target: string; operation: string; body: Body },
    faults: readonly Fault[],
    response: ServerResponse,
  ): Promise<void> {
    const has = (kind: Fault["kind"]) => faults.some((fault) => fault.kind === kind);
    for (const fault of faults) {
      if (fault.kind === "latency") await new Promise((resolve) => setTimeout(resolve, fault.ms));
    }
    if (has("cut")) return cut(response);
    if (has("timeout")) return;
    if (has("throttle")) return send(response, throttled);
    if (has("error")) return send(response, internal);
    if (has("empty-page") && this.#isEmptiedFirst(operation, body)) return send(response, emptyPage(body));

    const shaped = shape(operation, body, faults);
    const isStale = has("stale") && this.#options.replica !== undefined && isEventual(operation, body);
    const isWrite = writes.has(operation);
    const answer = isStale
      ? await this.#forward(this.#options.replica, target, bytes(shaped.body))
      : await this.#apply(target, operation, bytes(shaped.body));
    if (answer === null) return cut(response);
    if (has("applied-then-cut") || has("half-then-cut")) return cut(response);
    if (has("applied-then-timeout")) return;
    if (has("applied-then-500")) return send(response, internal);
    if (isWrite && this.#writesLeft <= 0 && !this.#isLastAnswered) return cut(response);
    send(response, shaped.rest === null ? answer : withRest(answer, shaped.rest));
  }

  // The first time only, or the query would never end.
  #isEmptiedFirst(operation: string, body: Body): boolean {
    if (operation !== "Query" || body.ExclusiveStartKey === undefined) return false;
    const key = JSON.stringify(body);
    if (this.#emptied.delete(key)) return false;
    this.#emptied.add(key);
    return true;
  }

  /** @returns null when the asking process has stopped in the meantime */
  async #apply(target: string, operation: string, body: Buffer): Promise<Answer | null> {
    const { endpoint, replica } = this.#options;
    if (reads.has(operation)) return this.#forward(endpoint, target, body);
    const write = async () => {
      if (writes.has(operation)) {
        if (this.#writesLeft <= 0) return null;
        this.#writesLeft -= 1;
        this.writeCount += 1;
      }
      const answer = await this.#forward(endpoint, target, body);
      if (replica !== undefined && answer.status === 200) {
        if (this.#isHeld && writes.has(operation)) this.#held.push({ target, body });
        else await this.#forward(replica, target, body);
      }
      return answer;
    };
    return replica === undefined ? write() : this.#inLine(write);
  }

  #inLine<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#line.then(work);
    this.#line = done.catch(() => undefined);
    return done;
  }

  #forward(endpoint: string, target: string, body: Buffer): Promise<Answer> {
    const { hostname, port } = new URL(endpoint);
    return new Promise((resolve, reject) => {
      const headers = {
        "content-type": "application/x-amz-json-1.0",
        "content-length": body.length,
        "x-amz-target": target,
        "x-amz-date": "20260101T000000Z",
        authorization: credentials,
      };
      const asking = httpRequest(
        { hostname, port, method: "POST", path: "/", headers, agent: this.#agent },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => resolve({ status: response.statusCode!, body: Buffer.concat(chunks) }));
          response.on("error", reject);
        },
      );
      asking.on("error", reject);
      asking.end(body);
    });
  }
}

// dynalite looks at the shape of a signature, not at what it says.
const credentials =
  "AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=00";

function fits({ operation, table, when }: Rule, asked: SeenRequest): boolean {
  if (operation === "write" && !writes.has(asked.operation)) return false;
  if (operation === "read" && !reads.has(asked.operation)) return false;
  if (operation !== undefined && !["write", "read", asked.operation].includes(operation)) return false;
  if (table !== undefined && !asked.tables.includes(table)) return false;
  return when === undefined || when(asked);
}

function tablesOf({ TableName, RequestItems }: Body): readonly string[] {
  const names = typeof TableName === "string" ? [TableName] : Object.keys(RequestItems ?? {});
  return names.map((name) => name.slice(name.lastIndexOf("-") + 1));
}

function isEventual(operation: string, { IndexName, ConsistentRead, RequestItems }: Body): boolean {
  if (!reads.has(operation)) return false;
  if (operation !== "BatchGetItem") return IndexName !== undefined || ConsistentRead !== true;
  return Object.values(RequestItems as Record<string, Body>).some((asked) => asked.ConsistentRead !== true);
}

/** What goes on to the database, and what of a batch is held back. */
function shape(operation: string, body: Body, faults: readonly Fault[]): { body: Body; rest: Body | null } {
  let shaped = body;
  let rest: Body | null = null;
  for (const fault of faults) {
    if (fault.kind === "page" && operation === "Query") {
      shaped = { ...shaped, Limit: Math.min(Number(shaped.Limit ?? Infinity), fault.rows) };
    }
    if (fault.kind === "unprocessed" || fault.kind === "half-then-cut") {
      const halves = halvesOf(operation, shaped);
      if (halves !== null) [shaped, rest] = halves;
    }
  }
  return { body: shaped, rest };
}

type RequestItems = Readonly<Record<string, unknown>>;

/** The first half of a batch, rounded up, as a request; the second as what was not processed. */
function halvesOf(operation: string, body: Body): [Body, Body] | null {
  if (operation !== "BatchWriteItem" && operation !== "BatchGetItem") return null;
  const first: Record<string, unknown> = {};
  const second: Record<string, unknown> = {};
  const items = Object.entries(body.RequestItems as RequestItems).flatMap(([table, asked]) =>
    listOf(operation, asked).map((item) => ({ table, item, asked })),
  );
  const half = Math.ceil(items.length / 2);
  for (const [index, { table, item, asked }] of items.entries()) {
    const side = index < half ? first : second;
    side[table] = withList(operation, asked, [...listOf(operation, side[table] ?? []), item]);
  }
  return [{ ...body, RequestItems: first }, second];
}

function listOf(operation: string, asked: unknown): readonly unknown[] {
  if (operation === "BatchWriteItem" || Array.isArray(asked)) return asked as readonly unknown[];
  return (asked as { readonly Keys: readonly unknown[] }).Keys;
}

function withList(operation: string, asked: unknown, list: readonly unknown[]): unknown {
  return operation === "BatchWriteItem" ? list : { ...(asked as object), Keys: list };
}

function withRest({ status, body }: Answer, rest: Body): Answer {
  const said = JSON.parse(body.toString()) as Body;
  const name = "UnprocessedItems" in said ? "UnprocessedItems" : "UnprocessedKeys";
  return { status, body: bytes(status === 200 ? { ...said, [name]: rest } : said) };
}

function emptyPage({ ExclusiveStartKey }: Body): Answer {
  return {
    status: 200,
    body: bytes({ Items: [], Count: 0, ScannedCount: 0, LastEvaluatedKey: ExclusiveStartKey }),
  };
}

const errorType = "com.amazonaws.dynamodb.v20120810#";
const throttled: Answer = {
  status: 400,
  body: bytes({ __type: `${errorType}ProvisionedThroughputExceededException`, message: "too many requests" }),
};
const internal: Answer = {
  status: 500,
  body: bytes({ __type: `${errorType}InternalServerError`, message: "internal error" }),
};

function bytes(body: Body): Buffer {
  return Buffer.from(JSON.stringify(body));
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.0", "content-length": body.length });
  response.end(body);
}

function cut(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}
