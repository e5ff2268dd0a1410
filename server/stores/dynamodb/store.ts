import { createHash } from "node:crypto";
import { DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Clock } from "../../clock.js";
import type { Head } from "../../messaging/head.js";
import type { Ids } from "../../messaging/ids.js";
import type { Aside, ChatMessage, ProcessedEvent, Session } from "../../messaging/model.js";
import { currentSessionKey, partitionOf } from "../../messaging/records.js";
import {
  type AsideRange,
  type IndexPage,
  type IndexRange,
  type LeftOver,
  type Page,
  type RecordKey,
  type RecordWrite,
  type SessionChange,
  type SessionOwner,
  type SessionPhase,
  type Store,
  type StoredRecord,
  StoreError,
} from "../../messaging/store.js";
import { Asides } from "./asides.js";
import { closeIdleConnections } from "./client.js";
import { mergePartitions } from "./index-pages.js";
import {
  businessPartitions,
  eventPartitions,
  hourDigits,
  phasePartitions,
  sessionIdOf,
  windowPartition,
  workPartitions,
} from "./keys.js";
import { Messages } from "./messages.js";
import { isAbsent, keyCondition, type SortRange } from "./ranges.js";
import { importedAside, importedMessage, keysOf, keysOfEventBody, textOf } from "./pending.js";
import { Records } from "./records.js";
import { type Condition, type Item, Requests } from "./requests.js";
import { SessionWriter } from "./session-writer.js";
import { headItem, isStill, nextHead, storedHead, type StoredHead } from "./stored-head.js";
import { type TableNames, tableNames } from "./tables.js";
import { joinParts } from "./texts.js";

/** Writers that are kept for their knowledge of the head. */
const writersMax = 4096;

export interface DynamoStoreOptions {
  readonly client: DynamoDBClient;
  readonly tablePrefix: string;
  /** What one attempt at a request may take, as the client was told. */
  readonly attemptMs?: number | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Told of what failed where nobody waits for it. It is tried again. */
  readonly onError: (operation: string, error: unknown) => void;
}

/** The Store over DynamoDB, without a Scan and without a transaction. (docs/decisions/0003, SPEC S1–S8) */
export class DynamoStore implements Store {
  #epoch: string;
  readonly #requests: Requests;
  readonly #names: TableNames;
  readonly #messages: Messages;
  readonly #asides: Asides;
  readonly #records: Records;
  readonly #options: DynamoStoreOptions;
  readonly #writers = new Map<string, SessionWriter>();
  #onLeftOver: (outcome: LeftOver) => void = () => undefined;

  /**
   * Begins to use the tables of a prefix.
   * @throws StoreError when they are not there or cannot be reached
   */
  static async open(options: DynamoStoreOptions): Promise<DynamoStore> {
    try {
      return new DynamoStore(options, await epochOf(options));
    } catch (cause) {
      throw new StoreError("opening the tables in DynamoDB", { retryable: false, cause });
    }
  }

