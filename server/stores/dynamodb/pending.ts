import { timeOfCursor } from "../../messaging/ids.js";
import type { ChatMessage, ProcessedEvent } from "../../messaging/model.js";
import { StoreError } from "../../messaging/store.js";
import { bodyPlace, eventBodyPartition, eventPartition, idPlace, rowPlace, windowPartition } from "./keys.js";
import type { BatchEntry, Item } from "./requests.js";
import { eventExpiry, type TableNames } from "./tables.js";

/** JSON up to this many bytes lies where it belongs; longer JSON in parts of its own, so that a page of rows stays one page. */
const inlineBytesMax = 8 * 1024;
const partBytes = 300 * 1024;
const partsMax = 100;
const eventLifeMs = 24 * 60 * 60 * 1000;

/** JSON, or in how many parts it lies elsewhere. */
export type Text = { readonly json: string } | { readonly parts: number };

export interface EventLink {
  readonly cursor: string;
  /** In how many parts its text lies, if it is long. */
  readonly parts: number;
}

/** What was said and has no row yet. It says everything that its rows are made of, and it is all that is kept of it. */
export type Pending =
  | {
      readonly kind: "message";
      readonly messageId: string;
      readonly offset: number;
      readonly timestamp: string;
      /** Whose window it belongs to. */
      readonly window: string | null;
      readonly text: Text;
      /** Of an answer: the event that tells of it, which goes when it goes. */
      readonly event: EventLink | null;
    }
  | { readonly kind: "event"; readonly businessId: string; readonly cursor: string; readonly text: Text };

export interface Prepared {
  readonly pending: Pending;
  /** To be written before the head is: nothing leads to them until then. */
  readonly parts: readonly BatchEntry[];
}

/** @param ownerId the user whose session it is @param event of an answer: what tells of it */
export function pendingMessage(
  names: TableNames,
  message: ChatMessage,
  ownerId: string | undefined,
  event: EventLink | null = null,
): Prepared {
  const { sessionId, messageId, offset, timestamp, businessId, userId, metadata } = message;
  const { text, parts } = split(message);
  const { chatId } = metadata;
  return {
    pending: {
      kind: "message",
      messageId,
      offset,
      timestamp,
      window: chatId === undefined ? null : windowPartition(businessId, ownerId ?? userId, chatId),
      text,
      event,
    },
    parts: parts.map((part, index) => ({
      table: names.messages,
      put: { ...bodyPlace(sessionId, messageId, index), part },
    })),
  };
}

export function pendingEvent(names: TableNames, event: ProcessedEvent): Prepared {
  const { businessId, cursor } = event;
  const { text, parts } = split(event);
  return {
    pending: { kind: "event", businessId, cursor, text },
    parts: parts.map((part, index) => ({
      table: names.events,
      put: { partition: eventBodyPartition(cursor), cursor: partName(index), part, [eventExpiry]: expiryOf(cursor) },
    })),
  };
}

/** Everything that follows from an entry. Writing it twice changes nothing. */
export function rowsOf(names: TableNames, sessionId: string, entry: Pending): readonly BatchEntry[] {
  if (entry.kind === "event") {
    const { businessId, cursor, text } = entry;
    const key = { partition: eventPartition(businessId, cursor), cursor };
    return [{ table: names.events, put: { ...key, ...text, [eventExpiry]: expiryOf(cursor) } }];
  }
  const { messageId, offset, timestamp, window, text, event } = entry;
  const rows = [
    { ...rowPlace(sessionId, offset), messageId, timestamp, ...text, ...(event === null ? {} : { event }) },
    { ...idPlace(sessionId, messageId), offset },
    ...(window === null ? [] : [{ partition: window, place: messageId, sessionId, offset }]),
  ];
  return rows.map((put) => ({ table: names.messages, put }));
}

/** Keys of everything that was written about a message. */
export function keysOf(
  names: TableNames,
  message: ChatMessage,
  ownerId: string | undefined,
  event: EventLink | null,
): readonly BatchEntry[] {
  const { sessionId, messageId, offset } = message;
  const { pending, parts } = pendingMessage(names, message, ownerId);
  const window = pending.kind === "message" ? pending.window : null;
  const keys: Item[] = [
    { ...rowPlace(sessionId, offset) },
    { ...idPlace(sessionId, messageId) },
    ...parts.map((_, index) => ({ ...bodyPlace(sessionId, messageId, index) })),
    ...(window === null ? [] : [{ partition: window, place: messageId }]),
  ];
  const ofMessage = keys.map((deleteKey) => ({ table: names.messages, deleteKey }));
  return event === null ? ofMessage : [...ofMessage, ...eventKeys(names, message.businessId, event)];
}

function eventKeys(names: TableNames, businessId: string, { cursor, parts }: EventLink): readonly BatchEntry[] {
  const partition = eventBodyPartition(cursor);
  const keys = [
    { partition: eventPartition(businessId, cursor), cursor },
    ...Array.from({ length: parts }, (_, index) => ({ partition, cursor: partName(index) })),
  ];
  return keys.map((deleteKey) => ({ table: names.events, deleteKey }));
}

export function textOf(item: Item): Text {
  return typeof item.parts === "number" ? { parts: item.parts } : { json: item.json as string };
}

export function partName(index: number): string {
  return String(index).padStart(4, "0");
}

/** @throws StoreError for what is larger than all limits of the server together */
function split(value: unknown): { readonly text: Text; readonly parts: readonly Uint8Array[] } {
  const json = JSON.stringify(value);
  if (Buffer.byteLength(json) <= inlineBytesMax) return { text: { json }, parts: [] };
  // Bytes, because a cut between two halves of a character would not be text.
  const bytes = Buffer.from(json);
  const count = Math.ceil(bytes.length / partBytes);
  if (count > partsMax) {
    const cause = new Error(`it is ${bytes.length} bytes long, the most is ${partsMax * partBytes}`);
    throw new StoreError("writing a message", { retryable: false, cause });
  }
  const parts = Array.from({ length: count }, (_, index) => bytes.subarray(index * partBytes, (index + 1) * partBytes));
  return { text: { parts: count }, parts };
}

// DynamoDB wants seconds. A cursor holds its time.
function expiryOf(cursor: string): number {
  return Math.ceil(((timeOfCursor(cursor) ?? 0) + eventLifeMs) / 1000);
}
