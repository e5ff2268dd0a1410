import { expect } from "@jest/globals";
import { claim, type Head, phaseOf } from "../../server/messaging/head.js";
import { cursorAt } from "../../server/messaging/ids.js";
import type { ChatMessage, ProcessedEvent } from "../../server/messaging/model.js";
import type { Store } from "../../server/messaging/store.js";
import { allOf, backwards, forwards, idsOf, messageIdsOf, offsetsOf, respond, workOf } from "./store-acts.js";
import { eventually, range } from "./store-harness.js";

const far = "9999-01-01T00:00:00.000Z";
const pageSize = 100;
const turnsMax = 200;

/** [I-1] [I-4] What was acknowledged is there, and the history has no gap in any direction. @returns it */
export async function checkHistory(
  store: Store,
  sessionId: string,
  acknowledged: readonly ChatMessage[],
): Promise<readonly ChatMessage[]> {
  const history = await forwards(store, sessionId, pageSize);
  const { session } = (await store.readHead(sessionId))!;
  expect(offsetsOf(history)).toEqual(range(history.length).map((index) => index + 1));
  expect([session.offset, session.totals.messages]).toEqual([history.length, history.length]);
  expect(await backwards(store, sessionId, 7)).toEqual(history);
  expect(new Set(messageIdsOf(history)).size).toBe(history.length);
  const times = history.map(({ timestamp }) => timestamp);
  expect(times).toEqual(times.toSorted());
  for (const message of acknowledged) expect(history[message.offset - 1]).toEqual(message);
  for (const message of history) expect(await store.findMessage(sessionId, message.messageId)).toEqual(message);
  return history;
}

/** [I-3] Every question has exactly one outcome, which comes after it, and nothing waits for one any more. */
export async function checkOutcomes(store: Store, sessionId: string): Promise<void> {
  const history = await forwards(store, sessionId, pageSize);
  const outcomes = history.filter(({ type }) => type !== "user");
  const questions = history.filter(({ type }) => type === "user");
  expect(outcomes.map(({ metadata }) => metadata.inReplyTo).toSorted()).toEqual(messageIdsOf(questions).toSorted());
  const offsets = new Map(history.map(({ messageId, offset }) => [messageId, offset]));
  for (const { offset, metadata } of outcomes) expect(offset).toBeGreaterThan(offsets.get(metadata.inReplyTo!)!);
  expect((await store.readHead(sessionId))?.turns).toEqual([]);
}

/** [M17] One event for every outcome, and [M12] everything that was said in a window is in it. */
export async function checkFollowing(store: Store, sessionId: string): Promise<void> {
  const history = await forwards(store, sessionId, pageSize);
  const { businessId, userId = "" } = (await store.readHead(sessionId))!.session;
  const answered = history.map(({ metadata }) => metadata.inReplyTo).filter((id) => id !== undefined);
  const settled = settlingWhatIsFound(store, sessionId);
  await eventually(
    () => settled(() => eventsOf(store, businessId, sessionId)),
    (events) => expect(events.map(({ messageId }) => messageId).toSorted()).toEqual(answered.toSorted()),
  );
  for (const chatId of new Set(history.map(({ metadata }) => metadata.chatId).filter((id) => id !== undefined))) {
    await eventually(
      () => settled(() => store.readWindow({ businessId, userId, chatId }, pageSize)),
      (seen) => expect(seen.toSorted((a, b) => a.offset - b.offset)).toEqual(history),
    );
  }
}

