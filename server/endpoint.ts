import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Serializer } from "../protocol/serializer.js";
import { socketLimits } from "./channel/limits.js";
import { Socket, type SocketContext } from "./channel/socket.js";
import { Topics } from "./channel/topics.js";
import type { Transport } from "./channel/transport.js";
import { type Clock, systemClock } from "./clock.js";
import type { PubSubAdapter } from "./pubsub/adapter.js";
import { PubSub } from "./pubsub/pubsub.js";
import { Telemetry } from "./telemetry.js";
import { peerAddress } from "./transports/addresses.js";
import { type Connection, Connections, type DrainOptions } from "./transports/connections.js";
import { decide, type Handshake, type HandshakeRequest, isRefused } from "./transports/handshake.js";
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
import { type Found, Routes } from "./transports/routes.js";
import { then } from "./transports/soon.js";
import { leaveUpgrades, takeUpgrades, type UpgradeTaker, wantsWebSocket } from "./transports/upgrades.js";
import { WebSocketConnection, type WebSocketHome, WebSockets } from "./transports/websocket.js";

/** What an endpoint is made of; only `mounts` is needed. */
export interface EndpointOptions {
  /** Paths where clients connect, `:name` segments become connect params. */
  readonly mounts: Readonly<Record<string, MountOptions>>;
  /** The host name of our own pages: what `checkOrigin: true` allows, which is then the default. */
  readonly host?: string;
  /** Carries broadcasts to the other nodes, from `start` to `stop`. Without one there are none. */
  readonly adapter?: PubSubAdapter;
  /** Who is told what happens; one of its own unless it is given. */
  readonly telemetry?: Telemetry;
  /** What time it is, for tests that turn it themselves. */
  readonly clock?: Clock;
  /** Sockets at once; one more is answered 503 before any work. 0: no limit. */
  readonly maxSockets?: number;
  /**
   * Sockets of one address at once, an IPv6 address standing for its /64; one more is answered 429 before any work.
   * 0: no limit. (SPEC L20)
   */
  readonly maxSocketsPerAddress?: number;
  /**
   * Whose socket a request asks for; null: nobody's whose sockets are counted. Unless it is given, that of whoever holds
   * the other end of the connection: behind a proxy, and that may be on this machine, that is the proxy.
   */
  readonly addressOf?: (request: IncomingMessage) => string | null;
}

interface Mount {
  readonly path: string;
  readonly options: MountOptions;
  readonly context: SocketContext;
}

interface WebSocketRoute {
  readonly kind: "websocket";
  readonly path: string;
  readonly mount: Mount;
  readonly webSockets: WebSockets;
  readonly home: WebSocketHome;
}

interface LongPollRoute {
  readonly kind: "longpoll";
  readonly path: string;
  readonly mount: Mount;
  readonly longPoll: LongPoll;
}

type Route = WebSocketRoute | LongPollRoute;

type AcceptedHandshake = Handshake & { readonly accepted: true };

interface Upgrade {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  readonly head: Buffer;
  readonly startedAt: number | null;
  /** What it counts for. */
  readonly address: string | null;
}

/** What carries frames to a client in this process. */
export interface LocalTransport extends Transport {
  /** Set by the endpoint. To be called once, whoever ends the connection. */
  onClose: (code: number) => void;
  /** Ends it at once, and says so to `onClose`. */
  terminate(): void;
}

export interface LocalClient {
  readonly serializer: Serializer;
  /** Those of the path among them, if it has any. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly info: ConnectInfo;
}

/** `reason`: what `connect` gave to `refuse`, or 503. */
export type LocalOutcome =
  { readonly accepted: true; readonly socket: Socket } | { readonly accepted: false; readonly reason: unknown };

/**
 * Connects a client in this process, without a handshake: how `bennu/testing` comes in. Otherwise it is a connection
 * like any other.
 * @param path of a mount
 * @throws what the mount's `connect` throws
 */
export let connectLocally: (
  endpoint: Endpoint,
  path: string,
  transport: LocalTransport,
  client: LocalClient,
) => Promise<LocalOutcome>;

/** Takes the connections of an HTTP server and holds their sockets. */
export class Endpoint {
  readonly pubsub: PubSub;
  readonly telemetry: Telemetry;
  readonly #host: string | null;
  readonly #clock: Clock;
  readonly #addressOf: (request: IncomingMessage) => string | null;
  readonly #mounts: ReadonlyMap<string, Mount>;
  readonly #routes: Routes<Route>;
  readonly #connections: Connections;
  readonly #sessions = new Map<string, LongPollSession>();
  readonly #servers = new Set<Server>();
  readonly #taker: UpgradeTaker;

