import { hang, type NewAside } from "../../server/messaging/asides.js";
import { admit, answer, claim, type Head, type NewUserMessage } from "../../server/messaging/head.js";
import { cursorAt } from "../../server/messaging/ids.js";
import type { Aside, ChatMessage, Session } from "../../server/messaging/model.js";
import type { IndexPage, IndexRange, Store } from "../../server/messaging/store.js";
import { headOf, saidBy } from "../support/heads.js";

export const business = "B1";
export const user = "user_1";
export const t0 = Date.parse("2026-03-02T10:00:00.000Z");
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

export function at(ms: number): string {
  return new Date(t0 + ms).toISOString();
}

/** The head of a session in which nothing was said yet. `createdAt` counts for its other times too. */
export function newHead(sessionId: string, session: Partial<Session> = {}, rest: Partial<Head> = {}): Head {
  const { createdAt = at(0), userId = user } = session;
  const times = { createdAt, updatedAt: createdAt, lastMessageAt: createdAt };
  return headOf({
    ...rest,
    session: { sessionId, businessId: business, userId, createdBy: userId, ...times, ...session },
  });
}

/** The same for a session of an agent, which has no user. */
export function newAgentHead(sessionId: string, agentId: string, session: Partial<Session> = {}): Head {
  const head = newHead(sessionId, { ...session, agentId, kind: "agent", createdBy: agentId }, { day: null });
  const own = Object.entries(head.session).filter(([name]) => name !== "userId");
  return { ...head, session: Object.fromEntries(own) as unknown as Session };
}

export interface Saying {
  readonly now?: number;
  readonly userId?: string;
  readonly chatId?: string;
  readonly content?: string;
  readonly context?: NewUserMessage["context"];
  readonly node?: string;
  readonly data?: unknown;
  readonly metadata?: Partial<ChatMessage["metadata"]>;
}

export function say(store: Store, sessionId: string, messageId: string, saying: Saying = {}) {
  const { now = t0, userId = user, node = "node", chatId, content = `text of ${messageId}`, context = {} } = saying;
  const message = saidBy(userId, messageId, {
    content,
    context,
    ...(saying.data === undefined ? {} : { data: saying.data }),
    metadata: { source: "websocket", ...(chatId === undefined ? {} : { chatId }), ...saying.metadata },
  });
  const terms = { now, node, isOver: false, isFinal: false };
  return store.changeSession(sessionId, (head, found) => admit(head, found, message, terms), messageId);
}

export interface Answering {
  readonly now?: number;
  readonly content?: string;
  readonly chatId?: string;
  readonly cursor?: string;
  /** Labels of the steps on the way to it. */
  readonly thinking?: readonly string[];
  /** The lease under which the answer was made; when left out, `node` takes the session over. */
  readonly fence?: number;
  readonly node?: string;
}

/** The outcome of a turn, made by a process that takes the lease from whoever has it. Null when it is not stored. */
export async function respond(
  store: Store,
  sessionId: string,
  question: string,
  messageId: string,
  {
    now = t0,
    content = `answer ${messageId}`,
    chatId,
    cursor = newCursor(now),
    thinking,
    fence,
    node = "answerer",
  }: Answering = {},
) {
  const asked = await store.findMessage(sessionId, question);
  if (asked === null) throw new Error(`the question ${question} is not there`);
  const held = fence ?? (await store.changeSession(sessionId, (head) => claim(head, node, () => true)))?.fence;
  if (held === undefined) return null;
  const outcome = {
    messageId,
    responseId: `r-${messageId}`,
    type: "agent",
    content,
    tokens: 1,
    metadata: {
      source: "websocket",
      inReplyTo: question,
      responseId: `r-${messageId}`,
      ...(chatId === undefined ? {} : { chatId }),
    },
    ...(thinking === undefined ? {} : { thinking: thinking.map((label, step) => stepOf(messageId, step, label)) }),
  } as const;
  return store.changeSession(sessionId, (head) => answer(head, asked, outcome, { now, fence: held, cursor }));
}

function stepOf(answerId: string, index: number, content: string): NewAside {
  const messageId = `${answerId}-step${String(index).padStart(3, "0")}`;
  return asideOf(messageId, { userId: "agent", type: "thinking", content, data: { step: "tool", status: "done" } });
}

/** A note, but for what is given. */
export function asideOf(messageId: string, more: Partial<NewAside> = {}): NewAside {
  return {
    messageId,
    userId: "coordinator",
    content: `text of ${messageId}`,
    type: "note",
    timestamp: at(0),
    metadata: { source: "websocket", coordinatorId: "carla" },
    ...more,
  };
}

/** Hangs an aside on what was said last. */
export function annotate(store: Store, sessionId: string, messageId: string, more: Partial<NewAside> = {}) {
  return store.changeSession(sessionId, (head) => hang(head, asideOf(messageId, more)));
}

