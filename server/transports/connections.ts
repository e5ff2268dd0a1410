import { closeCode } from "../../protocol/events.js";
import type { Socket } from "../channel/socket.js";
import type { Transport } from "../channel/transport.js";
import type { Clock } from "../clock.js";
import type { Telemetry } from "../telemetry.js";
import { type Handshake, type HandshakeRequest, shakeHands } from "./handshake.js";
import { type Soon, then } from "./soon.js";

/** A connected peer, whatever carries it. */
export interface Connection {
  readonly kind: Transport["kind"];
  readonly socket: Socket;
  close(code: number, reason: string): void;
  /** Ends it at once, without a close frame. */
  terminate(): void;
}

/** How fast sockets are sent away. */
export interface DrainOptions {
  /** Sockets closed at once; 500 unless it is given. */
  readonly batchSize?: number;
  /** Between two batches; 200 unless it is given. */
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
        if (!handshake.accepted) this.refused(mount, request.transport, handshake.answer.status);
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

  refused(mount: string, transport: Transport["kind"], status: number): void {
    this.#telemetry.emit("socket_refused", { mount, transport, status });
  }

  failed(mount: string, error: unknown): void {
    this.#telemetry.emit("socket_crashed", { mount, error });
  }

  /** From now on new sockets are answered 503. */
  refuseNew(): void {
    this.#isDraining = true;
  }

  /** @see Endpoint.drain */
  async drain({ batchSize = 500, intervalMs = 200 }: DrainOptions = {}): Promise<void> {
    if (!Number.isSafeInteger(batchSize) || batchSize < 1)
      throw new RangeError(`batchSize is a whole number from 1 on, not ${batchSize}`);
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
