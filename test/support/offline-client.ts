import { EventEmitter } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { duplexPair, Readable } from "node:stream";
import { serializerFor } from "../../protocol/serializer.js";
import type { Socket } from "../../server/channel/socket.js";
import { connectLocally, type Endpoint } from "../../server/endpoint.js";
import { FakeTransport } from "./fake-transport.js";
import { closeFrame, frame, opcode, type ReceivedFrame } from "./raw-socket.js";

export type Vsn = "1.0.0" | "2.0.0";
export type Kind = "test" | "websocket" | "longpoll";

/** What every message has; `joinRef` is undefined where version 1 does not say it. */
export interface WireMessage {
  readonly joinRef: unknown;
  readonly ref: unknown;
  readonly topic: string;
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A client of an endpoint, over one of its transports but without a network or a clock of its own. */
export interface OfflineClient {
  readonly kind: Kind;
  /** All that came, in order. */
  readonly received: WireMessage[];
  /** Whether the connection has ended, whoever ended it. */
  readonly isClosed: boolean;
  send(message: WireMessage): void;
  /** Goes away; gently with a close frame, where there are such. */
  close(gently: boolean): void;
}

/** @param id of the socket, as the mount's `connect` finds it in its params */
export async function connectOffline(
  endpoint: Endpoint,
  { kind, vsn, id }: { readonly kind: Kind; readonly vsn: Vsn; readonly id: string },
): Promise<OfflineClient> {
  if (kind === "websocket") return new WebSocketClient(endpoint, vsn, id);
  if (kind === "longpoll") return new LongPollClient(endpoint, vsn, id);
  const transport = new FakeTransport();
  const outcome = await connectLocally(endpoint, "/socket", transport, {
    serializer: serializerFor(vsn)!,
    params: { id },
    info: {
      transport: "websocket",
      authToken: null,
      peer: { address: "127.0.0.1", port: 0 },
      uri: { scheme: "http", host: "localhost", port: null, path: "", query: "" },
      headers: {},
    },
  });
  if (!outcome.accepted) throw new Error("the connection was refused");
  return new TestClient(vsn, transport, outcome.socket);
}

function encode(vsn: Vsn, { joinRef, ref, topic, event, payload }: WireMessage): string {
  return JSON.stringify(
    vsn === "1.0.0" ? { topic, event, payload, ref, join_ref: joinRef } : [joinRef, ref, topic, event, payload],
  );
}

function decode(value: unknown): WireMessage {
  if (!Array.isArray(value)) return { joinRef: undefined, ...(value as Omit<WireMessage, "joinRef">) };
  const [joinRef, ref, topic, event, payload] = value as [unknown, unknown, string, string, WireMessage["payload"]];
  return { joinRef, ref, topic, event, payload };
}

class TestClient implements OfflineClient {
  readonly kind = "test";
  isClosed = false;
  readonly #vsn: Vsn;
  readonly #socket: Socket;
  readonly #transport: FakeTransport;

  constructor(vsn: Vsn, transport: FakeTransport, socket: Socket) {
    this.#vsn = vsn;
    this.#socket = socket;
    this.#transport = transport;
    const { onClose } = transport;
    transport.onClose = (code) => {
      if (this.isClosed) return;
      this.isClosed = true;
      onClose(code);
    };
  }

  get received(): WireMessage[] {
    return this.#transport.sent.map(decode);
  }

  send(message: WireMessage): void {
    if (!this.isClosed) this.#socket.receiveText(encode(this.#vsn, message));
  }

  close(): void {
    this.#transport.onClose(1000);
  }
}

class WebSocketClient implements OfflineClient {
  readonly kind = "websocket";
  readonly received: WireMessage[] = [];
  isClosed = false;
  readonly #vsn: Vsn;
  readonly #stream: Duplex;
  #unread = Buffer.alloc(0);
  #isOpen = false;

  constructor(endpoint: Endpoint, vsn: Vsn, id: string) {
    this.#vsn = vsn;
    const [ours, theirs] = duplexPair();
    this.#stream = ours;
    ours.on("data", (chunk: Buffer) => this.#take(chunk));
    ours.on("close", () => (this.isClosed = true));
    ours.on("end", () => (this.isClosed = true));
    // A pair of streams is no TCP connection: the end of one half does not end the other by itself.
    theirs.on("close", () => ours.destroy());
    ours.on("close", () => theirs.destroy());
    ours.on("error", () => undefined);
    const server = new EventEmitter();
    endpoint.attach(server as Server);
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.alloc(16).toString("base64"),
    };
    server.emit("upgrade", request("GET", `/socket/websocket?vsn=${vsn}&id=${id}`, headers), theirs, Buffer.alloc(0));
  }

