import type { ChatMessage, Session, Timestamp } from "./model.js";
import { questionsIn } from "./open-turns.js";
import { findHead } from "./sessions.js";
import type { Store } from "./store.js";

/** A session with what a list shows of it; `latest` may be of a later moment than the rest. */
export interface ListedSession extends Session {
  /** What was said last; null before anything was. */
  readonly latest: Latest | null;
  /** Questions that have no outcome yet, the earliest first. */
  readonly openQuestions: readonly { readonly messageId: string; readonly timestamp: Timestamp }[];
}

export interface Latest extends Pick<ChatMessage, "type" | "timestamp"> {
  /** The beginning, at most 160 characters. */
  readonly content: string;
  /** Of a `system` message that says a turn failed. */
  readonly code?: string;
}

export const latestLengthMax = 160;
/** Sessions that are read at once: a list of a thousand is no burst on the store. */
const atOnceMax = 16;

/** @returns the sessions in their order, without those that are gone by now (SPEC H28) */
export async function withLatest(store: Store, sessions: readonly Session[]): Promise<readonly ListedSession[]> {
  const listed: (ListedSession | null)[] = [];
  for (let from = 0; from < sessions.length; from += atOnceMax) {
    const batch = sessions.slice(from, from + atOnceMax).map(({ sessionId }) => readListed(store, sessionId));
    listed.push(...(await Promise.all(batch)));
  }
  return listed.filter((session) => session !== null);
}

// What was said is read after the head: whoever has heard of more than the head tells knows by its `lastMessageAt` that it is old.
async function readListed(store: Store, sessionId: string): Promise<ListedSession | null> {
  const head = await findHead(store, sessionId);
  if (head === null) return null;
  const said = await store.readMessages(sessionId, { limit: 1 });
  const openQuestions = questionsIn(head).map(({ messageId, admittedAt }) => ({ messageId, timestamp: admittedAt }));
  return { ...head.session, latest: latestOf(said.items.at(-1)), openQuestions };
}

function latestOf(said: ChatMessage | undefined): Latest | null {
  if (said === undefined) return null;
  const { type, content, timestamp, metadata } = said;
  const code = metadata.code === undefined ? {} : { code: metadata.code };
  // A character that is cut in two is none.
  return { type, content: content.slice(0, latestLengthMax).toWellFormed(), timestamp, ...code };
}
