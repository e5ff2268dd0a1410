import { assemble } from "../protocol/binary.js";
import { reserved } from "../protocol/events.js";
import { v2 } from "../protocol/v2.js";
import type { Socket } from "./channel/socket.js";
import { connectLocally, type Endpoint } from "./endpoint.js";
import { type Crashes, crashesOf } from "./testing/crashes.js";
import { bytesOf, holds, show } from "./testing/holds.js";
import { type Received, TestTransport } from "./testing/transport.js";
import type { ConnectInfo } from "./transports/mount.js";

export type { Received } from "./testing/transport.js";

/** A connection was refused. */
export class ConnectRefused extends Error {
  override readonly name = "ConnectRefused";

  /** @param reason what `refuse` was given; 503 when the endpoint had no room, or takes nobody any more */
  constructor(
    path: string,
    readonly reason: unknown,
  ) {
    super(`the connection to ${path} was refused${reason === undefined ? "" : `: ${show(reason)}`}`);
  }
}

export interface Patience {
  /** How long an assertion waits for what has not come yet, in ms of real time. */
  readonly patienceMs?: number;
}

/** What the mount's `connect` is told of the request, as far as it matters, and the patience of the client's assertions. */
export type ConnectOptions = Partial<ConnectInfo> & Patience;

const defaultPatienceMs = 1000;

/**
 * Connects to a mount without a network: its `connect`, channels and limits are the real ones, every message goes
 * through the version 2 serializer both ways, and the endpoint counts, drains and closes it as any other connection.
 * @throws ConnectRefused, or what `connect` threw
 */
export async function connect(
  endpoint: Endpoint,
  path: string,
  params: Readonly<Record<string, unknown>> = {},
  { patienceMs = defaultPatienceMs, ...info }: ConnectOptions = {},
): Promise<TestSocket> {
  const crashes = crashesOf(endpoint.telemetry);
  const transport = new TestTransport();
  const connected = await connectLocally(endpoint, path, transport, {
    serializer: v2,
    params,
    info: { ...noInfo, ...info },
  });
  if (!connected.accepted) throw new ConnectRefused(path, connected.reason);
  return new TestSocket({ socket: connected.socket, transport, crashes, patienceMs });
}

const noInfo: ConnectInfo = {
  transport: "websocket",
  authToken: null,
  peer: { address: "127.0.0.1", port: 0 },
  uri: { scheme: "http", host: "localhost", port: null, path: "", query: "" },
  headers: {},
};

interface Connection {
  readonly socket: Socket;
  readonly transport: TestTransport;
  readonly crashes: Crashes;
  readonly patienceMs: number;
}

const binaryPushKind = 0;

/** One connected client. */
export class TestSocket {
  readonly #connection: Connection;
  #ref = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get id(): string | null {
    return this.#connection.socket.id;
  }

  get assigns(): Readonly<Record<string, unknown>> {
    return this.#connection.socket.assigns;
  }

  /** The code that the server closed it with, or null. */
  get closeCode(): number | null {
    return this.#connection.transport.closeCode;
  }

  /** All that came, in order, on all topics. */
  get received(): readonly Received[] {
    return this.#connection.transport.received;
  }

  /** Joins a topic and waits for the reply, be it ok or error. */
  async join(topic: string, payload: unknown = {}): Promise<TestChannel> {
    const joinRef = this.#nextRef();
    const line = new Line(this.#connection, topic, (event, pushed, ref = this.#nextRef()) => {
      this.#send([joinRef, ref, topic, event, pushed]);
      return ref;
    });
    line.send(reserved.join, payload, joinRef);
    const reply = await line.take(
      ({ kind, ref }) => kind === "reply" && ref === joinRef,
      `the reply to the join of ${topic}`,
    );
    return new TestChannel(line, { status: reply.status ?? "", response: reply.payload });
  }

  /** The client goes away. */
  close(): void {
    this.#connection.transport.hangUp();
  }

  #nextRef(): string {
    return String((this.#ref += 1));
  }

  #send(message: readonly [joinRef: string, ref: string, topic: string, event: string, payload: unknown]): void {
    const { socket, transport } = this.#connection;
    if (transport.isClosed) throw new Error(endOf(transport));
    const [joinRef, ref, topic, event, payload] = message;
    const bytes = bytesOf(payload);
    if (bytes === null) socket.receiveText(JSON.stringify(message));
    else socket.receiveBinary(assemble({ kind: binaryPushKind, texts: [joinRef, ref, topic, event] }, bytes));
  }
}

function endOf({ closeCode }: TestTransport): string {
  return closeCode === null ? "the socket was closed by its client" : `the socket was closed with ${closeCode}`;
}

/** What a channel of the kit needs of its socket. */
class Line {
  readonly #connection: Connection;
  /** Crashes of before the join explain nothing. */
  readonly #crashCount: number;

  constructor(
    connection: Connection,
    readonly topic: string,
    /** @returns the ref */
    readonly send: (event: string, payload: unknown, ref?: string) => string,
  ) {
    this.#connection = connection;
    this.#crashCount = connection.crashes.count;
  }

  get patienceMs(): number {
    return this.#connection.patienceMs;
  }

  get crash() {
    return this.#connection.crashes.since(this.#crashCount, this.topic);
  }

  get received(): readonly Received[] {
    return this.#connection.transport.received.filter((received) => this.#isMine(received));
  }

