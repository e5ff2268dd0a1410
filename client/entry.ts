import { type Component, readComponents } from "./component.js";
import { asRecord, optional, text } from "./fields.js";

/** One message of the conversation as a client shows it. */
export interface ChatEntry {
  /** Stays the same from the first keystroke of sending to the last page of history: what a page keys its elements by. */
  readonly id: string;
  /** `sending` and `failed` are this client's own words that the server has not confirmed. */
  readonly state: "sending" | "stored" | "failed";
  readonly from: "user" | "agent" | "coordinator" | "system";
  readonly content: string;
  /** ISO 8601, UTC, the server's. Until stored, that of the message before it, so that it stands after that one. */
  readonly timestamp: string;
  /** Place in its session; absent until stored. */
  readonly offset?: number;
  readonly sessionId?: string;
  readonly messageId?: string;
  readonly clientMessageId?: string;
  readonly inReplyTo?: string;
  readonly responseId?: string;
  readonly actions: readonly ChatAction[];
  /** Forms and the like that were shown with it. */
  readonly components: readonly Component[];
  /** Of a user's message: the form that it filled in. */
  readonly componentId?: string;
  /** What its user thought of it, as the history tells. */
  readonly score?: -1 | 1;
  /** Of a user's message: whoever answers has begun to, or has answered it, or what was said after it. */
  readonly isRead?: true;
  /** Why it failed. */
  readonly code?: string;
}

export interface ChatAction {
  readonly type: string;
  readonly label: string;
  readonly value?: string;
  readonly url?: string;
}

/**
 * Reads a stored message in any of its three forms: a row of history or of a join reply, `new_message`,
 * `message_accepted`. Returns null for what is none of them, so that one strange row cannot stop the others.
 */
export function readEntry(raw: unknown): ChatEntry | null {
  const row = asRecord(raw);
  const metadata = asRecord(row.metadata);
  const data = asRecord(row.data);
  const content = text(row.content) ?? text(row.message);
  const messageId = text(row.messageId);
  const { offset } = row;
  if (content === undefined || messageId === undefined || typeof offset !== "number") return null;
  const clientMessageId = text(row.clientMessageId) ?? text(metadata.clientMessageId);
  return {
    id: clientMessageId ?? messageId,
    state: "stored",
    from: readFrom(row.from ?? row.type),
    content,
    timestamp: text(row.timestamp) ?? "",
    offset,
    messageId,
    actions: readActions(row.actions ?? metadata.actions),
    components: readComponents(data.components),
    ...optional("componentId", text(data.componentId)),
    ...optional("score", readScore(asRecord(metadata.feedback).score)),
    ...optional("sessionId", text(row.sessionId)),
    ...optional("clientMessageId", clientMessageId),
    ...optional("inReplyTo", text(row.inReplyTo) ?? text(metadata.inReplyTo)),
    ...optional("responseId", text(row.responseId) ?? text(metadata.responseId)),
  };
}

function readFrom(value: unknown): ChatEntry["from"] {
  return value === "agent" || value === "coordinator" || value === "system" ? value : "user";
}

function readScore(value: unknown): -1 | 1 | undefined {
  return value === -1 || value === 1 ? value : undefined;
}

export function readActions(value: unknown): readonly ChatAction[] {
  if (!Array.isArray(value)) return [];
  return value.map(asRecord).flatMap((action) => {
    const label = text(action.label);
    if (label === undefined) return [];
    const type = text(action.type) ?? "reply";
    return [{ type, label, ...optional("value", text(action.value)), ...optional("url", text(action.url)) }];
  });
}
