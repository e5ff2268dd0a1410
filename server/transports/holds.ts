import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Cancel, Clock } from "../clock.js";
import { Addresses, type AddressesOptions } from "./addresses.js";

export interface HoldsOptions {
  readonly clock: Clock;
  /** Requests held at once; 0: none is. */
  readonly max: number;
  readonly perAddress: AddressesOptions;
}

/**
 * Requests that are kept waiting although no session is theirs. Nobody is known by such a request and nothing else counts
 * it, so there is one a connection, and a limit to all: the rest need not wait. (SPEC L23)
 */
export class Holds {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #addresses: Addresses;
  readonly #held = new Set<Socket>();

  constructor({ clock, max, perAddress }: HoldsOptions) {
    this.#clock = clock;
    this.#max = max;
    this.#addresses = new Addresses(perAddress);
  }

  /** Requests that are held. */
  get size(): number {
    return this.#held.size;
  }

  /** Resolves after so long, when the connection has gone, or at once where one more would be too many. */
  wait(request: IncomingMessage, ms: number): Promise<void> {
    const { socket } = request;
    if (socket.destroyed || this.#held.has(socket) || this.#held.size >= this.#max) return Promise.resolve();
    const address = this.#addresses.of(request);
    if (!this.#addresses.enter(address)) return Promise.resolve();
    this.#held.add(socket);
    return new Promise((resolve) => {
      let cancel: Cancel = () => undefined;
      const end = () => {
        cancel();
        socket.off("close", end);
        this.#held.delete(socket);
        this.#addresses.leave(address);
        resolve();
      };
      // Of the connection and not of the answer: behind another one in the same pipeline that is told of nothing.
      socket.once("close", end);
      cancel = this.#clock.after(ms, end);
    });
  }
}
