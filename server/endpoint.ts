import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { closeCode } from "../protocol/events.js";
import type { Serializer } from "../protocol/serializer.js";
import { phoenixLimits } from "./channel/limits.js";
import { Socket, type SocketContext } from "./channel/socket.js";
import { Topics } from "./channel/topics.js";
import type { Transport } from "./channel/transport.js";
import { type Clock, systemClock } from "./clock.js";
import { PubSub } from "./pubsub/pubsub.js";
import { Telemetry } from "./telemetry.js";
import { decide, type Handshake, type HandshakeRequest, isRefused, shakeHands } from "./transports/handshake.js";
import { noRoom, refuseUpgrade, sendAnswer } from "./transports/http-answer.js";
import { IdleSweep } from "./transports/idle.js";
import { LongPoll } from "./transports/longpoll.js";
import type { LongPollSession } from "./transports/longpoll-session.js";
import {
  type ConnectInfo,
  defaultLongPoll,
  defaultWebSocket,
  type LongPollOptions,
  type MountOptions,
  type WebSocketOptions,
} from "./transports/mount.js";
import { matchSegments, segmentsOf } from "./transports/paths.js";
import { type Soon, then } from "./transports/soon.js";
import { WebSocketConnection, type WebSocketHome, WebSockets } from "./transports/websocket.js";

export interface EndpointOptions {
  /** Paths where clients connect, `:name` segments become connect params. */
  readonly mounts: Readonly<Record<string, MountOptions>>;
  /** The host name that `checkOrigin: true` allows. */
  readonly host?: string;
  readonly pubsub?: PubSub;
  readonly telemetry?: Telemetry;
  readonly clock?: Clock;
  /** Sockets at once; one more is answered 503 before any work. 0: no limit. */
  readonly maxSockets?: number;
}

interface Mount {
  readonly path: string;
  readonly options: MountOptions;
  readonly context: SocketContext;
}

interface WebSocketRoute {
  readonly kind: "websocket";
  readonly segments: readonly string[];
  readonly mount: Mount;
  readonly webSockets: WebSockets;
  readonly home: WebSocketHome;
}

interface LongPollRoute {
  readonly kind: "longpoll";
  readonly segments: readonly string[];
  readonly mount: Mount;
  readonly longPoll: LongPoll;
}

type Route = WebSocketRoute | LongPollRoute;

interface Found<R extends Route = Route> {
  readonly route: R;
  readonly pathParams: Readonly<Record<string, string>>;
}

type AcceptedHandshake = Handshake & { readonly accepted: true };

/** Takes the connections of an HTTP server and holds their sockets. */
export class Endpoint {
  readonly pubsub: PubSub;
  readonly telemetry: Telemetry;
  readonly #host: string;
  readonly #clock: Clock;
  readonly #maxSockets: number;
  readonly #mounts: ReadonlyMap<string, Mount>;
  readonly #routes: readonly Route[];
  /** What the paths without parameters lead to, so that most requests need no search. */
  readonly #routeByPath = new Map<string, Found>();
  readonly #connections = new Set<WebSocketConnection | LongPollSession>();
  readonly #sessions = new Map<string, LongPollSession>();
  #handshakes = 0;
  #draining = false;

