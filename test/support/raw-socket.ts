import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { until } from "./until.js";

/** Opcodes of RFC 6455, 5.2. */
export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
  readonly fin?: boolean;
  /** The three reserved bits: 4 is RSV1. */
  readonly rsv?: number;
  readonly opcode?: number;
  readonly masked?: boolean;
  /** What the header claims; the length of the payload when left out. */
  readonly length?: number | bigint;
  /** Written as 2, 4 or 10 bytes of header, whatever is needed; this many at least. */
  readonly headerBytes?: 2 | 4 | 10;
}

export interface ReceivedFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export interface RawOptions {
  /** Path and query. */
  readonly path?: string;
  /** Added to the headers of a proper upgrade; null leaves one out. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** One frame as a client would send it, or as no client would. */
export function frame(payload: Uint8Array | string, options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, opcode: code = opcode.text, masked = true, headerBytes = 2 } = options;
  const bytes = Buffer.from(payload as Uint8Array);
  const length = BigInt(options.length ?? bytes.length);
  const first = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | code]);
  const maskBit = masked ? 0x80 : 0;
  const header = Buffer.concat([first, lengthBytes(length, headerBytes, maskBit)]);
  if (!masked) return Buffer.concat([header, bytes]);
  const mask = randomBytes(4);
  return Buffer.concat([header, mask, bytes.map((byte, index) => byte ^ mask[index % 4]!)]);
}

function lengthBytes(length: bigint, atLeast: number, maskBit: number): Buffer {
  if (length < 126n && atLeast === 2) return Buffer.from([maskBit | Number(length)]);
  if (length < 65_536n && atLeast <= 4) {
    return Buffer.from([maskBit | 126, Number(length >> 8n), Number(length & 0xffn)]);
  }
  const long = Buffer.alloc(9);
  long[0] = maskBit | 127;
  long.writeBigUInt64BE(length, 1);
  return long;
}

/** A close frame with a code and a reason that may be anything. */
export function closeFrame(code: number, reason: Uint8Array | string = ""): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason as Uint8Array)]);
  return frame(payload, { opcode: opcode.close });
}

/** A WebSocket client that sends whatever bytes it is told to, and sees every byte of the answer. */
export class RawSocket {
  readonly frames: ReceivedFrame[] = [];
  /** How the TCP connection ended, once it has. */
  ended: "end" | "reset" | null = null;
  /** The head of the HTTP answer, once it is there. */
  head: string | null = null;
  readonly #tcp: Socket;
  #unread = Buffer.alloc(0);

  private constructor(tcp: Socket) {
    this.#tcp = tcp;
    tcp.setNoDelay(true);
    tcp.on("data", (chunk) => this.#take(chunk));
    tcp.on("end", () => (this.ended ??= "end"));
    tcp.on("error", () => (this.ended ??= "reset"));
    tcp.on("close", () => (this.ended ??= "end"));
  }

  /** A TCP connection on which nothing has been said yet. */
  static async dial(port: number): Promise<RawSocket> {
    const tcp = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const socket = new RawSocket(tcp);
    await until("the connection", () => (tcp.readyState === "open" ? true : socket.ended));
    return socket;
  }

  /** An upgrade, and whatever it was answered. */
  static async upgrade(port: number, options: RawOptions = {}): Promise<RawSocket> {
    const socket = await RawSocket.dial(port);
    socket.write(upgradeRequest(port, options));
    await until("an answer to the upgrade", () => socket.head ?? socket.ended);
    return socket;
  }

  /** A WebSocket that is open. @throws Error when the upgrade was refused */
  static async open(port: number, options: RawOptions = {}): Promise<RawSocket> {
    const socket = await RawSocket.upgrade(port, options);
    if (socket.status !== 101) throw new Error(`the upgrade was answered ${socket.status}`);
    return socket;
  }

  /** The status of the HTTP answer; 0 when there was none. */
  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(this.head ?? "")?.[1] ?? 0);
  }

  /** What came after the head of an answer that is no upgrade. */
  get body(): string {
    return this.#unread.toString("utf8");
  }

  /** The codes of all close frames that came. */
  get closeCodes(): number[] {
    return this.frames
      .filter((received) => received.opcode === opcode.close)
      .map(({ payload }) => (payload.length < 2 ? 1005 : payload.readUInt16BE(0)));
  }

  /** The text frames that came, as JSON. */
  get messages(): unknown[] {
    return this.frames
      .filter((received) => received.opcode === opcode.text)
      .map(({ payload }) => JSON.parse(payload.toString("utf8")) as unknown);
  }

  write(...parts: readonly (Uint8Array | string)[]): void {
    this.#tcp.write(Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))));
  }

  /** Each part in a TCP segment of its own, as far as the kernel allows. */
  async writeSlowly(parts: Iterable<Uint8Array>): Promise<void> {
    for (const part of parts) {
      if (this.ended !== null) return;
      await new Promise<void>((resolve) => this.#tcp.write(part, () => setImmediate(resolve)));
    }
  }

  sendText(text: string): void {
    this.write(frame(text));
  }

  sendJson(value: unknown): void {
    this.sendText(JSON.stringify(value));
  }

  /** The code of the close frame that came, the first of them if there should be more. */
  closeCode(timeoutMs?: number): Promise<number> {
    return until(
      "a close frame",
      () => {
        if (this.closeCodes.length > 0) return this.closeCodes[0];
        return this.ended === null ? null : -1;
      },
      timeoutMs,
    );
  }

  /** A message that matches, among all that came. */
  message(matches: (message: unknown) => boolean): Promise<unknown> {
    return until("a message", () => this.messages.find(matches) as object | undefined);
  }

  /** Answers a ping: by itself it never does. */
  pong(payload: Uint8Array): void {
    this.write(frame(payload, { opcode: opcode.pong }));
  }

  /** Reads nothing until `resume`. */
  pause(): void {
    this.#tcp.pause();
  }

  resume(): void {
    this.#tcp.resume();
  }

  /** Ends our half of the connection, and waits for the other. */
  async finish(): Promise<void> {
    this.#tcp.end();
    await until("the end of the connection", () => this.ended);
    this.#tcp.destroy();
  }

  /** RST: the connection is gone without a word. */
  reset(): void {
    this.#tcp.resetAndDestroy();
  }

  #take(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    if (this.head === null) {
      const end = this.#unread.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.head = this.#unread.toString("latin1", 0, end);
      this.#unread = this.#unread.subarray(end + 4);
    }
    if (this.status === 101) while (this.#takeFrame());
  }

  #takeFrame(): boolean {
    const bytes = this.#unread;
    if (bytes.length < 2) return false;
    const short = bytes[1]! & 0x7f;
    const headerLength = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < headerLength) return false;
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < headerLength + length) return false;
    this.frames.push({ opcode: bytes[0]! & 0x0f, payload: bytes.subarray(headerLength, headerLength + length) });
    this.#unread = bytes.subarray(headerLength + length);
    return true;
  }
}

/** The request of a proper upgrade, but for what is asked to be different. */
export function upgradeRequest(
  port: number,
  { path = "/socket/websocket?vsn=2.0.0", headers = {} }: RawOptions = {},
): string {
  const all: Record<string, string | null> = {
    host: `127.0.0.1:${port}`,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": randomBytes(16).toString("base64"),
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}
