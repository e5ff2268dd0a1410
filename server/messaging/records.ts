import { createHash } from "node:crypto";
import type { RecordKey, SessionOwner } from "./store.js";

/** Which message a client's own id stands for. Once written it never changes. */
export interface ClientMessage {
  readonly messageId: string;
  /** Where it goes: decided once, so that two attempts at the same time cannot put it into two sessions. */
  readonly sessionId: string;
  /** SHA-256 of the text, so that the same id with another text is noticed. */
  readonly textHash: string;
}

/** Of which chat a message is. */
export interface ChatTurn {
  readonly sessionId: string;
}

/** How many times a process has said that it lives. */
export interface Beat {
  readonly count: number;
}

/** Which process does a job that only one may do. */
export interface JobHolder {
  readonly node: string;
}

/** What a user thinks of an answer. */
export interface Feedback {
  readonly messageId: string;
  readonly score: -1 | 1;
  readonly comment?: string;
  readonly timestamp: string;
}

// Ids of businesses, users and agents hold no "#". What clients make up is hashed: it can be long, or hold anything.

/** The session in which an owner's messages go at present. */
export function currentSessionKey(owner: SessionOwner): RecordKey {
  return { partition: partitionOf(owner), id: "current" };
}

export function userKey(businessId: string, userId: string): RecordKey {
  return { partition: partitionOf({ businessId, userId }), id: "profile" };
}

export function clientMessageKey(businessId: string, userId: string, clientMessageId: string): RecordKey {
  return { partition: partitionOf({ businessId, userId }), id: `client#${hashOf(clientMessageId)}` };
}

/** Which chat a client's own key stands for. */
export function chatKey(businessId: string, userId: string, key: string): RecordKey {
  return { partition: partitionOf({ businessId, userId }), id: `chat#${hashOf(key)}` };
}

export function chatTurnKey(messageId: string): RecordKey {
  return { partition: `turn#${hashOf(messageId)}`, id: "chat" };
}

/** How much of what a user may say in a day has been said. */
export function quotaKey(businessId: string, userId: string): RecordKey {
  return { partition: partitionOf({ businessId, userId }), id: "quota" };
}

/** All that was said of the answers of a session: it goes with them. */
export function feedbackPartition(sessionId: string): string {
  return `feedback#${sessionId}`;
}

/** In the order of the answers. */
export function feedbackKey({ sessionId, offset }: { readonly sessionId: string; readonly offset: number }): RecordKey {
  return { partition: feedbackPartition(sessionId), id: String(offset).padStart(offsetDigits, "0") };
}

const offsetDigits = 12;

export function beatKey(node: string): RecordKey {
  return { partition: `node#${node}`, id: "beat" };
}

export function jobKey(job: string): RecordKey {
  return { partition: `job#${job}`, id: "holder" };
}

/** Names the owner of sessions in keys. */
export function partitionOf(owner: SessionOwner): string {
  return "userId" in owner ? `user#${owner.businessId}#${owner.userId}` : `agent#${owner.businessId}#${owner.agentId}`;
}

/** SHA-256, for keys. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
