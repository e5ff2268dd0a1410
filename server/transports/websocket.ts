import { hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ServerOptions, WebSocket, WebSocketServer } from "ws";
import { closeCode } from "../../protocol/events.js";
import { Frame } from "../../protocol/frame.js";
import type { Serializer } from "../../protocol/serializer.js";
import type { Clock } from "../clock.js";
import { Socket, type SocketContext, type SocketIdentity } from "../channel/socket.js";
import type { Transport } from "../channel/transport.js";
import { refuseUpgrade } from "./http-answer.js";
import { Fences } from "./fences.js";
import { PingLimit } from "./ping-limit.js";
import { Batch, flushSoon, type Flushable } from "./outbox.js";
import type { Idle, IdleSweep } from "./idle.js";
import type { HttpAnswer, WebSocketOptions } from "./mount.js";
import { pingFrame } from "./websocket-frame.js";

/** A close that the peer began is answered 1000 whatever its code, as Phoenix does. (SPEC W11) */
class PhoenixWebSocket extends WebSocket {
  connection: WebSocketConnection | null = null;

  // What ws has to tell has one listener, so it needs no lists of them: they would be the largest part of a socket.
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const { connection } = this;
    if (connection === null) return false;
    if (event === "message") connection.received(args[0] as Buffer, args[1] as boolean);
    else if (event === "ping") connection.pinged();
    else if (event === "pong") connection.fenced(args[0] as Buffer);
    else if (event === "close") connection.gone(args[0] as number);
    // Of "error": ws has closed with the right code already; the error only says why. (SPEC W10)
    return true;
  }

  override close(code?: number, reason?: string | Buffer): void {
    this.connection?.end();
    const { _closeFrameReceived: peerBegan } = this as unknown as { readonly _closeFrameReceived: boolean };
    super.close(peerBegan ? closeCode.normal : code, peerBegan ? "" : reason);
  }
}

/** How the server of ws makes one; its types do not tell. */
const ServerWebSocket = PhoenixWebSocket as unknown as new (
  address: null,
  protocols: undefined,
  options: ServerOptions,
) => PhoenixWebSocket & { setSocket(stream: Duplex, head: Buffer, options: ServerOptions): void };

export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  /** What came behind the request. */
  readonly head: Buffer;
}

export interface UpgradeTerms {
  /** The subprotocol to answer; null: none. */
  readonly protocol: string | null;
  /** Null: what the mount says. */
  readonly maxFrameBytes: number | null;
}

/** Upgrades requests to the WebSockets of one mount. */
export class WebSockets {
  readonly #server: WebSocketServer;
  readonly #options: WebSocketOptions;

  constructor(options: WebSocketOptions) {
    for (const name of options.subprotocols) {
      if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) throw new TypeError(`${name} cannot be a subprotocol`);
    }
    this.#options = options;
    // Named first, because the published types do not know the four newest of these options.
    const serverOptions = {
      noServer: true,
      clientTracking: false,
      WebSocket: PhoenixWebSocket,
      perMessageDeflate: options.compress,
      maxPayload: options.maxFrameBytes,
      maxFragments: options.maxFragments,
      maxBufferedChunks: options.maxBufferedChunks,
      closeTimeout: options.closeTimeoutMs,
      // Answers that the network has not taken; with one more ws resets the connection. The limit of pings comes first.
      maxPendingAutoPongs: Math.max(pongsMax, options.maxPingsPerSecond + 1),
    };
    this.#server = new WebSocketServer(serverOptions);
    // What ws says of a request that is no proper upgrade. It would say it as a web page.
    this.#server.on("wsClientError", ({ message }: Error, stream: Duplex) =>
      refuseUpgrade(stream, { status: 400, body: message }),
    );
  }

  /** Answers the upgrade. @returns null where it is not a proper one */
  upgrade(
    { request, stream, head }: UpgradeRequest,
    { protocol, maxFrameBytes }: UpgradeTerms,
  ): PhoenixWebSocket | null {
    const { headers } = request;
    // ws takes version 8 as well, whose frames are the same, but Phoenix does not.
    if (headers["sec-websocket-version"] !== "13") {
      refuseUpgrade(stream, wrongVersion);
      return null;
    }
    const options =
      maxFrameBytes === null ? this.#server.options : { ...this.#server.options, maxPayload: maxFrameBytes };
    const key = headers["sec-websocket-key"];
    if (key !== undefined && keyPattern.test(key) && !this.#options.compress && isUntouched(stream)) {
      return accept(key, { stream, head }, { protocol, options });
    }
    const offered = headers["sec-websocket-protocol"];
    // The handshake has chosen already. ws answers the first that it finds, and refuses offers that Phoenix takes, so it
    // finds nothing else.
    if (offered !== undefined) headers["sec-websocket-protocol"] = protocol ?? undefined;
    let made: WebSocket | null = null;
    const { options: shared } = this.#server;
    this.#server.options = options;
    this.#server.handleUpgrade(request, stream, head, (ws) => (made = ws));
    this.#server.options = shared;
    if (offered !== undefined) headers["sec-websocket-protocol"] = offered;
    return made;
  }

  get options(): WebSocketOptions {
    return this.#options;
  }
}

