import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { until } from "./until.js";

/** One request, as it arrived. */
export interface FakeCall {
  readonly message: string;
  readonly idempotencyKey: string | undefined;
  /** The signature is there, and right. */
  readonly isSigned: boolean;
  readonly headers: IncomingMessage["headers"];
  readonly body: Readonly<Record<string, unknown>>;
  /** Numbered by the connection on which it came. */
  readonly connection: number;
  /** Answered to the end. */
  isAnswered: boolean;
  /** The connection was closed before that. */
  isLeft: boolean;
}

/** What an agent does that is given no orders. */
export const plainAnswer = (message: string) => `answer to ${message}`;

/** The text of the streamed reply that `!cut` cuts: 2 KB. */
export const streamedText = Array.from({ length: 64 }, (_, n) => `This is line ${n} of the answer. `.padEnd(32)).join(
  "",
);

/**
 * An agent over HTTP that does what the first word of the message says; all that follows it is only there to tell
 * messages apart.
 *
 *     !hang  never answers        !late:ms  answers after so long      !slow:ms  a byte every so many ms
 *     !500   this status, always  !429:s    refuses the first call of each message, Retry-After so many seconds
 *     !garbage  bytes that are no JSON   !html  a page   !huge:MB  so long a text   !endless  without an end
 *     !cut:n  a stream that breaks off after n bytes     !end:n  the same, but it ends as if it were whole
 *     !stream:n  n deltas and the answer     !dup  two answers     !stays  answers, and does not end the stream
 *     !held  answers when the test lets it (letGo)
 *     !silent  begins, and says nothing          !wrongsession  says whose answer it is
 *     !redirect:url   !br, !gzip  packed     !xss  markup, and actions that are traps
 *     !json:…  this body, to the letter      !events:…  this event stream, to the letter
 */
export class FakeAgent {
  readonly calls: FakeCall[] = [];
  readonly #secret: string | undefined;
  readonly #connections = new WeakMap<Socket, number>();
  readonly #open = new Set<Socket>();
  /** Of the calls that are held, in their order. */
  readonly #held: (() => void)[] = [];
  #isHolding = true;
  #underWay = 0;
  #mostAtOnce = 0;
  #connectionCount = 0;
  #server: Server | null = null;
  #port = 0;

  private constructor(secret?: string) {
    this.#secret = secret;
  }

