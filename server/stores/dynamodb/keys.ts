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
  const owner = phase === "deleting" ? null : ownerOf(head);
  return {
    ...(owner === null ? {} : { owner, createdAt: sortKey(session.createdAt, sessionId) }),
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

/** All partitions of the index of a business's active sessions. */
export function activePartitions(businessId: string): readonly string[] {
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

/** The row of a message. Session ids hold no "#", so no partition of a session is one of a window. */
export function rowPlace(sessionId: string, offset: number): Place {
  return { partition: sessionId, place: `m#${String(offset).padStart(offsetDigits, "0")}` };
}

export const rowsEnd = "m#~";

/** Where the offset of a message is found by its id. */
export function idPlace(sessionId: string, messageId: string): Place {
  return { partition: sessionId, place: `i#${messageId}` };
}

/** A part of what is too long for a row. */
export function bodyPlace(sessionId: string, messageId: string, index: number): Place {
  return { partition: sessionId, place: `b#${messageId}#${String(index).padStart(4, "0")}` };
}

/** Windows are named by what clients make up, so the name is hashed. */
export function windowPartition(businessId: string, userId: string, chatId: string): string {
  return `window#${businessId}#${userId}#${hashOf(chatId)}`;
}

export function eventBodyPartition(cursor: string): string {
  return `body#${cursor}`;
}

function shards(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(index).padStart(2, "0"));
}

function shardOf(id: string, count: number): string {
  const index = createHash("sha256").update(id).digest().readUInt16BE(0) % count;
  return String(index).padStart(2, "0");
}
