import type { Clock } from "../../clock.js";
import { type Broadcast, tellTyping } from "../broadcast.js";
import type { Session } from "../model.js";
import { Typist } from "../typist.js";
import type { Party } from "./participants.js";

/** Somebody who writes in conversations on one channel: in one at a time. (SPEC M98) */
export class TypingIn {
  readonly #deps: { readonly clock: Clock; readonly broadcast: Broadcast };
  #current: { session: Session; readonly typist: Typist } | null = null;

  constructor(deps: { readonly clock: Clock; readonly broadcast: Broadcast }) {
    this.#deps = deps;
  }

  /** @param session as it is now: those who take part in it are told */
  says(session: Session, party: Party, isTyping: boolean): void {
    if (this.#current?.session.sessionId !== session.sessionId) this.#begin(session, party);
    const current = this.#current!;
    current.session = session;
    current.typist.says(isTyping);
  }

  /** To be called when the channel ends. */
  end(): void {
    this.#current?.typist.says(false);
    this.#current = null;
  }

  #begin(session: Session, party: Party): void {
    this.end();
    const { clock, broadcast } = this.#deps;
    const tell = (isTyping: boolean) => tellTyping(broadcast, current.session, party, isTyping);
    const current = { session, typist: new Typist(clock, { tell }) };
    this.#current = current;
  }
}
