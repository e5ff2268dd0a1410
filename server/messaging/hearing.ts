import type { OutBroadcast } from "../../protocol/message.js";
import { answerEvent } from "./broadcast.js";
import type { ChatMessage } from "./model.js";
import type { RunEvent } from "./runs.js";
import type { Mark, Welcome } from "./undelivered.js";

export interface HearingPort {
  /** To this socket alone. */
  push(event: string, payload: unknown): void;
  /** Has `taken` called once the client has taken all that was sent to it until now, unless its channel ends before. */
  fence(marks: readonly Mark[]): void;
  /** More came during the join than is kept. */
  overflow(): void;
}

/** What a look at the answers in the making holds, too. */
const shownEvents: ReadonlySet<string> = new Set<RunEvent>(["thinking", "message_delta"]);
/** What comes while a join is decided waits for its reply; more would be a join that takes for ever. */
const waitingMax = 1000;
/** Of what a client was given at its join, the newest: they may have been stored before we looked, and told after. */
const knownMax = 100;
/** Sessions of one user that are followed: today's, and those before. */
const sessionsMax = 8;

/**
 * What one socket of a user is told, and what it has taken of it. What it was given at the join it is not told again;
 * a message counts as taken once all before it in its session were given to this socket, and its pong has come.
 * (SPEC M26, M28)
 */
export class Hearing {
  readonly #port: HearingPort;
  /** Null once the client has been welcomed. */
  #waiting: OutBroadcast[] | null = [];
  #known: ReadonlySet<string> = new Set();
  readonly #runs = new Map<string, Run>();
  /** Sessions with answers that were sent since the last fence. */
  readonly #unfenced = new Set<string>();
  #fence: "none" | "due" | "outstanding" = "none";

  constructor(port: HearingPort) {
    this.#port = port;
  }

  /** Asked on the fast lane. @returns whether the broadcast is to leave at once */
  hears(broadcast: OutBroadcast): boolean {
    if (this.#waiting === null) return this.#takes(broadcast);
    if (this.#waiting.length >= waitingMax) this.#port.overflow();
    else this.#waiting.push(broadcast);
    return false;
  }

  /**
   * What answers in the making show was just looked up for the reply: what of them was told until now is in there, or is
   * of one that is over, and would be the middle of a text whose beginning nobody has. (SPEC M40)
   */
  lookedUp(): void {
    this.#waiting = (this.#waiting ?? []).filter(({ event }) => !shownEvents.has(event));
  }

  /** The join has been replied to: what was never delivered comes first, then what came meanwhile. */
  welcome({ messages, undelivered, sessions }: Welcome): void {
    for (const { sessionId, offset, isDue } of sessions) {
      this.#runs.set(sessionId, new Run(offset));
      if (isDue) this.#unfenced.add(sessionId);
    }
    for (const message of undelivered) this.#port.push("new_message", answerEvent({ message }));
    const given = [messages, undelivered].map((list) => list.map(({ messageId }) => messageId));
    this.#known = new Set(given.flat());
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const broadcast of waiting) if (this.#takes(broadcast)) this.#port.push(broadcast.event, broadcast.payload);
    this.#known = new Set(given.flatMap((ids) => ids.slice(-knownMax)));
    if (this.#unfenced.size > 0) this.#fenceSoon();
  }

  /** A message of the past that was pushed to this socket, or its user's own. */
  given({ sessionId, offset, type }: ChatMessage): void {
    this.#note(sessionId, offset, type !== "user");
  }

  /** A fence has been passed. */
  passed(): void {
    this.#fence = "none";
    if (this.#unfenced.size > 0) this.#fenceSoon();
  }

  #takes({ event, payload }: OutBroadcast): boolean {
    const isAnswer = event === "new_message";
    if (!isAnswer && event !== "message_accepted") return true;
    const { sessionId, offset, messageId } = payload as Pick<ChatMessage, "sessionId" | "offset" | "messageId">;
    this.#note(sessionId, offset, isAnswer);
    return !this.#known.has(messageId);
  }

  #note(sessionId: string, offset: number, isAnswer: boolean): void {
    this.#runOf(sessionId).add(offset);
    if (!isAnswer) return;
    this.#unfenced.add(sessionId);
    this.#fenceSoon();
  }

  // A session that is not known yet has begun since: this socket hears it from its first message on.
  #runOf(sessionId: string): Run {
    let run = this.#runs.get(sessionId);
    if (run !== undefined) return run;
    if (this.#runs.size >= sessionsMax) this.#runs.delete(this.#runs.keys().next().value!);
    this.#runs.set(sessionId, (run = new Run(0)));
    return run;
  }

  // Behind the frames of this turn of the loop, one ping for all of them. While one is outstanding there is no other.
  #fenceSoon(): void {
    if (this.#fence !== "none" || this.#waiting !== null) return;
    this.#fence = "due";
    queueMicrotask(() => {
      const marks = [...this.#unfenced].map((sessionId) => ({ sessionId, offset: this.#runOf(sessionId).upTo }));
      this.#unfenced.clear();
      this.#fence = "outstanding";
      this.#port.fence(marks);
    });
  }
}

const beyondMax = 64;

/** Up to where a socket has been given everything of a session. Where something is missing it stays. */
class Run {
  readonly #beyond = new Set<number>();

  constructor(public upTo: number) {}

  add(offset: number): void {
    if (offset <= this.upTo || this.#beyond.size >= beyondMax) return;
    this.#beyond.add(offset);
    while (this.#beyond.delete(this.upTo + 1)) this.upTo += 1;
  }
}
