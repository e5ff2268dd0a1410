import type { IncomingMessage } from "node:http";
import { closeCode } from "../../protocol/events.js";
import type { Socket } from "../channel/socket.js";
import type { Transport } from "../channel/transport.js";
import type { Clock } from "../clock.js";
import type { Telemetry } from "../telemetry.js";
import { Addresses, type AddressesOptions } from "./addresses.js";
import { type Handshake, type HandshakeRequest, shakeHands } from "./handshake.js";
import { tooMany } from "./http-answer.js";
import type { HttpAnswer } from "./mount.js";
import { type Soon, then } from "./soon.js";

/** A connected peer, whatever carries it. */
export interface Connection {
  readonly kind: Transport["kind"];
  readonly socket: Socket;
  close(code: number, reason: string): void;
  /** Ends it at once, without a close frame. */
  terminate(): void;
}

/** Whether one more socket may be opened; `address` is what it counts for, until it is left. */
export type Admission =
  | { readonly admitted: true; readonly address: string | null }
  | { readonly admitted: false; readonly answer: HttpAnswer };

export interface ConnectionLimits {
  /** Sockets at once, those that are being decided among them; 0: no limit. */
  readonly maxSockets: number;
  readonly perAddress: AddressesOptions;
}

const admitsAnyone: Admission = { admitted: true, address: null };

/** How fast sockets are sent away. */
export interface DrainOptions {
  /** Sockets closed at once; 500 unless it is given. */
  readonly batchSize?: number;
  /** Between two batches; 200 unless it is given. */
  readonly intervalMs?: number;
  /** From 0 up to 1: each wait is between half of `intervalMs` and one and a half. Left out, all are as long. */
  readonly random?: () => number;
}

/** Who is connected: lets them in while there is room, sends them away when the server stops, and tells of both. */
export class Connections {
  readonly #telemetry: Telemetry;
  readonly #clock: Clock;
  readonly #maxSockets: number;
  readonly #addresses: Addresses;
  /** With the address that each counts for. */
  readonly #open = new Map<Connection, string | null>();
  #handshakes = 0;
  #isDraining = false;

  constructor(telemetry: Telemetry, clock: Clock, { maxSockets, perAddress }: ConnectionLimits) {
    this.#telemetry = telemetry;
    this.#clock = clock;
    this.#maxSockets = maxSockets;
    this.#addresses = new Addresses(perAddress);
  }

  get count(): number {
    return this.#open.size;
  }

  /** Addresses that count sockets, connected or being decided. */
  get addressCount(): number {
    return this.#addresses.size;
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

  /**
   * Counts one more socket for the address of a request. Whoever admits it calls `leave`, once, unless it is `opened`.
   * @param mount the path of it, here and below
   */
  admit(mount: string, transport: Transport["kind"], request: IncomingMessage): Admission {
    let address: string | null;
    try {
      address = this.#addresses.of(request);
    } catch (cause) {
      this.failed(mount, cause);
      return this.#turnAway(mount, transport, { status: 500 });
    }
    if (address === null) return admitsAnyone;
    if (this.#addresses.enter(address)) return { admitted: true, address };
    this.#telemetry.emit("limit.reached", { limit: "MAX_SOCKETS_PER_ADDRESS" });
    return this.#turnAway(mount, transport, tooMany);
  }

  #turnAway(mount: string, transport: Transport["kind"], answer: HttpAnswer): Admission {
    this.refused(mount, transport, answer.status);
    return { admitted: false, answer };
  }

  /** The socket that was admitted for an address comes to nothing. */
  leave(address: string | null): void {
    this.#addresses.leave(address);
  }

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

  /** @param address as it was admitted; it is left when the connection closes */
  opened(mount: string, connection: Connection, startedAt: number | null, address: string | null): void {
    this.#open.set(connection, address);
    if (startedAt === null) return;
    this.#telemetry.emit("socket_connected", {
      mount,
      transport: connection.kind,
      vsn: connection.socket.serializer.name,
      durationMs: this.#clock.monotonic() - startedAt,
    });
  }

  closed(mount: string, connection: Connection, code: number): void {
    const address = this.#open.get(connection);
    // Once, however often it is told.
    if (this.#open.delete(connection)) this.leave(address ?? null);
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
  async drain({ batchSize = 500, intervalMs = 200, random = () => 0.5 }: DrainOptions = {}): Promise<void> {
    if (!Number.isSafeInteger(batchSize) || batchSize < 1)
      throw new RangeError(`batchSize is a whole number from 1 on, not ${batchSize}`);
    this.refuseNew();
    const connections = [...this.#open.keys()];
    const total = connections.length;
    const rounds = Math.ceil(total / batchSize);
    for (let index = 0; index < rounds; index += 1) {
      const waitMs = Math.round(intervalMs * (0.5 + random()));
      const batch = connections.slice(index * batchSize, (index + 1) * batchSize);
      this.#telemetry.emit("socket_drain", { count: batch.length, total, index, rounds, intervalMs: waitMs });
      for (const connection of batch) connection.close(closeCode.restarting, "");
      if (index < rounds - 1) await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve));
    }
  }

  /** Ends what is left, without a close frame. */
  terminate(): void {
    for (const connection of [...this.#open.keys()]) connection.terminate();
  }
}
