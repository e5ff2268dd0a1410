import { type Party } from "./participants.js";

/** A channel of somebody who takes part in a conversation. */
export interface Attendee {
  /** They were taken out: they hear and say nothing more. */
  takenOut(): void;
}

/** Whether it was the first of its party that came, or the last that went. */
export type Change = "online" | "offline" | null;

/** Who is on a conversation now, of the sockets of this node: as many as there are channels. (SPEC M98, M94) */
export class Attendance {
  readonly #attendees = new Map<string, Set<Attendee>>();

  isHere(sessionId: string, party: Party): boolean {
    return this.#attendees.has(keyOf(sessionId, party));
  }

  enter(sessionId: string, party: Party, attendee: Attendee): Change {
    const key = keyOf(sessionId, party);
    const here = this.#attendees.get(key) ?? new Set();
    this.#attendees.set(key, here.add(attendee));
    return here.size === 1 ? "online" : null;
  }

  leave(sessionId: string, party: Party, attendee: Attendee): Change {
    const key = keyOf(sessionId, party);
    const here = this.#attendees.get(key);
    if (here?.delete(attendee) !== true || here.size > 0) return null;
    this.#attendees.delete(key);
    return "offline";
  }

  takeOut(sessionId: string, party: Party): void {
    for (const attendee of [...(this.#attendees.get(keyOf(sessionId, party)) ?? [])]) attendee.takenOut();
  }
}

function keyOf(sessionId: string, { type, id }: Party): string {
  return `${sessionId}:${type}:${id}`;
}

/** `presence:update` of somebody. (SPEC M98) */
export function presenceOf(
  conversationId: string,
  { type, id }: Party,
  status: "online" | "offline",
): Readonly<Record<string, unknown>> {
  return { type, [`${type}Id`]: id, conversationId, status };
}
