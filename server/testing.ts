import { isDeepStrictEqual } from "node:util";
import type { Frame } from "../protocol/frame.js";
import { v2 } from "../protocol/v2.js";
import type { Socket } from "./channel/socket.js";
import type { Transport } from "./channel/transport.js";
import type { Endpoint } from "./endpoint.js";
import type { ConnectInfo } from "./transports/mount.js";

/** What a channel sent to its client. */
export interface Received {
  readonly kind: "reply" | "push" | "broadcast";
  readonly topic: string;
  readonly event: string;
  /** Of a reply: which push it answers. */
  readonly ref: string | null;
  readonly status?: string;
  /** Of a reply: its response. */
  readonly payload: unknown;
}

/** A connection was refused. */
export class ConnectRefused extends Error {
  override readonly name = "ConnectRefused";
}

/** How long an assertion waits for what has not come yet. */
const patienceMs = 1000;

/**
 * Connects to a mount without a network: its `connect`, channels and limits are the real ones, and every message goes
 * through the version 2 serializer both ways.
 * @throws ConnectRefused
 */
export async function connect(
  endpoint: Endpoint,
  path: string,
  params: Readonly<Record<string, unknown>> = {},
  info: Partial<ConnectInfo> = {},
): Promise<TestSocket> {
  const transport = new TestTransport();
  const socket = await endpoint.connect(path, transport, v2, params, { ...noInfo, ...info });
  if (socket === null) throw new ConnectRefused(`the connection to ${path} was refused`);
  transport.onClose = () => socket.closed();
  return new TestSocket(socket, transport);
}

const noInfo: ConnectInfo = {
  transport: "websocket",
  authToken: null,
  peer: { address: "127.0.0.1", port: 0 },
  uri: { scheme: "http", host: "localhost", port: null, path: "", query: "" },
  headers: {},
};

/** One connected client. */
export class TestSocket {
  readonly #socket: Socket;
  readonly #transport: TestTransport;
  #ref = 0;

  constructor(socket: Socket, transport: TestTransport) {
    this.#socket = socket;
    this.#transport = transport;
  }

  get id(): string | null {
    return this.#socket.handle.id;
  }

  get assigns(): Readonly<Record<string, unknown>> {
    return this.#socket.handle.assigns;
  }

  /** The code that the server closed it with, or null. */
  get closeCode(): number | null {
    return this.#transport.closeCode;
  }

  /** Joins a topic and waits for the reply, be it ok or error. */
  async join(topic: string, payload: unknown = {}): Promise<TestChannel> {
    const ref = this.#send(null, topic, "phx_join", payload);
    const reply = await this.#transport.take(
      (received) => received.kind === "reply" && received.ref === ref,
      `the reply to the join of ${topic}`,
    );
    const push = (event: string, pushed: unknown) => this.#send(ref, topic, event, pushed);
    return new TestChannel(topic, { status: reply.status ?? "", response: reply.payload }, push, this.#transport);
  }

  /** The client goes away. */
  close(): void {
    this.#socket.closed();
  }

  #send(joinRef: string | null, topic: string, event: string, payload: unknown): string {
    const ref = String((this.#ref += 1));
    this.#socket.receiveText(JSON.stringify([joinRef ?? ref, ref, topic, event, payload]));
    return ref;
  }
}

/** One joined topic, or one whose join was refused: `reply` tells. */
export class TestChannel {
  readonly #push: (event: string, payload: unknown) => string;
  readonly #transport: TestTransport;

  constructor(
    readonly topic: string,
    readonly reply: { readonly status: string; readonly response: unknown },
    push: (event: string, payload: unknown) => string,
    transport: TestTransport,
  ) {
    this.#push = push;
    this.#transport = transport;
  }

  /** Pushes to the channel. @returns the ref, for `assertReply` */
  push(event: string, payload: unknown = {}): string {
    return this.#push(event, payload);
  }

  leave(): string {
    return this.push("phx_leave");
  }

