import type { ChatEntry } from "./entry.js";
import { asRecord, text } from "./fields.js";

export interface Resume {
  readonly sessionId: string;
  readonly offset: number;
  readonly epoch?: string;
}

/** How far this client has heard the conversation: what a rejoin gives the server to continue from. */
export class Cursor {
  #sessionId: string | null = null;
  #offset = 0;
  #epoch: string | undefined;

  get sessionId(): string | null {
    return this.#sessionId;
  }

  /** Everything up to there, in that session, is known. */
  get offset(): number {
    return this.#offset;
  }

  get resume(): Resume | null {
    if (this.#sessionId === null) return null;
    const place = { sessionId: this.#sessionId, offset: this.#offset };
    return this.#epoch === undefined ? place : { ...place, epoch: this.#epoch };
  }

  /** Takes the place that a join reply names: what was missed before it came with the reply, or is read as history. */
  joined(reply: unknown): void {
    const { sessionId, offset, epoch } = asRecord(reply);
    this.#epoch = text(epoch);
    this.#sessionId = text(sessionId) ?? null;
    this.#offset = typeof offset === "number" ? offset : 0;
  }

  /** A session is gone: there is nothing to go on from. */
  forget(sessionId: string): void {
    if (sessionId !== this.#sessionId) return;
    this.#sessionId = null;
    this.#offset = 0;
  }

  /**
   * Counts one stored message in. Only the next offset moves the cursor: over a hole it stays, and the next join
   * fills the hole. Only the user's own words open another session; a late answer may still come from an old one.
   */
  heard({ sessionId, offset, from }: ChatEntry): void {
    if (sessionId === undefined || offset === undefined) return;
    if (this.#sessionId === null || (sessionId !== this.#sessionId && from === "user")) {
      this.#sessionId = sessionId;
      this.#offset = 0;
    }
    if (sessionId === this.#sessionId && offset === this.#offset + 1) this.#offset = offset;
  }
}
