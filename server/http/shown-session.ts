import { may } from "../auth/access.js";
import type { Identity } from "../auth/identity.js";
import { shownHolder } from "../messaging/broadcast.js";
import type { Session } from "../messaging/model.js";

/** A session as it is answered: its user sees that a human holds it and until when, but not who. (SPEC M39, H21) */
export function shownTo(identity: Identity, session: Session): object {
  if (session.holder === undefined || may(identity, "console.hear", session)) return session;
  return { ...session, holder: shownHolder(session) };
}
