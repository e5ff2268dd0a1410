import type { IncomingMessage } from "node:http";
import { networkOf } from "../auth/address.js";

export interface AddressesOptions {
  /** Sockets of one address at once; 0: no limit. */
  readonly max: number;
  /** Whose socket it will be; null: nobody's whose sockets are counted. */
  addressOf(request: IncomingMessage): string | null;
}

/** How many sockets each address has, those that are being decided among them. (SPEC L20) */
export class Addresses {
  readonly #options: AddressesOptions;
  readonly #counts = new Map<string, number>();

  constructor(options: AddressesOptions) {
    this.#options = options;
  }

  /** Addresses that have any. */
  get size(): number {
    return this.#counts.size;
  }

  /** What a socket of this request counts for; null: for nothing. */
  of(request: IncomingMessage): string | null {
    // To ask for the peer's address is a system call.
    if (this.#options.max === 0) return null;
    const address = this.#options.addressOf(request);
    return address === null ? null : (networkOf(address) ?? address);
  }

  /** Counts one more socket, to be taken off by `leave`. @returns false, and counts nothing, where that is too many */
  enter(address: string | null): boolean {
    if (address === null) return true;
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#options.max) return false;
    this.#counts.set(address, count + 1);
    return true;
  }

  leave(address: string | null): void {
    if (address === null) return;
    const count = this.#counts.get(address)! - 1;
    if (count === 0) this.#counts.delete(address);
    else this.#counts.set(address, count);
  }
}

/** The peer's own address, whoever it is. */
export function peerAddress({ socket }: IncomingMessage): string | null {
  return socket.remoteAddress ?? null;
}
