import { timeOfCursor } from "../../messaging/ids.js";
import type { Aside, ChatMessage, ProcessedEvent } from "../../messaging/model.js";
import { hashOf } from "../../messaging/records.js";
import { StoreError } from "../../messaging/store.js";
import {
  asidePlace,
  bodyPlace,
  eventBodyKey,
  eventPartition,
  idPlace,
  type Place,
  rowPlace,
  windowPartition,
  windowPlace,
} from "./keys.js";
import type { BatchEntry, Item } from "./requests.js";
import { expiry, expiryAt, type TableNames } from "./tables.js";

/** JSON up to this many bytes lies where it belongs; longer JSON in parts of its own, so that a page of rows stays one page. */
const inlineBytesMax = 8 * 1024;
const partBytes = 300 * 1024;
const partsMax = 100;
const eventLifeMs = 24 * 60 * 60 * 1000;

/**
 * JSON that lies elsewhere: in so many parts, which have the name of the write that put them there. Another write of the
 * same message, which lost a race or arrives late, has other parts: what was promised is never written over.
 */
export interface Body {
  readonly parts: number;
  readonly write: string;
}

export type Text = { readonly json: string } | Body;

export interface EventLink {
  readonly cursor: string;
  /** Where its text lies, if it is long. */
  readonly body: Body | null;
  /** Of an answer that is the outcome of several turns: those of the others. */
  readonly others?: readonly EventLink[];
}

