import type { Head } from "../../server/messaging/head.js";
import type { Aside, ChatMessage } from "../../server/messaging/model.js";
import { partitionOf } from "../../server/messaging/records.js";
import type { SessionOwner, Store } from "../../server/messaging/store.js";
import { allOf, asidesOf, forwards, messageIdsOf } from "./store-acts.js";

/** A session as it is read, but for what belongs to one store: how often it was written, and who answers its turns. */
export interface DescribedSession {
  readonly head: Head | null;
  /** In offset order. */
  readonly messages: readonly ChatMessage[];
  readonly asides: readonly Aside[];
  /** Whether each message is found by its id, as it is in the history. */
  readonly isFoundById: boolean;
  /** The ids of the messages that the windows of the session hold of it, by chatId. */
  readonly windows: Readonly<Record<string, readonly string[]>>;
}

/** What a store says about sessions, so that two stores can be compared. */
export interface DescribedStore {
  readonly sessions: Readonly<Record<string, DescribedSession>>;
  /** Values by partition and id: users, current sessions, which message a client's id stands for. */
  readonly records: Readonly<Record<string, unknown>>;
  /** Sessions of each owner, the latest first. */
  readonly owners: Readonly<Record<string, readonly string[]>>;
  readonly activeCounts: Readonly<Record<string, number>>;
  /** Those with open turns that are found as such. */
  readonly work: readonly string[];
}

const pageSize = 100;

/** Reads out all there is about these sessions. Indexes may be a second behind: compare with `eventually`. */
export async function describeStore(store: Store, sessionIds: readonly string[]): Promise<DescribedStore> {
  const sessions: Record<string, DescribedSession> = {};
  const owners = new Map<string, SessionOwner>();
  const businessIds = new Set<string>();
  for (const sessionId of sessionIds) {
    const head = await store.readHead(sessionId);
    sessions[sessionId] = await describeSession(store, sessionId, head);
    if (head === null) continue;
    const owner = ownerOf(head);
    businessIds.add(head.session.businessId);
    if (owner !== null) owners.set(partitionOf(owner), owner);
  }
  const work = await allOf((page) => store.readSessionsWithWork(page), pageSize);
  return {
    sessions,
    records: await describeRecords(store, [...owners.keys()]),
    owners: Object.fromEntries(await Promise.all([...owners].map((owner) => sessionsOf(store, ...owner)))),
    activeCounts: Object.fromEntries(
      await Promise.all([...businessIds].map(async (id) => [id, await store.countActiveSessions(id)] as const)),
    ),
    // Others may be there too, with something to settle.
    work: work.filter((sessionId) => (sessions[sessionId]?.head?.turns.length ?? 0) > 0).toSorted(),
  };
}

async function describeSession(store: Store, sessionId: string, head: Head | null): Promise<DescribedSession> {
  const messages = await forwards(store, sessionId, pageSize);
  const found = await Promise.all(messages.map(({ messageId }) => store.findMessage(sessionId, messageId)));
  const windows: Record<string, readonly string[]> = {};
  for (const chatId of new Set(messages.map(({ metadata }) => metadata.chatId).filter((id) => id !== undefined))) {
    const userId = head?.session.userId ?? "";
    const key = { businessId: head?.session.businessId ?? "", userId, chatId };
    const inWindow = await store.readWindow(key, messages.length + pageSize);
    windows[chatId] = messageIdsOf(inWindow.filter((message) => message.sessionId === sessionId));
  }
  return {
    head: head === null ? null : { ...head, rev: 0, lease: null },
    messages,
    asides: await asidesOf(store, sessionId),
    isFoundById: JSON.stringify(found) === JSON.stringify(messages),
    windows,
  };
}

async function describeRecords(store: Store, partitions: readonly string[]): Promise<Record<string, unknown>> {
  const entries = await Promise.all(
    partitions.map(async (partition) => {
      const records = await allOf((page) => store.listRecords(partition, page), pageSize);
      return records.map(({ id, value }) => [`${partition} ${id}`, value] as const);
    }),
  );
  return Object.fromEntries(entries.flat());
}

async function sessionsOf(store: Store, name: string, owner: SessionOwner): Promise<[string, readonly string[]]> {
  const sessions = await allOf((page) => store.readSessionsOf(owner, page), pageSize);
  return [name, sessions.map(({ sessionId }) => sessionId)];
}

function ownerOf({ session: { businessId, userId, agentId } }: Head): SessionOwner | null {
  if (userId !== undefined) return { businessId, userId };
  return agentId === undefined ? null : { businessId, agentId };
}
