import { parseTyping } from "../../protocol/payloads.js";
import { failure, type Result, success } from "../../protocol/result.js";
import { may } from "../auth/access.js";
import type { Clock } from "../clock.js";
import { type Refusal, refusal } from "./admission.js";
import type { Blocklist } from "./blocklist.js";
import { type Broadcast, tellTyping } from "./broadcast.js";
import type { Party } from "./conversation/participants.js";
import { coordinatorOf, type EventHandler, type Speaker } from "./events.js";
import { isOpen, released } from "./head.js";
import { findHead } from "./sessions.js";
import type { Session } from "./model.js";
import type { Store } from "./store.js";
import { Typist } from "./typist.js";

/** Of a node. With one more, who was the first to say so counts as done. */
const typistsMax = 10_000;

/** Somebody who writes in a session: its user, on whatever socket, or a coordinator. */
interface Known {
  readonly key: string;
  readonly session: Session;
  /** Null: the user. */
  readonly coordinatorId: string | null;
  readonly typist: Typist;
  /** Of the channel that said it last. */
  by: Speaker["atEnd"];
  /** Whether they may was looked up since something was told last. */
  isAsked: boolean;
}

/**
 * `typing {sessionId, typing}`: never stored, and not told more often than people can see. A user's is told to those who
 * watch the session; a coordinator's to them and to the user, who does not learn which coordinator it is. (SPEC M61)
 */
export function typingEvent(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly broadcast: Broadcast;
  readonly blocklist: Pick<Blocklist, "has">;
  /** Nobody can be this coordinator any more. */
  readonly isGone: (businessId: string, coordinatorId: string) => boolean;
}): EventHandler {
  const { store, clock } = deps;
  const typists = new Map<string, Known>();

  return async (speaker, payload) => {
    const { business, identity } = speaker;
    const { businessId } = business;
    if (!may(identity, "session.type", { businessId, userId: identity.userId })) return failure(refusal("forbidden"));
    const parsed = parseTyping(payload);
    if (!parsed.ok) return failure(refusal(parsed.reason.code, parsed.reason.error));
    const { sessionId, typing } = parsed.value;
    const coordinatorId = identity.role === "user" ? null : coordinatorOf(speaker);
    const key = `${sessionId}#${coordinatorId ?? ""}`;
    const known = typists.get(key);
    // Who was asked a moment ago is not asked for every letter, and whoever types may always stop.
    const isKnown = known !== undefined && known.by === speaker.atEnd && (known.isAsked || !typing);
    const session = isKnown ? success(known.session) : await sessionOf(speaker, sessionId);
    if (!session.ok) return session;
    say(knownAs({ key, session: session.value, coordinatorId, by: speaker.atEnd }), speaker.atEnd, typing);
    return success({ sessionId, typing });
  };

  async function sessionOf(speaker: Speaker, sessionId: string): Promise<Result<Session, Refusal>> {
    const { business, identity } = speaker;
    const head = await findHead(store, sessionId);
    const isTheirs = head?.session.businessId === business.businessId && may(identity, "session.type", head.session);
    // A user's next word begins another session; a coordinator has nothing to say in one that is over, unless they hold it.
    const isOver = identity.role !== "user" && head !== null && head.session.holder === undefined && !isOpen(head);
    if (!isTheirs || isOver) return failure(refusal("session_not_found"));
    const isUser = identity.role === "user";
    if (isUser && (await deps.blocklist.has({ businessId: business.businessId, userId: identity.userId! }))) {
      return failure(refusal("blocked"));
    }
    const { session } = released(head, clock.now());
    const { businessId, holder } = session;
    // Who may not speak there now is not about to.
    const isHeld =
      identity.role !== "user" &&
      holder !== undefined &&
      holder.coordinatorId !== coordinatorOf(speaker) &&
      !deps.isGone(businessId, holder.coordinatorId);
    return isHeld ? failure({ ...refusal("held_by_other"), details: { holder } }) : success(session);
  }

  function knownAs(of: Pick<Known, "key" | "session" | "coordinatorId" | "by">): Known {
    const before = typists.get(of.key);
    if (before !== undefined) {
      before.isAsked = true;
      return before;
    }
    const [oldest] = typists.values();
    if (oldest !== undefined && typists.size >= typistsMax) {
      oldest.typist.forget();
      idle(oldest);
    }
    const typist = new Typist(clock, { tell: (isTyping) => tellOf(known, isTyping), idle: () => idle(known) });
    const known: Known = { ...of, typist, isAsked: true };
    typists.set(of.key, known);
    return known;
  }

  function say(known: Known, by: Speaker["atEnd"], isTyping: boolean): void {
    known.by.delete(known.key);
    known.by = by;
    if (isTyping) by.set(known.key, () => known.typist.says(false));
    known.typist.says(isTyping);
  }

  function idle({ key, by }: Known): void {
    by.delete(key);
    typists.delete(key);
  }

  function tellOf(known: Known, isTyping: boolean): void {
    known.isAsked = false;
    const { session, coordinatorId } = known;
    const isUser = coordinatorId === null;
    const who: Party = isUser ? { type: "user", id: session.userId ?? "" } : { type: "coordinator", id: coordinatorId };
    tellTyping(deps.broadcast, session, who, isTyping);
  }
}
