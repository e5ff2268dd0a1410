import type { JoinRequest } from "../../protocol/payloads.js";
import type { Clock } from "../clock.js";
import { shownHolder } from "./broadcast.js";
import type { Business } from "./business.js";
import type { Conversations } from "./conversations.js";
import { cursorAt, type Ids, timeOfCursor } from "./ids.js";
import { suspendIdle } from "./intents.js";
import { type Head, released } from "./head.js";
import { withoutWriter } from "./history.js";
import type { Holder } from "./holding.js";
import type { ChatMessage, Intent, ProcessedEvent } from "./model.js";
import { findHead } from "./sessions.js";
import type { Store } from "./store.js";
import { findUndelivered, type Welcome } from "./undelivered.js";

/** What a user is told at the join. (SPEC M12) */
export interface UserState {
  readonly sessionId: string | null;
  readonly offset: number;
  readonly epoch: string;
  /** What was missed, whole or not at all; or the newest of a chat window. */
  readonly messages: readonly ChatMessage[];
  readonly recovered: boolean;
  readonly intent: Intent | null;
  /** Until when a coordinator has today's session in hand, unless they do something more; null: nobody has. */
  readonly holder: Pick<Holder, "expiresAt"> | null;
}

export interface CoordinatorState {
  readonly activeSessions: number;
  /** Where to resume from. */
  readonly cursor: string;
}

/** Brings a client that comes back up to date. */
export interface Resumption {
  ofUser(business: Business, userId: string, request: JoinRequest): Promise<UserState & { readonly welcome: Welcome }>;
  ofCoordinator(business: Business): Promise<CoordinatorState>;
  /** Outcomes since a minute before the cursor, within the last day, oldest first: some may be known already. */
  missedEvents(business: Business, cursor: string): AsyncIterable<ProcessedEvent>;
  /** What was said in the user's session of today since a time in ms, in order. */
  messagesSince(business: Business, userId: string, since: number): AsyncIterable<ChatMessage>;
}

const recoveredMax = 300;
const windowMax = 50;
const eventPage = 200;
const headsAtOnce = 16;
const overlapMs = 60_000;
const eventLifeMs = 24 * 60 * 60 * 1000;