  constructor(options: EndpointOptions) {
    this.pubsub = options.pubsub ?? new PubSub();
    this.telemetry = options.telemetry ?? new Telemetry();
    this.#host = options.host ?? "localhost";
    this.#clock = options.clock ?? systemClock;
    this.#maxSockets = options.maxSockets ?? 0;
    const mounts = Object.entries(options.mounts).map(([path, mount]) => this.#mount(path, mount));
    this.#mounts = new Map(mounts.map((mount) => [mount.path, mount]));
    this.#routes = mounts.flatMap((mount) => this.#routesOf(mount));
    for (const { segments } of this.#routes) {
      const found = this.#search(segments);
      if (found !== null) this.#routeByPath.set(`/${segments.join("/")}`, found);
    }
  }

  get socketCount(): number {
    return this.#connections.size;
  }

  /** Takes over the upgrades of `server`. Its ordinary requests go through `handle` first. */
  attach(server: Server): void {
    server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      this.#upgrade(request, stream, head);
    });
  }

  /** Answers a request that is meant for a mount. @returns false when it is not, and somebody else should */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const found = this.#find(request.url ?? "");
    if (found === null) return false;
    if (isLongPoll(found)) void found.route.longPoll.handle(this.#handshakeRequest(found, request), response);
    else if (isWebSocket(found)) void this.#answerWithoutUpgrade(found, request, response);
    return true;
  }

  /**
   * Connects a client that has a transport of its own, without a network.
   * @param path of a mount; its parameters, if it has any, are given in `params`
   * @returns null when the mount's `connect` refuses
   */
  async connect(
    path: string,
    transport: Transport,
    serializer: Serializer,
    params: Readonly<Record<string, unknown>>,
    info: ConnectInfo,
  ): Promise<Socket | null> {
    const mount = this.#mounts.get(path);
    if (mount === undefined) throw new Error(`there is no mount ${path}`);
    const decision = await decide(mount.options, params, info);
    return isRefused(decision) ? null : new Socket(mount.context, transport, serializer, decision);
  }

  /** Sends an event to every subscriber of a topic. A broadcast of "disconnect" on a socket's id closes it with 1001. */
  broadcast(topic: string, event: string, payload: unknown): void {
    this.pubsub.broadcast(topic, event, payload);
  }

  /** From now on new sockets are answered 503. */
  refuseNew(): void {
    this.#draining = true;
  }

  /**
   * Takes no new sockets and closes those there are with 1012, a batch at a time, so that they do not all come back at
   * once; a long-poll is answered. Resolves when the last one was told.
   */
  async drain({ batchSize = 500, intervalMs = 200 }: { batchSize?: number; intervalMs?: number } = {}): Promise<void> {
    this.refuseNew();
    const connections = [...this.#connections];
    const total = connections.length;
    const rounds = Math.ceil(total / batchSize);
    for (let index = 0; index < rounds; index += 1) {
      if (index > 0) await new Promise<void>((resolve) => this.#clock.after(intervalMs, resolve));
      const batch = connections.slice(index * batchSize, (index + 1) * batchSize);
      this.telemetry.emit("socket_drain", { count: batch.length, total, index, rounds, intervalMs });
      for (const connection of batch) connection.close(closeCode.restarting, "");
    }
  }

  /** Ends what is left, without a close frame. */
  terminate(): void {
    for (const connection of [...this.#connections]) connection.terminate();
  }

  #mount(path: string, options: MountOptions): Mount {
    return {
      path,
      options,
      context: {
        mount: path,
        topics: new Topics(options.channels),
        limits: { ...phoenixLimits, ...options.limits },
        pubsub: this.pubsub,
        telemetry: this.telemetry,
        clock: this.#clock,
      },
    };
  }

  #routesOf(mount: Mount): Route[] {
    const { websocket = true, longpoll = false } = mount.options;
    const routes: Route[] = [];
    if (websocket !== false) {
      const options: WebSocketOptions = { ...defaultWebSocket, ...(websocket === true ? {} : websocket) };
      const segments = segmentsOf(mount.path + options.path);
      const home = this.#webSocketHome(mount, options);
      routes.push({ kind: "websocket", segments, mount, webSockets: new WebSockets(options), home });
    }
    if (longpoll !== false) {
      const options: LongPollOptions = { ...defaultLongPoll, ...(longpoll === true ? {} : longpoll) };
      const segments = segmentsOf(mount.path + options.path);
      routes.push({ kind: "longpoll", segments, mount, longPoll: this.#longPoll(mount, options) });
    }
    return routes;
  }

  #webSocketHome(mount: Mount, options: WebSocketOptions): WebSocketHome {
    return {
      options,
      context: mount.context,
      idleSweep: new IdleSweep(this.#clock, options.idleTimeoutMs),
      failed: (cause) => this.#failed(mount, cause),
      closed: (connection, code) => this.#closed(mount, connection, code),
    };
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const found = this.#find(request.url ?? "");
    if (found === null || !isWebSocket(found)) {
      refuseUpgrade(stream, { status: 404 });
      return;
    }
    if (!this.#hasRoom()) {
      refuseUpgrade(stream, noRoom);
      return;
    }
    const startedAt = this.#startMeasuring();
    const { route } = found;
    const deciding = this.#shakeHands(route.mount, this.#handshakeRequest(found, request));
    // A peer that resets while the app decides must not become an unhandled error.
    if (deciding instanceof Promise) stream.on("error", destroy);
    void then(deciding, (handshake) => {
      if (stream.destroyed) return;
      // It may have begun to stop while the app was deciding.
      if (handshake.accepted && this.#draining) refuseUpgrade(stream, noRoom);
      else if (handshake.accepted) this.#openWebSocket(route, handshake, { request, stream, head, startedAt });
      else refuseUpgrade(stream, handshake.answer);
    });
  }

  #openWebSocket(
    { mount, webSockets, home }: WebSocketRoute,
    { serializer, identity, protocol }: AcceptedHandshake,
    upgrade: { request: IncomingMessage; stream: Duplex; head: Buffer; startedAt: number | null },
  ): void {
    const { request, stream, head, startedAt } = upgrade;
    webSockets.upgrade(request, stream, head, protocol, (ws) => {
      const connection = new WebSocketConnection(home, { ws, stream, serializer, identity });
      this.#opened(mount, connection, startedAt);
    });
  }

  #longPoll(mount: Mount, options: LongPollOptions): LongPoll {
    return new LongPoll(options, mount.context, {
      clock: this.#clock,
      sessions: this.#sessions,
      isDraining: () => this.#draining,
      hasRoom: () => this.#hasRoom(),
      shakeHands: (request) => this.#shakeHands(mount, request),
      startMeasuring: () => this.#startMeasuring(),
      opened: (session, startedAt) => this.#opened(mount, session, startedAt),
      closed: (session, code) => this.#closed(mount, session, code),
      failed: (cause) => this.#failed(mount, cause),
      limitReached: (limit) => this.telemetry.emit("limit.reached", { limit }),
    });
  }

  #hasRoom(): boolean {
    const isFull = this.#maxSockets > 0 && this.#connections.size + this.#handshakes >= this.#maxSockets;
    if (!isFull && !this.#draining) return true;
    this.telemetry.emit("limit.reached", { limit: this.#draining ? "draining" : "MAX_SOCKETS" });
    return false;
  }

  #handshakeRequest({ route, pathParams }: Found, request: IncomingMessage): HandshakeRequest {
    const subprotocols = route.kind === "websocket" ? route.webSockets.options.subprotocols : [];
    return {
      request,
      transport: route.kind,
      mount: route.mount.options,
      subprotocols,
      pathParams,
      host: this.#host,
    };
  }

  #shakeHands(mount: Mount, request: HandshakeRequest): Soon<Handshake> {
    this.#handshakes += 1;
    return then(
      shakeHands(request, (cause) => this.#failed(mount, cause)),
      (handshake) => {
        this.#handshakes -= 1;
        if (!handshake.accepted) {
          const { status } = handshake.answer;
          this.telemetry.emit("socket_refused", { mount: mount.path, transport: request.transport, status });
        }
        return handshake;
      },
    );
  }

  /** The time at which a connection begins, or null when nobody wants to know how long it takes. */
  #startMeasuring(): number | null {
    return this.telemetry.listens("socket_connected") ? this.#clock.monotonic() : null;
  }

  #opened(mount: Mount, connection: WebSocketConnection | LongPollSession, startedAt: number | null): void {
    this.#connections.add(connection);
    if (startedAt === null) return;
    this.telemetry.emit("socket_connected", {
      mount: mount.path,
      transport: connection.kind,
      vsn: connection.socket.serializer.name,
      durationMs: this.#clock.monotonic() - startedAt,
    });
  }

  #closed(mount: Mount, connection: WebSocketConnection | LongPollSession, code: number): void {
    this.#connections.delete(connection);
    this.telemetry.emit("socket_closed", { mount: mount.path, transport: connection.kind, code });
  }

  #failed(mount: Mount, error: unknown): void {
    this.telemetry.emit("channel_crashed", { topic: mount.path, event: "connect", error });
  }

  // Phoenix runs connect first here too, so a refusal shows even without an upgrade.
  async #answerWithoutUpgrade(
    found: Found<WebSocketRoute>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (request.method !== "GET") {
      sendAnswer(response, { status: 400 });
      return;
    }
    const handshake = await this.#shakeHands(found.route.mount, this.#handshakeRequest(found, request));
    sendAnswer(
      response,
      handshake.accepted ? { status: 400, body: "'connection' header must contain 'upgrade'" } : handshake.answer,
    );
  }

  #find(url: string): Found | null {
    const question = url.indexOf("?");
    const path = question < 0 ? url : url.slice(0, question);
    return this.#routeByPath.get(path) ?? this.#search(segmentsOf(path));
  }

  #search(segments: readonly string[]): Found | null {
    for (const route of this.#routes) {
      const pathParams = matchSegments(route.segments, segments);
      if (pathParams !== null) return { route, pathParams };
    }
    return null;
  }
}

function destroy(this: Duplex): void {
  this.destroy();
}

function isWebSocket(found: Found): found is Found<WebSocketRoute> {
  return found.route.kind === "websocket";
}

function isLongPoll(found: Found): found is Found<LongPollRoute> {
  return found.route.kind === "longpoll";
}
