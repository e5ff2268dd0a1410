import { Agent } from "node:http";
import { ask, type HttpAnswer } from "./plain-http.js";
import type { Frame } from "./wire.js";

const ndjson = { "content-type": "application/x-ndjson" };

export interface LongPollAnswer {
  readonly httpStatus: number;
  readonly headers: HttpAnswer["headers"];
  /** In the body; 0: there is none in it. */
  readonly status: number;
  readonly token: string | null;
  readonly frames: readonly Frame[];
}

export interface LongPollOptions {
  /** Added to the query. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A version 2 client over long-poll, which asks for what there is when it is told to, and keeps all that came. */
export class LongPollClient {
  readonly frames: Frame[] = [];
  readonly token: string;
  readonly #server: { readonly port: number };
  readonly #options: LongPollOptions;
  // Two of phoenix.js's requests are under way at most, but a test may want to ask more often at once.
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(server: { readonly port: number }, options: LongPollOptions, token: string) {
    this.#server = server;
    this.#options = options;
    this.token = token;
  }

  /** @throws Error where it may not connect */
  static async open(server: { readonly port: number }, options: LongPollOptions = {}): Promise<LongPollClient> {
    const { status, token } = read(await ask(server, pathOf(options), { headers: options.headers ?? {} }));
    if (status !== 410 || token === null) throw new Error(`no session, but ${status}`);
    return new LongPollClient(server, options, token);
  }

  /** Path and query of its requests, with its token or another. */
  path(token = encodeURIComponent(this.token)): string {
    return pathOf({ query: `${this.#options.query ?? ""}&token=${token}` });
  }

  async poll(): Promise<LongPollAnswer> {
    const { headers = {} } = this.#options;
    const answer = read(await ask(this.#server, this.path(), { headers, agent: this.#agent }));
    this.frames.push(...answer.frames);
    return answer;
  }

  /** As phoenix.js does, without its auth token. */
  async post(...frames: readonly unknown[]): Promise<LongPollAnswer> {
    return this.postText(frames.map((frame) => JSON.stringify(frame)).join("\n"));
  }

  /** Frames as they are to leave, each on a line of its own. */
  async postText(body: string): Promise<LongPollAnswer> {
    return read(await ask(this.#server, this.path(), { method: "POST", headers: ndjson, body, agent: this.#agent }));
  }

  /** Polls until a frame that matches has come. */
  async next(matches: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(matches);
      if (found !== undefined) return found;
      const { status } = await this.poll();
      if (status !== 200 && status !== 204) throw new Error(`the session has ended: ${status}`);
    }
  }

  /** @throws Error where the join is refused */
  async join(topic: string, payload: unknown): Promise<void> {
    await this.post(["1", "1", topic, "phx_join", payload]);
    const [, , , , reply] = await this.next((frame) => frame[1] === "1");
    if (reply.status !== "ok") throw new Error(JSON.stringify(reply));
  }

  close(): void {
    this.#agent.destroy();
  }
}

function pathOf({ query = "" }: LongPollOptions): string {
  return `/socket/longpoll?vsn=2.0.0${query}`;
}

/** What the answer to a request of long-poll says. */
export function read({ status: httpStatus, headers, text }: HttpAnswer): LongPollAnswer {
  const body = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
  const {
    status = 0,
    token = null,
    messages = [],
  } = body as {
    readonly status?: number;
    readonly token?: string | null;
    readonly messages?: readonly string[];
  };
  return { httpStatus, headers, status, token, frames: messages.map((message) => JSON.parse(message) as Frame) };
}