  /** What came on this topic and no assertion has taken. */
  get left(): readonly Received[] {
    return this.#connection.transport.left.filter((received) => this.#isMine(received));
  }

  #isMine(received: Received): boolean {
    return received.topic === this.topic;
  }

  async take(
    matches: (received: Received) => boolean,
    what: string,
    { patienceMs = this.patienceMs, hint = () => [] }: Patience & { readonly hint?: () => readonly string[] } = {},
  ): Promise<Received> {
    const { transport } = this.#connection;
    const found = await transport.take((received) => this.#isMine(received) && matches(received), patienceMs);
    if (found !== null) return found;
    const why = transport.isClosed ? `: ${endOf(transport)}` : "";
    throw this.failure(`${what} did not come${why}`, hint());
  }

  find(matches: (received: Received) => boolean, patienceMs: number): Promise<Received | null> {
    return this.#connection.transport.find((received) => this.#isMine(received) && matches(received), patienceMs);
  }

  /** An error that says what came instead, and why. */
  failure(what: string, hints: readonly string[] = []): Error {
    const { crash } = this;
    const lines = [what, ...hints];
    if (crash !== null) lines.push(`${show(crash.event)} on ${this.topic} crashed: ${String(crash.error)}`);
    const { left } = this.#connection.transport;
    if (left.length > 0) lines.push("what came, and nothing has asked for:", ...left.slice(-shownMax).map(describe));
    return new Error(lines.join("\n  "), crash === null ? {} : { cause: crash.error });
  }
}

const shownMax = 20;
const shownCharsMax = 500;

function describe({ kind, topic, event, ref, status, payload }: Received): string {
  const what = kind === "reply" ? `reply to ${ref}: ${status}` : `${kind} ${event}`;
  return `  ${topic}  ${what} ${show(payload).slice(0, shownCharsMax)}`;
}

/** One joined topic, or one whose join was refused: `reply` tells. */
export class TestChannel {
  readonly #line: Line;

  constructor(
    line: Line,
    readonly reply: { readonly status: string; readonly response: unknown },
  ) {
    this.#line = line;
  }

  get topic(): string {
    return this.#line.topic;
  }

  /** All that came on this topic, in order, whoever has asserted it. */
  get received(): readonly Received[] {
    return this.#line.received;
  }

  /** What a handler of this topic threw last since the join, the join itself among them; undefined when none did. */
  get crash(): unknown {
    return this.#line.crash?.error;
  }

  /** Pushes to the channel. @param payload any JSON value, or bytes @returns the ref, for `assertReply` */
  push(event: string, payload: unknown = {}): string {
    return this.#line.send(event, payload);
  }

  leave(): string {
    return this.push(reserved.leave);
  }

  /** Waits for the reply to a push. @param expected what its response holds at least @returns the response */
  async assertReply(ref: string, status: string, expected?: unknown, patience: Patience = {}): Promise<unknown> {
    const isReply = (received: Received) => received.kind === "reply" && received.ref === ref;
    const reply = await this.#line.take(isReply, `the reply to ${ref}`, patience);
    if (reply.status === status && holds(reply.payload, expected)) return reply.payload;
    const wanted = expected === undefined ? status : `${status} ${show(expected)}`;
    throw this.#line.failure(`the reply to ${ref} is ${reply.status} ${show(reply.payload)}, not ${wanted}`);
  }

  /**
   * Waits for a push to this client.
   * @param expected what its payload holds at least; `expect.any(…)` and the like stand for what they match
   * @returns the payload
   */
  assertPush(event: string, expected?: unknown, patience: Patience = {}): Promise<unknown> {
    return this.#assert("push", { event, expected }, patience);
  }

  /** Waits for a broadcast that reaches this client. Otherwise as `assertPush`. */
  assertBroadcast(event: string, expected?: unknown, patience: Patience = {}): Promise<unknown> {
    return this.#assert("broadcast", { event, expected }, patience);
  }

  /** Throws when such a push or broadcast has come already. Wait for something that comes after it first. */
  refute(event: string, expected?: unknown): void {
    const found = this.#line.left.find(matcher(event, expected));
    if (found !== undefined) throw this.#unexpected(found);
  }

  /** Throws when such a push or broadcast has come already, or comes in the next `ms`. */
  async refuteWithin(ms: number, event: string, expected?: unknown): Promise<void> {
    const found = await this.#line.find(matcher(event, expected), ms);
    if (found !== null) throw this.#unexpected(found);
  }

  #unexpected({ kind, event, payload }: Received): Error {
    return this.#line.failure(`unexpected ${kind} ${event} ${show(payload)}`);
  }

  async #assert(
    kind: "push" | "broadcast",
    { event, expected }: { readonly event: string; readonly expected: unknown },
    patience: Patience,
  ): Promise<unknown> {
    const matches = matcher(event, expected);
    const what = `a ${kind} of ${event}${expected === undefined ? "" : ` with ${show(expected)}`}`;
    // What was meant for one client and what was meant for all is easily mistaken.
    const hint = () => {
      const other = this.#line.left.find((received) => received.kind !== kind && matches(received));
      return other === undefined ? [] : [`it came as a ${other.kind}`];
    };
    const options = { ...patience, hint };
    return (await this.#line.take((received) => received.kind === kind && matches(received), what, options)).payload;
  }
}

function matcher(event: string, expected: unknown): (received: Received) => boolean {
  return (received) => received.event === event && holds(received.payload, expected);
}
