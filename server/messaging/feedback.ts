import { type Feedback as Given, parseFeedback } from "../../protocol/payloads.js";
import { failure, success } from "../../protocol/result.js";
import { may } from "../auth/access.js";
import type { Clock } from "../clock.js";
import { refusal } from "./admission.js";
import { tell } from "./audience.js";
import type { Blocklist } from "./blocklist.js";
import type { Broadcast } from "./broadcast.js";
import type { EventHandler, Speaker } from "./events.js";
import type { Head } from "./head.js";
import type { Aside, ChatMessage } from "./model.js";
import type { RateLimits } from "./rate-limits.js";
import { type Feedback, feedbackKey, feedbackPartition } from "./records.js";
import { findHead, readCurrentSession } from "./sessions.js";
import { type Store, StoreError } from "./store.js";

/** Sessions that are looked into for a message of which only its id was said: the latest, and those before it. */
const sessionsMax = 4;
/** The same user may score the same answer elsewhere at the same time; each time we read again. */
const attemptsMax = 10;

/** `feedback {messageId, score, comment?, sessionId?}`: what a user thinks of an answer; the last one counts. (SPEC M62) */
export function feedbackEvent(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly broadcast: Broadcast;
  readonly blocklist: Pick<Blocklist, "has">;
  readonly rateLimits: Pick<RateLimits, "take">;
}): EventHandler {
  const { store } = deps;

  return async (speaker, payload) => {
    const { business, identity } = speaker;
    const { userId } = identity;
    if (userId === null || !may(identity, "message.score", { businessId: business.businessId, userId })) {
      return failure(refusal("forbidden"));
    }
    const parsed = parseFeedback(payload);
    if (!parsed.ok) return failure(refusal(parsed.reason.code, parsed.reason.error));
    // It reaches people, as a message does.
    if (await deps.blocklist.has({ businessId: business.businessId, userId })) return failure(refusal("blocked"));
    const of = { businessId: business.businessId, userId, limits: business.limits };
    const waitMs = deps.rateLimits.take(speaker.rate, of);
    if (waitMs > 0) return failure({ ...refusal("rate_limited"), retryAfterMs: waitMs });
    const answer = await findAnswer(speaker, parsed.value);
    if (answer === null) return failure(refusal("not_found"));
    const { sessionId, messageId } = answer;
    const written = await write(answer, parsed.value);
    if (written !== null) {
      const { businessId } = business;
      tell(deps.broadcast, "feedback", { businessId, userId }, { businessId, userId, sessionId, ...written });
    }
    return success({ messageId, sessionId, score: parsed.value.score });
  };

  // Somebody else's is as one that is not there. (SPEC X7)
  async function findAnswer(speaker: Speaker, { messageId, sessionId }: Given): Promise<ChatMessage | null> {
    const isOwn = (head: Head | null) =>
      head?.session.businessId === speaker.business.businessId && head.session.userId === speaker.identity.userId;
    let next = sessionId ?? (await latestOf(speaker));
    for (let looked = 0; next !== undefined && looked < (sessionId === null ? sessionsMax : 1); looked += 1) {
      const head: Head | null = await findHead(store, next);
      if (head === null || !isOwn(head)) return null;
      const message = await store.findMessage(next, messageId);
      if (message !== null) return message.type === "agent" || message.type === "coordinator" ? message : null;
      next = head.session.previousSessionId;
    }
    return null;
  }

  async function latestOf({ business: { businessId }, identity }: Speaker): Promise<string | undefined> {
    const current = (await readCurrentSession(store, { businessId, userId: identity.userId! }))?.value;
    if (current === undefined) return undefined;
    // One in which nothing was said yet may not be there, and knows the one before it all the same.
    const head = await findHead(store, current.sessionId);
    return head === null ? current.seed.session.previousSessionId : current.sessionId;
  }

  /** @returns null when it was there already */
  async function write(answer: ChatMessage, { score, comment }: Given): Promise<Feedback | null> {
    const key = feedbackKey(answer);
    const timestamp = new Date(deps.clock.now()).toISOString();
    const { messageId } = answer;
    const next: Feedback = { messageId, score, ...(comment === null ? {} : { comment }), timestamp };
    let known = await store.readRecord<Feedback>(key);
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      if (known?.value.score === score && known.value.comment === next.comment) return null;
      const { isWritten, record } = await store.writeRecord(key, known?.rev ?? null, next);
      if (isWritten) return next;
      // Of two at once the other was the last one.
      if (record !== null && record.value.timestamp >= timestamp) return null;
      known = record;
    }
    throw new StoreError("writing feedback", { retryable: true, cause: new Error("others kept changing it") });
  }
}

/**
 * Messages with what their user thinks of them, as `metadata.feedback`.
 * @param rows of one session, in their order; what hangs on messages stays as it is
 */
export async function withFeedback(
  store: Pick<Store, "listRecords">,
  rows: readonly (ChatMessage | Aside)[],
): Promise<readonly (ChatMessage | Aside)[]> {
  const messages = rows.filter((row) => "offset" in row);
  const [first] = messages;
  if (first === undefined || !messages.some(({ type }) => type !== "user")) return rows;
  // A store may give the record of that position too; one more, then, is all that there can be.
  const range = { limit: messages.length + 1, from: feedbackKey({ ...first, offset: first.offset - 1 }).id };
  const { items } = await store.listRecords<Feedback>(feedbackPartition(first.sessionId), range);
  if (items.length === 0) return rows;
  const scores = new Map(items.map(({ value: { messageId, ...feedback } }) => [messageId, feedback]));
  return rows.map((row) => {
    const feedback = scores.get(row.messageId);
    return feedback === undefined ? row : { ...row, metadata: { ...row.metadata, feedback } };
  });
}