export function createResumption(deps: {
  readonly store: Store;
  readonly conversations: Conversations;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Up to where a session has been delivered. */
  readonly deliveredIn: (head: Head) => number;
  /** Silence after which what was going on is abandoned. */
  readonly intentIdleMs: number;
}): Resumption {
  const { store, conversations, clock, ids } = deps;

  return { ofUser, ofCoordinator, missedEvents, messagesSince };

  async function ofUser(
    business: Business,
    userId: string,
    request: JoinRequest,
  ): Promise<UserState & { readonly welcome: Welcome }> {
    const head = await conversations.today(business, userId);
    const state = await stateOf(head, business, userId, request);
    const { messages, recovered } = state;
    const { resume } = request;
    // Whoever resumes has what came before. What the offsets of another epoch mean nobody knows.
    const resumed = recovered && resume !== null && "sessionId" in resume ? resume : null;
    const owner = { businessId: business.businessId, userId };
    const { undelivered, sessions } = await findUndelivered(deps, owner, { today: head, resumed });
    const known = new Set(messages.map(({ messageId }) => messageId));
    const rest = undelivered.filter(({ messageId }) => !known.has(messageId));
    return { ...state, welcome: { messages, undelivered: rest, sessions } };
  }

  async function stateOf(
    head: Head | null,
    business: Business,
    userId: string,
    { resume, chatId }: JoinRequest,
  ): Promise<UserState> {
    const today = {
      sessionId: head?.session.sessionId ?? null,
      offset: head?.session.offset ?? 0,
      epoch: store.epoch,
      intent: head === null ? null : suspendIdle(head, clock.now(), deps.intentIdleMs).intent,
      holder: head === null ? null : shownHolder(released(head, clock.now()).session),
    };
    if (resume !== null && "sessionId" in resume) {
      const missed =
        resume.epoch === null || resume.epoch === store.epoch
          ? await missedMessages(business, userId, resume, today.sessionId)
          : null;
      return { ...today, messages: (missed ?? []).map(withoutWriter), recovered: missed !== null };
    }
    const messages = chatId === null ? [] : await readWindow({ businessId: business.businessId, userId, chatId });
    return { ...today, messages: messages.map(withoutWriter), recovered: false };
  }

  /** The newest of a window, without what belongs to sessions that are being deleted. (SPEC H23) */
  async function readWindow(window: Parameters<Store["readWindow"]>[0]): Promise<readonly ChatMessage[]> {
    const rows = await store.readWindow(window, windowMax);
    const ids = [...new Set(rows.map(({ sessionId }) => sessionId))];
    const heads = await Promise.all(ids.map((sessionId) => findHead(store, sessionId)));
    const there = new Set(heads.map((head) => head?.session.sessionId));
    return rows.filter(({ sessionId }) => there.has(sessionId));
  }

  /** The rest of the session that the client knew, and all of today's if that is another one; null when it is too much. */
  async function missedMessages(
    business: Business,
    userId: string,
    { sessionId, offset }: { readonly sessionId: string; readonly offset: number },
    today: string | null,
  ): Promise<readonly ChatMessage[] | null> {
    const head = await findHead(store, sessionId);
    const isOwn = head?.session.businessId === business.businessId && head.session.userId === userId;
    if (!isOwn || offset > head.session.offset) return null;
    const rest = await store.readMessages(sessionId, { after: offset, limit: recoveredMax });
    if (rest.hasMore) return null;
    if (today === null || today === sessionId) return rest.items;
    const ofToday = await store.readMessages(today, { after: 0, limit: recoveredMax });
    const missed = [...rest.items, ...ofToday.items];
    return ofToday.hasMore || missed.length > recoveredMax ? null : missed;
  }

  async function ofCoordinator({ businessId }: Business): Promise<CoordinatorState> {
    return { activeSessions: await store.countActiveSessions(businessId), cursor: ids.sortable() };
  }

  async function* missedEvents({ businessId }: Business, cursor: string): AsyncIterable<ProcessedEvent> {
    const since = timeOfCursor(cursor);
    if (since === null) return;
    let after = cursorAt(Math.max(since - overlapMs, clock.now() - eventLifeMs));
    for (;;) {
      const page = await store.readEvents(businessId, { after, limit: eventPage });
      const gone = await goneAmong(page.items.map(({ sessionId }) => sessionId));
      // An event has a day to live, what is deleted has none.
      yield* page.items.filter(({ sessionId }) => !gone.has(sessionId));
      if (!page.hasMore) return;
      after = page.items.at(-1)!.cursor;
    }
  }

  /** Those of the sessions that are deleted. */
  async function goneAmong(sessionIds: readonly string[]): Promise<ReadonlySet<string>> {
    const gone = new Set<string>();
    const all = [...new Set(sessionIds)];
    for (let at = 0; at < all.length; at += headsAtOnce) {
      const some = all.slice(at, at + headsAtOnce);
      const heads = await Promise.all(some.map((sessionId) => findHead(store, sessionId)));
      heads.forEach((head, place) => head ?? gone.add(some[place]!));
    }
    return gone;
  }

  async function* messagesSince(business: Business, userId: string, since: number): AsyncIterable<ChatMessage> {
    const head = await conversations.today(business, userId);
    if (head === null) return;
    const { sessionId } = head.session;
    let after = (await store.offsetAt(sessionId, new Date(since).toISOString())) - 1;
    for (;;) {
      const page = await store.readMessages(sessionId, { after, limit: eventPage });
      yield* page.items;
      if (!page.hasMore) return;
      after = page.items.at(-1)!.offset;
    }
  }
}
