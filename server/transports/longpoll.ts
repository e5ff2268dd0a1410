import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { closeCode } from "../../protocol/events.js";
import type { Encoded } from "../../protocol/serializer.js";
import type { SocketContext } from "../channel/socket.js";
import type { Clock } from "../clock.js";
import { allowsOrigin, type Handshake, type HandshakeRequest, paramsOf } from "./handshake.js";
import { noRoom, sendAnswer } from "./http-answer.js";
import { entriesOf } from "./longpoll-entries.js";
import { LongPollSession } from "./longpoll-session.js";
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
  shakeHands(request: HandshakeRequest): Handshake | Promise<Handshake>;
  /** The time at which a connection begins, or null when nobody wants to know how long it takes. */
  startMeasuring(): number | null;
  opened(session: LongPollSession, startedAt: number | null): void;
  closed(session: LongPollSession, code: number): void;
  failed(cause: unknown): void;
  limitReached(limit: string): void;
}

/** Where the status goes into the body, the HTTP status is 200. (SPEC T7) */
interface Status {
  readonly status: number;
  readonly token?: string;
  readonly messages?: readonly string[];
}

const anyOrigin = { "access-control-allow-origin": "*" };
const jsonHeaders = {
  ...anyOrigin,
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
};
const tokenBytes = 24;
const tokenPattern = /^[A-Za-z0-9_-]{32}$/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The requests of the long-poll transport of one mount: GET polls, POST sends, OPTIONS allows a page to do so. */
export class LongPoll {
  readonly #options: LongPollOptions;
  readonly #context: SocketContext;
  readonly #host: LongPollHost;
  /** Sessions of this mount, and those that are being decided. */
  #sessionCount = 0;

  constructor(options: LongPollOptions, context: SocketContext, host: LongPollHost) {
    this.#options = options;
    this.#context = context;
    this.#host = host;
  }

  /** Answers a request. Never throws. */
  async handle(request: HandshakeRequest, response: ServerResponse): Promise<void> {
    try {
      const params = paramsOf(request);
      if (!allowsOrigin(request)) this.#say(response, { status: 403 });
      else await this.#dispatch(request, params, response);
    } catch (cause) {
      const isTheirs = cause instanceof QueryError;
      if (!isTheirs) this.#host.failed(cause);
      sendAnswer(response, { status: isTheirs ? 400 : 500, headers: anyOrigin });
    }
  }