  send(message: WireMessage): void {
    if (!this.isClosed) this.#stream.write(frame(encode(this.#vsn, message)));
  }

  close(gently: boolean): void {
    if (this.isClosed) return;
    if (gently) this.#stream.end(closeFrame(1000));
    else this.#stream.destroy();
  }

  #take(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    if (!this.#isOpen) {
      const end = this.#unread.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!this.#unread.subarray(0, end).includes(" 101 ")) throw new Error(this.#unread.toString());
      this.#isOpen = true;
      this.#unread = this.#unread.subarray(end + 4);
    }
    for (let next = this.#next(); next !== null; next = this.#next()) {
      if (next.opcode === opcode.text) this.received.push(decode(JSON.parse(next.payload.toString("utf8"))));
      if (next.opcode !== opcode.close) continue;
      this.isClosed = true;
      if (!this.#stream.writableEnded) this.#stream.end(frame(next.payload, { opcode: opcode.close }));
    }
  }

  #next(): ReceivedFrame | null {
    const bytes = this.#unread;
    if (bytes.length < 2) return null;
    const isLong = bytes[1] === 126;
    if (isLong && bytes.length < 4) return null;
    const start = isLong ? 4 : 2;
    const end = start + (isLong ? bytes.readUInt16BE(2) : bytes[1]!);
    if (bytes.length < end) return null;
    this.#unread = bytes.subarray(end);
    return { opcode: bytes[0]! & 0x0f, payload: bytes.subarray(start, end) };
  }
}

/** Polls as soon as it was answered, and sends one message a POST, one POST at a time. */
class LongPollClient implements OfflineClient {
  readonly kind = "longpoll";
  readonly received: WireMessage[] = [];
  isClosed = false;
  readonly #endpoint: Endpoint;
  readonly #vsn: Vsn;
  readonly #query: string;
  readonly #waiting: string[] = [];
  #token: string | null = null;
  #isPosting = false;
  #polled: FakeResponse | null = null;

  constructor(endpoint: Endpoint, vsn: Vsn, id: string) {
    this.#endpoint = endpoint;
    this.#vsn = vsn;
    this.#query = `/socket/longpoll?vsn=${vsn}&id=${id}`;
    this.#poll();
  }

  send(message: WireMessage): void {
    this.#waiting.push(encode(this.#vsn, message));
    this.#post();
  }

  close(): void {
    this.isClosed = true;
    this.#polled?.abort();
  }

  #poll(): void {
    this.#polled = this.#ask("GET", "", ({ status, token, messages = [] }) => {
      if (this.isClosed) return;
      if (status === 410 && this.#token !== null) {
        this.isClosed = true;
        return;
      }
      this.#token ??= token ?? null;
      for (const text of messages) this.received.push(decode(JSON.parse(text)));
      this.#poll();
      this.#post();
    });
  }

  #post(): void {
    if (this.#isPosting || this.isClosed || this.#token === null || this.#waiting.length === 0) return;
    this.#isPosting = true;
    this.#ask("POST", this.#waiting.shift()!, ({ status }) => {
      this.#isPosting = false;
      if (status === 410) this.isClosed = true;
      else this.#post();
    });
  }

  #ask(method: string, body: string, answered: (answer: LongPollAnswer) => void): FakeResponse {
    const url = this.#query + (this.#token === null ? "" : `&token=${this.#token}`);
    const response = new FakeResponse((text) => answered(JSON.parse(text) as LongPollAnswer));
    this.#endpoint.handle(request(method, url, {}, body), response as unknown as ServerResponse);
    return response;
  }
}

interface LongPollAnswer {
  readonly status: number;
  readonly token?: string;
  readonly messages?: readonly string[];
}

class FakeResponse extends EventEmitter {
  destroyed = false;
  headersSent = false;
  readonly #answered: (body: string) => void;

  constructor(answered: (body: string) => void) {
    super();
    this.#answered = answered;
  }

  writeHead(): this {
    this.headersSent = true;
    return this;
  }

  end(body: string): void {
    if (!this.destroyed) this.#answered(body);
    this.abort();
  }

  abort(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }
}

function request(method: string, url: string, headers: Record<string, string>, body = ""): IncomingMessage {
  const stream = body === "" ? Readable.from([]) : Readable.from([Buffer.from(body)]);
  const socket = Object.assign(new EventEmitter(), { remoteAddress: "127.0.0.1", remotePort: 1, destroyed: false });
  return Object.assign(stream, { method, url, headers: { host: "localhost", ...headers }, socket }) as never;
}