  constructor(options: EndpointOptions) {
    this.telemetry = options.telemetry ?? new Telemetry();
    this.pubsub = new PubSub({ telemetry: this.telemetry, ...(options.adapter && { adapter: options.adapter }) });
    this.#host = options.host ?? null;
    this.#clock = options.clock ?? systemClock;
    this.#addressOf = options.addressOf ?? peerAddress;
    this.#connections = new Connections(this.telemetry, this.#clock, {
      maxSockets: options.maxSockets ?? 0,
      perAddress: { max: options.maxSocketsPerAddress ?? 0, addressOf: this.#addressOf },
    });
    const mounts = Object.entries(options.mounts).map(([path, mount]) => this.#mount(path, mount));
    this.#mounts = new Map(mounts.map((mount) => [mount.path, mount]));
    this.#routes = new Routes(mounts.flatMap((mount) => this.#routesOf(mount)));
    this.#taker = this.#makeTaker();
  }

  /** Clients that are connected, over whichever transport. */
  get socketCount(): number {
    return this.#connections.count;
  }

  /** Addresses that have sockets, connected or being decided: 0 where `maxSocketsPerAddress` is. */
  get addressCount(): number {
    return this.#connections.addressCount;
  }

  /**
   * Joins the other nodes, where there is an adapter. Until then, and when it fails, the endpoint works alone.
   * @throws what the adapter does; it may be started again
   */
  start(): Promise<void> {
    return this.pubsub.start();
  }

  /** Drains, ends what is left, and then leaves the other nodes: they still hear what channels say at their end. */
  async stop(options: DrainOptions = {}): Promise<void> {
    await this.drain(options);
    this.terminate();
    await this.pubsub.stop();
  }

