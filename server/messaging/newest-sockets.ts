/** A channel that may be parked. */
export interface Parkable {
  /** Ends it with `phx_close`, after which no phoenix.js joins again. */
  park(): void;
}

/**
 * Of each user the newest sockets stay joined. A client that opens a new socket whenever one closes, while the library
 * under it reconnects the old one as well, doubles them with every drop; closing their connections would only make it
 * worse. (SPEC L19)
 */
export class NewestSockets {
  readonly #max: number;
  readonly #channels = new Map<string, Set<Parkable>>();

  /** @param max 0: no limit */
  constructor(max: number) {
    this.#max = max;
  }

  /** Users with a channel. */
  get size(): number {
    return this.#channels.size;
  }

  /** @returns a function that ends it. How many were parked for it is told to `parked` */
  add(user: string, channel: Parkable, parked: () => void): () => void {
    const channels = this.#channels.get(user) ?? new Set();
    this.#channels.set(user, channels.add(channel));
    const remove = () => {
      channels.delete(channel);
      if (channels.size === 0 && this.#channels.get(user) === channels) this.#channels.delete(user);
    };
    if (this.#max > 0 && channels.size > this.#max) {
      const [oldest] = channels;
      channels.delete(oldest!);
      parked();
      oldest!.park();
    }
    return remove;
  }
}