  async #dispatch(request: HandshakeRequest, params: Params, response: ServerResponse): Promise<void> {
    switch (request.request.method ?? "") {
      case "GET":
        return this.#get(request, params, response);
      case "POST":
        return this.#post(request.request, params, response);
      case "OPTIONS":
        return preflight(request.request, response);
      default:
        sendAnswer(response, { status: 400, headers: anyOrigin });
    }
  }

  async #get(request: HandshakeRequest, params: Params, response: ServerResponse): Promise<void> {
    const session = await this.#resume(request.request, params);
    if (response.destroyed) return;
    if (session === null) return this.#open(request, response);
    const giveUp = session.poll((frames) => this.#deliver(session, frames, response));
    response.on("close", giveUp);
  }

  #deliver(session: LongPollSession, frames: readonly Encoded[], response: ServerResponse): void {
    const messages = textsOf(frames);
    if (messages !== null) {
      this.#say(response, { status: messages.length > 0 ? 200 : 204, token: session.token, messages });
      return;
    }
    // JSON has no place for bytes that are no text. What this poll held is lost, so its client starts anew.
    sendAnswer(response, { status: 500, headers: anyOrigin });
    session.close(closeCode.malformed, "");
  }

  async #open(request: HandshakeRequest, response: ServerResponse): Promise<void> {
    if (!this.#hasRoom()) {
      refuseForWant(response);
      return;
    }
    this.#sessionCount += 1;
    const startedAt = this.#host.startMeasuring();
    const handshake = await this.#host.shakeHands(request);
    // It may have begun to stop while the app was deciding.
    if (handshake.accepted && this.#host.isDraining()) {
      this.#sessionCount -= 1;
      refuseForWant(response);
      return;
    }
    if (handshake.accepted && !response.destroyed) {
      const { token } = this.#begin(handshake, startedAt);
      this.#say(response, { status: 410, token, messages: [] });
      return;
    }
    this.#sessionCount -= 1;
    const status = handshake.accepted ? 500 : handshake.answer.status;
    if (status === 403) this.#say(response, { status });
    else sendAnswer(response, { status, headers: anyOrigin });
  }

  #hasRoom(): boolean {
    const { maxSessions } = this.#options;
    if (maxSessions === 0 || this.#sessionCount < maxSessions) return this.#host.hasRoom();
    this.#host.limitReached("maxSessions");
    return false;
  }

  #begin({ serializer, identity }: Handshake & { readonly accepted: true }, startedAt: number | null): LongPollSession {
    const { clock, sessions } = this.#host;
    const session = new LongPollSession({
      token: randomBytes(tokenBytes).toString("base64url"),
      options: this.#options,
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
    this.#host.opened(session, startedAt);
    return session;
  }

  async #post(request: IncomingMessage, params: Params, response: ServerResponse): Promise<void> {
    const session = await this.#resume(request, params);
    if (session === null) {
      this.#say(response, { status: 410 });
      return;
    }
    // A body is not read before it is wanted, so that it waits with the client.
    if (!(await session.readable())) {
      this.#say(response, { status: 408 });
      return;
    }
    const body = await readBody(request, this.#options.maxBodyBytes);
    if (body === "gone") return;
    if (body === "too big") {
      sendAnswer(response, { status: 400, headers: { ...anyOrigin, connection: "close" } });
      return;
    }
    for (const entry of entriesOf(body, request.headers["content-type"], this.#options.maxBatchEntries)) {
      if (entry === null) {
        sendAnswer(response, { status: 500, headers: anyOrigin });
        return;
      }
      if (!(await session.readable()) || !(await session.receive(entry))) {
        this.#say(response, { status: 408 });
        return;
      }
    }
    this.#say(response, { status: 200 });
  }

  /**
   * The session of a request. A token that looks like ours but has no session is answered late: Phoenix waits for the
   * session's process as long, and whoever guesses tokens is slowed down.
   */
  async #resume(request: IncomingMessage, params: Params): Promise<LongPollSession | null> {
    const token = request.headers["x-phoenix-longpoll-token"] ?? params.token;
    if (typeof token !== "string" || !tokenPattern.test(token)) return null;
    const session = this.#host.sessions.get(token);
    if (session !== undefined) return session;
    if (!this.#host.isDraining()) {
      await new Promise<void>((resolve) => void this.#host.clock.after(this.#options.dispatchTimeoutMs, resolve));
    }
    return null;
  }

  #say(response: ServerResponse, status: Status): void {
    // A client that comes back finds another server only over another connection.
    const headers = this.#host.isDraining() ? { ...jsonHeaders, connection: "close" } : jsonHeaders;
    sendAnswer(response, { status: 200, headers, body: JSON.stringify(status) });
  }
}

function refuseForWant(response: ServerResponse): void {
  sendAnswer(response, { ...noRoom, headers: { ...noRoom.headers, ...anyOrigin } });
}

function preflight(request: IncomingMessage, response: ServerResponse): void {
  const wanted = request.headers["access-control-request-headers"];
  sendAnswer(response, {
    status: 200,
    headers: {
      ...anyOrigin,
      "access-control-allow-headers": typeof wanted === "string" ? wanted : "",
      "access-control-allow-methods": "get, post, options",
      "access-control-max-age": "3600",
    },
  });
}

/** Frames as JSON strings, or null where one is bytes that are not UTF-8. */
function textsOf(frames: readonly Encoded[]): string[] | null {
  try {
    return frames.map((frame) => (typeof frame === "string" ? frame : utf8.decode(frame)));
  } catch {
    return null;
  }
}
