import type { ChatError } from "./chat-error.js";
import type { ConnectionStatus } from "./connection.js";
import { type ChatAction, readActions } from "./entry.js";
import { asRecord, optional, text } from "./fields.js";
import type { RunningAnswer } from "./running.js";
import type { Holder, Intent, SessionUpdate } from "./session.js";

/** What a console hears, by the name that `Coordinator.on` takes. */
export interface ConsoleEvents {
  status: [status: CoordinatorStatus];
  /** A user's message has its outcome. Of each message once, also over lost connections. */
  processed: [turn: ProcessedTurn];
  /** A user's message is stored. */
  accepted: [message: AcceptedMessage];
  session: [update: SessionUpdate];
  intent: [intent: Intent];
  /** What an agent finished after a human had taken over; its user never sees it. */
  draft: [draft: Draft];
  note: [note: Note];
  /** How far a user has taken and read a session. */
  receipt: [receipt: ReadReceipt];
  feedback: [feedback: Feedback];
  /** Who types in a session that is watched, as it is now. */
  typing: [sessionId: string, typists: readonly SessionTypist[]];
  /** Answers in the making in a session that is watched, as they are now. */
  running: [sessionId: string, answers: readonly RunningAnswer[]];
  /** Who is online, as it is now. */
  presence: [online: readonly OnlineMember[]];
  /** What no promise tells. */
  error: [error: ChatError];
}

export type CoordinatorStatus =
  | ConnectionStatus
  | {
      readonly state: "online";
      /** Sessions that were active at the join. */
      readonly activeSessions: number;
    };

export interface ProcessedTurn {
  readonly cursor: string;
  readonly businessId: string;
  readonly locationId: string;
  readonly userId: string;
  readonly sessionId: string;
  /** Of the user's message. */
  readonly messageId: string;
  readonly message: string;
  readonly responseId: string;
  readonly answer: string;
  readonly status: "answered" | "failed" | "human";
  readonly timestamp: string;
  readonly durationMs: number;
  readonly source: string;
}

export interface AcceptedMessage {
  readonly messageId: string;
  readonly sessionId: string;
  readonly offset: number;
  readonly timestamp: string;
  readonly message: string;
  readonly userId: string;
  readonly locationId: string;
  readonly clientMessageId?: string;
}

export interface Draft {
  readonly sessionId: string;
  readonly userId: string;
  /** Of the user's message. */
  readonly messageId: string;
  readonly responseId: string;
  readonly message: string;
  readonly actions: readonly ChatAction[];
  readonly timestamp: string;
}

export interface Note {
  readonly sessionId: string;
  readonly userId: string | null;
  readonly messageId: string;
  /** Of the message that it follows. */
  readonly afterOffset: number;
  readonly coordinatorId: string;
  readonly message: string;
  readonly timestamp: string;
}

export interface ReadReceipt {
  readonly sessionId: string;
  readonly userId: string;
  /** Offsets up to which it was. */
  readonly delivered: number;
  readonly read: number;
}

export interface Feedback {
  readonly sessionId: string;
  readonly userId: string;
  /** Of the answer. */
  readonly messageId: string;
  readonly score: -1 | 1;
  readonly comment?: string;
  readonly timestamp: string;
}

export interface SessionTypist {
  readonly from: "user" | "agent" | "coordinator";
  /** Of a coordinator. */
  readonly coordinatorId?: string;
}

export interface OnlineMember {
  /** `user:<userId>` or `coordinator:<coordinatorId>` */
  readonly key: string;
  readonly role: string;
  /** ISO 8601, UTC; since when, on the connection that is there for longest. */
  readonly onlineAt: string;
  readonly connectionCount: number;
}

/** A session as the commands on it reply it. */
export interface Session {
  readonly sessionId: string;
  readonly businessId: string;
  readonly userId?: string;
  readonly kind: string;
  readonly status: string;
  readonly title?: string;
  readonly holder?: Holder;
  readonly offset: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lastMessageAt: string;
}

export function readProcessed(raw: unknown): ProcessedTurn | null {
  const row = asRecord(raw);
  const { cursor, messageId, sessionId } = row;
  if (typeof cursor !== "string" || typeof messageId !== "string" || typeof sessionId !== "string") return null;
  return {
    ...{ cursor, messageId, sessionId, ...texts(row, ["businessId", "locationId", "userId", "message"]) },
    ...texts(row, ["responseId", "answer", "timestamp", "source"]),
    status: row.status === "failed" || row.status === "human" ? row.status : "answered",
    durationMs: count(row.durationMs),
  };
}

export function readAccepted(raw: unknown): AcceptedMessage {
  const row = asRecord(raw);
  return {
    ...texts(row, ["messageId", "sessionId", "timestamp", "message", "userId", "locationId"]),
    offset: count(row.offset),
    ...optional("clientMessageId", text(row.clientMessageId)),
  };
}

export function readDraft(raw: unknown): Draft {
  const row = asRecord(raw);
  const said = texts(row, ["sessionId", "userId", "messageId", "responseId", "message", "timestamp"]);
  return { ...said, actions: readActions(row.actions) };
}

export function readNote(raw: unknown): Note {
  const row = asRecord(raw);
  const said = texts(row, ["sessionId", "messageId", "coordinatorId", "message", "timestamp"]);
  return { ...said, userId: text(row.userId) ?? null, afterOffset: count(row.afterOffset) };
}

export function readReadReceipt(raw: unknown): ReadReceipt {
  const row = asRecord(raw);
  return { ...texts(row, ["sessionId", "userId"]), delivered: count(row.delivered), read: count(row.read) };
}

export function readFeedback(raw: unknown): Feedback {
  const row = asRecord(raw);
  const said = texts(row, ["sessionId", "userId", "messageId", "timestamp"]);
  return { ...said, score: row.score === -1 ? -1 : 1, ...optional("comment", text(row.comment)) };
}

export function readTypist(raw: unknown): SessionTypist {
  const { from, coordinatorId } = asRecord(raw);
  const who = from === "agent" || from === "coordinator" ? from : "user";
  return { from: who, ...optional("coordinatorId", text(coordinatorId)) };
}

function texts<const Name extends string>(row: Readonly<Record<string, unknown>>, names: readonly Name[]) {
  return Object.fromEntries(names.map((name) => [name, text(row[name]) ?? ""])) as Readonly<Record<Name, string>>;
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
