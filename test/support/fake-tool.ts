import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "./until.js";

/** One call, as it arrived. */
export interface ToolHit {
  readonly key: string | undefined;
  readonly isSigned: boolean;
  readonly headers: IncomingMessage["headers"];
  readonly body: Readonly<Record<string, unknown>>;
  /** The connection was closed before it was answered. */
  isLeft: boolean;
}

/** What it does with a call: a status with a body, nothing at all, or whatever a function does. */
export type Behaviour =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | "hang"
  | ((response: ServerResponse) => void);

/** The software of a practice, with a URL at which it takes bookings. It does each task once, whatever it is asked. */
export class FakeTool {
  readonly hits: ToolHit[] = [];
  /** Keys of tasks that it did. */
  readonly done: string[] = [];
  readonly #behaviours: Behaviour[] = [];
  readonly #secret: string;
  readonly #server: Server;
  #usual: Behaviour = { status: 200, body: {} };

  private constructor(secret: string) {
    this.#secret = secret;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async start(secret = ""): Promise<FakeTool> {
    const tool = new FakeTool(secret);
    tool.#server.listen(0, "127.0.0.1");
    await once(tool.#server, "listening");
    return tool;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/bookings`;
  }

  /** What it does with the next calls, one after the other. */
  next(...behaviours: readonly Behaviour[]): void {
    this.#behaviours.push(...behaviours);
  }

  /** What it does with all others. */
  usually(behaviour: Behaviour): void {
    this.#usual = behaviour;
  }

  /** The calls so far, once there are so many. */
  hit(count: number): Promise<ToolHit> {
    return until(`call ${count} of the tool`, () => this.hits[count - 1]);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const hit = this.#hitOf(request, bytes);
    this.hits.push(hit);
    response.on("error", () => undefined);
    response.on("close", () => (hit.isLeft = !response.writableFinished));
    const behaviour = this.#behaviours.shift() ?? this.#usual;
    if (behaviour === "hang") return;
    if (typeof behaviour === "function") return behaviour(response);
    const { status, body, headers = {} } = behaviour;
    if (status < 300 && !this.done.includes(hit.key!)) this.done.push(hit.key!);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  #hitOf({ headers }: IncomingMessage, bytes: Buffer): ToolHit {
    const right = `sha256=${createHmac("sha256", this.#secret).update(bytes).digest("hex")}`;
    return {
      key: headers["idempotency-key"] as string | undefined,
      isSigned: headers["x-bennu-signature"] === right,
      headers,
      body: JSON.parse(bytes.toString()) as Record<string, unknown>,
      isLeft: false,
    };
  }
}
