import { createHash } from "node:crypto";
import { type Head, phaseOf, phaseSince } from "../../messaging/head.js";
import { hashOf, partitionOf } from "../../messaging/records.js";
import type { SessionPhase } from "../../messaging/store.js";

// Where everything lies. Pure. Every read is a Get, a BatchGet or a Query of one partition. (docs/decisions/0003)

/** An index over all sessions of a business, or of all businesses, is cut into this many partitions. */
const shardCount = 16;
const eventShardCount = 4;

/** Of an ISO date, as far as the minute and the hour. */
const minuteDigits = "2026-03-02T10:00".length;
export const hourDigits = "2026-03-02T10".length;

/** The attributes that put a session into the sparse indexes. What is absent keeps it out. */
export interface IndexKeys {
  readonly owner?: string;
  readonly businessIn?: string;
  readonly createdAt?: string;
  readonly activeIn?: string;
  readonly activeAt?: string;
  readonly workIn?: string;
  readonly workAt?: string;
  readonly phaseIn: string;
  readonly phaseAt: string;
}

/**
 * Every sort key ends in the session's id, so that an order is total. Times are cut to the minute or the hour, so that
 * an index is not written with every message.
 * @param workSince since when there has been something to do without a pause; null: there is nothing
 */
export function indexKeys(head: Head, workSince: string | null): IndexKeys {
  const { session } = head;
  const { sessionId, businessId } = session;
  const shard = shardOf(sessionId, shardCount);
  const phase = phaseOf(head);
  const owner = ownerOf(head);
  return {
    ...(phase === "deleting"
      ? {}
      : {
          ...(owner === null ? {} : { owner }),
          businessIn: `${businessId}#${shard}`,
          createdAt: sortKey(session.createdAt, sessionId),
        }),
    ...(phase === "active"
      ? {
          activeIn: `${businessId}#${shard}`,
          activeAt: sortKey(session.lastMessageAt.slice(0, minuteDigits), sessionId),
        }
      : {}),
    ...(workSince === null ? {} : { workIn: shard, workAt: sortKey(workSince, sessionId) }),
    phaseIn: `${phase}#${shard}`,
    phaseAt: sortKey(phaseSince(head).slice(0, hourDigits), sessionId),
  };
}

function ownerOf({ session: { businessId, userId, agentId } }: Head): string | null {
  if (userId !== undefined) return partitionOf({ businessId, userId });
  return agentId === undefined ? null : partitionOf({ businessId, agentId });
}

export function sortKey(time: string, sessionId: string): string {
  return `${time}#${sessionId}`;
}

export function sessionIdOf(sort: string): string {
  return sort.slice(sort.indexOf("#") + 1);
}

/** All partitions of an index of a business's sessions: of all of them, or of those that are active. */
export function businessPartitions(businessId: string): readonly string[] {
  return shards(shardCount).map((shard) => `${businessId}#${shard}`);
}

export function workPartitions(): readonly string[] {
  return shards(shardCount);
}

export function phasePartitions(phase: SessionPhase): readonly string[] {
  return shards(shardCount).map((shard) => `${phase}#${shard}`);
}

export function eventPartition(businessId: string, cursor: string): string {
  return `${businessId}#${shardOf(cursor, eventShardCount)}`;
}

export function eventPartitions(businessId: string): readonly string[] {
  return shards(eventShardCount).map((shard) => `${businessId}#${shard}`);
}

/** A key in a table whose partitions hold several things in an order. */
export interface Place {
  readonly partition: string;
  readonly place: string;
}

const offsetDigits = 12;
const partDigits = 4;

/** The row of a message. Session ids hold no "#", so no partition of a session is one of a window. */
export function rowPlace(sessionId: string, offset: number): Place {
  return { partition: sessionId, place: `m#${offsetName(offset)}` };
}

/** The row of an aside, behind those that hang on earlier messages. */
export function asidePlace(sessionId: string, afterOffset: number, messageId: string): Place {
  return { partition: sessionId, place: `n#${offsetName(afterOffset)}#${messageId}` };
}

/** Between what begins with the one and what begins with the other lies all that hangs on these messages. */
export function asideRange(from: number, to: number): { readonly below: string; readonly above: string } {
  return { below: `n#${offsetName(from)}`, above: `n#${offsetName(to + 1)}` };
}

/** Where the offset of a message is found by its id. */
export function idPlace(sessionId: string, messageId: string): Place {
  return { partition: sessionId, place: `i#${messageId}` };
}

/** A part of what is too long for a row. Its name is the write's that put it there: no other one ever touches it. */
export function bodyPlace(
  sessionId: string,
  { messageId, write, index }: { readonly messageId: string; readonly write: string; readonly index: number },
): Place {
  return { partition: sessionId, place: `b#${messageId}#${partName(write, index)}` };
}

/** Windows are named by what clients make up, so the name is hashed. */
export function windowPartition(businessId: string, userId: string, chatId: string): string {
  return `window#${businessId}#${userId}#${hashOf(chatId)}`;
}

/**
 * Where a window has a message: by its time, and those of one session in their order, since within a session time never
 * goes back. Not by the message's id, which is made when a client's id is claimed and may be stored much later.
 */
export function windowPlace(
  window: string,
  { timestamp, sessionId, offset }: { readonly timestamp: string; readonly sessionId: string; readonly offset: number },
): Place {
  return { partition: window, place: `${timestamp}#${sessionId}#${offsetName(offset)}` };
}

/** A part of an event that is too long for its row, named by the write that put it there. */
export function eventBodyKey(cursor: string, write: string, index: number) {
  return { partition: `body#${cursor}`, cursor: partName(write, index) };
}

function partName(write: string, index: number): string {
  return `${write}#${String(index).padStart(partDigits, "0")}`;
}

function offsetName(offset: number): string {
  return String(offset).padStart(offsetDigits, "0");
}

function shards(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(index).padStart(2, "0"));
}

function shardOf(id: string, count: number): string {
  const index = createHash("sha256").update(id).digest().readUInt16BE(0) % count;
  return String(index).padStart(2, "0");
}
