import type { Head } from "./head.js";
import { currentSessionKey } from "./records.js";
import type { SessionOwner, Store, StoredRecord } from "./store.js";

/** The session in which an owner's messages go at present, before anybody knows whether its head exists. */
export interface CurrentSession {
  readonly sessionId: string;
  /** The business day, `YYYY-MM-DD` in the business's time zone. */
  readonly day: string;
  /** What the head is made of by whoever finds that there is none. */
  readonly seed: Head;
}

/** The head of a session, or null: one that is being deleted is not there for anybody. (SPEC M22) */
export async function findHead(store: Store, sessionId: string): Promise<Head | null> {
  const head = await store.readHead(sessionId);
  return head === null || head.deletingSince !== null ? null : head;
}

export function readCurrentSession(store: Store, owner: SessionOwner): Promise<StoredRecord<CurrentSession> | null> {
  return store.readRecord<CurrentSession>(currentSessionKey(owner));
}

const noDay = "";

/** Says that a session is not the current one of any day, if that is what it is. The next one begins as after any other. */
export async function retireCurrentSession(store: Store, owner: SessionOwner, sessionId: string): Promise<void> {
  const current = await readCurrentSession(store, owner);
  if (current?.value.sessionId !== sessionId || current.value.day === noDay) return;
  await store.writeRecord<CurrentSession>(currentSessionKey(owner), current.rev, { ...current.value, day: noDay });
}

/**
 * Takes away what says that a session was the current one, if it was retired long ago, and nothing of another one.
 * A record that is made anew begins at rev 1: whoever had read ours at rev 1 would take its successor for it. Since it
 * was retired its rev is higher.
 * @returns false when it must be retired first
 */
export async function forgetCurrentSession(store: Store, owner: SessionOwner, sessionId: string): Promise<boolean> {
  const current = await readCurrentSession(store, owner);
  if (current?.value.sessionId !== sessionId) return true;
  if (current.value.day !== noDay) return false;
  await store.writeRecord(currentSessionKey(owner), current.rev, null);
  return true;
}