  /** Waits for the reply to a push. @param expected what its response holds at least @returns the response */
  async assertReply(ref: string, status: string, expected?: unknown): Promise<unknown> {
    const isReply = (received: Received) =>
      received.kind === "reply" && received.topic === this.topic && received.ref === ref;
    const reply = await this.#transport.take(isReply, `the reply to ${ref}`);
    if (reply.status === status && holds(reply.payload, expected)) return reply.payload;
    throw new Error(
      `the reply to ${ref} is ${JSON.stringify([reply.status, reply.payload])}, not ${JSON.stringify([status, expected])}`,
    );
  }

  /** Waits for a push to this client. @param expected what its payload holds at least @returns the payload */
  assertPush(event: string, expected?: unknown): Promise<unknown> {
    return this.#assert("push", event, expected);
  }

  /** Waits for a broadcast that reaches this client. */
  assertBroadcast(event: string, expected?: unknown): Promise<unknown> {
    return this.#assert("broadcast", event, expected);
  }

  /** Throws when such a push or broadcast has come already. Wait for something that comes after it first. */
  refute(event: string, expected?: unknown): void {
    const found = this.#transport.received.find(
      (received) => received.topic === this.topic && received.event === event && holds(received.payload, expected),
    );
    if (found !== undefined) throw new Error(`unexpected ${found.kind} ${event}: ${JSON.stringify(found.payload)}`);
  }

  async #assert(kind: Received["kind"], event: string, expected: unknown): Promise<unknown> {
    const matches = (received: Received) =>
      received.kind === kind &&
      received.topic === this.topic &&
      received.event === event &&
      holds(received.payload, expected);
    return (await this.#transport.take(matches, `a ${kind} of ${event}`)).payload;
  }
}

class TestTransport implements Transport {
  readonly kind = "test";
  readonly received: Received[] = [];
  closeCode: number | null = null;
  /** Called when the server closes it, as a real connection tells its socket. */
  onClose: () => void = () => undefined;
  readonly #waiting = new Set<() => void>();

  send(frame: Frame): void {
    if (this.closeCode !== null) return;
    this.received.push(decode(frame));
    for (const check of this.#waiting) check();
  }

  close(code: number): void {
    this.closeCode ??= code;
    this.onClose();
  }

  // Nothing is ever too fast for a test.
  pause(): void {}
  resume(): void {}

  take(matches: (received: Received) => boolean, what: string): Promise<Received> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const index = this.received.findIndex(matches);
        if (index < 0) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(this.received.splice(index, 1)[0]!);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`${what} did not come; what came: ${JSON.stringify(this.received)}`));
      }, patienceMs);
      this.#waiting.add(check);
      check();
    });
  }
}

function decode({ data }: Frame): Received {
  if (typeof data !== "string") return decodeBinary(data);
  const [joinRef, ref, topic, event, payload] = JSON.parse(data) as [unknown, string | null, string, string, unknown];
  if (event !== "phx_reply")
    return { kind: joinRef === null && ref === null ? "broadcast" : "push", topic, event, ref, payload };
  const { status, response } = payload as { readonly status: string; readonly response: unknown };
  return { kind: "reply", topic, event, ref, status, payload: response };
}

function decodeBinary(bytes: Uint8Array): Received {
  const names = ["push", "reply", "broadcast"] as const;
  const kind = names[bytes[0]!]!;
  const lengths = [...bytes.subarray(1, 1 + { push: 3, reply: 4, broadcast: 2 }[kind])];
  let at = 1 + lengths.length;
  const texts = lengths.map((length) => Buffer.from(bytes.subarray(at, (at += length))).toString());
  const payload = bytes.subarray(at);
  if (kind === "push") return { kind, topic: texts[1]!, event: texts[2]!, ref: null, payload };
  if (kind === "broadcast") return { kind, topic: texts[0]!, event: texts[1]!, ref: null, payload };
  return { kind, topic: texts[2]!, event: "phx_reply", ref: texts[1]!, status: texts[3]!, payload };
}

/** Everything that `expected` names is in `actual`. */
function holds(actual: unknown, expected: unknown): boolean {
  if (expected === undefined) return true;
  const isNested =
    typeof expected === "object" && expected !== null && !Array.isArray(expected) && !(expected instanceof Uint8Array);
  if (!isNested) return isDeepStrictEqual(actual, expected);
  if (typeof actual !== "object" || actual === null) return false;
  return Object.entries(expected).every(([key, value]) => holds((actual as Record<string, unknown>)[key], value));
}
