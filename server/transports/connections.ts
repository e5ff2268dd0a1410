import { closeCode } from "../../protocol/events.js";
import type { Clock } from "../clock.js";
import type { Telemetry } from "../telemetry.js";
import { type Handshake, type HandshakeRequest, shakeHands } from "./handshake.js";
import type { LongPollSession } from "./longpoll-session.js";
import { type Soon, then } from "./soon.js";
import type { WebSocketConnection } from "./websocket.js";

export type Connection = WebSocketConnection | LongPollSession;

export interface DrainOptions {
  /** Sockets closed at once. */
  readonly batchSize?: number;
  /** Between two batches. */
  readonly intervalMs?: number;
}

/** Who is connected: lets them in while there is room, sends them away when the server stops, and tells of both. */
export class Connections {
  readonly #telemetry: Telemetry;
  readonly #clock: Clock;
  readonly #maxSockets: number;
  readonly #open = new Set<Connection>();
  #handshakes = 0;
  #isDraining = false;

  /** @param maxSockets at once, those that are being decided among them; 0: no limit */
  constructor(telemetry: Telemetry, clock: Clock, maxSockets: number) {
    this.#telemetry = telemetry;
    this.#clock = clock;
    this.#maxSockets = maxSockets;
  }

  get count(): number {
    return this.#open.size;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Whether one more socket may be opened. */
  hasRoom(): boolean {
    const isFull = this.#maxSockets > 0 && this.#open.size + this.#handshakes >= this.#maxSockets;
    if (!isFull && !this.#isDraining) return true;
    this.#telemetry.emit("limit.reached", { limit: this.#isDraining ? "draining" : "MAX_SOCKETS" });
    return false;
  }

  /** @param mount the path of it, here and below */
  shakeHands(mount: string, request: HandshakeRequest): Soon<Handshake> {
    this.#handshakes += 1;
    return then(
      shakeHands(request, (cause) => this.failed(mount, cause)),
      (handshake) => {
        this.#handshakes -= 1;
        if (!handshake.accepted) {
          const { status } = handshake.answer;
          this.#telemetry.emit("socket_refused", { mount, transport: request.transport, status });
        }
        return handshake;
      },
    );
  }

  /** The time at which a connection begins, or null when nobody wants to know how long it takes. */
  startMeasuring(): number | null {
    return this.#telemetry.listens("socket_connected") ? this.#clock.monotonic() : null;
  }

  opened(mount: string, connection: Connection, startedAt: number | null): void {
    this.#open.add(connection);
    if (startedAt === null) return;
    this.#telemetry.emit("socket_connected", {
      mount,
      transport: connection.kind,
      vsn: connection.socket.serializer.name,
      durationMs: this.#clock.monotonic() - startedAt,
    });
  }

  closed(mount: string, connection: Connection, code: number): void {
    this.#open.delete(connection);
    this.#telemetry.emit("socket_closed", { mount, transport: connection.kind, code });
  }

  failed(mount: string, error: unknown): void {
    this.#telemetry.emit("channel_crashed", { topic: mount, event: "connect", error });
  }

  /** From now on new sockets are answered 503. */
  refuseNew(): void {
    this.#isDraining = true;
  }

  /** @see Endpoint.drain */
  async drain({ batchSize = 500, intervalMs = 200 }: DrainOptions = {}): Promise<void> {
    this.refuseNew();
    const connections = [...this.#open];
    const total = connections.length;
    const rounds = Math.ceil(total / batchSize);
    for (let index = 0; index < rounds; index += 1) {
      if (index > 0) await new Promise<void>((resolve) => this.#clock.after(intervalMs, resolve));
      const batch = connections.slice(index * batchSize, (index + 1) * batchSize);
      this.#telemetry.emit("socket_drain", { count: batch.length, total, index, rounds, intervalMs });
      for (const connection of batch) connection.close(closeCode.restarting, "");
    }
  }

  /** Ends what is left, without a close frame. */
  terminate(): void {
    for (const connection of [...this.#open]) connection.terminate();
  }
}