/** [S8] Every index has these sessions where their heads say they are, and nowhere else. */
export async function checkIndexes(store: Store, sessionIds: readonly string[]): Promise<void> {
  await Promise.all(sessionIds.map((sessionId) => store.settle(sessionId)));
  const heads = new Map<string, Head>();
  for (const sessionId of sessionIds) {
    const head = await store.readHead(sessionId);
    if (head !== null) heads.set(sessionId, head);
  }
  const where = (holds: (head: Head) => boolean) =>
    [...heads]
      .filter(([, head]) => holds(head))
      .map(([sessionId]) => sessionId)
      .toSorted();
  const ofThese = (ids: readonly string[]) => ids.filter((id) => sessionIds.includes(id)).toSorted();
  for (const phase of ["active", "over", "deleting"] as const) {
    await eventually(
      () => allOf((page) => store.readSessionsUnchanged(phase, { ...page, before: far }), pageSize),
      (seen) => expect([phase, ofThese(seen)]).toEqual([phase, where((head) => phaseOf(head) === phase)]),
    );
  }
  await eventually(
    () => workOf(store, pageSize),
    (seen) => expect(ofThese(seen)).toEqual(where(({ turns }) => turns.length > 0)),
  );
  for (const businessId of new Set([...heads.values()].map(({ session }) => session.businessId))) {
    await eventually(
      () => allOf((page) => store.readActiveSessions(businessId, page), pageSize),
      (seen) =>
        expect(ofThese(idsOf(seen))).toEqual(
          where((head) => phaseOf(head) === "active" && head.session.businessId === businessId),
        ),
    );
  }
  for (const [sessionId, head] of heads) {
    const { businessId, userId = "" } = head.session;
    await eventually(
      () => allOf((page) => store.readSessionsOf({ businessId, userId }, page), pageSize),
      (seen) =>
        expect(idsOf(seen).filter((id) => id === sessionId)).toEqual(phaseOf(head) === "deleting" ? [] : [sessionId]),
    );
  }
}

/** [S8] Whatever a process has left: a session with open turns is found by those that live on. @returns all with work */
export async function checkWorkIsFound(store: Store, sessionIds: readonly string[]): Promise<readonly string[]> {
  const heads = await Promise.all(sessionIds.map((sessionId) => store.readHead(sessionId)));
  const open = sessionIds.filter((_, index) => (heads[index]?.turns.length ?? 0) > 0);
  await eventually(
    () => workOf(store, pageSize),
    (seen) => expect(seen).toEqual(expect.arrayContaining(open)),
  );
  return workOf(store, pageSize);
}

/**
 * What a node does that lives on: it writes what another has left unwritten in the sessions with work, and answers the
 * open turns.
 * @param options.work sessions that were found to have work
 */
export async function recover(
  store: Store,
  sessionId: string,
  options: { readonly now: number; readonly work?: readonly string[] },
): Promise<void> {
  if (options.work?.includes(sessionId) === true) await store.settle(sessionId);
  await answerAll(store, sessionId, options);
}

/** From the second time on it settles the session, but only if it is found to have work: as a node does that lives on. */
function settlingWhatIsFound(store: Store, sessionId: string): <T>(read: () => Promise<T>) => Promise<T> {
  let reads = 0;
  return async (read) => {
    reads += 1;
    if (reads > 1 && (await workOf(store, pageSize)).includes(sessionId)) await store.settle(sessionId);
    return read();
  };
}

async function answerAll(store: Store, sessionId: string, { now }: { readonly now: number }): Promise<void> {
  for (let count = 0; count < turnsMax; count += 1) {
    const head = await store.changeSession(sessionId, (current) => claim(current, "survivor", () => true));
    const turn = head?.turns[0];
    if (turn === undefined) return;
    const { messageId } = turn;
    await respond(store, sessionId, messageId, `recovered-${messageId}`, { now, fence: head!.fence, chatId: "w" });
  }
  throw new Error(`${turnsMax} turns of ${sessionId} were answered, and there are more`);
}

async function eventsOf(store: Store, businessId: string, sessionId: string): Promise<readonly ProcessedEvent[]> {
  const events: ProcessedEvent[] = [];
  for (let after = cursorAt(0); ; after = events.at(-1)!.cursor) {
    const { items, hasMore } = await store.readEvents(businessId, { after, limit: pageSize });
    events.push(...items);
    if (!hasMore) return events.filter((event) => event.sessionId === sessionId);
  }
}
