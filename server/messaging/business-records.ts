import type { BusinessDocument } from "./business.js";
import type { Ids } from "./ids.js";
import { type IndexPage, type RecordKey, type Store, type StoredRecord, StoreError } from "./store.js";

/** What was stored of a business: all of it, or what becomes of single documents of its file. */
export type StoredBusiness = { readonly business: unknown } | { readonly documents: readonly DocumentChange[] };

/** In the order in which they were stored first. */
export interface DocumentChange {
  readonly documentId: string;
  /** Null: there is none of that id, whatever the file has. */
  readonly document: BusinessDocument | null;
}

/** Says which text is good. It is the promise: the text was written before it, under a name of its own. */
interface Manifest {
  readonly text: string;
  readonly parts: number;
}

/** What is stored of a business, as of one write. */
export interface BusinessVersion {
  /** Grows with every write of this business. */
  readonly rev: number;
  /** Under which name its text lies. */
  readonly text: string;
  readonly stored: StoredBusiness;
}

/** Businesses in the store, each changed as a whole. (SPEC B5, B7) */
export interface BusinessRecords {
  /** Which there are, and as of which write. @throws StoreError */
  list(): Promise<ReadonlyMap<string, number>>;
  /** @throws StoreError */
  read(businessId: string): Promise<BusinessVersion | null>;
  /**
   * Writes the whole of it, on condition that nobody wrote in between. Durable when it resolves.
   * @param before what was read; null: there was nothing
   * @returns null when there is something else by now
   * @throws StoreError
   */
  write(businessId: string, before: BusinessVersion | null, stored: StoredBusiness): Promise<BusinessVersion | null>;
}

const manifests = "businesses";
const pageMax = 100;
/** UTF-16 units. In JSON each is at most three bytes, so a part is below what an item of DynamoDB may be. */
const partLength = 120_000;
/** Of one business: others may write it while we read. */
const attemptsMax = 5;
const revDigits = 16;

export function createBusinessRecords(deps: {
  readonly store: Store;
  readonly ids: Ids;
  readonly onError: (operation: string, error: unknown) => void;
}): BusinessRecords {
  const { store, ids } = deps;

  return { list, read, write };

  async function list(): Promise<ReadonlyMap<string, number>> {
    const revs = new Map<string, number>();
    let from: string | null = null;
    do {
      const page: IndexPage<StoredRecord<Manifest> & { readonly id: string }> = await store.listRecords<Manifest>(
        manifests,
        { limit: pageMax, from },
      );
      for (const { id, rev } of page.items) revs.set(id, rev);
      from = page.next;
    } while (from !== null);
    return revs;
  }

  async function read(businessId: string): Promise<BusinessVersion | null> {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const manifest = await store.readRecord<Manifest>(keyOf(businessId));
      if (manifest === null) return null;
      const stored = await readText(businessId, manifest);
      if (stored !== null) return { rev: manifest.rev, text: manifest.value.text, stored };
      // Its parts were removed because there is a newer one.
    }
    throw new StoreError("reading a business", { retryable: true, cause: new Error(`${businessId} is not whole`) });
  }

  async function readText(businessId: string, { value }: StoredRecord<Manifest>): Promise<StoredBusiness | null> {
    const keys = Array.from({ length: value.parts }, (_, part) => partKey(businessId, value.text, part));
    const parts = await Promise.all(keys.map((key) => store.readRecord<string>(key)));
    if (parts.includes(null)) return null;
    return JSON.parse(parts.map((part) => part!.value).join("")) as StoredBusiness;
  }

  async function write(
    businessId: string,
    before: BusinessVersion | null,
    stored: StoredBusiness,
  ): Promise<BusinessVersion | null> {
    const json = JSON.stringify(stored);
    const expected = before?.rev ?? null;
    const text = `${numbered(expected ?? 0)}-${ids.random()}`;
    const parts = Math.ceil(json.length / partLength);
    const keys = Array.from({ length: parts }, (_, part) => partKey(businessId, text, part));
    const pieces = keys.map((_, part) => json.slice(part * partLength, (part + 1) * partLength));
    await Promise.all(keys.map((key, part) => store.writeRecord(key, null, pieces[part]!)));
    const { isWritten, record } = await store.writeRecord<Manifest>(keyOf(businessId), expected, { text, parts });
    const rev = isWritten ? record!.rev : 0;
    const isOld = (other: string) =>
      // What follows an earlier write is old, or was refused, or will be.
      isWritten ? other !== text && (other === before?.text || other < numbered(rev)) : other === text;
    // What is left lying is removed by whoever writes this business next.
    await sweep(businessId, isOld).catch((error: unknown) => deps.onError("remove an old text of a business", error));
    return isWritten ? { rev, text, stored } : null;
  }

  /** Removes texts that nobody will read any more. */
  async function sweep(businessId: string, isOld: (text: string) => boolean): Promise<void> {
    const partition = partitionOf(businessId);
    let from: string | null = null;
    do {
      const page: IndexPage<StoredRecord<string> & { readonly id: string }> = await store.listRecords<string>(
        partition,
        { limit: pageMax, from },
      );
      for (const { id, rev } of page.items) {
        if (isOld(id.split("#", 1)[0]!)) await store.writeRecord({ partition, id }, rev, null);
      }
      from = page.next;
    } while (from !== null);
  }
}

function keyOf(businessId: string): RecordKey {
  return { partition: manifests, id: businessId };
}

function partitionOf(businessId: string): string {
  return `business#${businessId}`;
}

function partKey(businessId: string, text: string, part: number): RecordKey {
  return { partition: partitionOf(businessId), id: `${text}#${String(part).padStart(3, "0")}` };
}

function numbered(rev: number): string {
  return String(rev).padStart(revDigits, "0");
}
