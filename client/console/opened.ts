import type { SessionTypist } from "../console-events.js";
import type { Coordinator } from "../coordinator.js";
import type { RunningAnswer } from "../running.js";
import type { Intent } from "../session.js";
import type { Api } from "./api.js";
import type { Inbox } from "./inbox.js";
import { Transcript } from "./transcript.js";

/** What is open on the right. */
export interface OpenSession {
  readonly transcript: Transcript;
  readonly running: readonly RunningAnswer[];
  readonly typists: readonly SessionTypist[];
  readonly intent: Intent | null;
  readonly isBlocked: boolean;
  /** It could not be read. */
  readonly hasFailed: boolean;
}

interface OpenedOwner {
  readonly api: Api;
  readonly inbox: Inbox;
  readonly coordinator: Coordinator;
  changed(): void;
  /** Something could not be read. */
  failed(cause: unknown): void;
}

/** Held down, an arrow key passes thirty sessions a second; it is read where it rests. */
const restMs = 90;

/** The session that is open: read, and watched, as long as it is. */
export class Opened {
  readonly #owner: OpenedOwner;
  #session: OpenSession | null = null;
  #rest: ReturnType<typeof setTimeout> | null = null;
  /** The reading that is under way; what happens meanwhile is read after it. */
  #reading: { readonly sessionId: string; again: boolean } | null = null;
  /** What the server was asked to watch. */
  #watched: string | null = null;

  constructor(owner: OpenedOwner) {
    this.#owner = owner;
    const { coordinator } = owner;
    coordinator.on("running", (sessionId, running) => this.change(sessionId, { running }));
    coordinator.on("typing", (sessionId, typists) => this.change(sessionId, { typists }));
    coordinator.on("intent", (intent) => this.change(intent.sessionId, { intent }));
    coordinator.on("accepted", (message) => {
      if (this.is(message.sessionId)) this.#session!.transcript.accepted(message);
    });
  }

  get session(): OpenSession | null {
    return this.#session;
  }

  is(sessionId: string): boolean {
    return this.#session?.transcript.sessionId === sessionId;
  }

  /** Opens a session; it is read at once unless another one was opened just now. */
  show(sessionId: string): void {
    if (this.is(sessionId)) return;
    this.hide();
    this.#session = {
      transcript: new Transcript(sessionId),
      ...{ running: [], typists: [], intent: null, isBlocked: false, hasFailed: false },
    };
    const isResting = this.#rest === null;
    this.stop();
    this.#rest = setTimeout(() => {
      this.#rest = null;
      if (!isResting && this.is(sessionId)) this.enter();
    }, restMs);
    if (isResting) this.enter();
    this.#owner.changed();
  }

  hide(): void {
    if (this.#session === null) return;
    this.#session = null;
    if (this.#watched !== null) void this.#owner.coordinator.unwatch(this.#watched).catch(() => undefined);
    this.#watched = null;
    this.#owner.changed();
  }

  stop(): void {
    if (this.#rest !== null) clearTimeout(this.#rest);
    this.#rest = null;
  }

  /** Reads and watches what is open, for the first time or after a connection was lost. */
  enter(): void {
    if (this.#session === null) return;
    const { sessionId } = this.#session.transcript;
    this.#watch(sessionId);
    void this.read(sessionId);
    void this.#readUser(sessionId);
  }

  /** Reads the newest page of a session, if it is still the open one by then. */
  async read(sessionId: string): Promise<void> {
    if (this.#reading?.sessionId === sessionId) return void (this.#reading.again = true);
    const reading = { sessionId, again: false };
    this.#reading = reading;
    try {
      do {
        reading.again = false;
        const { messages, cursor } = await this.#owner.api.messages(sessionId, null);
        if (!this.is(sessionId)) break;
        this.#session!.transcript.newest(messages, cursor);
        this.change(sessionId, { hasFailed: false });
      } while (reading.again as boolean);
    } catch (cause) {
      this.change(sessionId, { hasFailed: true });
      this.#owner.failed(cause);
    }
    if (this.#reading === reading) this.#reading = null;
    this.#owner.changed();
  }

  /** To be called at every key, and with false when what was written is gone. */
  type(sessionId: string, isTyping: boolean): void {
    this.#owner.coordinator.typing(sessionId, isTyping);
  }

  /** Once more, what could not be read. */
  retry(): void {
    if (this.#session !== null) void this.read(this.#session.transcript.sessionId);
  }

  /** Reads what is before the oldest that is shown. */
  async older(): Promise<void> {
    const transcript = this.#session?.transcript;
    if (transcript?.cursor == null) return;
    const { sessionId, cursor } = transcript;
    try {
      const page = await this.#owner.api.messages(sessionId, cursor);
      // Asked twice at once, the second answer has nothing new.
      if (transcript.cursor === cursor) transcript.older(page.messages, page.cursor);
      this.#owner.changed();
    } catch (cause) {
      this.change(sessionId, { hasFailed: true });
      this.#owner.failed(cause);
    }
  }

  /** Says something of a session, if it is the one that is open. */
  change(sessionId: string, changes: Partial<OpenSession>): void {
    if (this.#session === null || !this.is(sessionId)) return;
    this.#session = { ...this.#session, ...changes };
    this.#owner.changed();
  }

  // What is watched stays so over lost connections; what could not be is asked for again with the next one.
  #watch(sessionId: string): void {
    if (this.#watched === sessionId) return;
    this.#watched = sessionId;
    this.#owner.coordinator.watch(sessionId).catch(() => {
      if (this.#watched === sessionId) this.#watched = null;
    });
  }

  async #readUser(sessionId: string): Promise<void> {
    const userId = this.#owner.inbox.row(sessionId)?.userId;
    if (userId == null) return;
    // Who has said nothing yet is not known, and not blocked.
    const isBlocked = await this.#owner.api.isBlocked(userId).catch(() => false);
    this.change(sessionId, { isBlocked });
  }
}
