/** Dates are ISO 8601, UTC, with milliseconds. */
export type Timestamp = string;

export type Role = "user" | "coordinator" | "agent" | "service";

export const sessionStatuses = ["active", "resolved", "closed", "abandoned"] as const;
export type SessionStatus = (typeof sessionStatuses)[number];

/** One conversation. A `daily` one belongs to a user and a business day; the others last until they are closed. (SPEC M1) */
export interface Session {
  readonly sessionId: string;
  readonly businessId: string;
  readonly locationId: string;
  readonly userId?: string;
  readonly agentId?: string;
  readonly kind: "daily" | "agent" | "chat";
  /** Made once per business, user and platform; survives days. */
  readonly threadId: string;
  readonly title?: string;
  /** Of a chat: the team for which its owner made it. */
  readonly teamId?: string;
  readonly description?: string;
  readonly status: SessionStatus;
  readonly participants: readonly Participant[];
  readonly holder?: { readonly coordinatorId: string; readonly expiresAt: Timestamp };
  /** Offset of the last ChatMessage; 0 before the first. */
  readonly offset: number;
  readonly previousSessionId?: string;
  readonly totals: { readonly messages: number; readonly tokens: number; readonly cost: number };
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
  readonly lastMessageAt: Timestamp;
  readonly createdBy: string;
  readonly metadata: { readonly businessType: string; readonly context: Readonly<Record<string, unknown>> };
}

export interface Participant {
  readonly type: "user" | "agent" | "coordinator";
  readonly id: string;
  readonly joined: Timestamp;
}

/** What a user, agent, coordinator or the system said. Its `offset` is its place in the session: 1, 2, 3 … (SPEC M4) */
export interface ChatMessage {
  readonly messageId: string;
  readonly sessionId: string;
  readonly offset: number;
  readonly businessId: string;
  /** The user's id; "agent", "coordinator" or "system" for what they said. */
  readonly userId: string;
  readonly content: string;
  readonly data?: unknown;
  readonly type: "user" | "agent" | "coordinator" | "system";
  readonly timestamp: Timestamp;
  readonly status?: string;
  readonly metadata: ChatMessageMetadata;
}

/**
 * What hangs on what was said and is no part of it: a step of the thinking, a note among coordinators, an answer that came
 * too late. It has no offset, so no history holds it unless it is asked for. (SPEC M50)
 */
export interface Aside {
  /** Of those on one message, the order is that of their ids. */
  readonly messageId: string;
  readonly sessionId: string;
  /** Of the ChatMessage that it follows; 0 before the first. */
  readonly afterOffset: number;
  readonly businessId: string;
  /** "agent" or "coordinator". */
  readonly userId: string;
  /** Of a step: its label. */
  readonly content: string;
  /** Of a step: `{step, status}`. */
  readonly data?: unknown;
  readonly type: "thinking" | "note" | "draft";
  readonly timestamp: Timestamp;
  readonly metadata: ChatMessageMetadata;
}

export interface ChatMessageMetadata {
  readonly source: "websocket" | "webhook" | "cron" | "http";
  readonly node?: "command" | "onboarding" | "agent" | "echo" | "coordinator";
  readonly externalId?: string;
  readonly responseId?: string;
  readonly inReplyTo?: string;
  readonly clientMessageId?: string;
  readonly clientTimestamp?: string;
  readonly chatId?: string;
  readonly connectionId?: string;
  readonly intentId?: string;
  /** Of what a coordinator wrote: who it was. For colleagues only. (SPEC M39) */
  readonly coordinatorId?: string;
  /** Of what an agent said in a conversation: which one it was. */
  readonly agentId?: string;
  readonly toolCalls?: readonly unknown[];
  readonly sources?: readonly string[];
  readonly tokens?: number;
  readonly durationMs?: number;
  /** Of an answer: what a client may offer to do next. */
  readonly actions?: readonly Action[];
  /** Of a `system` message that says a turn failed. */
  readonly code?: string;
  /** Of an answer: the task is done. */
  readonly isComplete?: boolean;
  /** Of an answer, in the history: what its user thinks of it. */
  readonly feedback?: { readonly score: -1 | 1; readonly comment?: string; readonly timestamp: Timestamp };
}

export interface Action {
  readonly type: string;
  readonly label: string;
  readonly value?: string;
  readonly url?: string;
}

/** A customer of a business. */
export interface User {
  readonly businessId: string;
  readonly userId: string;
  readonly name?: string;
  readonly locale?: "ro" | "en";
  readonly blocked: boolean;
  readonly platforms: readonly string[];
  readonly threadId: string;
  /** The assistant has greeted this user. */
  readonly greeted: boolean;
  readonly createdAt: Timestamp;
  readonly lastSeenAt: Timestamp;
}

/** What the user wants to get done, until it is completed or abandoned. */
export interface Intent {
  readonly intentId: string;
  readonly businessId: string;
  readonly userId: string;
  readonly chatId?: string;
  readonly sessionId: string;
  /** The name of one of the business's intents. */
  readonly name: string;
  readonly status: "active" | "completed" | "abandoned";
  readonly parameters: Readonly<Record<string, string>>;
  /** Names of parameters still to be asked for, in order. */
  readonly missing: readonly string[];
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

/** One outcome of a turn, as coordinators are told and as it is kept for those who were away. (SPEC M9) */
export interface ProcessedEvent {
  readonly cursor: string;
  readonly businessId: string;
  readonly locationId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly messageId: string;
  readonly message: string;
  readonly responseId: string;
  readonly answer: string;
  readonly status: "answered" | "failed" | "human";
  readonly timestamp: Timestamp;
  readonly durationMs: number;
  readonly source: string;
}