  private constructor(options: DynamoStoreOptions, epoch: string) {
    this.#epoch = epoch;
    this.#options = options;
    this.#names = tableNames(options.tablePrefix);
    const onTablesLost = async () => void (this.#epoch = await epochOf(options));
    const { client, clock, attemptMs } = options;
    const onDark = () => closeIdleConnections(client);
    const documents = DynamoDBDocumentClient.from(client);
    this.#requests = new Requests(documents, clock, onTablesLost, { onDark, attemptMs });
    this.#messages = new Messages(this.#requests, this.#names);
    this.#asides = new Asides(this.#requests, this.#names);
    this.#records = new Records(this.#requests, this.#names.records, {
      newId: () => options.ids.random(),
      now: () => options.clock.now(),
    });
  }

  get epoch(): string {
    return this.#epoch;
  }

  get failure(): string | null {
    return this.#requests.failure;
  }

  async readHead(sessionId: string): Promise<Head | null> {
    return (await this.#readStored(sessionId))?.head ?? null;
  }

  async createHead(head: Head): Promise<Head> {
    const { ids, clock } = this.#options;
    const stored = nextHead(null, { head, pending: [], write: ids.random(), now: clock.now() });
    const isNew = await this.#requests.put(this.#names.sessions, headItem(stored), isAbsent("sessionId"));
    return isNew ? head : ((await this.readHead(head.session.sessionId)) ?? head);
  }

  async changeSession<T>(
    sessionId: string,
    change: (head: Head, found: ChatMessage | null) => SessionChange<T>,
    lookUp?: string,
  ): Promise<T | null> {
    return isKey(sessionId) ? this.#writerOf(sessionId).change(change, lookUp) : null;
  }

  async settle(sessionId: string): Promise<void> {
    if (isKey(sessionId)) await this.#writerOf(sessionId).settle();
  }

  onLeftOver(listener: (outcome: LeftOver) => void): void {
    this.#onLeftOver = listener;
  }

  async findMessage(sessionId: string, messageId: string): Promise<ChatMessage | null> {
    const stored = await this.#readStored(sessionId);
    return stored === null ? null : this.#messages.find(stored, messageId);
  }

  async readMessages(
    sessionId: string,
    range: { readonly after?: number; readonly before?: number; readonly limit: number },
  ): Promise<Page<ChatMessage>> {
    const stored = await this.#readStored(sessionId);
    return stored === null ? { items: [], hasMore: false } : this.#messages.read(stored, range);
  }

  async readAsides(sessionId: string, range: AsideRange): Promise<Page<Aside>> {
    const stored = await this.#readStored(sessionId);
    return stored === null ? { items: [], hasMore: false } : this.#asides.read(stored, range);
  }

  async offsetAt(sessionId: string, timestamp: string): Promise<number> {
    const stored = await this.#readStored(sessionId);
    return stored === null ? 1 : this.#messages.offsetAt(stored, timestamp);
  }

  async readWindow(
    { businessId, userId, chatId }: { readonly businessId: string; readonly userId: string; readonly chatId: string },
    limit: number,
  ): Promise<readonly ChatMessage[]> {
    const current = await this.readRecord<{ readonly sessionId: string }>(currentSessionKey({ businessId, userId }));
    const stored = current === null ? null : await this.#readStored(current.value.sessionId);
    return this.#messages.readWindow(windowPartition(businessId, userId, chatId), stored, limit);
  }

  async readActiveSessions(businessId: string, { limit, from }: IndexRange): Promise<IndexPage<Session>> {
    const page = await this.#readIndex(businessPartitions(businessId), {
      ...{ index: "active", partition: "activeIn", sort: "activeAt" },
      ...{ limit, isDescending: true, from },
    });
    const sessions = (await this.#sessionsOf(page.items)).filter(({ status }) => status === "active");
    return { items: sessions.toSorted(latestFirst), next: page.next };
  }

  async countActiveSessions(businessId: string): Promise<number> {
    const counts = businessPartitions(businessId).map((partition) =>
      this.#requests.count({ table: this.#names.sessions, index: "active", ...keyCondition("activeIn", partition)! }),
    );
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  async readSessionsOf(
    owner: SessionOwner,
    {
      limit,
      from,
      createdFrom,
      createdTo,
    }: IndexRange & { readonly createdFrom?: string; readonly createdTo?: string },
  ): Promise<IndexPage<Session>> {
    const page = await this.#readIndex([partitionOf(owner)], {
      ...{ index: "owner", partition: "owner", sort: "createdAt" },
      ...{ limit, isDescending: true, from },
      ...(createdFrom === undefined ? {} : { below: createdFrom }),
      ...(createdTo === undefined ? {} : { above: createdTo }),
    });
    return this.#sessionsIn(page);
  }

  async readSessionsOfBusiness(businessId: string, { limit, from }: IndexRange): Promise<IndexPage<Session>> {
    const page = await this.#readIndex(businessPartitions(businessId), {
      ...{ index: "business", partition: "businessIn", sort: "createdAt" },
      ...{ limit, isDescending: true, from },
    });
    return this.#sessionsIn(page);
  }

  readSessionsWithWork({ limit, from }: IndexRange): Promise<IndexPage<string>> {
    return this.#readIndex(workPartitions(), {
      ...{ index: "work", partition: "workIn", sort: "workAt" },
      ...{ limit, isDescending: false, from },
    });
  }

  readSessionsUnchanged(
    phase: SessionPhase,
    { limit, from, before }: IndexRange & { readonly before: string },
  ): Promise<IndexPage<string>> {
    return this.#readIndex(phasePartitions(phase), {
      ...{ index: "phase", partition: "phaseIn", sort: "phaseAt" },
      ...{ limit, isDescending: false, from, above: before.slice(0, hourDigits) },
    });
  }

  async deleteMessages(sessionId: string, messages: readonly ChatMessage[]): Promise<void> {
    const stored = await this.#readStored(sessionId);
    if (stored === null || stored.head.deletingSince === null) return;
    const { userId: ownerId } = stored.head.session;
    const links = await this.#messages.linksOf(stored, messages);
    const keys = messages.map((message) =>
      keysOf(this.#names, message, { ownerId, links: links.get(message.messageId) ?? null }),
    );
    // A batch is done in any order, and may be left half done: so each of these waits for the one before.
    await this.#requests.writeAll(keys.flatMap(({ others }) => others));
    await this.#requests.writeAll(keys.map(({ row }) => row));
    await this.#requests.writeAll(keys.flatMap(({ body }) => body));
  }

  async deleteAsides(sessionId: string, asides: readonly Aside[]): Promise<void> {
    const stored = await this.#readStored(sessionId);
    if (stored === null || stored.head.deletingSince === null) return;
    const { rows, bodies } = await this.#asides.keysOf(stored, asides);
    await this.#requests.writeAll(rows);
    await this.#requests.writeAll(bodies);
  }

  async deleteHead(sessionId: string): Promise<void> {
    const stored = await this.#readStored(sessionId);
    if (stored === null || stored.head.deletingSince === null) return;
    // What a process that ended had begun to write, and no row leads to.
    await this.#messages.deletePartition(sessionId);
    this.#writers.delete(sessionId);
    await this.#requests.delete(this.#names.sessions, { sessionId }, isStill(stored));
  }

  async readEvents(
    businessId: string,
    { after, limit }: { readonly after: string; readonly limit: number },
  ): Promise<Page<ProcessedEvent>> {
    const options = { table: this.#names.events, pageSize: limit + 1 };
    const partitions = eventPartitions(businessId).map((partition) =>
      this.#query(options, keyCondition("partition", partition, { sort: "cursor", below: after }), null),
    );
    const sortOf = (item: Item) => item.cursor as string;
    const { items, hasMore } = await mergePartitions(partitions, { limit, isDescending: false, sortOf });
    const events = await Promise.all(items.map((item) => this.#eventOf(item)));
    return { items: events.filter((event) => event !== null), hasMore };
  }

  readRecord<T>(key: RecordKey): Promise<StoredRecord<T> | null> {
    return this.#records.read<T>(key);
  }

  writeRecord<T>(key: RecordKey, expected: number | null, value: T | null): Promise<RecordWrite<T>> {
    return this.#records.write(key, expected, value);
  }

  listRecords<T>(
    partition: string,
    { limit, from }: IndexRange,
  ): Promise<IndexPage<StoredRecord<T> & { readonly id: string }>> {
    return this.#records.list<T>(partition, { limit, from: from ?? null });
  }

  async importSession(head: Head, messages: readonly ChatMessage[], asides: readonly Aside[] = []): Promise<void> {
    const { sessionId, userId } = head.session;
    const existing = await this.#readStored(sessionId);
    if (existing !== null && existing.head.deletingSince !== null) return;
    const missing = existing === null ? messages : await this.#messages.missing(existing, messages);
    const missingAsides = existing === null ? asides : await this.#asides.missing(existing, asides);
    const imported = [
      ...missing.map((message) => importedMessage(this.#names, message, userId)),
      ...missingAsides.map((aside) => importedAside(this.#names, aside)),
    ];
    await this.#requests.writeAll(imported.flatMap(({ others }) => others));
    await this.#requests.writeAll(imported.map(({ row }) => row));
    if (existing === null) await this.createHead({ ...head, lease: null });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.close()));
    this.#options.client.destroy();
  }

  async #readStored(sessionId: string): Promise<StoredHead | null> {
    if (!isKey(sessionId)) return null;
    const item = await this.#requests.get(this.#names.sessions, { sessionId });
    if (item === null) return null;
    const stored = storedHead(item);
    this.#writers.get(sessionId)?.observe(stored);
    return stored;
  }

  #writerOf(sessionId: string): SessionWriter {
    const known = this.#writers.get(sessionId);
    if (known !== undefined) {
      // The one that was used last is the last to be forgotten.
      this.#writers.delete(sessionId);
      this.#writers.set(sessionId, known);
      return known;
    }
    if (this.#writers.size >= writersMax) this.#forgetWriter();
    const { clock, ids, onError } = this.#options;
    const writer = new SessionWriter(sessionId, {
      requests: this.#requests,
      names: this.#names,
      clock,
      newId: () => ids.random(),
      newCursor: () => ids.sortable(),
      findMessage: (stored, messageId) => this.#messages.find(stored, messageId),
      readEvent: ({ cursor, text }) => this.#eventOf({ cursor, ...text }),
      onLeftOver: (outcome) => this.#onLeftOver(outcome),
      onError,
    });
    this.#writers.set(sessionId, writer);
    return writer;
  }

  #forgetWriter(): void {
    for (const [sessionId, writer] of this.#writers) {
      if (!writer.isIdle) continue;
      this.#writers.delete(sessionId);
      return;
    }
    const cause = new Error(`${writersMax} sessions are being written to`);
    throw new StoreError("changing a session", { retryable: true, cause });
  }

  async #readIndex(
    partitions: readonly string[],
    options: {
      readonly index: string;
      readonly partition: string;
      readonly sort: string;
      readonly limit: number;
      readonly isDescending: boolean;
      readonly from: string | null | undefined;
      readonly above?: string;
      readonly below?: string;
    },
  ): Promise<IndexPage<string>> {
    const { index, partition, sort, limit, isDescending, above, below, from = null } = options;
    const range: SortRange = isDescending
      ? { sort, below, above: smallest(above, from) }
      : { sort, below: largest(below, from), above };
    const pageSize = Math.ceil((2 * limit) / partitions.length) + 1;
    const query = { table: this.#names.sessions, index, isDescending, pageSize };
    const readings = partitions.map((name) => this.#query(query, keyCondition(partition, name, range), { sort, from }));
    const sortOf = (item: Item) => item[sort] as string;
    const { items, hasMore } = await mergePartitions(readings, { limit, isDescending, sortOf });
    const last = items.at(-1);
    return {
      items: items.map((item) => sessionIdOf(sortOf(item))),
      next: hasMore && last !== undefined ? sortOf(last) : null,
    };
  }

  /** @param start the position where the page before ended: it is no part of this one */
  async *#query(
    options: {
      readonly table: string;
      readonly index?: string;
      readonly isDescending?: boolean;
      readonly pageSize: number;
    },
    condition: Condition | null,
    start: { readonly sort: string; readonly from: string | null } | null,
  ): AsyncGenerator<readonly Item[]> {
    if (condition === null) return;
    for await (const items of this.#requests.query({ ...options, ...condition })) {
      yield start === null ? items : items.filter((item) => item[start.sort] !== start.from);
    }
  }

  /** In the order of the page. */
  async #sessionsIn({ items: sessionIds, next }: IndexPage<string>): Promise<IndexPage<Session>> {
    const byId = new Map((await this.#sessionsOf(sessionIds)).map((session) => [session.sessionId, session]));
    const items = sessionIds.map((sessionId) => byId.get(sessionId)).filter((session) => session !== undefined);
    return { items, next };
  }

  /** Without those that began to be deleted a moment ago: they may still be in an index. */
  async #sessionsOf(sessionIds: readonly string[]): Promise<readonly Session[]> {
    const items = await this.#requests.getAll(
      this.#names.sessions,
      sessionIds.map((sessionId) => ({ sessionId })),
    );
    const heads = items.map((item) => storedHead(item).head);
    return heads.filter(({ deletingSince }) => deletingSince === null).map(({ session }) => session);
  }

  /** Null for one whose parts are gone with their day. */
  async #eventOf(item: Item): Promise<ProcessedEvent | null> {
    const text = textOf(item);
    if ("json" in text) return JSON.parse(text.json) as ProcessedEvent;
    const keys = keysOfEventBody(item.cursor as string, text);
    const parts = await this.#requests.getAll(this.#names.events, keys);
    const byName = new Map(parts.map((part) => [part.cursor as string, part]));
    const found = keys.map(({ cursor }) => byName.get(cursor)).filter((part) => part !== undefined);
    return found.length < text.parts ? null : joinParts<ProcessedEvent>(found);
  }
}

/** A table restored from a copy is another table: it has another id, and another time of creation. */
async function epochOf({ client, tablePrefix }: DynamoStoreOptions): Promise<string> {
  const TableName = tableNames(tablePrefix).sessions;
  const { Table } = await client.send(new DescribeTableCommand({ TableName }));
  const identity = [Table?.TableId, Table?.TableArn, Table?.CreationDateTime?.getTime()].join(" ");
  return createHash("sha256").update(identity).digest("base64url").slice(0, 22);
}

/** What a client made up may be no key at all. */
function isKey(sessionId: string): boolean {
  return sessionId !== "" && sessionId.isWellFormed();
}

function smallest(a: string | undefined, b: string | null): string | null {
  if (a === undefined || b === null) return a ?? b;
  return a < b ? a : b;
}

function largest(a: string | undefined, b: string | null): string | null {
  if (a === undefined || b === null) return a ?? b;
  return a > b ? a : b;
}

function latestFirst(a: Session, b: Session): number {
  return a.lastMessageAt < b.lastMessageAt
    ? 1
    : a.lastMessageAt > b.lastMessageAt
      ? -1
      : a.sessionId < b.sessionId
        ? 1
        : -1;
}
