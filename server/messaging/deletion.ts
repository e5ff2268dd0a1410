import type { Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { forgetRecords } from "./forget-records.js";
import type { ChatMessage, Session } from "./model.js";
import { createPauses } from "./pauses.js";
import { chatTurnKey, type ClientMessage, clientMessageKey, feedbackPartition, partitionOf } from "./records.js";
import { cleanupTimes, type SessionLife } from "./session-policy.js";
import { forgetCurrentSession, retireCurrentSession } from "./sessions.js";
import type { SessionOwner, Store } from "./store.js";

/** Takes away what belongs to a session of whose head it is written that it is being deleted. (SPEC M22) */
export interface Deletion {
  /**
   * Does what is left to do, in steps: its messages at once; its head a day later, when nobody can be writing to it any
   * more. Two at the same time do each other no harm. @throws StoreError
   */
  finish(sessionId: string): Promise<void>;
  /** Does so soon, beside others. @returns false when too many wait for that already; the cleanup does it a day later */
  finishLater(sessionId: string): boolean;
  /** Waits for the step under way, and leaves the rest to others. */
  stop(): Promise<void>;
}

const stepRows = 100;
/** Sessions that wait for `finishLater`. */
const waitingMax = 10_000;

export function createDeletion(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly telemetry: DeskTelemetry;
  readonly life: SessionLife;
}): Deletion {
  const { store, clock, telemetry, life } = deps;
  const waiting = new Set<string>();
  const pauses = createPauses(clock);
  let working: Promise<void> | null = null;

  return { finish, finishLater, stop };

  function finishLater(sessionId: string): boolean {
    if (pauses.isStopped || waiting.size >= waitingMax) return false;
    waiting.add(sessionId);
    working ??= workOff();
    return true;
  }

  async function workOff(): Promise<void> {
    for (const sessionId of waiting) {
      waiting.delete(sessionId);
      if (pauses.isStopped) break;
      try {
        await finish(sessionId);
      } catch (error) {
        telemetry.emit("store.failed", { operation: "delete a session", error });
      }
    }
    // In the same step as the last look: whoever comes from now on has it begin anew.
    working = null;
  }

  async function stop(): Promise<void> {
    pauses.stop();
    await working;
  }

  async function finish(sessionId: string): Promise<void> {
    const head = await store.readHead(sessionId);
    if (head === null || head.deletingSince === null) return;
    const { session } = head;
    const isLast = head.deletingSince < cleanupTimes(clock.now(), life).deletedBefore;
    const owner = ownerOf(session);
    // What this leaves is left for a day, in which whoever had read it is done with it.
    const isForgotten = owner === null || !isLast || (await forgetCurrentSession(store, owner, sessionId));
    if (owner !== null) await retireCurrentSession(store, owner, sessionId);
    const messages = await sweep(session);
    if (messages === null) return;
    const { businessId } = session;
    if (!(await forgetRecords({ store, pauses }, feedbackPartition(sessionId)))) return;
    if (messages > 0) telemetry.emit("session.deleted", { businessId, sessionId, messages });
    if (isLast && isForgotten && (await forgetClaims(session))) await store.deleteHead(sessionId);
  }

  /** @returns how many messages there were; null when we were stopped before the last of them */
  async function sweep(session: Session): Promise<number | null> {
    const { sessionId } = session;
    await store.settle(sessionId);
    if (!(await sweepAsides(session))) return null;
    let [after, messages] = [0, 0];
    for (;;) {
      const { items, hasMore } = await store.readMessages(sessionId, { after, limit: stepRows });
      // The ids first: they are found by way of the messages.
      for (const message of items) {
        await forgetClientMessage(message);
        if (session.kind === "chat" && message.type === "user") await forgetTurn(message);
      }
      if (items.length > 0) await store.deleteMessages(sessionId, items);
      messages += items.length;
      after = items.at(-1)?.offset ?? after;
      if (!hasMore || items.length === 0) return messages;
      await pauses.pause();
      if (pauses.isStopped) return null;
    }
  }

  /** @returns false when we were stopped before the last of them */
  async function sweepAsides({ sessionId, offset }: Session): Promise<boolean> {
    for (let from = 0; ;) {
      const range = { from, to: offset, limit: stepRows };
      const { items, hasMore } = await store.readAsides(sessionId, range);
      if (items.length > 0) await store.deleteAsides(sessionId, items);
      if (!hasMore) return true;
      // More may hang on the same one.
      from = items.at(-1)!.afterOffset;
      await pauses.pause();
      if (pauses.isStopped) return false;
    }
  }

  async function forgetClientMessage({ businessId, userId, messageId, metadata }: ChatMessage): Promise<void> {
    if (metadata.clientMessageId === undefined) return;
    const key = clientMessageKey(businessId, userId, metadata.clientMessageId);
    const claim = await store.readRecord<ClientMessage>(key);
    if (claim?.value.messageId === messageId) await store.writeRecord(key, claim.rev, null);
  }

  async function forgetTurn({ messageId }: ChatMessage): Promise<void> {
    const key = chatTurnKey(messageId);
    const turn = await store.readRecord(key);
    if (turn !== null) await store.writeRecord(key, turn.rev, null);
  }

  /** Client ids that were claimed for this session, and under which nothing was ever stored. @returns false when stopped */
  async function forgetClaims(session: Session): Promise<boolean> {
    const owner = ownerOf(session);
    const isClaim = ({ messageId, sessionId }: Partial<ClientMessage>) =>
      messageId !== undefined && sessionId === session.sessionId;
    return owner === null || forgetRecords({ store, pauses }, partitionOf(owner), isClaim);
  }
}

function ownerOf({ businessId, userId, agentId }: Session): SessionOwner | null {
  if (userId !== undefined) return { businessId, userId };
  return agentId === undefined ? null : { businessId, agentId };
}
