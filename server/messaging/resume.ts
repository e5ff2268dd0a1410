import type { JoinRequest } from "../../protocol/payloads.js";
import type { Clock } from "../clock.js";
import type { Business } from "./business.js";
import type { Conversations } from "./conversations.js";
import { cursorAt, type Ids, timeOfCursor } from "./ids.js";
import type { ChatMessage, Intent, ProcessedEvent } from "./model.js";
import { findHead } from "./sessions.js";
import type { Store } from "./store.js";

/** What a user is told at the join. (SPEC M12) */
export interface UserState {
  readonly sessionId: string | null;
  readonly offset: number;
  readonly epoch: string;
  /** What was missed, whole or not at all; or the newest of a chat window. */
  readonly messages: readonly ChatMessage[];
  readonly recovered: boolean;
  readonly intent: Intent | null;
}

export interface CoordinatorState {
  readonly activeSessions: number;
  /** Where to resume from. */
  readonly cursor: string;
}

/** Brings a client that comes back up to date. */
export interface Resumption {
  ofUser(business: Business, userId: string, request: JoinRequest): Promise<UserState>;
  ofCoordinator(business: Business): Promise<CoordinatorState>;
  /** Outcomes since a minute before the cursor, within the last day, oldest first: some may be known already. */
  missedEvents(business: Business, cursor: string): AsyncIterable<ProcessedEvent>;
}

const recoveredMax = 300;
const windowMax = 50;
const eventPage = 200;
const overlapMs = 60_000;
const eventLifeMs = 24 * 60 * 60 * 1000;

export function createResumption(deps: {
  readonly store: Store;
  readonly conversations: Conversations;
  readonly clock: Clock;
  readonly ids: Ids;
}): Resumption {
  const { store, conversations, clock, ids } = deps;

  return { ofUser, ofCoordinator, missedEvents };

  async function ofUser(business: Business, userId: string, { resume, chatId }: JoinRequest): Promise<UserState> {
    const head = await conversations.today(business, userId);
    const today = {
      sessionId: head?.session.sessionId ?? null,
      offset: head?.session.offset ?? 0,
      epoch: store.epoch,
      intent: head?.intent ?? null,
    };
    if (resume !== null && "sessionId" in resume) {
      const missed =
        resume.epoch === null || resume.epoch === store.epoch
          ? await missedMessages(business, userId, resume, today.sessionId)
          : null;
      return { ...today, messages: missed ?? [], recovered: missed !== null };
    }
    const messages =
      chatId === null ? [] : await store.readWindow({ businessId: business.businessId, userId, chatId }, windowMax);
    return { ...today, messages, recovered: false };
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
      yield* page.items;
      if (!page.hasMore) return;
      after = page.items.at(-1)!.cursor;
    }
  }
}
