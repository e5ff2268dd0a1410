import { failure, type Result, success } from "../../protocol/result.js";
import type { Cancel, Clock } from "../clock.js";
import type { Business, BusinessDocument } from "./business.js";
import { type BusinessRefusal, compose, etagOf, readBusiness, withDocument, writtenOf } from "./business-changes.js";
import type { BusinessProblem } from "./business-problems.js";
import type { BusinessRecords, BusinessVersion, StoredBusiness } from "./business-records.js";
import { StoreError } from "./store.js";

/** All of them are kept in memory. */
export const storedBusinessesMax = 1000;
/** After so long a node has what another one stored. */
const refreshMs = 5000;
const readsAtOnce = 8;
/** Others may change the same business between our reading and our writing; each time we read again. */
const attemptsMax = 10;
/** Businesses that nobody described, and that answer with defaults: the one that was asked for first is forgotten first. */
const undescribedMax = 1000;

/** What a change came to. */
export interface BusinessChanged {
  readonly business: Business;
  /** There was nothing of that name before. */
  readonly isNew: boolean;
}

/** Whether what is there (its `etagOf`; null: nothing) is what the caller goes by. */
export type Expects = (etag: string | null) => boolean;

type Changed = Promise<Result<BusinessChanged, BusinessRefusal>>;

/** The businesses there are: files, and what was stored, which goes before the file of the same id. (SPEC B5, B7) */
export interface Businesses {
  /** As of this moment here, and within seconds elsewhere. Null: there is none. */
  find(businessId: string): Business | null;
  /** Stores all that a business is. @param given as it came @throws StoreError */
  put(businessId: string, given: unknown, expects: Expects): Changed;
  /** Stores one document of a business that there is. @throws StoreError */
  putDocument(businessId: string, document: BusinessDocument, expects: Expects): Changed;
  /** @throws StoreError */
  deleteDocument(businessId: string, documentId: string, expects: Expects): Changed;
  /** Reads what is stored, and from then on what others store. @throws StoreError */
  start(): Promise<void>;
  stop(): void;
}

interface Known extends BusinessVersion {
  /** Null when this server cannot use it. */
  readonly business: Business | null;
}