/** Does what ws does where all is well and nothing is left to negotiate, for less: that is nearly every connection. */
function accept(
  key: string,
  { stream, head }: Pick<UpgradeRequest, "stream" | "head">,
  { protocol, options }: { readonly protocol: string | null; readonly options: ServerOptions },
): PhoenixWebSocket {
  const accepted = hash("sha1", key + acceptGuid, "base64");
  const chosen = protocol === null ? "" : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
  stream.write(`${switchingProtocols}Sec-WebSocket-Accept: ${accepted}\r\n${chosen}\r\n`, "latin1");
  const ws = new ServerWebSocket(null, undefined, options);
  ws.setSocket(stream, head, options);
  return ws;
}

/** As ws has it. */
const pongsMax = 60;

/** The same for all connections, so that those which got the same frames still share one write. */
const fenceData = Buffer.from("fence");
const fencePing = new Frame("");
fencePing.wire = pingFrame(fenceData);

const keyPattern = /^[+/0-9A-Za-z]{22}==$/;
const acceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const switchingProtocols = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";

/** Open on both sides, and nobody reads it: it is no WebSocket yet. */
function isUntouched(stream: Duplex): boolean {
  return stream.readable && stream.writable && stream.readableFlowing !== true;
}

const wrongVersion: HttpAnswer = {
  status: 400,
  headers: { "sec-websocket-version": "13" },
  body: "'sec-websocket-version' header must equal '13'",
};

/** What the connections of one mount share, and whom they tell of their end. */
export interface WebSocketHome {
  readonly options: WebSocketOptions;
  readonly context: SocketContext;
  readonly clock: Clock;
  readonly idleSweep: IdleSweep;
  /** A mistake of ours in handling a frame. */
  failed(cause: unknown): void;
  closed(connection: WebSocketConnection, code: number): void;
}

/**
 * One WebSocket. `ws` parses what comes and handles control frames; data frames are framed by us and written to the
 * stream itself, at most once a tick. A connection that compresses goes through `ws` instead.
 */
export class WebSocketConnection implements Transport, Flushable, Idle {
  readonly kind = "websocket";
  readonly socket: Socket;
  heardAt = 0;
  readonly #ws: PhoenixWebSocket;
  readonly #stream: Duplex;
  readonly #home: WebSocketHome;
  readonly #compresses: boolean;
  #batch = Batch.empty;
  #fences: Fences | null = null;
  #pings: PingLimit | null = null;
  #open = true;
  #paused = false;

  constructor(
    home: WebSocketHome,
    parts: {
      readonly ws: PhoenixWebSocket;
      readonly stream: Duplex;
      readonly serializer: Serializer;
      readonly identity: SocketIdentity;
    },
  ) {
    const { ws } = parts;
    this.#ws = ws;
    this.#stream = parts.stream;
    this.#home = home;
    this.#compresses = ws.extensions !== "";
    this.socket = new Socket(home.context, this, parts.serializer, parts.identity);
    home.idleSweep.add(this);
    ws.connection = this;
  }

