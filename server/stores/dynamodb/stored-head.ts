import { type Head, hasWork } from "../../messaging/head.js";
import { StoreError } from "../../messaging/store.js";
import { indexKeys } from "./keys.js";
import type { Pending } from "./pending.js";
import type { Condition, Item } from "./requests.js";

/** A head as it lies in DynamoDB: with what was said and has no row yet, in the same item. */
export interface StoredHead {
  readonly head: Head;
  readonly pending: readonly Pending[];
  /** Names of the latest writes, the last one last: a writer who got no answer finds out whether his was applied. */
  readonly writes: readonly string[];
  /** Since when there has been an open turn, something to send or a pending entry without a pause. */
  readonly workSince: string | null;
}

const writesKept = 8;
/** DynamoDB takes items of 400 KB. */
const itemBytesMax = 390_000;

/** The item that follows `before` when `write` makes `head` and `pending` of it. */
export function nextHead(
  before: StoredHead | null,
  next: { readonly head: Head; readonly pending: readonly Pending[]; readonly write: string; readonly now: number },
): StoredHead {
  const { head, pending, write, now } = next;
  const isWaiting = hasWork(head) || pending.length > 0;
  return {
    head,
    pending,
    writes: [...(before?.writes ?? []), write].slice(-writesKept),
    workSince: isWaiting ? (before?.workSince ?? new Date(now).toISOString()) : null,
  };
}

/**
 * It is the very one that was read. By its rev alone it could be another one, which was made anew under the same id and
 * has been written as often; the name of a write is nobody else's.
 */
export function isStill({ head, writes }: StoredHead): Condition {
  return {
    expression: "#rev = :rev AND contains(#writes, :write)",
    names: { "#rev": "rev", "#writes": "writes" },
    values: { ":rev": head.rev, ":write": writes.at(-1) },
  };
}

/** @throws StoreError when it is too large for an item */
export function headItem({ head, pending, writes, workSince }: StoredHead): Item {
  const texts = { head: JSON.stringify(head), pending: JSON.stringify(pending) };
  const bytes = Buffer.byteLength(texts.head) + Buffer.byteLength(texts.pending);
  if (bytes > itemBytesMax) {
    const cause = new Error(`its head is ${bytes} bytes long, the most is ${itemBytesMax}`);
    throw new StoreError("changing a session", { retryable: false, cause });
  }
  return {
    sessionId: head.session.sessionId,
    rev: head.rev,
    ...texts,
    writes,
    ...(workSince === null ? {} : { workSince }),
    ...indexKeys(head, workSince),
  };
}

export function storedHead(item: Item): StoredHead {
  return {
    head: JSON.parse(item.head as string) as Head,
    pending: JSON.parse(item.pending as string) as Pending[],
    writes: item.writes as string[],
    workSince: (item.workSince as string | undefined) ?? null,
  };
}
