import type { Key, RootDatabase } from "lmdb";
import { type Head, hasWork, phaseOf, phaseSince } from "../../messaging/head.js";
import type { Aside, ChatMessage, ProcessedEvent } from "../../messaging/model.js";
import { hashOf, partitionOf } from "../../messaging/records.js";
import type { SessionOwner, StoredRecord } from "../../messaging/store.js";
import { CachedTable } from "./cached-table.js";
import { GroupCommit } from "./group-commit.js";
import { type Reader, Table } from "./table.js";

/** Above every text and number in key order. */
export const last = Buffer.from([0xff]);

/** Where a message lies, and which events its change has written. */
export interface Place {
  readonly offset: number;
  readonly cursors?: readonly string[];
}

export type WindowPlace = readonly [sessionId: string, offset: number];

/** Where something is found: the question it answers, and its position among the answers. */
export type IndexKey = [scope: string, position: string];

/** Everything that the store holds, by name. */
export class Tables {
  /** `format`, `epoch`, `file` and `deletedRev`. */
  readonly meta: Table<string | number>;
  /** By sessionId. */
  readonly heads: Table<Head>;
  /** By sessionId, offset. */
  readonly messages: Table<ChatMessage>;
  /** By sessionId, afterOffset, messageId. */
  readonly asides: Table<Aside>;
  /** By messageId, sessionId: in this order, because new messages then lie next to each other. */
  readonly places: Table<Place>;
  /** By owner and hash of the chatId, timestamp, sessionId and offset. */
  readonly windows: Table<WindowPlace>;
  /** By businessId, cursor. */
  readonly events: Table<ProcessedEvent>;
  /** By partition, id. */
  readonly records: Table<StoredRecord<unknown>>;
  readonly indexes: Readonly<Record<IndexName, Table<string>>>;

  /** @param reader of a store that is written, its GroupCommit */
  constructor(root: RootDatabase, reader: Reader | GroupCommit) {
    const table = <T>(name: string) => new Table<T>(root, name, reader);
    const cached = <T extends object>(name: string) =>
      reader instanceof GroupCommit ? new CachedTable<T>(root, name, reader) : table<T>(name);
    this.meta = table("meta");
    this.heads = cached("heads");
    this.messages = table("messages");
    this.asides = table("asides");
    this.places = table("places");
    this.windows = table("windows");
    this.events = table("events");
    this.records = cached("records");
    this.indexes = {
      active: table("active"),
      businesses: table("businesses"),
      owners: table("owners"),
      work: table("work"),
      phases: table("phases"),
    };
  }
}

export type IndexName = "active" | "businesses" | "owners" | "work" | "phases";

interface Index {
  /** The question. */
  readonly scope: (head: Head) => string;
  /** What a session's place among the answers depends on; null when it is not one of them. */
  readonly order: (head: Head) => string | null;
}

/**
 * What a head says moves with nearly every write; so the active ones go by the minute and the phases by the hour, and
 * an index is seldom written.
 */
const indexes: Readonly<Record<IndexName, Index>> = {
  active: {
    scope: ({ session }) => session.businessId,
    order: ({ deletingSince, session: { status, lastMessageAt } }) =>
      status === "active" && deletingSince === null ? minuteOf(lastMessageAt) : null,
  },
  businesses: { scope: ({ session }) => session.businessId, order: creationOf },
  owners: { scope: ({ session }) => ownerScope(session), order: creationOf },
  work: { scope: () => "", order: (head) => (hasWork(head) ? "" : null) },
  phases: { scope: phaseOf, order: (head) => hourOf(phaseSince(head)) },
};

export const indexNames = Object.keys(indexes) as readonly IndexName[];

function creationOf({ deletingSince, session }: Head): string | null {
  return deletingSince === null ? session.createdAt : null;
}

/** Where an index has a session, or null when it does not have it. */
export function indexKey(name: IndexName, head: Head): IndexKey | null {
  const order = indexes[name].order(head);
  if (order === null) return null;
  const { sessionId } = head.session;
  return [indexes[name].scope(head), order === "" ? sessionId : `${order}#${sessionId}`];
}

/** Whether an index has two heads of one session in the same place. Making their keys would take longer. */
export function isPlacedAlike(name: IndexName, one: Head, other: Head): boolean {
  const { scope, order } = indexes[name];
  const orderOfOne = order(one);
  return orderOfOne === order(other) && (orderOfOne === null || scope(one) === scope(other));
}

export function minuteOf(timestamp: string): string {
  return timestamp.slice(0, "2026-03-02T10:00".length);
}

export function hourOf(timestamp: string): string {
  return timestamp.slice(0, "2026-03-02T10".length);
}

// A session without a user is its agent's.
function ownerScope({ businessId, userId, agentId }: Head["session"]): string {
  const owner: SessionOwner = userId === undefined ? { businessId, agentId: agentId ?? "" } : { businessId, userId };
  return partitionOf(owner);
}

export function asideKey({ sessionId, afterOffset, messageId }: Aside): Key[] {
  return [sessionId, afterOffset, messageId];
}

export function windowScope(key: {
  readonly businessId: string;
  readonly userId: string;
  readonly chatId: string;
}): Key[] {
  return [partitionOf(key), hashOf(key.chatId)];
}

/**
 * Where the chat window of a message has it, or null when it was said in none. Not by its id, which is made when a
 * client's id is claimed: the message may be stored much later.
 */
export function windowKey({ session }: Head, message: ChatMessage): Key[] | null {
  const { metadata, businessId, timestamp, sessionId, offset } = message;
  if (metadata.chatId === undefined) return null;
  const userId = session.userId ?? message.userId;
  return [...windowScope({ businessId, userId, chatId: metadata.chatId }), timestamp, sessionId, offset];
}