  // From ws.

  received(data: Buffer, isBinary: boolean): void {
    this.heard();
    if (!this.#open) return;
    try {
      if (isBinary) this.socket.receiveBinary(data);
      else this.socket.receiveText(data.toString("utf8"));
    } catch (cause) {
      // A mistake of ours: it costs this connection, not the process.
      this.#home.failed(cause);
      this.close(closeCode.malformed, "");
    }
  }

  heard(): void {
    this.heardAt = this.#home.idleSweep.current;
  }

  /** ws has answered it. */
  pinged(): void {
    this.heard();
    const { options, clock } = this.#home;
    if (options.maxPingsPerSecond === 0 || !this.#open) return;
    this.#pings ??= new PingLimit(options.maxPingsPerSecond);
    if (!this.#pings.take(clock.monotonic())) this.close(closeCode.abuse, "");
  }

  gone(code: number): void {
    this.#open = false;
    this.#home.idleSweep.remove(this);
    this.socket.closed();
    this.#home.closed(this, code);
  }

  // What was sent before goes first, nothing follows a close frame, and the peer need not answer it for its channels to
  // end.
  end(): void {
    if (!this.#open) return;
    this.flush();
    this.#open = false;
    // The answer to our close frame must be read, also where a slow channel has stopped the reading.
    this.#ws.resume();
    this.socket.closed();
  }

  send(frame: Frame): void {
    if (!this.#open) return;
    if (this.#compresses) {
      this.#ws.send(frame.data);
      this.#closeIfSlow();
      return;
    }
    if (this.#batch === Batch.empty) flushSoon(this);
    this.#batch = this.#batch.append(frame);
    const { maxSendQueueBytes } = this.#home.options;
    if (maxSendQueueBytes > 0 && this.#batch.length > maxSendQueueBytes) this.flush();
  }

  flush(): void {
    const batch = this.#batch;
    if (batch === Batch.empty) return;
    this.#batch = Batch.empty;
    if (!this.#open || this.#stream.destroyed) return;
    this.#stream.write(batch.bytes());
    this.#closeIfSlow();
  }

  /** Asked by a ping behind what was sent; its pong says that all of that has been taken. (SPEC T13) */
  fence(done: () => void): void {
    if (this.#open && (this.#fences ??= new Fences()).add(done)) this.#ping();
  }

  // Not a sign of life: the peer's own network stack answers, whatever has become of its program.
  fenced(data: Buffer): void {
    if (this.#open && data.equals(fenceData) && this.#fences?.answered() === true) this.#ping();
  }

  #ping(): void {
    if (this.#compresses) this.#ws.ping(fenceData);
    else this.send(fencePing);
  }

  close(code: number, reason: string): void {
    if (this.#open) this.#ws.close(code, reason);
  }

  pause(): void {
    this.#paused = true;
    this.#ws.pause();
  }

  resume(): void {
    this.#paused = false;
    this.heard();
    this.#ws.resume();
  }

  // Idle is who says nothing while we listen: neither while nothing is read, nor while a join holds everything up. The
  // time begins anew when it does not any more. (SPEC T6)
  idle(): void {
    this.heard();
    if (this.#paused) return;
    let isJoining = true;
    this.socket.whenSettled(() => {
      isJoining = false;
      this.heard();
    });
    if (!isJoining) this.close(closeCode.protocolError, "");
  }

  /** Ends it at once, without a close frame. */
  terminate(): void {
    this.#ws.terminate();
  }

  #closeIfSlow(): void {
    const { maxSendQueueBytes } = this.#home.options;
    if (maxSendQueueBytes === 0 || this.#stream.writableLength <= maxSendQueueBytes) return;
    this.close(closeCode.slow, "");
  }
}