export function eventLink({ pending }: Prepared): EventLink {
  if (pending.kind !== "event") throw new TypeError("only an event is linked");
  return { cursor: pending.cursor, body: bodyOf(pending.text) };
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
  | {
      readonly kind: "aside";
      readonly messageId: string;
      readonly afterOffset: number;
      readonly type: Aside["type"];
      readonly text: Text;
    }
  | { readonly kind: "event"; readonly businessId: string; readonly cursor: string; readonly text: Text };

export interface Prepared {
  readonly pending: Pending;
  /** To be written before the head is: nothing leads to them until then. */
  readonly parts: readonly BatchEntry[];
}

type PendingMessage = Extract<Pending, { kind: "message" }>;
type PendingAside = Extract<Pending, { kind: "aside" }>;

/**
 * @param options.ownerId the user whose session it is
 * @param options.write names the write that the message is a part of, and so its parts
 * @param options.event of an answer: what tells of it
 */
export function pendingMessage(
  names: TableNames,
  message: ChatMessage,
  options: { readonly ownerId: string | undefined; readonly write: string; readonly event: EventLink | null },
): Prepared {
  const { ownerId, write, event } = options;
  return preparedMessage(names, message, { ownerId, event, nameOf: () => write });
}

function preparedMessage(
  names: TableNames,
  message: ChatMessage,
  {
    ownerId,
    event,
    nameOf,
  }: {
    readonly ownerId: string | undefined;
    readonly event: EventLink | null;
    readonly nameOf: (json: string) => string;
  },
): { readonly pending: PendingMessage; readonly parts: readonly BatchEntry[] } {
  const { messageId, offset, timestamp } = message;
  const { text, parts } = split(message, nameOf);
  const window = windowOf(message, ownerId);
  return {
    pending: { kind: "message", messageId, offset, timestamp, window, text, event },
    parts: bodyEntries(names, message, parts),
  };
}

function bodyEntries(
  names: TableNames,
  { sessionId, messageId }: { readonly sessionId: string; readonly messageId: string },
  parts: readonly Part[],
): readonly BatchEntry[] {
  return parts.map(({ write, index, part }) => ({
    table: names.messages,
    put: { ...bodyPlace(sessionId, { messageId, write, index }), part },
  }));
}

/** @param nameOf what its parts are named by, as those of a message are */
export function pendingAside(
  names: TableNames,
  aside: Aside,
  nameOf: (json: string) => string,
): Prepared & { readonly pending: PendingAside } {
  const { messageId, afterOffset, type } = aside;
  const { text, parts } = split(aside, nameOf);
  return {
    pending: { kind: "aside", messageId, afterOffset, type, text },
    parts: bodyEntries(names, aside, parts),
  };
}

function windowOf({ businessId, userId, metadata }: ChatMessage, ownerId: string | undefined): string | null {
  const { chatId } = metadata;
  return chatId === undefined ? null : windowPartition(businessId, ownerId ?? userId, chatId);
}

/** @param write as of a message @param inlineMax bytes of text that may lie in the entry itself */
export function pendingEvent(names: TableNames, event: ProcessedEvent, write: string, inlineMax?: number): Prepared {
  const { businessId, cursor } = event;
  const { text, parts } = split(event, () => write, inlineMax);
  return {
    pending: { kind: "event", businessId, cursor, text },
    parts: parts.map(({ index, part }) => ({
      table: names.events,
      put: { ...eventBodyKey(cursor, write, index), part, [expiry]: expiryOf(cursor) },
    })),
  };
}

/**
 * What an import writes of a message. The row comes after everything else has been written: whoever imports again takes
 * a message that has a row for whole. The parts are named by what they say, so that a second import, even of another
 * text, writes over none of another kind.
 */
export function importedMessage(
  names: TableNames,
  message: ChatMessage,
  ownerId: string | undefined,
): { readonly row: BatchEntry; readonly others: readonly BatchEntry[] } {
  const { pending, parts } = preparedMessage(names, message, { ownerId, event: null, nameOf: hashOf });
  const { sessionId } = message;
  return {
    row: rowOf(names, sessionId, pending),
    others: [...parts, ...placesOf(names, sessionId, pending)],
  };
}

/** What an import writes of an aside. As of a message, the row comes last. */
export function importedAside(
  names: TableNames,
  aside: Aside,
): { readonly row: BatchEntry; readonly others: readonly BatchEntry[] } {
  const { pending, parts } = pendingAside(names, aside, hashOf);
  return { row: asideRow(names, aside.sessionId, pending), others: parts };
}

/** Deletes the row of an event, and leaves its text: whoever still carries it in a head may read that. */
export function eventRowKey(names: TableNames, businessId: string, cursor: string): BatchEntry {
  return { table: names.events, deleteKey: { partition: eventPartition(businessId, cursor), cursor } };
}

/** Everything that follows from an entry. Writing it twice changes nothing. */
export function rowsOf(names: TableNames, sessionId: string, entry: Pending): readonly BatchEntry[] {
  if (entry.kind === "event") {
    const { businessId, cursor, text } = entry;
    const key = { partition: eventPartition(businessId, cursor), cursor };
    return [{ table: names.events, put: { ...key, ...text, [expiry]: expiryOf(cursor) } }];
  }
  if (entry.kind === "aside") return [asideRow(names, sessionId, entry)];
  return [rowOf(names, sessionId, entry), ...placesOf(names, sessionId, entry)];
}

// Its type is beside the text, which may be long and lie elsewhere: so that it is read only for those who are to see it.
function asideRow(names: TableNames, sessionId: string, entry: PendingAside): BatchEntry {
  const { messageId, afterOffset, type, text } = entry;
  return {
    table: names.messages,
    put: { ...asidePlace(sessionId, afterOffset, messageId), messageId, afterOffset, type, ...text },
  };
}

function rowOf(names: TableNames, sessionId: string, entry: PendingMessage): BatchEntry {
  const { messageId, offset, timestamp, text, event } = entry;
  const more = event === null ? {} : { event };
  return {
    table: names.messages,
    put: { ...rowPlace(sessionId, offset), messageId, timestamp, ...text, ...more },
  };
}

/** Where the row is found: by the message's id, and in its window. */
function placesOf(names: TableNames, sessionId: string, entry: PendingMessage): readonly BatchEntry[] {
  const { messageId, offset, timestamp, window } = entry;
  const place = { sessionId, offset, messageId };
  const puts = [
    { ...idPlace(sessionId, messageId), offset },
    ...(window === null ? [] : [{ ...windowPlace(window, { timestamp, sessionId, offset }), ...place }]),
  ];
  return puts.map((put) => ({ table: names.messages, put }));
}

/** What is to be deleted of a message, in this order, each when the one before it is gone. */
export interface MessageKeys {
  /** What is found by way of the row, or leads to it. It goes first, because without the row nobody finds it again. */
  readonly others: readonly BatchEntry[];
  readonly row: BatchEntry;
  /** Goes last, because without it the row cannot be read. What remains goes with the session's partition. */
  readonly body: readonly BatchEntry[];
}

/**
 * Keys of everything that was written about a message.
 * @param options.links what its row says of the rest, or its entry that has no row yet; null when it has neither
 */
export function keysOf(
  names: TableNames,
  message: ChatMessage,
  {
    ownerId,
    links,
  }: {
    readonly ownerId: string | undefined;
    readonly links: { readonly text: Text; readonly event: EventLink | null } | null;
  },
): MessageKeys {
  const { sessionId, messageId, offset, businessId } = message;
  const ofMessages = (deleteKey: Item) => ({ table: names.messages, deleteKey });
  const window = windowOf(message, ownerId);
  const body = links === null ? null : bodyOf(links.text);
  const event = links?.event ?? null;
  return {
    others: [
      ofMessages({ ...idPlace(sessionId, messageId) }),
      ...(window === null ? [] : [ofMessages({ ...windowPlace(window, message) })]),
      ...(event === null ? [] : eventKeys(names, businessId, event)),
    ],
    row: ofMessages({ ...rowPlace(sessionId, offset) }),
    body: body === null ? [] : placesOfBody(sessionId, messageId, body).map((place) => ofMessages({ ...place })),
  };
}

function eventKeys(names: TableNames, businessId: string, link: EventLink): readonly BatchEntry[] {
  return [link, ...(link.others ?? [])].flatMap((each) => keysOfEvent(names, businessId, each));
}

function keysOfEvent(names: TableNames, businessId: string, { cursor, body }: EventLink): readonly BatchEntry[] {
  const keys = [
    { partition: eventPartition(businessId, cursor), cursor },
    ...(body === null ? [] : keysOfEventBody(cursor, body)),
  ];
  return keys.map((deleteKey) => ({ table: names.events, deleteKey }));
}

/** Where the parts of a message lie, in their order. */
export function placesOfBody(sessionId: string, messageId: string, { parts, write }: Body): readonly Place[] {
  return Array.from({ length: parts }, (_, index) => bodyPlace(sessionId, { messageId, write, index }));
}

/** Where the parts of an event lie, in their order. */
export function keysOfEventBody(cursor: string, { parts, write }: Body) {
  return Array.from({ length: parts }, (_, index) => eventBodyKey(cursor, write, index));
}

export function textOf(item: Item): Text {
  const { parts, write, json } = item;
  return typeof parts === "number" ? { parts, write: write as string } : { json: json as string };
}

/** Null when it lies where it belongs. */
export function bodyOf(text: Text): Body | null {
  return "json" in text ? null : text;
}

interface Part {
  readonly write: string;
  readonly index: number;
  readonly part: Uint8Array;
}

/**
 * @param nameOf what the parts are named by, if there are any
 * @throws StoreError for what is larger than all limits of the server together
 */
function split(
  value: unknown,
  nameOf: (json: string) => string,
  inlineMax = inlineBytesMax,
): { readonly text: Text; readonly parts: readonly Part[] } {
  const json = JSON.stringify(value);
  if (Buffer.byteLength(json) <= inlineMax) return { text: { json }, parts: [] };
  // Bytes, because a cut between two halves of a character would not be text.
  const bytes = Buffer.from(json);
  const count = Math.ceil(bytes.length / partBytes);
  if (count > partsMax) {
    const cause = new Error(`it is ${bytes.length} bytes long, the most is ${partsMax * partBytes}`);
    throw new StoreError("writing a message", { retryable: false, cause });
  }
  const write = nameOf(json);
  const parts = Array.from({ length: count }, (_, index) => ({
    ...{ write, index },
    part: bytes.subarray(index * partBytes, (index + 1) * partBytes),
  }));
  return { text: { parts: count, write }, parts };
}

// A cursor holds its time.
function expiryOf(cursor: string): number {
  return expiryAt((timeOfCursor(cursor) ?? 0) + eventLifeMs);
}
