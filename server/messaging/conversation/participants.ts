import type { Code } from "../../../protocol/codes.js";
import { failure, type Result, success } from "../../../protocol/result.js";
import { type Action, may } from "../../auth/access.js";
import type { Identity } from "../../auth/identity.js";
import { type Head, isOpen, later, released } from "../head.js";
import type { Participant, Session } from "../model.js";
import type { SessionChange } from "../store.js";

/** Somebody who can take part in a conversation. */
export type Party = Pick<Participant, "type" | "id">;

/** Of one conversation: each is told of what is said by a broadcast of its own. (SPEC L40) */
export const participantsMax = 100;

/** What came of a change of who takes part. */
export type Taking =
  | { readonly kind: "done"; readonly session: Session; readonly isChanged: boolean }
  /** Not there, over, or not for them. */
  | { readonly kind: "closed" }
  | { readonly kind: "full" };

export function takesPart({ participants }: Pick<Session, "participants">, { type, id }: Party): boolean {
  return participants.some((each) => each.type === type && each.id === id);
}

/**
 * Whether they may do this there: in an agent's conversation as the rules of those say, in a chat as what it is: its owner's.
 * @param isTheirs they take part, or may by themselves
 * @see SPEC X8, H30, M101
 */
export function mayIn(
  session: Session,
  { identity, isTheirs }: { readonly identity: Identity; readonly isTheirs: boolean },
  action: Extract<Action, "conversation.hear" | "conversation.speak">,
): boolean {
  switch (session.kind) {
    case "agent":
      return may(identity, action, { businessId: session.businessId, userId: isTheirs ? identity.userId : null });
    case "chat":
      return may(identity, "chat.use", session);
    case "daily":
      return false;
  }
}

/** The conversation's own agent; null: there is none, or it was taken out. (SPEC M90, M94) */
export function ownAgentOf({ agentId, participants }: Pick<Session, "agentId" | "participants">): string | null {
  return agentId !== undefined && takesPart({ participants }, { type: "agent", id: agentId }) ? agentId : null;
}

/** Whether somebody who takes part, or a coordinator, may be shown typing: as who may speak there at present. (SPEC M98) */
export function mayType(head: Head | null, { type, id }: Party, now: number): Result<Session, Code> {
  if (head === null || (type !== "coordinator" && !takesPart(head.session, { type, id }))) {
    return failure("session_not_found");
  }
  const { session } = released(head, now);
  const isHeld = type !== "user" && session.holder !== undefined && session.holder.coordinatorId !== id;
  return isHeld ? failure("held_by_other") : success(session);
}

/** Whether a user may come in without being let in: as long as no other one is there, or has been. (SPEC M93) */
export function isOpenTo({ session, isByInvitation }: Head, party: Party): boolean {
  const hasUser = session.participants.some(({ type }) => type === "user");
  return party.type === "user" && !hasUser && isByInvitation !== true;
}

/** A user comes in by themself; who takes part already stays. Others are as those for whom it is not there. */
export function comeIn(head: Head, party: Party, now: number): SessionChange<Taking> {
  if (takesPart(head.session, party)) return unchanged(head);
  return isOpenTo(head, party) ? letIn(head, party, now) : { result: { kind: "closed" } };
}

/** Somebody who may lets them in. */
export function letIn(head: Head, { type, id }: Party, now: number): SessionChange<Taking> {
  if (!isOpen(head)) return { result: { kind: "closed" } };
  const { participants } = head.session;
  if (takesPart(head.session, { type, id })) return unchanged(head);
  if (participants.length >= participantsMax) return { result: { kind: "full" } };
  const joined = new Date(now).toISOString();
  return withParticipants(head, [...participants, { type, id, joined }], now);
}

/** What was said to a user who is taken out is not for the next one who finds the conversation. (SPEC M93) */
export function takeOut(head: Head, party: Party, now: number): SessionChange<Taking> {
  if (head.deletingSince !== null) return { result: { kind: "closed" } };
  if (!takesPart(head.session, party)) return unchanged(head);
  const left = head.session.participants.filter(({ type, id }) => type !== party.type || id !== party.id);
  return withParticipants(party.type === "user" ? { ...head, isByInvitation: true } : head, left, now);
}

function withParticipants(head: Head, participants: readonly Participant[], now: number): SessionChange<Taking> {
  const session = { ...head.session, participants, updatedAt: later(now, head.session.updatedAt) };
  return { result: { kind: "done", session, isChanged: true }, head: { ...head, session } };
}

function unchanged({ session, deletingSince }: Head): SessionChange<Taking> {
  return { result: deletingSince === null ? { kind: "done", session, isChanged: false } : { kind: "closed" } };
}
