import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { closeCode } from "../protocol/events.js";
import { phoenixLimits } from "./channel/limits.js";
import type { SocketContext } from "./channel/socket.js";
import { Topics } from "./channel/topics.js";
import { type Clock, systemClock } from "./clock.js";
import { PubSub } from "./pubsub/pubsub.js";
import { Telemetry } from "./telemetry.js";
import { shakeHands } from "./transports/handshake.js";
import { IdleSweep } from "./transports/idle.js";
import { defaultWebSocket, type HttpAnswer, type MountOptions } from "./transports/mount.js";
import { WebSocketConnection, WebSockets } from "./transports/websocket.js";

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
  readonly segments: readonly string[];
  readonly options: MountOptions;
  readonly context: SocketContext;
  readonly webSockets: WebSockets | null;
  readonly idleSweep: IdleSweep;
}

/** Takes the connections of an HTTP server and holds their sockets. */
export class Endpoint {
  readonly pubsub: PubSub;
  readonly telemetry: Telemetry;
  readonly #host: string;
  readonly #clock: Clock;
  readonly #maxSockets: number;
  readonly #mounts: readonly Mount[];
  readonly #connections = new Set<WebSocketConnection>();
  #handshakes = 0;
  #draining = false;

  constructor(options: EndpointOptions) {
    this.pubsub = options.pubsub ?? new PubSub();
    this.telemetry = options.telemetry ?? new Telemetry();
    this.#host = options.host ?? "localhost";
    this.#clock = options.clock ?? systemClock;
    this.#maxSockets = options.maxSockets ?? 0;
    this.#mounts = Object.entries(options.mounts).map(([path, mount]) => this.#mount(path, mount));
  }

  get socketCount(): number {
    return this.#connections.size;
  }

  /** Takes over the upgrades of `server`. Its ordinary requests go through `handle` first. */
  attach(server: Server): void {
    server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      void this.#upgrade(request, stream, head);
    });
  }

  /** Answers a request that is meant for a mount. @returns false when it is not, and somebody else should */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const found = this.#find(request.url ?? "");
    if (found === null) return false;
    void this.#answerWithoutUpgrade(found, request, response);
    return true;
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
   * once. Resolves when the last one was told.
   */
  async drain({ batchSize = 500, intervalMs = 200 }: { batchSize?: number; intervalMs?: number } = {}): Promise<void> {
    this.refuseNew();
    this.telemetry.emit("socket_drain", { sockets: this.#connections.size });
    const connections = [...this.#connections];
    for (let at = 0; at < connections.length; at += batchSize) {
      if (at > 0) await new Promise<void>((resolve) => this.#clock.after(intervalMs, resolve));
      for (const connection of connections.slice(at, at + batchSize)) connection.close(closeCode.restarting, "");
    }
  }

  /** Ends what is left, without a close frame. */
  terminate(): void {
    for (const connection of this.#connections) connection.terminate();
  }

  #mount(path: string, options: MountOptions): Mount {
    const websocket = { ...defaultWebSocket, ...(typeof options.websocket === "object" ? options.websocket : {}) };
    return {
      path,
      segments: segmentsOf(path + websocket.path),
      options,
      context: {
        mount: path,
        topics: new Topics(options.channels),
        limits: { ...phoenixLimits, ...options.limits },
        pubsub: this.pubsub,
        telemetry: this.telemetry,
      },
      webSockets: options.websocket === false ? null : new WebSockets(websocket),
      idleSweep: new IdleSweep(this.#clock, websocket.idleTimeoutMs),
    };
  }

  async #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    // A peer that resets during the handshake must not become an unhandled error.
    stream.on("error", () => stream.destroy());
    const found = this.#find(request.url ?? "");
    if (found === null || found.mount.webSockets === null) {
      refuseUpgrade(stream, { status: 404 });
      return;
    }
    const { mount } = found;
    if (this.#draining || (this.#maxSockets > 0 && this.#connections.size + this.#handshakes >= this.#maxSockets)) {
      this.telemetry.emit("limit.reached", { limit: this.#draining ? "draining" : "MAX_SOCKETS" });
      refuseUpgrade(stream, { status: 503, headers: { "retry-after": "5" } });
      return;
    }
    const startedAt = performance.now();
    this.#handshakes += 1;
    const handshake = await this.#shakeHands(found, request);
    this.#handshakes -= 1;
    if (stream.destroyed) return;
    if (!handshake.accepted) {
      this.telemetry.emit("socket_refused", {
        mount: mount.path,
        transport: "websocket",
        status: handshake.answer.status,
      });
      refuseUpgrade(stream, handshake.answer);
      return;
    }
    const { serializer, identity, protocol } = handshake;
    mount.webSockets!.upgrade(request, stream, head, protocol, (ws) => {
      const connection = new WebSocketConnection({
        ws,
        stream,
        options: mount.webSockets!.options,
        context: mount.context,
        serializer,
        identity,
        idleSweep: mount.idleSweep,
        onError: (cause) => this.#failed(mount, cause),
        onClosed: (closed, code) => this.#closed(mount, closed, code),
      });
      this.#connections.add(connection);
      this.telemetry.emit("socket_connected", {
        mount: mount.path,
        transport: "websocket",
        vsn: serializer.name,
        durationMs: performance.now() - startedAt,
      });
    });
  }

  #closed(mount: Mount, connection: WebSocketConnection, code: number): void {
    this.#connections.delete(connection);
    this.telemetry.emit("socket_closed", { mount: mount.path, transport: "websocket", code });
  }

  #failed(mount: Mount, error: unknown): void {
    this.telemetry.emit("channel_crashed", { topic: mount.path, event: "connect", error });
  }

  #shakeHands({ mount, pathParams }: Found, request: IncomingMessage) {
    const subprotocols = mount.webSockets?.options.subprotocols ?? [];
    return shakeHands(
      { request, transport: "websocket", mount: mount.options, subprotocols, pathParams, host: this.#host },
      (cause) => this.#failed(mount, cause),
    );
  }

  // Phoenix runs connect first here too, so a refusal shows even without an upgrade.
  async #answerWithoutUpgrade(found: Found, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "GET") {
      send(response, { status: 400 });
      return;
    }
    const handshake = await this.#shakeHands(found, request);
    send(
      response,
      handshake.accepted ? { status: 400, body: "'connection' header must contain 'upgrade'" } : handshake.answer,
    );
  }

  #find(url: string): Found | null {
    const path = url.split("?", 1)[0]!;
    const segments = segmentsOf(path);
    for (const mount of this.#mounts) {
      const pathParams = matchSegments(mount.segments, segments);
      if (pathParams !== null) return { mount, pathParams };
    }
    return null;
  }
}

interface Found {
  readonly mount: Mount;
  readonly pathParams: Readonly<Record<string, string>>;
}

// Doubled and trailing slashes do not count.
function segmentsOf(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "");
}

function matchSegments(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    if (part.startsWith(":")) params[part.slice(1)] = segments[index]!;
    else if (part !== segments[index]) return null;
  }
  return params;
}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

function refuseUpgrade(stream: Duplex, { status, headers = {}, body = "" }: HttpAnswer): void {
  const all = { ...headers, connection: "close", "content-length": String(Buffer.byteLength(body)) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  stream.end(`HTTP/1.1 ${status} ${reasons[status] ?? "Error"}\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
}

function send(response: ServerResponse, { status, headers = {}, body = "" }: HttpAnswer): void {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
}
