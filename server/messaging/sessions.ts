import { isDeepStrictEqual } from "node:util";
import type { Head } from "./head.js";
import { suspendedBy } from "./intents.js";
import type { ChatMessage, Intent, Session } from "./model.js";
import { currentSessionKey } from "./records.js";
import type { SessionChange, SessionOwner, Store, StoredRecord } from "./store.js";

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

/** Told of what became of a session. */
export type SessionListener = (session: Session) => void;

/** Told of an intent that was going on, and is abandoned. */
export type IntentListener = (intent: Intent) => void;

/**
 * Changes a session as the store does, and tells of one whose status or holder is another one by it, and then of the
 * intent that is abandoned by it. (SPEC M39, M69)
 */
export async function changeAndTell<T>(
  deps: {
    readonly store: Pick<Store, "changeSession">;
    readonly onChanged: SessionListener;
    readonly onIntent: IntentListener;
  },
  sessionId: string,
  decide: (head: Head, found: ChatMessage | null) => SessionChange<T>,
  messageId?: string,
): Promise<T | null> {
  let changed: Session | null = null;
  let suspended: Intent | null = null;
  const decideAndNote = (head: Head, found: ChatMessage | null): SessionChange<T> => {
    const change = decide(head, found);
    const { session = head.session } = change.head ?? {};
    // Asked again after its answer was lost, the store has what was decided already, and nothing is left to decide.
    const isWritten = changed?.status === head.session.status;
    const isOther = session.status !== head.session.status || session.holder !== head.session.holder;
    changed = isOther ? session : isWritten ? changed : null;
    const isSuspended = suspended !== null && isDeepStrictEqual(suspended, head.suspended);
    suspended = suspendedBy(head, change.head ?? head) ?? (isSuspended ? suspended : null);
    return change;
  };
  const result = await deps.store.changeSession(sessionId, decideAndNote, messageId);
  if (changed !== null) deps.onChanged(changed);
  if (suspended !== null) deps.onIntent(suspended);
  return result;
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
