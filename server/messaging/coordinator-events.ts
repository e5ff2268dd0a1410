import {
  type CoordinatorReply,
  type Fault,
  parseNote,
  parseReply,
  parseSessionEvent,
} from "../../protocol/payloads.js";
import { failure, type Result, success } from "../../protocol/result.js";
import { type Action, may } from "../auth/access.js";
import type { Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { type Refusal, refusal } from "./admission.js";
import { storeAside } from "./asides.js";
import { sessionTopic, tell } from "./audience.js";
import type { Blocklist } from "./blocklist.js";
import type { Business } from "./business.js";
import { type Broadcast, broadcastSaid, noteEvent, tellIntent, tellSession } from "./broadcast.js";
import { coordinatorOf, type EventHandler, type EventResult, type Speaker } from "./events.js";
import type { Head, Questions } from "./head.js";
import {
  type Actor,
  type Done,
  end,
  handBack,
  hold,
  type NotDone,
  reopen,
  reply,
  respondsToIn,
  type Saying,
  storedIdOf,
  type Unread,
} from "./holding.js";
import type { Ids } from "./ids.js";
import type { Runs } from "./runs.js";
import type { ChatMessage, Session } from "./model.js";
import { questionsIn } from "./open-turns.js";
import { readQuestions } from "./questions.js";
import { businessDay, isDayOver } from "./session-policy.js";
import { findHead, readCurrentSession } from "./sessions.js";
import type { SessionChange, Store } from "./store.js";
import { blockedText, closingText } from "./texts.js";
import type { Turns } from "./turns.js";

type Kind =
  "take_over" | "hand_back" | "reply" | "note" | "resolve" | "reopen" | "close" | "block" | "watch" | "unwatch";

/** What coordinators do with sessions, and users with their own. (SPEC M30–M39) */
export type CoordinatorEvents = Readonly<Record<Kind, EventHandler>>;

/** Whoever does something to a session, on a channel or not. */
export type Doer = Pick<Speaker, "business" | "identity" | "connectionId">;

/** What becomes of a session: events that need no channel. */
type Deed = "resolve" | "close" | "reopen";

export interface Coordination {
  readonly events: CoordinatorEvents;
  /** What those events do, with their replies. @throws StoreError */
  readonly deeds: Readonly<Record<Deed, (doer: Doer, payload: unknown) => Promise<EventResult>>>;
  /** What `block` does to a user, where no session is named. @throws StoreError */
  block(business: Business, userId: string): Promise<void>;
}

/** Sessions that one channel watches at a time; of one more, the one it has watched for longest is not heard any more. */
const watchedMax = 100;
/** Its user may go on talking while we read what has been said; each time we read the rest. */
const attemptsMax = 10;

export function createCoordinatorEvents(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly turns: Turns;
  readonly runs: Pick<Runs, "silence" | "giveUp">;
  /** Nobody can be this coordinator any more. */
  readonly isGone: (businessId: string, coordinatorId: string) => boolean;
  readonly blocklist: Blocklist;
  readonly broadcast: Broadcast;
  /** Told of a session in which something was said to its user. */
  readonly onSaid: (sessionId: string) => void;
  readonly telemetry: DeskTelemetry;
  readonly maxMessageBytes: number;
}): Coordination {
  const { store, clock, ids, turns, broadcast, telemetry } = deps;

  const deeds: Coordination["deeds"] = {
    resolve: onSession("session.hold", async (asked) => told(await endIn(asked, "resolved"))),
    close: onSession("session.close", async (asked) => told(await endIn(asked, "closed"))),
    reopen: onSession("session.hold", async (asked) => {
      const today = businessDay(clock.now(), asked.speaker.business.timeZone);
      const terms = (head: Head) => ({ ...actorOf(asked), isDayOver: isDayOver(head, today) });
      return told(await change(asked, (head) => reopen(head, terms(head))));
    }),
  };

  const events: CoordinatorEvents = {
    ...deeds,
    take_over: onSession("session.hold", async (asked) =>
      told(await change(asked, (head) => hold(head, actorOf(asked)))),
    ),
    hand_back: onSession("session.hold", async (asked) => {
      const done = await change(asked, (head) => handBack(head, actorOf(asked)));
      // Also when it was nobody's: what was handed back by one whose process then ended is answered by it.
      if (done?.kind === "done") {
        deps.runs.giveUp(asked.session.sessionId);
        turns.handedBack(asked.session.sessionId);
      }
      return told(done);
    }),
    reply: replyEvent,
    note: noteIn,
    block: onSession("user.block", blockEvent),
    watch: onSession("session.watch", ({ speaker, session }: Asked<Speaker>) => {
      watch(speaker, session.sessionId);
      return success({ session });
    }),
    unwatch: onSession("session.watch", ({ speaker, session }: Asked<Speaker>) => {
      unwatch(speaker, session.sessionId);
      return success({ session });
    }),
  };

  return { events, deeds, block: (business, userId) => blockUser(business, userId, null) };

  /** Somebody asks something of a session that they may ask it of. */
  function onSession<D extends Doer>(
    action: Action,
    handle: (asked: Asked<D>) => EventResult | Promise<EventResult>,
  ): (speaker: D, payload: unknown) => Promise<EventResult> {
    return async (speaker, payload) => {
      const parsed = parseSessionEvent(payload);
      const asked = await askedOf(speaker, action, parsed);
      return asked.ok ? handle(asked.value) : asked;
    };
  }

  async function replyEvent(speaker: Speaker, payload: unknown): Promise<EventResult> {
    const parsed = parseReply(payload, deps.maxMessageBytes);
    const asked = await askedOf(speaker, "session.hold", parsed);
    return asked.ok && parsed.ok ? replyIn(asked.value, parsed.value) : (asked as EventResult);
  }

  /** For colleagues, so nobody need hold the session, and none who does keeps them from it. (SPEC M51) */
  async function noteIn(speaker: Speaker, payload: unknown): Promise<EventResult> {
    const parsed = parseNote(payload, deps.maxMessageBytes);
    const asked = await askedOf(speaker, "session.note", parsed);
    if (!asked.ok || !parsed.ok) return asked as EventResult;
    const { sessionId, businessId, userId = "" } = asked.value.session;
    const hung = await storeAside(store, sessionId, {
      messageId: ids.sortable(),
      userId: "coordinator",
      content: parsed.value.message,
      type: "note",
      timestamp: new Date(clock.now()).toISOString(),
      metadata: { source: "websocket", node: "coordinator", coordinatorId: coordinatorOf(speaker) },
    });
    if (hung.kind === "gone") return failure(refusal("session_not_found"));
    if (hung.kind === "full") return failure(refusal("busy", "As many notes as there can be follow the last message"));
    tell(broadcast, "note", { businessId, userId, sessionId }, noteEvent(hung));
    return success({ session: hung.session });
  }

  // Whoever may do it to no session here is told so, whether or not there is such a session. (SPEC X7)
  async function askedOf<D extends Doer>(
    speaker: D,
    action: Action,
    parsed: Result<{ readonly sessionId: string }, Fault>,
  ): Promise<Result<Asked<D>, Refusal>> {
    const { business, identity } = speaker;
    const { businessId } = business;
    if (!may(identity, action, { businessId, userId: identity.userId })) return denied(speaker, action, "forbidden");
    if (!parsed.ok) return failure(refusal(parsed.reason.code, parsed.reason.error));
    const head = await findHead(store, parsed.value.sessionId);
    if (head === null || head.session.businessId !== businessId) return failure(refusal("session_not_found"));
    const { session } = head;
    if (!may(identity, action, session)) return denied(speaker, action, "session_not_found");
    return success({ speaker, session, head });
  }

  function denied({ identity }: Doer, action: Action, code: "forbidden" | "session_not_found") {
    const { role, businessId, userId } = identity;
    telemetry.emit("access.denied", { action, role, businessId, userId });
    return failure(refusal(code));
  }

  async function replyIn(asked: Asked, { message, inReplyTo }: CoordinatorReply): Promise<EventResult> {
    const { sessionId } = asked.session;
    if (inReplyTo !== null && (await store.findMessage(sessionId, inReplyTo)) === null) {
      return failure(refusal("not_found"));
    }
    const saying = { ...(await sayingOf(asked.head)), content: message, inReplyTo };
    const done = await changeWithQuestions(asked.head, saying, (head, said, questions) =>
      reply(head, said, { ...actorOf(asked), questions }),
    );
    return told(done);
  }

  function endIn(asked: Asked, status: "resolved" | "closed"): Promise<Done | NotDone | "busy" | null> {
    const { speaker, head } = asked;
    // A user's own conversation is the user's to end.
    const coordinatorId = speaker.identity.role === "user" ? null : coordinatorOf(speaker);
    return endBy(coordinatorId, status, { business: speaker.business, head });
  }

  /** @param status null: only what is being answered ends, because its user is blocked */
  async function endBy(
    coordinatorId: string | null,
    status: "resolved" | "closed" | null,
    { business, head }: Ending,
  ): Promise<Done | NotDone | "busy" | null> {
    const saying = {
      ...(await sayingOf(head)),
      content: (status === null ? blockedText : closingText)(business.locale),
    };
    return changeWithQuestions(head, saying, (now, said, questions) =>
      end(now, said, { coordinatorId, ...terms({ business }), status, questions }),
    );
  }

  async function blockEvent({ speaker: { business }, head }: Asked): Promise<EventResult> {
    const { userId, sessionId } = head.session;
    if (userId === undefined) return failure(refusal("not_found"));
    await blockUser(business, userId, sessionId);
    return endAnswering({ business, head });
  }

  /** @param exceptId a session that its caller sees to */
  async function blockUser(business: Business, userId: string, exceptId: string | null): Promise<void> {
    const user = { businessId: business.businessId, userId };
    await deps.blocklist.add(user);
    const current = await readCurrentSession(store, user);
    if (current === null || current.value.sessionId === exceptId) return;
    const head = await findHead(store, current.value.sessionId);
    if (head !== null) await endAnswering({ business, head });
  }

  // A user who is blocked is blocked whoever holds what.
  async function endAnswering(ending: Ending): Promise<EventResult> {
    return told(await endBy(null, null, ending));
  }

  async function sayingOf(head: Head): Promise<Omit<Saying, "content">> {
    const last = (await store.readMessages(head.session.sessionId, { limit: 1 })).items[0];
    return {
      messageId: ids.sortable(),
      respondsTo: respondsToIn(head),
      responseId: ids.sortable(),
      cursor: ids.sortable(),
      inReplyTo: null,
      source: last?.metadata.source ?? "websocket",
      chatId: last?.metadata.chatId ?? null,
    };
  }

  function change<T>({ session }: Asked, decide: (head: Head) => SessionChange<T>): Promise<T | null> {
    return store.changeSession(session.sessionId, decide);
  }

  /** Reads what waits for an outcome, and again whatever is said meanwhile. */
  async function changeWithQuestions(
    head: Head,
    saying: Saying,
    decide: (head: Head, saying: Saying, questions: Questions) => SessionChange<Done | NotDone | Unread>,
  ): Promise<Done | NotDone | "busy" | null> {
    const { sessionId } = head.session;
    let questions = await readQuestions(deps, sessionId, questionsIn(head));
    let said = saying;
    // Asked again, what was written already is told as it was: the store's answer was lost, not what was said.
    let decided: Done | null = null;
    const decideOnce = (now: Head, found: ChatMessage | null): SessionChange<Done | NotDone | Unread> => {
      if (found !== null && decided !== null) return { result: decided };
      const decision = decide(now, said, questions);
      if (decision.result.kind === "done") decided = decision.result;
      return decision;
    };
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const result = await store.changeSession(sessionId, decideOnce, storedIdOf(said));
      if (result?.kind !== "unread") return result;
      const more = await readQuestions(
        deps,
        sessionId,
        result.messageIds.map((unread) => ({ messageId: unread })),
      );
      questions = new Map([...questions, ...more]);
      said = { ...saying, respondsTo: result.respondsTo };
    }
    return "busy";
  }

  function told(result: Done | NotDone | "busy" | null): EventResult {
    if (result === null) return failure(refusal("session_not_found"));
    if (result === "busy") return failure(refusal("busy"));
    switch (result.kind) {
      case "gone":
        return failure(refusal("session_not_found"));
      case "over":
        return failure(refusal("session_not_found", "The session is over; who may, can reopen it on its own day"));
      case "held_by_other":
        return failure({ ...refusal("held_by_other"), details: { holder: result.holder } });
      case "done":
        tellOf(result);
        return success({ session: result.session });
    }
  }

  // First what was said, then what has become of the session.
  function tellOf({ said, session, suspended }: Done): void {
    silenceAgent(said, session);
    if (said !== null) {
      broadcastSaid(broadcast, said, session);
      deps.onSaid(session.sessionId);
      const { businessId, sessionId } = session;
      for (const { messageId, status, durationMs } of said.events) {
        // What nobody had asked for ends no turn.
        if (messageId === said.message.messageId) continue;
        telemetry.emit("turn.answered", {
          ...{ businessId, sessionId, outcome: status, durationMs },
          node: said.message.type,
        });
      }
    }
    tellSession(broadcast, session);
    if (suspended !== undefined) tellIntent(broadcast, suspended);
  }

  // Before anything else is told of it: two voices at once are one too many, and behind an outcome nothing is shown of its
  // making. (SPEC M30, M41)
  function silenceAgent(said: Done["said"], { sessionId, holder }: Session): void {
    const isOver = said?.message.type === "system";
    if (holder === undefined && !isOver) return;
    turns.takenOver(sessionId);
    deps.runs.silence(sessionId);
    // Nobody waits for what the agent still makes of it: it would not even be a draft.
    if (isOver) deps.runs.giveUp(sessionId);
  }

  function actorOf({ speaker }: Asked): Actor & { readonly coordinatorId: string } {
    return { coordinatorId: coordinatorOf(speaker), ...terms(speaker) };
  }

  function terms({ business: { businessId } }: Pick<Speaker, "business">): Omit<Actor, "coordinatorId"> {
    return { now: clock.now(), isGone: (coordinatorId) => deps.isGone(businessId, coordinatorId) };
  }
}

/** What is to end. */
interface Ending {
  readonly business: Business;
  readonly head: Head;
}

/** A session, as it was when somebody who may asked something of it. */
interface Asked<D extends Doer = Doer> {
  readonly speaker: D;
  readonly session: Session;
  readonly head: Head;
}

function watch(speaker: Speaker, sessionId: string): void {
  const { watching } = speaker;
  if (watching.has(sessionId)) return;
  const [oldest] = watching;
  if (watching.size >= watchedMax && oldest !== undefined) {
    oldest[1]();
    watching.delete(oldest[0]);
  }
  watching.set(sessionId, speaker.hear(sessionTopic(sessionId)));
}

function unwatch({ watching }: Speaker, sessionId: string): void {
  watching.get(sessionId)?.();
  watching.delete(sessionId);
}