export function createBusinesses(deps: {
  readonly records: BusinessRecords;
  readonly clock: Clock;
  readonly files: ReadonlyMap<string, Business>;
  /** What answers for a business that nobody described; null: nothing does. */
  readonly undescribed: (businessId: string) => Business | null;
  /** What it cannot have here, whatever the schema says. */
  readonly problemsOf: (business: Business) => readonly BusinessProblem[];
  readonly onError: (operation: string, error: unknown) => void;
}): Businesses {
  const { records, clock, files } = deps;
  const known = new Map<string, Known>();
  const defaults = new Map<string, Business>();
  let cancel: Cancel = () => undefined;
  let refreshing: Promise<void> | null = null;

  return { find, put, putDocument, deleteDocument, start, stop };

  function find(businessId: string): Business | null {
    return known.get(businessId)?.business ?? unstored(businessId);
  }

  /** What there is without the store. The same object each time, for what was read of it is kept by it. */
  function unstored(businessId: string): Business | null {
    const there = files.get(businessId) ?? defaults.get(businessId);
    if (there !== undefined) return there;
    const business = deps.undescribed(businessId);
    if (business === null) return null;
    if (defaults.size >= undescribedMax) defaults.delete(defaults.keys().next().value!);
    defaults.set(businessId, business);
    return business;
  }

  async function put(businessId: string, given: unknown, expects: Expects): Changed {
    const named = (given as { readonly businessId?: unknown } | null | undefined)?.businessId;
    const isOther = typeof named === "string" && named !== businessId;
    const other = isOther ? [{ path: ["businessId"], message: `expected "${businessId}", as in the path` }] : [];
    const read = readBusiness(given, (business) => [...other, ...deps.problemsOf(business)]);
    if (!read.ok) return read;
    const business = read.value;
    return change(businessId, (now) =>
      expects(now === null ? null : etagOf(writtenOf(now))) ? success({ business }) : failure({ kind: "changed" }),
    );
  }

  function putDocument(businessId: string, document: BusinessDocument, expects: Expects): Changed {
    const { documentId } = document;
    return change(businessId, (now, stored) => {
      if (now === null) return failure({ kind: "not_found" });
      const there = documentOf(now, documentId);
      if (!expects(there === null ? null : etagOf(there))) return failure({ kind: "changed" });
      return success(withDocument(stored, { documentId, document }, unstored(businessId)));
    });
  }

  function deleteDocument(businessId: string, documentId: string, expects: Expects): Changed {
    return change(businessId, (now, stored) => {
      const there = now === null ? null : documentOf(now, documentId);
      if (now === null || there === null) return failure({ kind: "not_found" });
      if (!expects(etagOf(there))) return failure({ kind: "changed" });
      return success(withDocument(stored, { documentId, document: null }, unstored(businessId)));
    });
  }

  /** Reads, has `decide` decide, and writes unless somebody wrote in between; else it begins again. */
  async function change(
    businessId: string,
    decide: (now: Business | null, stored: StoredBusiness | null) => Result<StoredBusiness, BusinessRefusal>,
  ): Changed {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const version = await records.read(businessId);
      if (version === null && known.size >= storedBusinessesMax) return failure({ kind: "too_many" });
      if (version !== null) keep(businessId, version);
      const now = find(businessId);
      const next = decide(now, version?.stored ?? null);
      if (!next.ok) return next;
      const composed = compose(next.value, unstored(businessId));
      if (!composed.ok) return composed;
      const written = await records.write(businessId, version, next.value);
      if (written === null) continue;
      keep(businessId, written);
      return success({ business: composed.value, isNew: now === null });
    }
    throw new StoreError("changing a business", { retryable: true, cause: new Error("others kept changing it") });
  }

  function keep(businessId: string, version: BusinessVersion): void {
    const { rev, stored } = version;
    // What was read while something newer was written is older than that.
    if ((known.get(businessId)?.rev ?? 0) >= rev) return;
    const composed = compose(stored, unstored(businessId));
    // It was stored by another version, or by a server that had other agents.
    const isUsable = composed.ok && deps.problemsOf(composed.value).length === 0;
    if (!isUsable)
      deps.onError("use a business that is stored", new Error(`the business ${businessId} is not as it must be`));
    known.set(businessId, { ...version, business: isUsable ? composed.value : null });
  }

  async function start(): Promise<void> {
    await refresh();
    cancel = clock.every(refreshMs, () => void refreshAgain());
  }

  function stop(): void {
    cancel();
  }

  async function refreshAgain(): Promise<void> {
    if (refreshing !== null) return;
    refreshing = refresh().catch((error: unknown) => deps.onError("read the businesses", error));
    await refreshing;
    refreshing = null;
  }

  async function refresh(): Promise<void> {
    const revs = await records.list();
    const changed = [...revs.keys()].filter((businessId) => known.get(businessId)?.rev !== revs.get(businessId));
    for (let at = 0; at < changed.length; at += readsAtOnce) {
      const some = changed.slice(at, at + readsAtOnce);
      // One that cannot be read keeps no other from being as it is.
      const read = (businessId: string) =>
        records.read(businessId).catch((error: unknown) => {
          deps.onError(`read the business ${businessId}`, error);
          return null;
        });
      const versions = await Promise.all(some.map(read));
      for (const [index, version] of versions.entries()) if (version !== null) keep(some[index]!, version);
    }
  }
}

/** Null: the business has none of that id. */
export function documentOf({ documents }: Business, documentId: string): BusinessDocument | null {
  return documents.find((document) => document.documentId === documentId) ?? null;
}
