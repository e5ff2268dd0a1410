import type { Key, RootDatabase } from "lmdb";
import { type Head, phaseOf, phaseSince } from "../../messaging/head.js";
import type { ChatMessage, ProcessedEvent } from "../../messaging/model.js";
import { hashOf, partitionOf } from "../../messaging/records.js";
import type { SessionOwner, StoredRecord } from "../../messaging/store.js";
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
  /** `format`, `epoch` and `file`. */
  readonly meta: Table<string | number>;
  /** By sessionId. */
  readonly heads: Table<Head>;
  /** By sessionId, offset. */
  readonly messages: Table<ChatMessage>;
  /** By messageId, sessionId: in this order, because new messages then lie next to each other. */
  readonly places: Table<Place>;
  /** By owner and hash of the chatId, timestamp and messageId. */
  readonly windows: Table<WindowPlace>;
  /** By businessId, cursor. */
  readonly events: Table<ProcessedEvent>;
  /** By partition, id. */
  readonly records: Table<StoredRecord<unknown>>;
  readonly indexes: Readonly<Record<IndexName, Table<string>>>;

  constructor(root: RootDatabase, reader: Reader) {
    const table = <T>(name: string) => new Table<T>(root, name, reader);
    this.meta = table("meta");
    this.heads = table("heads");
    this.messages = table("messages");
    this.places = table("places");
    this.windows = table("windows");
    this.events = table("events");
    this.records = table("records");
    this.indexes = { active: table("active"), owners: table("owners"), work: table("work"), phases: table("phases") };
  }
}

export type IndexName = "active" | "owners" | "work" | "phases";

/**
 * Where an index has a session, or null when it does not have it. What a head says moves with nearly every write; so
 * the active ones go by the minute and the phases by the hour, and an index is seldom written.
 */
export const indexKeys: Readonly<Record<IndexName, (head: Head) => IndexKey | null>> = {
  active: ({ deletingSince, session: { status, businessId, lastMessageAt, sessionId } }) =>
    status === "active" && deletingSince === null ? [businessId, `${minuteOf(lastMessageAt)}#${sessionId}`] : null,
  owners: ({ deletingSince, session }) =>
    deletingSince === null ? [ownerScope(session), `${session.createdAt}#${session.sessionId}`] : null,
  work: ({ turns, session }) => (turns.length > 0 ? ["", session.sessionId] : null),
  phases: (head) => [phaseOf(head), `${hourOf(phaseSince(head))}#${head.session.sessionId}`],
};

export const indexNames = Object.keys(indexKeys) as readonly IndexName[];

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

export function windowScope(key: {
  readonly businessId: string;
  readonly userId: string;
  readonly chatId: string;
}): Key[] {
  return [partitionOf(key), hashOf(key.chatId)];
}

/** Where the chat window of a message has it, or null when it was said in none. */
export function windowKey({ session }: Head, message: ChatMessage): Key[] | null {
  const { metadata, businessId, timestamp, messageId } = message;
  if (metadata.chatId === undefined) return null;
  const userId = session.userId ?? message.userId;
  return [...windowScope({ businessId, userId, chatId: metadata.chatId }), timestamp, messageId];
}
