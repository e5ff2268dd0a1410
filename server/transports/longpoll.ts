import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { closeCode } from "../../protocol/events.js";
import type { Encoded } from "../../protocol/serializer.js";
import type { SocketContext } from "../channel/socket.js";
import type { Clock } from "../clock.js";
import type { Admission } from "./connections.js";
import { authTokenOf, type Handshake, type HandshakeRequest, mayCome, paramsOf } from "./handshake.js";
import { noRoom } from "./http-answer.js";
import { LongPollAnswer } from "./longpoll-answer.js";
import { Holds } from "./holds.js";
import { entriesOf } from "./longpoll-entries.js";
import { LongPollSession, type Taking } from "./longpoll-session.js";
import type { LongPollOptions } from "./mount.js";
import { type Params, QueryError } from "./query.js";
import { readBody } from "./read-body.js";

/** What the long-poll transport of a mount needs of its endpoint. */
export interface LongPollHost {
  readonly clock: Clock;
  /** Of all mounts: as in Phoenix, a token is not bound to the one that gave it. */
  readonly sessions: Map<string, LongPollSession>;
  /** The server stops: whoever asks is sent away at once. */
  isDraining(): boolean;
  /** Whether one more socket may be opened. */
  hasRoom(): boolean;
  /** Whose request it is, for those that are held; null: nobody's who is counted. */
  addressOf(request: IncomingMessage): string | null;
  /** Counts the socket for its address, until it is `opened` and `closed`, or left. */
  admit(request: IncomingMessage): Admission;
  leave(address: string | null): void;
  shakeHands(request: HandshakeRequest): Handshake | Promise<Handshake>;
  /** The time at which a connection begins, or null when nobody wants to know how long it takes. */
  startMeasuring(): number | null;
  opened(session: LongPollSession, startedAt: number | null, address: string | null): void;
  closed(session: LongPollSession, code: number): void;
  failed(cause: unknown): void;
  limitReached(limit: string): void;
}

const tokenBytes = 24;
const tokenPattern = /^[A-Za-z0-9_-]{32}$/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The requests of the long-poll transport of one mount: GET polls, POST sends, OPTIONS allows a page to do so. */
export class LongPoll {
  readonly #options: LongPollOptions;
  readonly #context: SocketContext;
  readonly #host: LongPollHost;
  readonly #holds: Holds;
  /** Sessions of this mount, and those that are being decided. */
  #sessionCount = 0;