/** Every aside of a session, in pages. */
export async function asidesOf(store: Store, sessionId: string, limit = 100): Promise<Aside[]> {
  const all = new Map<string, Aside>();
  const to = (await store.readHead(sessionId))?.session.offset ?? 1000;
  for (let from = 0; ;) {
    const { items, hasMore } = await store.readAsides(sessionId, { from, to, limit });
    for (const aside of items) all.set(aside.messageId, aside);
    if (!hasMore) return [...all.values()];
    from = items.at(-1)!.afterOffset;
  }
}

let cursorCount = 0;

/** A cursor that nobody else has. */
export function newCursor(ms: number): string {
  cursorCount += 1;
  return cursorOf(ms, 0xaaaaaa000000 + cursorCount);
}

/** A cursor that sorts by time, then by number. */
export function cursorOf(ms: number, number: number): string {
  return cursorAt(ms).slice(0, -12) + number.toString(16).padStart(12, "0");
}

/** A message as an export holds it. */
export function importedMessage(head: Head, offset: number, more: Partial<ChatMessage> = {}): ChatMessage {
  const { sessionId, businessId, userId = "agent" } = head.session;
  const messageId = `${sessionId}-${String(offset).padStart(6, "0")}`;
  return {
    messageId,
    sessionId,
    offset,
    businessId,
    userId,
    content: `text ${offset}`,
    type: "user",
    timestamp: at(offset),
    metadata: { source: "websocket" },
    ...more,
  };
}

/** The head of a session in which `count` messages were said, and all of them answered. */
export function headAfter(head: Head, messages: readonly ChatMessage[]): Head {
  const { offset = 0, timestamp = head.session.lastMessageAt } = messages.at(-1) ?? {};
  const totals = { ...head.session.totals, messages: messages.length };
  return {
    ...head,
    rev: 7,
    session: { ...head.session, offset, totals, updatedAt: timestamp, lastMessageAt: timestamp },
  };
}

/** Every page of a history, from the newest to the oldest. @returns in offset order */
export async function backwards(store: Store, sessionId: string, limit: number, from?: number): Promise<ChatMessage[]> {
  const all: ChatMessage[] = [];
  for (let before = from; ;) {
    const page = await store.readMessages(sessionId, { limit, ...(before === undefined ? {} : { before }) });
    all.unshift(...page.items);
    if (!page.hasMore) return all;
    before = all[0]!.offset;
  }
}

export async function forwards(store: Store, sessionId: string, limit: number, from = 0): Promise<ChatMessage[]> {
  const all: ChatMessage[] = [];
  for (let after = from; ; after = all.at(-1)!.offset) {
    const page = await store.readMessages(sessionId, { limit, after });
    all.push(...page.items);
    if (!page.hasMore) return all;
  }
}

const pagesMax = 1000;

/** Every page of an index. */
export async function pagesOf<T>(
  read: (range: IndexRange) => Promise<IndexPage<T>>,
  limit: number,
): Promise<(readonly T[])[]> {
  const pages: (readonly T[])[] = [];
  for (let from: string | null = null; ;) {
    const page: IndexPage<T> = await read({ limit, from });
    if (page.items.length > limit) throw new Error(`${page.items.length} items on a page of ${limit}`);
    pages.push(page.items);
    if (page.next === null) return pages;
    if (pages.length === pagesMax) throw new Error(`more than ${pagesMax} pages`);
    from = page.next;
  }
}

export async function allOf<T>(read: (range: IndexRange) => Promise<IndexPage<T>>, limit = 50): Promise<T[]> {
  return (await pagesOf(read, limit)).flat();
}

/** As the cleanup does it: from the oldest on, then the head. */
export async function deleteAll(store: Store, sessionId: string, limit = 50): Promise<void> {
  await store.deleteAsides(sessionId, await asidesOf(store, sessionId));
  for (let page = 0; page < pagesMax; page += 1) {
    const { items } = await store.readMessages(sessionId, { after: 0, limit });
    if (items.length === 0) return store.deleteHead(sessionId);
    await store.deleteMessages(sessionId, items);
  }
  throw new Error(`${pagesMax} pages of ${sessionId} were deleted, and there are more`);
}

/** Sessions with work, in the order of their ids. */
export async function workOf(store: Store, limit = 50): Promise<string[]> {
  return (await allOf((page) => store.readSessionsWithWork(page), limit)).toSorted();
}

export function idsOf(sessions: readonly Session[]): string[] {
  return sessions.map(({ sessionId }) => sessionId);
}

export function offsetsOf(messages: readonly ChatMessage[]): number[] {
  return messages.map(({ offset }) => offset);
}

export function messageIdsOf(messages: readonly ChatMessage[]): string[] {
  return messages.map(({ messageId }) => messageId);
}

/** What a client may send as a position; never lone surrogates, which its parser has replaced. */
export const garbagePositions: readonly string[] = [
  "",
  " ",
  "#",
  "a",
  "zzz",
  "~~~~",
  "0",
  "-1",
  "\u0000",
  "\u{10ffff}",
  "😀",
  "__proto__",
  "{}",
  "[null]",
  "eyJhIjoxfQ==",
  at(0),
  "x".repeat(5000),
  "😀".repeat(1500),
];
