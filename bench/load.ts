import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { FrameCounter } from "./frames.js";

// One buffer for all reads: what comes is looked at once and never kept.
const readBuffer = Buffer.allocUnsafe(64 * 1024);
const openingMax = 64;

export interface LoadOptions {
  readonly port: number;
  /** Where the WebSocket is, with its query. */
  readonly path: string;
  /** Sent by each socket as soon as it is open; it counts as joined with the first frame that comes back. */
  readonly join: Buffer;
}

/**
 * Many WebSocket clients that do as little as can be done: what they send is built beforehand, what they receive is
 * counted and dropped. So a thousand of them cost less than the server that they load.
 */
export class Load {
  readonly #options: LoadOptions;
  readonly #clients: Client[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #frames = 0;
  #awaited: { readonly frames: number; resolve(): void; reject(cause: Error): void } | null = null;
  #onReply: ((client: Client) => void) | null = null;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Opens and joins `count` sockets more, some at a time. */
  async open(count: number): Promise<void> {
    const expected = this.#frames + count;
    const joined = this.#frameCount(expected);
    let opened = 0;
    const openNext = (): void => {
      if (opened === count) return;
      opened += 1;
      this.#clients.push(new Client(this.#options, { received, failed: (cause) => this.#awaited?.reject(cause) }));
    };
    const received = (client: Client, frames: number): void => {
      if (client.frames === frames) openNext();
      this.#received(client, frames);
    };
    for (let opening = 0; opening < Math.min(count, openingMax); opening += 1) openNext();
    await joined;
  }

  /** Has the server broadcast `count` times at once, and waits until every socket has got all. */
  async broadcast(topic: string, count: number, sizeBytes: number): Promise<void> {
    const received = this.#frameCount(this.#frames + count * this.#clients.length);
    const path = `/bench/broadcast?topic=${encodeURIComponent(topic)}&n=${count}&event=bench&size=${sizeBytes}`;
    await Promise.all([this.#post(path), received]);
  }

  /** Each socket sends `frame`, and again with each reply, until there were `count` replies in all. */
  async pushAndWait(frame: Buffer, count: number): Promise<void> {
    let left = count;
    const replied = this.#frameCount(this.#frames + count);
    const push = (client: Client): void => {
      if (left === 0) return;
      left -= 1;
      client.send(frame);
    };
    this.#onReply = push;
    for (const client of this.#clients) push(client);
    await replied;
    this.#onReply = null;
  }

  /** Ends all connections at once. */
  close(): void {
    for (const client of this.#clients) client.close();
    this.#clients.length = 0;
    this.#agent.destroy();
  }

  #received(client: Client, frames: number): void {
    this.#frames += frames;
    this.#onReply?.(client);
    const awaited = this.#awaited;
    if (awaited === null || this.#frames < awaited.frames) return;
    this.#awaited = null;
    if (this.#frames === awaited.frames) awaited.resolve();
    else awaited.reject(new Error(`${this.#frames - awaited.frames} frames more than expected`));
  }

  #frameCount(frames: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#awaited = { frames, resolve, reject };
    });
  }

  #post(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const post = request({ agent: this.#agent, host: "127.0.0.1", port: this.#options.port, path, method: "POST" });
      post.on("error", reject);
      post.on("response", (response) => {
        response.resume();
        response.on("end", () => {
          if (response.statusCode === 200 || response.statusCode === 204) resolve();
          else reject(new Error(`POST ${path} was answered ${response.statusCode}`));
        });
      });
      post.end();
    });
  }
}

interface ClientEvents {
  received(client: Client, frames: number): void;
  failed(cause: Error): void;
}

class Client {
  /** Frames received since it was opened. */
  frames = 0;
  readonly #socket: Socket;
  readonly #counter = new FrameCounter();
  #isOpen = false;
  #isClosed = false;

  constructor({ port, path, join }: LoadOptions, events: ClientEvents) {
    this.#socket = connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          try {
            const bytes = readBuffer.subarray(0, length);
            if (this.#isOpen) this.#count(bytes, events);
            else this.#opened(bytes, join);
          } catch (cause) {
            events.failed(cause as Error);
          }
          return true;
        },
      },
    });
    this.#socket.on("error", (cause) => events.failed(cause));
    this.#socket.on("close", () => {
      if (!this.#isClosed) events.failed(new Error("the server has ended a connection"));
    });
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
  }

  send(frame: Buffer): void {
    this.#socket.write(frame);
  }

  // With a reset, so that thousands of ports are not kept waiting.
  close(): void {
    this.#isClosed = true;
    this.#socket.resetAndDestroy();
  }

  #opened(bytes: Buffer, join: Buffer): void {
    const answer = bytes.toString("latin1");
    if (!answer.startsWith("HTTP/1.1 101 ") || !answer.endsWith("\r\n\r\n")) {
      throw new Error(`the upgrade was answered ${JSON.stringify(answer.slice(0, 80))}`);
    }
    this.#isOpen = true;
    this.send(join);
  }

  #count(bytes: Buffer, events: ClientEvents): void {
    const frames = this.#counter.count(bytes);
    if (frames === 0) return;
    this.frames += frames;
    events.received(this, frames);
  }
}