  /** @param secret of the signatures; none: no request counts as signed */
  static async start(secret?: string): Promise<FakeAgent> {
    const agent = new FakeAgent(secret);
    await agent.up();
    return agent;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/turns`;
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#open.size;
  }

  /** The most calls that were neither answered nor closed at the same time. */
  get mostAtOnce(): number {
    return this.#mostAtOnce;
  }

  /** Answers the oldest of the calls that are held. */
  letGo(): void {
    this.#held.shift()?.();
  }

  /** Answers all that are held, and holds none from now on. */
  letAllGo(): void {
    this.#isHolding = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  callsFor(message: string): FakeCall[] {
    return this.calls.filter((call) => call.message === message);
  }

  /** The last call for a message, now or later. */
  call(message: string): Promise<FakeCall> {
    return until(`a call for ${message}`, () => this.callsFor(message).at(-1));
  }

  /** Listens again, where it did before. */
  async up(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer((request, response) => void this.#handle(request, response));
    server.on("connection", (socket) => this.#connected(socket));
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Nobody is there any more: what is open is cut, and connections are refused. */
  async down(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }

  stop(): Promise<void> {
    return this.down();
  }

  #connected(socket: Socket): void {
    this.#connectionCount += 1;
    this.#connections.set(socket, this.#connectionCount);
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      return;
    }
    const call = this.#callOf(request, Buffer.concat(chunks));
    this.calls.push(call);
    response.on("finish", () => (call.isAnswered = true));
    this.#underWay += 1;
    this.#mostAtOnce = Math.max(this.#mostAtOnce, this.#underWay);
    let isUnderWay = true;
    const over = () => {
      if (isUnderWay) this.#underWay -= 1;
      isUnderWay = false;
    };
    response.on("close", () => {
      over();
      call.isLeft = !call.isAnswered;
    });
    // Whoever asked may be gone by now; that is for the test to judge.
    response.on("error", () => undefined);
    await this.#behave(call, response);
    // Whoever asked may ask again before our side has noticed that its answer is gone.
    if (response.writableEnded) over();
  }

  #callOf({ headers, socket }: IncomingMessage, bytes: Buffer): FakeCall {
    const body = JSON.parse(bytes.toString()) as Record<string, unknown>;
    const right = this.#secret === undefined ? null : createHmac("sha256", this.#secret).update(bytes).digest("hex");
    return {
      message: String(body.message),
      idempotencyKey: headers["idempotency-key"] as string | undefined,
      isSigned: right !== null && headers["x-bennu-signature"] === `sha256=${right}`,
      headers,
      body,
      connection: this.#connections.get(socket) ?? 0,
      isAnswered: false,
      isLeft: false,
    };
  }

  async #behave({ message, idempotencyKey }: FakeCall, response: ServerResponse): Promise<void> {
    const order = /^!([a-z0-9]+)(?::(\S*))?/.exec(message);
    const [, word = "", given = ""] = order ?? [];
    const rest = message.slice(word.length + 2);
    const answer = { message: plainAnswer(message) };
    switch (word) {
      case "hang":
        return;
      case "held":
        if (this.#isHolding) await new Promise<void>((resolve) => this.#held.push(resolve));
        return sendJson(response, answer);
      case "silent":
        response.setHeader("content-type", "application/json");
        response.flushHeaders();
        return;
      case "late":
        await sleep(Number(given));
        return sendJson(response, answer);
      case "slow":
        return dribble(response, JSON.stringify(answer), Number(given));
      case "garbage":
        return send(response, "application/json", Buffer.from([0xff, 0xfe, 0x00, 0x7b, 0x22, 0x80, 0x0a]));
      case "html":
        return send(response, "text/html; charset=utf-8", "<html><body><h1>502 Bad Gateway</h1></body></html>");
      case "huge":
        return flood(response, "application/json", '{"message":"', Number(given) * 2 ** 20, '"}');
      case "endless":
        return flood(response, "text/event-stream", "", Infinity, "");
      case "cut":
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(streamedAnswer().slice(0, Number(given)), () => response.destroy());
        return;
      case "end":
        return send(response, "text/event-stream", streamedAnswer().slice(0, Number(given)));
      case "stream":
        return send(
          response,
          "text/event-stream",
          streamed(Array.from({ length: Number(given) }, (_, n) => `word${n} `)),
        );
      case "dup":
        return send(
          response,
          "text/event-stream",
          ["first", "second"].map((text) => frame("answer", { message: text })).join(""),
        );
      case "stays":
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(frame("answer", { message: "first" }));
        return;
      case "wrongsession":
        return sendJson(response, {
          ...answer,
          ...{ sessionId: "someone-elses", businessId: "B_OTHER", userId: "user_999", messageId: "m", responseId: "r" },
          intent: { userId: "user_999" },
        });
      case "redirect":
        response.writeHead(302, { location: given });
        response.end();
        return;
      case "br":
      case "gzip": {
        const packed = (word === "br" ? brotliCompressSync : gzipSync)(JSON.stringify(answer));
        response.setHeader("content-encoding", word);
        return send(response, "application/json", packed);
      }
      case "xss":
        return sendJson(response, trap);
      case "json":
        return send(response, "application/json", rest);
      case "events":
        return send(response, "text/event-stream", rest);
    }
    if (/^\d{3}$/.test(word) && (given === "" || this.#isFirst(idempotencyKey))) {
      response.writeHead(Number(word), given === "" ? {} : { "retry-after": given });
      response.end(word === "204" ? undefined : "no");
      return;
    }
    sendJson(response, answer);
  }

  #isFirst(key: string | undefined): boolean {
    return this.calls.filter(({ idempotencyKey }) => idempotencyKey === key).length === 1;
  }
}

export const trap = {
  message: `<img src=x onerror="alert(1)"><script>alert(2)</script>`,
  actions: [
    { type: "link", label: "<b>free</b>", url: "javascript:alert(3)" },
    { type: "link", label: "data", url: "data:text/html,<script>alert(4)</script>" },
    { type: "link", label: "hidden", url: " java\tscript:alert(5)" },
    { type: "eval", label: "run", value: "alert(6)" },
    { type: "link", label: "bank", url: "https://bank.example@evil.example/" },
    { type: "link", label: "good", url: "https://example.com/" },
  ],
};

/** One event of a stream. */
export function frame(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function streamed(texts: readonly string[]): string {
  return [...texts.map((text) => frame("delta", { text })), frame("answer", { message: texts.join("") })].join("");
}

/** What `!cut` would have sent. */
export function streamedAnswer(): string {
  return streamed(streamedText.match(/.{1,32}/g) ?? []);
}

function sendJson(response: ServerResponse, body: unknown): void {
  send(response, "application/json", JSON.stringify(body));
}

function send(response: ServerResponse, type: string, body: string | Buffer): void {
  response.setHeader("content-type", type);
  response.end(body);
}

async function dribble(response: ServerResponse, body: string, everyMs: number): Promise<void> {
  response.setHeader("content-type", "application/json");
  for (const byte of Buffer.from(body)) {
    if (response.destroyed) return;
    response.write(Buffer.of(byte));
    await sleep(everyMs);
  }
  response.end();
}

/** Sends as fast as it is read, and no faster. */
async function flood(response: ServerResponse, type: string, before: string, bytes: number, behind: string) {
  response.setHeader("content-type", type);
  response.write(before);
  const piece = type === "application/json" ? "x".repeat(65_536) : frame("thinking", { text: "x".repeat(1000) });
  for (let sent = 0; sent < bytes && !response.destroyed; sent += piece.length) {
    if (!response.write(piece)) await drained(response);
  }
  response.end(behind);
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      response.off("drain", go).off("close", go);
      resolve();
    };
    response.on("drain", go).on("close", go);
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
