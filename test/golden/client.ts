import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { contractHeaders, type ReceivedFrame } from "./normalise.js";
import type { ConnectStep, Sending } from "./transcript.js";

const handshakeTimeoutMs = 8000;

/** One WebSocket of a transcript: remembers what came and when. */
export class TranscriptClient {
  frames: ReceivedFrame[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  lifetimeMs: number | null = null;
  readonly #ws: WebSocket;
  readonly #checks = new Set<() => void>();
  #openedAt = 0;

  constructor(base: string, { path, protocols = [], headers = {}, deflate = false }: ConnectStep) {
    this.#ws = new WebSocket(base.replace(/^http/, "ws") + path, [...protocols], {
      headers,
      perMessageDeflate: deflate,
      maxPayload: 64 * 1024 * 1024,
      skipUTF8Validation: true,
      handshakeTimeout: handshakeTimeoutMs,
    });
    this.#ws.on("message", (data: Buffer, isBinary) => this.#received({ data, isBinary }));
    this.#ws.on("pong", (data) => this.#received({ pong: data.toString("utf8") }));
    this.#ws.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString("utf8") };
      this.lifetimeMs = performance.now() - this.#openedAt;
      this.#check();
    });
  }

  /** What became of the handshake. */
  opened(): Promise<Record<string, unknown>> {
    return new Promise((resolve) => {
      let headers: Record<string, unknown> = {};
      this.#ws.on("upgrade", (response) => (headers = contractHeaders(response.headers)));
      this.#ws.on("open", () => {
        this.#openedAt = performance.now();
        resolve({ open: true, status: 101, headers });
      });
      this.#ws.on("unexpected-response", (_request, response) => {
        void readText(response).then((body) =>
          resolve({ open: false, status: response.statusCode, headers: contractHeaders(response.headers), body }),
        );
      });
      this.#ws.on("error", (error) => resolve({ open: false, status: 0, error: String(error) }));
    });
  }

  send(sending: Sending): void {
    const ws = this.#ws;
    const { text, binary, textBytes, repeat, fragments, ping, rawHex, burst } = sending;
    if (text !== undefined) ws.send(text);
    else if (repeat !== undefined) ws.send(`${sending.prefix}${repeat.repeat(sending.times ?? 0)}${sending.suffix}`);
    else if (binary !== undefined) ws.send(Buffer.from(binary, "base64"), { binary: true });
    else if (textBytes !== undefined) ws.send(Buffer.from(textBytes, "base64"), { binary: false });
    else if (ping !== undefined) ws.ping(ping);
    else if (rawHex !== undefined) this.#stream.write(Buffer.from(rawHex, "hex"));
    else if (fragments !== undefined) {
      for (const [index, part] of fragments.entries()) ws.send(part, { fin: index === fragments.length - 1 });
    } else if (burst !== undefined) {
      this.#stream.cork();
      for (const part of burst) this.send(part);
      this.#stream.uncork();
    } else throw new Error("a step that sends nothing");
  }

  close(code?: number, reason?: string): void {
    this.#ws.close(code, reason);
  }

  kill(): void {
    this.#ws.terminate();
  }

  /** Waits until `holds`, or until the time is over. */
  until(holds: () => boolean, timeoutMs: number): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#checks.delete(check);
        resolve();
      };
      const check = () => {
        if (holds()) done();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#checks.add(check);
    });
  }

  get #stream(): Socket {
    return (this.#ws as unknown as { readonly _socket: Socket })._socket;
  }

  #received(frame: ReceivedFrame): void {
    this.frames.push(frame);
    this.#check();
  }

  #check(): void {
    for (const check of this.#checks) check();
  }
}

/** The body of a response, as far as it came. */
export async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch {
    // Cut off: what came is compared.
  }
  return Buffer.concat(chunks).toString("utf8");
}
