import { type Channel, portOf } from "../channel/channel.js";
import type { Clock } from "../clock.js";
import type { Presence } from "../presence/presence.js";
import { consoleTopic } from "./audience.js";
import { coordinatorOf } from "./events.js";
import type { Member } from "./joining.js";

/** Who is on the topic of a business, for its coordinators and for nobody else. (SPEC M70) */
export interface Online {
  /** From now on, until its channel ends, somebody is online. A service is nobody who could be. */
  enter(channel: Channel, who: Member): void;
  /**
   * All who are online, frame by frame: `presence_state`, and `presence_diff` for those who do not fit into it. A frame is
   * as of the moment when it is asked for.
   */
  frames(businessId: string): Iterator<OnlineFrame, void>;
}

/** Who is there of those whose id is that of their socket. (SPEC M30) */
export interface Unnamed {
  /** A socket that has gone does not come back: nobody can be this coordinator any more. */
  readonly isGone: (businessId: string, coordinatorId: string) => boolean;
}

export interface OnlineFrame {
  readonly event: "presence_state" | "presence_diff";
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A frame ends with the key that brings it to so many sockets: it holds no more keys than that. */
export const onlinePageMax = 500;
/**
 * Of one key the sockets that are shown, the first ones: whoever opens many makes no frame too large for its readers. As
 * one of them goes, the next is shown: whoever has a socket left is online.
 */
export const onlineSocketsMax = 100;

/** @param presence asked for when it is needed first: it is made after those who use it */
export function createOnline({
  presence,
  clock,
}: {
  readonly presence: () => Presence;
  readonly clock: Clock;
}): Online {
  /** By topic and key, those of more sockets than are shown: shows the next one. In the order in which they came. */
  const unshown = new Map<string, Set<() => void>>();

  return { enter, frames };

  function enter(channel: Channel, who: Member): void {
    const key = keyOf(who);
    // Heard where the coordinators hear everything else: no user's channel subscribes there. (SPEC X3)
    const topic = consoleTopic(who.business.businessId);
    if (key === null) return;
    const onlineAt = new Date(clock.now()).toISOString();
    const meta = { role: who.identity.role, onlineAt, connectionId: who.connectionId };
    const place = `${topic} ${key}`;
    const show = () => {
      presence().track(channel, key, meta, { topic });
      // After the presence itself, which has left by then.
      portOf(channel).onEnded(() => showNext(place));
    };
    if (presence().getByKey(topic, key).length < onlineSocketsMax) show();
    else waitToShow(channel, place, show);
  }

  function waitToShow(channel: Channel, place: string, show: () => void): void {
    unshown.set(place, (unshown.get(place) ?? new Set()).add(show));
    portOf(channel).onEnded(() => forget(place, show));
  }

  function showNext(place: string): void {
    const [next] = unshown.get(place) ?? [];
    if (next === undefined) return;
    forget(place, next);
    next();
  }

  function forget(place: string, show: () => void): void {
    const waiting = unshown.get(place);
    waiting?.delete(show);
    if (waiting?.size === 0) unshown.delete(place);
  }

  function* frames(businessId: string): Generator<OnlineFrame, void> {
    let isFirst = true;
    for (const page of presence().pages(consoleTopic(businessId), onlinePageMax)) {
      if (isFirst) yield { event: "presence_state", payload: page };
      else yield { event: "presence_diff", payload: { joins: page, leaves: {} } };
      isFirst = false;
    }
  }
}

/** For an open server that knows all sockets there are; with tokens, or on another node, an id may come back. */
export function createUnnamed(presence: () => Presence): Unnamed {
  return {
    isGone: (businessId, coordinatorId) =>
      presence().getByKey(consoleTopic(businessId), `coordinator:${coordinatorId}`).length === 0,
  };
}

/** `user:<userId>`, `coordinator:<as in a session's holder>`: two of one id in two roles are two. */
function keyOf(who: Member): string | null {
  const { role, userId } = who.identity;
  if (role === "service") return null;
  return `${role}:${role === "coordinator" ? coordinatorOf(who) : userId!}`;
}