  /**
   * Takes the WebSockets of `server` that are for a mount. Whatever else asks for an upgrade is left to the server's
   * other listeners, or answered as an ordinary request where there are none. Those go through `handle` first. (SPEC T11)
   */
  attach(server: Server): void {
    this.#servers.add(server);
    takeUpgrades(server, this.#taker);
  }

  /** Takes no more upgrades of a server, or of any. The sockets there are stay. */
  detach(server?: Server): void {
    for (const attached of server === undefined ? [...this.#servers] : [server]) {
      leaveUpgrades(attached, this.#taker);
      this.#servers.delete(attached);
    }
  }

  /**
   * Answers an upgrade to a WebSocket that is meant for a mount: for those who listen for upgrades themselves.
   * @returns false when it is not, and somebody else should
   */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): boolean {
    if (!wantsWebSocket(request)) return false;
    const found = this.#routes.find(request.url ?? "");
    if (found?.route.kind !== "websocket") return false;
    this.#upgrade(found as Found<WebSocketRoute>, request, stream, head);
    return true;
  }

  /**
   * Answers a request that is meant for a mount. It comes before whatever reads bodies: a POST is read here.
   * @returns false when it is not, and somebody else should
   */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const found = this.#routes.find(request.url ?? "");
    if (found === null) return false;
    const { route } = found;
    const handshakeRequest = this.#handshakeRequest(found, request);
    if (route.kind === "longpoll") void route.longPoll.handle(handshakeRequest, response);
    else void this.#answerWithoutUpgrade(route, handshakeRequest, response);
    return true;
  }

  static {
    connectLocally = (endpoint, path, transport, client) => endpoint.#connectLocally(path, transport, client);
  }

  async #connectLocally(path: string, transport: LocalTransport, client: LocalClient): Promise<LocalOutcome> {
    const mount = this.#mounts.get(path);
    if (mount === undefined) throw new Error(`there is no mount ${path}; there are ${[...this.#mounts.keys()].join()}`);
    const refused = (status: number, reason: unknown): LocalOutcome => {
      this.#connections.refused(path, transport.kind, status);
      return { accepted: false, reason };
    };
    if (!this.#connections.hasRoom()) return refused(503, 503);
    const startedAt = this.#connections.startMeasuring();
    const decision = await decide(mount.options, client.params, client.info);
    if (isRefused(decision)) return refused(403, decision.refused);
    // It may have begun to stop while the app was deciding.
    if (!this.#connections.hasRoom()) return refused(503, 503);
    const socket = new Socket(mount.context, transport, client.serializer, decision.identity);
    const connection: Connection = {
      kind: transport.kind,
      socket,
      close: (code, reason) => transport.close(code, reason),
      terminate: () => transport.terminate(),
    };
    transport.onClose = (code) => {
      socket.closed();
      this.#connections.closed(path, connection, code);
    };
    this.#connections.opened(path, connection, startedAt, null);
    return { accepted: true, socket };
  }

  /** Sends an event to every subscriber of a topic. A broadcast of "disconnect" on a socket's id closes it with 1001. */
  broadcast(topic: string, event: string, payload: unknown): void {
    this.pubsub.broadcast(topic, event, payload);
  }

  /** From now on new sockets are answered 503. */
  refuseNew(): void {
    this.#connections.refuseNew();
  }

  /**
   * Takes no new sockets and closes those there are with 1012, a batch at a time, so that they do not all come back at
   * once; a long-poll is answered. Resolves when the last one was told; then it is detached from its servers.
   */
  async drain(options: DrainOptions = {}): Promise<void> {
    await this.#connections.drain(options);
    this.detach();
  }

  /** Ends what is left, without a close frame. */
  terminate(): void {
    this.#connections.terminate();
  }

  #mount(path: string, options: MountOptions): Mount {
    return {
      path,
      options: { ...options, checkOrigin: options.checkOrigin ?? (this.#host === null ? "conn" : true) },
      context: {
        mount: path,
        topics: new Topics(options.channels),
        limits: socketLimits(options.limits),
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
      const path = mount.path + options.path;
      const home = this.#webSocketHome(mount, options);
      routes.push({ kind: "websocket", path, mount, webSockets: new WebSockets(options), home });
    }
    if (longpoll !== false) {
      const options: LongPollOptions = { ...defaultLongPoll, ...(longpoll === true ? {} : longpoll) };
      const path = mount.path + options.path;
      routes.push({ kind: "longpoll", path, mount, longPoll: this.#longPoll(mount, options) });
    }
    return routes;
  }

  #webSocketHome(mount: Mount, options: WebSocketOptions): WebSocketHome {
    return {
      options,
      context: mount.context,
      clock: this.#clock,
      idleSweep: new IdleSweep(this.#clock, options.idleTimeoutMs),
      failed: (cause) => this.#connections.failed(mount.path, cause),
      closed: (connection, code) => this.#connections.closed(mount.path, connection, code),
    };
  }

  #makeTaker(): UpgradeTaker {
    const isDraining = () => this.#connections.isDraining;
    const find = (request: IncomingMessage) => this.#routes.find(request.url ?? "");
    return {
      get isDraining() {
        return isDraining();
      },
      owns: (request) => find(request) !== null,
      takes: (request) => wantsWebSocket(request) && find(request)?.route.kind === "websocket",
      upgrade: (request, stream, head) => this.upgrade(request, stream, head),
    };
  }

  #upgrade(found: Found<WebSocketRoute>, request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (!this.#connections.hasRoom()) {
      refuseUpgrade(stream, noRoom);
      return;
    }
    const { route } = found;
    const admission = this.#connections.admit(route.mount.path, "websocket", request);
    if (!admission.admitted) {
      refuseUpgrade(stream, admission.answer);
      return;
    }
    const { address } = admission;
    const startedAt = this.#connections.startMeasuring();
    const deciding = this.#connections.shakeHands(route.mount.path, this.#handshakeRequest(found, request));
    // A peer that resets while the app decides must not become an unhandled error.
    if (deciding instanceof Promise) stream.on("error", destroy);
    void then(deciding, (handshake) => {
      const isOpened = this.#decided(route, handshake, { request, stream, head, startedAt, address });
      if (!isOpened) this.#connections.leave(address);
    });
  }

  /** @returns whether it is a socket now, which leaves its address when it closes */
  #decided(route: WebSocketRoute, handshake: Handshake, upgrade: Upgrade): boolean {
    const { stream } = upgrade;
    if (stream.destroyed) return false;
    // It may have begun to stop while the app was deciding.
    if (handshake.accepted && !this.#connections.isDraining) return this.#openWebSocket(route, handshake, upgrade);
    refuseUpgrade(stream, handshake.accepted ? noRoom : handshake.answer);
    return false;
  }

  #openWebSocket(
    { mount, webSockets, home }: WebSocketRoute,
    { serializer, identity, protocol, maxFrameBytes }: AcceptedHandshake,
    { request, stream, head, startedAt, address }: Upgrade,
  ): boolean {
    try {
      const ws = webSockets.upgrade({ request, stream, head }, { protocol, maxFrameBytes });
      if (ws === null) return false;
      const connection = new WebSocketConnection(home, { ws, stream, serializer, identity });
      this.#connections.opened(mount.path, connection, startedAt, address);
      return true;
    } catch (cause) {
      // Another listener of the server has made a WebSocket of it already.
      this.#connections.failed(mount.path, cause);
      stream.destroy();
      return false;
    }
  }

  #longPoll(mount: Mount, options: LongPollOptions): LongPoll {
    return new LongPoll(options, mount.context, {
      clock: this.#clock,
      sessions: this.#sessions,
      isDraining: () => this.#connections.isDraining,
      hasRoom: () => this.#connections.hasRoom(),
      addressOf: this.#addressOf,
      admit: (request) => this.#connections.admit(mount.path, "longpoll", request),
      leave: (address) => this.#connections.leave(address),
      shakeHands: (request) => this.#connections.shakeHands(mount.path, request),
      startMeasuring: () => this.#connections.startMeasuring(),
      opened: (session, startedAt, address) => this.#connections.opened(mount.path, session, startedAt, address),
      closed: (session, code) => this.#connections.closed(mount.path, session, code),
      failed: (cause) => this.#connections.failed(mount.path, cause),
      limitReached: (limit) => this.telemetry.emit("limit.reached", { limit }),
    });
  }

  #handshakeRequest({ route, pathParams }: Found<Route>, request: IncomingMessage): HandshakeRequest {
    const subprotocols = route.kind === "websocket" ? route.webSockets.options.subprotocols : [];
    return {
      request,
      transport: route.kind,
      mount: route.mount.options,
      subprotocols,
      pathParams,
      host: this.#host ?? "localhost",
    };
  }

  // Phoenix runs connect first here too, so a refusal shows even without an upgrade.
  async #answerWithoutUpgrade(
    { mount }: WebSocketRoute,
    handshakeRequest: HandshakeRequest,
    response: ServerResponse,
  ): Promise<void> {
    if (handshakeRequest.request.method !== "GET") {
      sendAnswer(response, { status: 400 });
      return;
    }
    // Upgrades come here too once we are detached.
    if (!this.#connections.hasRoom()) {
      sendAnswer(response, noRoom);
      return;
    }
    // It becomes no socket, but while it is decided it costs as much.
    const admission = this.#connections.admit(mount.path, "websocket", handshakeRequest.request);
    if (!admission.admitted) {
      sendAnswer(response, admission.answer);
      return;
    }
    const handshake = await this.#connections.shakeHands(mount.path, handshakeRequest);
    this.#connections.leave(admission.address);
    sendAnswer(
      response,
      handshake.accepted ? { status: 400, body: "'connection' header must contain 'upgrade'" } : handshake.answer,
    );
  }
}

function destroy(this: Duplex): void {
  this.destroy();
}
