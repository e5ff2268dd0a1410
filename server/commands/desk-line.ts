import { WebSocket } from "ws";
import type { ChatError, ConnectionOptions, ConnectionStatus } from "../../client/client.js";
import { isBusinessId } from "../../protocol/payloads.js";

/** What `chat` and `tail` are told on the command line. */
export interface LineRequest {
  /** Where the desk is: `http://…`; without it the one on this machine. */
  readonly url?: string | undefined;
  /** Of a desk that asks for one; else BENNU_TOKEN, which no list of processes shows. */
  readonly token?: string | undefined;
}

/** What was asked for cannot be done. */
export class LineRequestError extends Error {
  override readonly name = "LineRequestError";
}

/** The desk does not let anybody in who asks like this. */
export class LineRefused extends Error {
  override readonly name = "LineRefused";
}

/** So long a desk may take to answer that it is there, in ms: less than a join may, which could not say why. */
const handshakeTimeoutMs = 8000;

/** A command's connection, and what is said of it on stderr: each change once, and nothing while all is well. */
export class DeskLine {
  readonly options: ConnectionOptions;
  /** Rejects with LineRefused once no more is to be expected of this connection. */
  readonly over: Promise<never>;
  readonly #desk: URL;
  #end: (cause: LineRefused) => void = () => undefined;
  #wasOnline = false;
  #isAway = false;
  /** Why the last try failed; empty where nobody said. */
  #fault = "";

  /** @throws LineRequestError */
  constructor(businessId: string, { url, token = process.env.BENNU_TOKEN }: LineRequest) {
    if (!isBusinessId(businessId)) throw new LineRequestError("the business is not 1 to 64 of [A-Za-z0-9._-]");
    this.#desk = deskAt(url);
    this.options = {
      url: `${this.#desk.href.replace(/^http/, "ws").replace(/\/$/, "")}/socket`,
      businessId,
      transport: transportTelling((fault) => this.#failed(fault)),
      ...(token === undefined ? {} : { token: () => token }),
    };
    this.over = new Promise((_done, fail) => (this.#end = fail));
    // It may be over when nobody waits for it any more.
    this.over.catch(() => undefined);
  }

  heard(status: ConnectionStatus | { readonly state: "online" }): void {
    if (status.state === "refused") this.#end(new LineRefused(reasonOf(status.error)));
    if (status.state === "closed") this.#end(new LineRefused("the server ended this connection"));
    if (status.state === "offline") this.#away();
    if (status.state === "online") this.#there();
  }

  #away(): void {
    if (this.#isAway) return;
    this.#isAway = true;
    const { origin, pathname } = this.#desk;
    const why = this.#fault === "" ? "" : ` (${this.#fault})`;
    const what = this.#wasOnline ? "offline" : `no connection to ${origin}${pathname.replace(/\/$/, "")}${why}`;
    process.stderr.write(`${what}; trying again …\n`);
  }

  #there(): void {
    if (this.#isAway) process.stderr.write(this.#wasOnline ? "online again\n" : "online\n");
    this.#isAway = false;
    this.#wasOnline = true;
  }

  // One who says no to a first question like this one says it again. One who has said yes may be about to be replaced.
  #failed(fault: string): void {
    this.#fault = fault;
    const status = Number(/^Unexpected server response: (\d+)$/.exec(fault)?.[1]);
    const isFinal = status >= 400 && status < 500 && ![408, 425, 429].includes(status);
    if (!isFinal || this.#wasOnline) return;
    const why = status === 403 ? "its token is refused, or it lets nobody in" : "there is no desk at this address";
    this.#end(new LineRefused(`${this.options.url} answers ${status}: ${why}`));
  }
}

function deskAt(url: string | undefined): URL {
  const desk = url ?? `http://127.0.0.1:${process.env.PORT || "3001"}`;
  const wrong = url === undefined ? "PORT is not 1 to 65535" : "--url is http://… or https://…, without ? and #";
  if (!/^https?:\/\/[^?#]+$/.test(desk) || !URL.canParse(desk)) throw new LineRequestError(wrong);
  const parsed = new URL(desk);
  if (parsed.port === "0") throw new LineRequestError(wrong);
  return parsed;
}

/** A WebSocket that tells why there is no connection, and does not wait for ever where nobody answers. */
function transportTelling(failed: (fault: string) => void): NonNullable<ConnectionOptions["transport"]> {
  return class extends WebSocket {
    constructor(address: string, protocols?: string[]) {
      super(address, protocols, { handshakeTimeout: handshakeTimeoutMs });
      // Of a name with several addresses each has failed, and only the code says how.
      this.on("error", ({ message, code }: NodeJS.ErrnoException) => failed(message || (code ?? "")));
    }
  };
}

function reasonOf({ code, message }: ChatError): string {
  return code === message ? `refused: ${code}` : `refused: ${message} (${code})`;
}
