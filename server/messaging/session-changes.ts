import type { Clock } from "../clock.js";
import { type Broadcast, tellDeleted, tellSession } from "./broadcast.js";
import type { Deletion } from "./deletion.js";
import { type Head, isOpen, later, letGo } from "./head.js";
import type { Session } from "./model.js";
import type { Runs } from "./runs.js";
import type { SessionChange, Store } from "./store.js";
import type { Turns } from "./turns.js";

/** What is done to a session from outside its conversation. Its sockets and the coordinators are told. */
export interface SessionChanges {
  /**
   * Gives a session a title.
   * @param title null: none any more
   * @returns the session as it is now; null when it is not there
   * @throws StoreError
   * @see SPEC H22
   */
  rename(sessionId: string, title: string | null): Promise<Session | null>;
  /**
   * Deletes a session with all that hangs on it, whatever is open in it. Once this resolves it is not there for anybody;
   * its rows follow in steps.
   * @returns false when it is not there
   * @throws StoreError
   * @see SPEC H23
   */
  remove(sessionId: string): Promise<boolean>;
}

export function createSessionChanges(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly broadcast: Broadcast;
  readonly turns: Pick<Turns, "takenOver">;
  readonly runs: Pick<Runs, "silence" | "giveUp">;
  readonly deletion: Pick<Deletion, "finishLater">;
}): SessionChanges {
  const { store, clock, broadcast } = deps;

  return { rename, remove };

  async function rename(sessionId: string, title: string | null): Promise<Session | null> {
    const session = await store.changeSession(sessionId, (head) => retitled(head, title, clock.now()));
    if (session !== null) tellSession(broadcast, session);
    return session;
  }

  async function remove(sessionId: string): Promise<boolean> {
    let decided: Session | null = null;
    await store.changeSession(sessionId, (head) => {
      const change = removed(head, clock.now());
      // Asked again, the store has what was decided already: its answer was lost.
      decided = change.result ?? decided;
      return change;
    });
    if (decided === null) return false;
    endAnswering(decided);
    deps.deletion.finishLater(sessionId);
    return true;
  }

  // What is asked about it is not asked any more, and what is being answered is stopped: no outcome of it can be stored.
  function endAnswering(session: Session): void {
    const { sessionId } = session;
    deps.turns.takenOver(sessionId);
    deps.runs.silence(sessionId);
    deps.runs.giveUp(sessionId);
    tellDeleted(broadcast, session);
  }
}

/** A session with another title; null when it is being deleted. */
export function retitled(head: Head, title: string | null, now: number): SessionChange<Session | null> {
  if (head.deletingSince !== null) return { result: null };
  const { title: before, ...rest } = head.session;
  if ((before ?? null) === title) return { result: head.session };
  const session = { ...rest, ...(title === null ? {} : { title }), updatedAt: later(now, rest.updatedAt) };
  return { result: session, head: { ...head, session } };
}

/** A session that begins to be deleted now, with nothing left to answer; null when it is being deleted already. */
export function removed(head: Head, now: number): SessionChange<Session | null> {
  if (head.deletingSince !== null) return { result: null };
  const before = letGo(head).session;
  const status = isOpen(head) ? "closed" : before.status;
  const session: Session = { ...before, status, updatedAt: later(now, before.updatedAt) };
  const gone = { turns: [], lease: null, fence: head.fence + 1, intent: null, suspended: null };
  return {
    result: session,
    head: { ...head, session, ...gone, deletingSince: new Date(now).toISOString() },
  };
}
