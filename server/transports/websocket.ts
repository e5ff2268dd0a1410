import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { closeCode } from "../../protocol/events.js";
import type { Frame } from "../../protocol/frame.js";
import type { Serializer } from "../../protocol/serializer.js";
import { Socket, type SocketContext, type SocketIdentity } from "../channel/socket.js";
import type { Transport } from "../channel/transport.js";
import { Batch, flushSoon, type Flushable } from "./outbox.js";
import type { Idle, IdleSweep } from "./idle.js";
import type { WebSocketOptions } from "./mount.js";

/** A close that the peer began is answered 1000 whatever its code, as Phoenix does. (SPEC W11) */
class PhoenixWebSocket extends WebSocket {
  /** Called before a close frame leaves, whoever wanted it: us, the peer, or ws for what violates the protocol. */
  beforeClose: () => void = () => undefined;

  override close(code?: number, reason?: string | Buffer): void {
    this.beforeClose();
    const { _closeFrameReceived: peerBegan } = this as unknown as { readonly _closeFrameReceived: boolean };
    super.close(peerBegan ? closeCode.normal : code, peerBegan ? "" : reason);
  }
}

/** Upgrades requests to the WebSockets of one mount. */
export class WebSockets {
  readonly #server: WebSocketServer;
  readonly #options: WebSocketOptions;

  constructor(options: WebSocketOptions) {
    this.#options = options;
    // Named first, because the published types do not know the three newest of these options.
    const serverOptions = {
      noServer: true,
      clientTracking: false,
      WebSocket: PhoenixWebSocket,
      perMessageDeflate: options.compress,
      maxPayload: options.maxFrameBytes,
      maxFragments: options.maxFragments,
      maxBufferedChunks: options.maxBufferedChunks,
      closeTimeout: options.closeTimeoutMs,
      // The handshake has chosen already; ws only writes it down.
      handleProtocols: (_offered: Set<string>, request: IncomingMessage) => chosenProtocols.get(request) ?? false,
    };
    this.#server = new WebSocketServer(serverOptions);
  }

  /** Answers the upgrade and hands the connection over. ws itself answers a request that is no proper upgrade. */
  upgrade(
    request: IncomingMessage,
    stream: Duplex,
    head: Buffer,
    protocol: string | null,
    opened: (ws: PhoenixWebSocket) => void,
  ): void {
    if (protocol !== null) chosenProtocols.set(request, protocol);
    this.#server.handleUpgrade(request, stream, head, (ws) => opened(ws as PhoenixWebSocket));
  }

  get options(): WebSocketOptions {
    return this.#options;
  }
}

const chosenProtocols = new WeakMap<IncomingMessage, string>();

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
  readonly #options: WebSocketOptions;
  readonly #compresses: boolean;
  #batch = Batch.empty;
  #open = true;

  constructor(parts: {
    readonly ws: PhoenixWebSocket;
    readonly stream: Duplex;
    readonly options: WebSocketOptions;
    readonly context: SocketContext;
    readonly serializer: Serializer;
    readonly identity: SocketIdentity;
    readonly idleSweep: IdleSweep;
    readonly onError: (cause: unknown) => void;
    readonly onClosed: (connection: WebSocketConnection, code: number) => void;
  }) {
    const { ws, idleSweep } = parts;
    this.#ws = ws;
    this.#stream = parts.stream;
    this.#options = parts.options;
    this.#compresses = ws.extensions !== "";
    this.socket = new Socket(parts.context, this, parts.serializer, parts.identity);
    idleSweep.add(this);
    const heard = () => {
      this.heardAt = idleSweep.current;
    };
    ws.beforeClose = () => this.#end();
    ws.on("message", (data: RawData, isBinary: boolean) => {
      heard();
      if (!this.#open) return;
      try {
        if (isBinary) this.socket.receiveBinary(data as Buffer);
        else this.socket.receiveText((data as Buffer).toString("utf8"));
      } catch (cause) {
        // A mistake of ours: it costs this connection, not the process.
        parts.onError(cause);
        this.close(closeCode.malformed, "");
      }
    });
    ws.on("ping", heard);
    // ws has closed with the right code already; the error only says why. (SPEC W10)
    ws.on("error", () => undefined);
    ws.on("close", (code: number) => {
      this.#open = false;
      idleSweep.remove(this);
      this.socket.closed();
      parts.onClosed(this, code);
    });
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
    const { maxSendQueueBytes } = this.#options;
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

  close(code: number, reason: string): void {
    if (this.#open) this.#ws.close(code, reason);
  }

  // What was sent before goes first, nothing follows a close frame, and the peer need not answer it for its channels to
  // end.
  #end(): void {
    if (!this.#open) return;
    this.flush();
    this.#open = false;
    // The answer to our close frame must be read, also where a slow channel has stopped the reading.
    this.#ws.resume();
    this.socket.closed();
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  idle(): void {
    this.close(closeCode.protocolError, "");
  }

  /** Ends it at once, without a close frame. */
  terminate(): void {
    this.#ws.terminate();
  }

  #closeIfSlow(): void {
    const { maxSendQueueBytes } = this.#options;
    if (maxSendQueueBytes === 0 || this.#stream.writableLength <= maxSendQueueBytes) return;
    this.close(closeCode.slow, "");
  }
}
