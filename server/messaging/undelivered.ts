import type { Head } from "./head.js";
import type { ChatMessage } from "./model.js";
import { findHead, readCurrentSession } from "./sessions.js";
import type { Store } from "./store.js";

/** Everything of a session up to there. */
export interface Mark {
  readonly sessionId: string;
  readonly offset: number;
}

/** What a user's client is given at its join, beside the state of things. */
export interface Welcome {
  /** Those of the join's reply. */
  readonly messages: readonly ChatMessage[];
  /** Answers that nobody has taken, and that are not in `messages`; oldest first. */
  readonly undelivered: readonly ChatMessage[];
  /** Up to where the client has everything, with these; `isDue`: and nobody had until now. */
  readonly sessions: readonly (Mark & { readonly isDue: boolean })[];
}

const answersMax = 300;
const sessionsBackMax = 3;
const rowPage = 300;
const pagesMax = 4;

/**
 * The answers of a user that no socket of theirs has taken, newest sessions first looked at, as long as one is not
 * wholly delivered. What is older than the newest 300 is in the history only. (SPEC M27)
 * @param today the session of today, if there is one
 * @param resumed what the client says that it has
 */
export async function findUndelivered(
  deps: { readonly store: Store; readonly deliveredIn: (head: Head) => number },
  owner: { readonly businessId: string; readonly userId: string },
  { today, resumed }: { readonly today: Head | null; readonly resumed: Mark | null },
): Promise<Pick<Welcome, "undelivered" | "sessions">> {
  const { store } = deps;
  let undelivered: readonly ChatMessage[] = [];
  const sessions: Welcome["sessions"][number][] = [];
  let head = today ?? (await latestOf(store, owner));
  for (let back = 0; head !== null && back <= sessionsBackMax; back += 1) {
    const { sessionId, offset } = head.session;
    const delivered = deps.deliveredIn(head);
    const after = resumed?.sessionId === sessionId ? Math.max(delivered, resumed.offset) : delivered;
    const answers = await newestAnswers(store, { sessionId, after, upTo: offset }, answersMax - undelivered.length);
    undelivered = [...answers, ...undelivered];
    sessions.push({ sessionId, offset, isDue: answers.length > 0 || after > delivered });
    // One in which nothing was said yet says nothing of the one before it.
    const isDelivered = offset > 0 && delivered >= offset;
    if (isDelivered || undelivered.length >= answersMax) break;
    head = await previousOf(store, head);
  }
  return { undelivered, sessions };
}

// Its day may be over, and it may be closed. One of which nothing is there knows the one before it all the same.
async function latestOf(store: Store, owner: { businessId: string; userId: string }): Promise<Head | null> {
  const current = await readCurrentSession(store, owner);
  return current === null ? null : ((await findHead(store, current.value.sessionId)) ?? current.value.seed);
}

async function previousOf(store: Store, { session }: Head): Promise<Head | null> {
  if (session.previousSessionId === undefined) return null;
  const head = await findHead(store, session.previousSessionId);
  const isTheirs = head?.session.businessId === session.businessId && head.session.userId === session.userId;
  return isTheirs ? head : null;
}

async function newestAnswers(
  store: Store,
  { sessionId, after, upTo }: { readonly sessionId: string; readonly after: number; readonly upTo: number },
  limit: number,
): Promise<readonly ChatMessage[]> {
  let answers: readonly ChatMessage[] = [];
  let before = upTo + 1;
  for (let page = 0; page < pagesMax && before - 1 > after && answers.length < limit; page += 1) {
    const { items } = await store.readMessages(sessionId, { before, limit: Math.min(rowPage, before - 1 - after) });
    const [first] = items;
    if (first === undefined) break;
    answers = [...items.filter(({ type }) => type !== "user"), ...answers];
    before = first.offset;
  }
  return answers.slice(Math.max(0, answers.length - limit));
}
