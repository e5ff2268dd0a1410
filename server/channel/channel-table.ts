import type { ChannelProcess } from "./channel-process.js";

/** The channels of one socket by topic. Most sockets have one, and a map costs more than the rest of such a socket. */
export class ChannelTable {
  #first: ChannelProcess | null = null;
  #others: Map<unknown, ChannelProcess> | null = null;

  get size(): number {
    return (this.#first === null ? 0 : 1) + (this.#others?.size ?? 0);
  }

  get(topic: unknown): ChannelProcess | undefined {
    if (this.#first !== null && this.#first.topic === topic) return this.#first;
    return this.#others?.get(topic);
  }

  /** Takes the place of the channel that was on its topic, if any. */
  set(channel: ChannelProcess): void {
    if (this.#first === null && !this.#others?.has(channel.topic)) this.#first = channel;
    else if (this.#first?.topic === channel.topic) this.#first = channel;
    else (this.#others ??= new Map()).set(channel.topic, channel);
  }

  delete(topic: unknown): void {
    if (this.#first !== null && this.#first.topic === topic) this.#first = null;
    else this.#others?.delete(topic);
  }

  clear(): void {
    this.#first = null;
    this.#others = null;
  }

  /** As they are now: the table may change while they are gone through. */
  all(): ChannelProcess[] {
    const others = this.#others === null ? [] : [...this.#others.values()];
    return this.#first === null ? others : [this.#first, ...others];
  }
}