  constructor(options: LongPollOptions, context: SocketContext, host: LongPollHost) {
    this.#options = options;
    this.#context = context;
    this.#host = host;
    this.#holds = new Holds({
      clock: host.clock,
      max: options.maxHeldRequests,
      perAddress: { max: options.maxHeldPerAddress, addressOf: (request) => host.addressOf(request) },
    });
  }

  /** Answers a request. Never throws. */
  async handle(request: HandshakeRequest, response: ServerResponse): Promise<void> {
    const answer = new LongPollAnswer({
      request: request.request,
      response,
      allowOrigin: request.mount.allowOrigin,
      isDraining: () => this.#host.isDraining(),
    });
    try {
      const params = paramsOf(request);
      if (!mayCome(request)) {
        answer.forbid();
        return;
      }
      answer.allow();
      await this.#dispatch(request, params, answer);
    } catch (cause) {
      const isTheirs = cause instanceof QueryError;
      if (!isTheirs) this.#host.failed(cause);
      answer.send({ status: isTheirs ? 400 : 500 });
    }
  }

  async #dispatch(request: HandshakeRequest, params: Params, answer: LongPollAnswer): Promise<void> {
    switch (request.request.method ?? "") {
      case "GET":
        return this.#get(request, params, answer);
      case "POST":
        return this.#post(request, params, answer);
      case "OPTIONS":
        return answer.preflight();
      default:
        answer.send({ status: 400 });
    }
  }

  async #get(request: HandshakeRequest, params: Params, answer: LongPollAnswer): Promise<void> {
    const session = await this.#resume(request, params);
    if (answer.isOver) return;
    if (session === null) return this.#open(request, answer);
    const giveUp = session.poll((frames) => this.#deliver(session, frames, answer));
    answer.onClose(giveUp);
  }

  #deliver(session: LongPollSession, frames: readonly Encoded[], answer: LongPollAnswer): void {
    const messages = textsOf(frames);
    if (messages !== null) {
      answer.say({ status: messages.length > 0 ? 200 : 204, token: session.token, messages });
      return;
    }
    // JSON has no place for bytes that are no text. What this poll held is lost, so its client starts anew.
    answer.send({ status: 500 });
    session.close(closeCode.malformed, "");
  }

  async #open(request: HandshakeRequest, answer: LongPollAnswer): Promise<void> {
    if (!this.#hasRoom()) {
      answer.send(noRoom);
      return;
    }
    const admission = this.#host.admit(request.request);
    if (!admission.admitted) {
      answer.send(admission.answer);
      return;
    }
    const { address } = admission;
    this.#sessionCount += 1;
    let session: LongPollSession | null = null;
    try {
      const startedAt = this.#host.startMeasuring();
      const handshake = await this.#host.shakeHands(request);
      session = this.#decided(handshake, request, answer);
      if (session !== null) this.#host.opened(session, startedAt, address);
    } finally {
      if (session === null) {
        this.#sessionCount -= 1;
        this.#host.leave(address);
      }
    }
    if (session !== null) answer.say({ status: 410, token: session.token, messages: [] });
  }

  /** Begins the session if there is to be one, and says so where there is not. */
  #decided(handshake: Handshake, request: HandshakeRequest, answer: LongPollAnswer): LongPollSession | null {
    if (!handshake.accepted) {
      const { status } = handshake.answer;
      if (status === 403) answer.say({ status });
      else answer.send({ status });
      return null;
    }
    // It may have begun to stop while the app was deciding.
    if (this.#host.isDraining()) answer.send(noRoom);
    else if (!answer.isOver) return this.#begin(handshake, authTokenOf(request));
    return null;
  }

  #hasRoom(): boolean {
    const { maxSessions } = this.#options;
    if (maxSessions === 0 || this.#sessionCount < maxSessions) return this.#host.hasRoom();
    this.#host.limitReached("maxSessions");
    return false;
  }

  #begin(
    { serializer, identity, maxFrameBytes }: Handshake & { readonly accepted: true },
    authToken: string | null,
  ): LongPollSession {
    const { clock, sessions } = this.#host;
    const maxBodyBytes = Math.max(this.#options.maxBodyBytes, maxFrameBytes === 0 ? Infinity : (maxFrameBytes ?? 0));
    const session = new LongPollSession({
      token: randomBytes(tokenBytes).toString("base64url"),
      authToken,
      options: this.#options,
      maxBodyBytes,
      clock,
      context: this.#context,
      serializer,
      identity,
      onError: (cause) => this.#host.failed(cause),
      onClosed: (ended, code) => {
        this.#sessionCount -= 1;
        sessions.delete(ended.token);
        this.#host.closed(ended, code);
      },
    });
    sessions.set(session.token, session);
    return session;
  }

  async #post(request: HandshakeRequest, params: Params, answer: LongPollAnswer): Promise<void> {
    const session = await this.#resume(request, params);
    if (session === null) {
      answer.say({ status: 410 });
      return;
    }
    // Each may wait for the whole window, and take a body: no client has so many under way.
    if (session.postCount >= this.#options.maxPosts) {
      answer.say({ status: 408 });
      return;
    }
    session.postCount += 1;
    try {
      await this.#take(session, request.request, answer);
    } finally {
      session.postCount -= 1;
    }
  }

  async #take(session: LongPollSession, request: IncomingMessage, answer: LongPollAnswer): Promise<void> {
    // A body is not read before it is wanted, so that it waits with the client.
    if (!(await this.#isTaken(request, () => session.readable()))) {
      answer.say({ status: 408 });
      return;
    }
    const body = await readBody(request, session.maxBodyBytes);
    if (body === "gone") return;
    if (body === "too big") {
      answer.send({ status: 400, headers: { connection: "close" } });
      return;
    }
    for (const entry of entriesOf(body, request.headers["content-type"], this.#options.maxBatchEntries)) {
      if (entry === null) {
        answer.send({ status: 500 });
        return;
      }
      const isTaken =
        (await this.#isTaken(request, () => session.readable())) &&
        (await this.#isTaken(request, () => session.receive(entry)));
      if (!isTaken) {
        answer.say({ status: 408 });
        return;
      }
    }
    answer.say({ status: 200 });
  }

  /** False at the end of the window also where the session ended before: it acknowledges nothing any more. */
  async #isTaken(request: IncomingMessage, take: () => Promise<Taking>): Promise<boolean> {
    const taking = await take();
    // From now on, which is nearly always when it came: the time is not asked for each message that is taken.
    if (taking === "ended") await this.#hold(request, this.#options.windowMs);
    return taking === "taken";
  }

  async #hold(request: IncomingMessage, ms: number): Promise<void> {
    if (!this.#host.isDraining()) await this.#holds.wait(request, ms);
  }

  /**
   * The session of a request. A token that looks like ours but has no session is answered late: Phoenix waits for the
   * session's process as long, and whoever guesses tokens is slowed down. Who does so in numbers is not: that would cost
   * us more than it costs him. (SPEC L23) So is one of somebody else, whose auth token says so. (SPEC T7)
   */
  async #resume(request: HandshakeRequest, params: Params): Promise<LongPollSession | null> {
    const token = request.request.headers["x-phoenix-longpoll-token"] ?? params.token;
    if (typeof token !== "string" || !tokenPattern.test(token)) return null;
    const session = this.#host.sessions.get(token);
    const authToken = authTokenOf(request);
    if (session !== undefined && (authToken === null || authToken === session.authToken)) return session;
    await this.#hold(request.request, this.#options.dispatchTimeoutMs);
    return null;
  }
}

/** Frames as JSON strings, or null where one is bytes that are not UTF-8. */
function textsOf(frames: readonly Encoded[]): string[] | null {
  try {
    return frames.map((frame) => (typeof frame === "string" ? frame : utf8.decode(frame)));
  } catch {
    return null;
  }
}
