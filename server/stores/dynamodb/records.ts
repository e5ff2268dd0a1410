import type { IndexPage, RecordKey, RecordWrite, StoredRecord } from "../../messaging/store.js";
import { StoreError } from "../../messaging/store.js";
import { firstRev } from "./first-rev.js";
import { isAbsent, isRev, keyCondition } from "./ranges.js";
import type { Item, Requests } from "./requests.js";
import { expiry, expiryAt } from "./tables.js";

/** DynamoDB takes items of 400 KB. */
const valueBytesMax = 380_000;
/** A process that was killed leaves its beat, and its name never comes back. */
const beatPrefix = "node#";
/** From its latest beat: far beyond what the others wait before they take it for gone. */
const beatLifeMs = 24 * 60 * 60 * 1000;

export interface RecordSources {
  /** Names a write, so that its own answer, when it is lost, can be told from a refusal. */
  readonly newId: () => string;
  /** Wall time in ms. */
  readonly now: () => number;
}

/** Small records, each changed by a conditional write. */
export class Records {
  readonly #requests: Requests;
  readonly #table: string;
  readonly #sources: RecordSources;

  constructor(requests: Requests, table: string, sources: RecordSources) {
    this.#requests = requests;
    this.#table = table;
    this.#sources = sources;
  }

  async read<T>(key: RecordKey): Promise<StoredRecord<T> | null> {
    return recordOf<T>(await this.#requests.get(this.#table, { ...key }));
  }

  async write<T>(key: RecordKey, expected: number | null, value: T | null): Promise<RecordWrite<T>> {
    if (value === null) return this.#remove(key, expected);
    const write = this.#sources.newId();
    const record = { rev: expected === null ? firstRev() : expected + 1, value };
    const item = { ...key, rev: record.rev, json: jsonOf(key, value), write, ...this.#expiryOf(key) };
    const condition = expected === null ? isAbsent("partition") : isRev(expected);
    if (await this.#requests.put(this.#table, item, condition)) return { isWritten: true, record };
    const there = await this.#requests.get(this.#table, { ...key });
    return { isWritten: there?.write === write, record: recordOf<T>(there) };
  }

  async list<T>(
    partition: string,
    { limit, from }: { readonly limit: number; readonly from: string | null },
  ): Promise<IndexPage<StoredRecord<T> & { readonly id: string }>> {
    const condition = keyCondition("partition", partition, { sort: "id", below: from });
    if (condition === null) return { items: [], next: null };
    const found = await this.#requests.first({ table: this.#table, ...condition }, limit + 1);
    const items = found.slice(0, limit).map((item) => ({ id: item.id as string, ...recordOf<T>(item)! }));
    return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  #expiryOf({ partition }: RecordKey): Item {
    return partition.startsWith(beatPrefix) ? { [expiry]: expiryAt(this.#sources.now() + beatLifeMs) } : {};
  }

  async #remove<T>(key: RecordKey, expected: number | null): Promise<RecordWrite<T>> {
    if (expected !== null && (await this.#requests.delete(this.#table, { ...key }, isRev(expected)))) {
      return { isWritten: true, record: null };
    }
    // Gone is what was wanted, whoever did it.
    const record = await this.read<T>(key);
    return { isWritten: record === null, record };
  }
}

function recordOf<T>(item: Item | null): StoredRecord<T> | null {
  return item === null ? null : { rev: item.rev as number, value: JSON.parse(item.json as string) as T };
}

function jsonOf({ partition, id }: RecordKey, value: unknown): string {
  const json = JSON.stringify(value);
  const bytes = Buffer.byteLength(json);
  if (bytes <= valueBytesMax) return json;
  const cause = new Error(`${partition} ${id} is ${bytes} bytes long, the most is ${valueBytesMax}`);
  throw new StoreError("writing a record", { retryable: false, cause });
}
