import { ChatError } from "./chat-error.js";
import type { Clock } from "./clock.js";
import { type ProcessedTurn, readTypist, type SessionTypist } from "./console-events.js";
import { asRecord, optional, text } from "./fields.js";
import { limits } from "./limits.js";
import { Running, type RunningAnswer } from "./running.js";
import type { SessionUpdate } from "./session.js";
import { TypingIn } from "./typing.js";

type Call = (event: string, payload: object) => Promise<Readonly<Record<string, unknown>>>;

interface Watching {
  readonly running: Running;
  readonly typing: TypingIn;
}

interface WatchedOwner {
  readonly call: Call;
  running(sessionId: string, answers: readonly RunningAnswer[]): void;
  typing(sessionId: string, typists: readonly SessionTypist[]): void;
  failed(error: ChatError): void;
}

/** The sessions that a console watches, and what goes on in them. */
export class Watched {
  readonly #clock: Clock;
  readonly #owner: WatchedOwner;
  readonly #sessions = new Map<string, Watching>();
  /** How many calls to watch a session are not answered yet. */
  readonly #asking = new Map<string, number>();

  constructor(clock: Clock, owner: WatchedOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  async add(sessionId: string): ReturnType<Call> {
    this.#asking.set(sessionId, (this.#asking.get(sessionId) ?? 0) + 1);
    const reply = await this.#owner.call("watch", { sessionId }).finally(() => this.#asked(sessionId));
    this.#sessions.set(sessionId, this.#sessions.get(sessionId) ?? this.#watching(sessionId));
    if (this.#sessions.size > limits.watchedMax) this.#forget(this.#sessions.keys().next().value!);
    return reply;
  }

  remove(sessionId: string): ReturnType<Call> {
    this.#forget(sessionId);
    return this.#owner.call("unwatch", { sessionId });
  }

  /** Asks what changes nothing. */
  fence(sessionId: string): ReturnType<Call> {
    const isWatched = this.#sessions.has(sessionId) || this.#asking.has(sessionId);
    return this.#owner.call(isWatched ? "watch" : "unwatch", { sessionId });
  }

  #asked(sessionId: string): void {
    const left = this.#asking.get(sessionId)! - 1;
    if (left > 0) this.#asking.set(sessionId, left);
    else this.#asking.delete(sessionId);
  }

  /** A new join watches nothing. What was in the making before it is not told again: it is shown when it is whole. */
  again(): void {
    for (const [sessionId, { running }] of this.#sessions) {
      running.joined([]);
      this.#owner.running(sessionId, running.answers);
      this.#owner.call("watch", { sessionId }).catch((cause: unknown) => {
        if (!(cause instanceof ChatError)) throw cause;
        if (cause.code === "session_not_found") this.#forget(sessionId);
        this.#owner.failed(cause);
      });
    }
  }

  heard(event: "thinking" | "message_delta" | "typing", payload: unknown): void {
    const sessionId = text(asRecord(payload).sessionId) ?? "";
    const watching = this.#sessions.get(sessionId);
    if (watching === undefined) return;
    if (event === "typing") return this.#heardTyping(watching.typing, payload);
    if (event === "thinking") watching.running.thought(payload);
    else watching.running.delta(payload);
    this.#owner.running(sessionId, watching.running.answers);
  }

  ended({ sessionId, messageId }: ProcessedTurn): void {
    const running = this.#sessions.get(sessionId)?.running;
    if (running !== undefined && running.ended(messageId) !== null) this.#owner.running(sessionId, running.answers);
  }

  updated({ sessionId, holder, status, deleted }: SessionUpdate): void {
    const running = this.#sessions.get(sessionId)?.running;
    if (running === undefined || (holder === null && status === "active" && !deleted)) return;
    running.silence(sessionId);
    this.#owner.running(sessionId, running.answers);
    if (deleted) this.#forget(sessionId);
  }

  lost(): void {
    for (const { typing } of this.#sessions.values()) typing.clear();
  }

  clear(): void {
    this.lost();
    this.#sessions.clear();
  }

  #heardTyping(typing: TypingIn, payload: unknown): void {
    const { from, coordinatorId } = readTypist(payload);
    typing.heard(`${from}#${coordinatorId ?? ""}`, asRecord(payload).typing === true);
  }

  #watching(sessionId: string): Watching {
    const typing = new TypingIn(this.#clock, () => this.#owner.typing(sessionId, typing.typists.map(typistOf)));
    return { running: new Running(), typing };
  }

  #forget(sessionId: string): void {
    this.#sessions.get(sessionId)?.typing.clear();
    this.#sessions.delete(sessionId);
  }
}

function typistOf(key: string): SessionTypist {
  const at = key.indexOf("#");
  const coordinatorId = key.slice(at + 1);
  const from = key.slice(0, at) as SessionTypist["from"];
  return { from, ...optional("coordinatorId", coordinatorId === "" ? undefined : coordinatorId) };
}
