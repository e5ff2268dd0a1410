import type { IncomingMessage, ServerResponse } from "node:http";
import { sendAnswer } from "./http-answer.js";
import type { HttpAnswer, MountOptions } from "./mount.js";

/** Where the status goes into the body, the HTTP status is 200. (SPEC T7) */
export interface Status {
  readonly status: number;
  readonly token?: string;
  readonly messages?: readonly string[];
}

type Headers = Readonly<Record<string, string>>;

const anyOrigin: Headers = { "access-control-allow-origin": "*" };
// A cache must not give one page's answer to another, nor to one that is refused.
const varies: Headers = { vary: "Origin" };
const jsonHeaders: Headers = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };

/** The answer to one request of long-poll. Each says which pages may read it. (SPEC T7, T12) */
export class LongPollAnswer {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #namesAsking: boolean;
  readonly #isDraining: () => boolean;
  #readers: Headers;

  constructor(parts: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly allowOrigin: MountOptions["allowOrigin"];
    /** The server stops: whoever is answered finds another one. */
    readonly isDraining: () => boolean;
  }) {
    this.#request = parts.request;
    this.#response = parts.response;
    this.#namesAsking = parts.allowOrigin === "asking";
    this.#isDraining = parts.isDraining;
    this.#readers = this.#namesAsking ? varies : anyOrigin;
  }

  /** The client has gone, or has its answer. */
  get isOver(): boolean {
    // An answer behind another one in the same pipeline does not know that its connection has gone.
    return this.#response.destroyed || this.#request.socket.destroyed;
  }

  onClose(listener: () => void): void {
    this.#response.on("close", listener);
  }

  /** The page that asks, if it is one, may have what is said from now on. */
  allow(): void {
    const { origin } = this.#request.headers;
    if (!this.#namesAsking || origin === undefined) return;
    this.#readers = {
      ...varies,
      "access-control-allow-origin": origin,
      // Without it a page does not see when it may come back.
      "access-control-expose-headers": "retry-after",
    };
  }

  /** The page that asks may not. */
  forbid(): void {
    this.#sayAs(this.#namesAsking ? 403 : 200, { status: 403 });
  }

  say(status: Status): void {
    this.#sayAs(200, status);
  }

  send({ headers, ...answer }: HttpAnswer): void {
    sendAnswer(this.#response, { ...answer, headers: { ...headers, ...this.#readers } });
  }

  /** What a page may send, before it does. */
  preflight(): void {
    const wanted = this.#request.headers["access-control-request-headers"];
    this.send({
      status: 200,
      headers: {
        "access-control-allow-headers": typeof wanted === "string" ? wanted : "",
        "access-control-allow-methods": "get, post, options",
        "access-control-max-age": "3600",
      },
    });
  }

  #sayAs(httpStatus: number, status: Status): void {
    // A client that comes back finds another server only over another connection.
    const headers = this.#isDraining() ? { ...jsonHeaders, connection: "close" } : jsonHeaders;
    this.send({ status: httpStatus, headers, body: JSON.stringify(status) });
  }
}
