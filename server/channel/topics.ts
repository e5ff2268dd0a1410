import type { ChannelFactory } from "./channel.js";

/** Finds the channel for a topic: an exact name, or a prefix that ends in `*`. The first match wins. */
export class Topics {
  readonly #routes: readonly {
    readonly pattern: string;
    readonly prefix: string | null;
    readonly create: ChannelFactory;
  }[];

  constructor(channels: Readonly<Record<string, ChannelFactory>>) {
    this.#routes = Object.entries(channels).map(([pattern, create]) => ({
      pattern,
      prefix: pattern.endsWith("*") ? pattern.slice(0, -1) : null,
      create,
    }));
  }

  match(topic: unknown): ChannelFactory | null {
    if (typeof topic !== "string") return null;
    for (const route of this.#routes) {
      if (route.prefix === null ? topic === route.pattern : topic.startsWith(route.prefix)) return route.create;
    }
    return null;
  }
}
