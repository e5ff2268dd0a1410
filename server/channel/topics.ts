import { Channel, type ChannelFactory } from "./channel.js";

/** Finds the channel for a topic: an exact name, or a prefix that ends in `*`. The first match wins. */
export class Topics {
  readonly #routes: readonly {
    readonly pattern: string;
    readonly prefix: string | null;
    readonly create: ChannelFactory;
  }[];

  constructor(channels: Readonly<Record<string, ChannelFactory>>) {
    if (typeof channels !== "object" || channels === null || Array.isArray(channels))
      throw new TypeError("`channels` is an object of topic patterns and what makes their channels");
    for (const [pattern, create] of Object.entries(channels)) checkFactory(pattern, create);
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

/** @throws TypeError for what could only fail at every join */
function checkFactory(pattern: string, create: unknown): void {
  const name = JSON.stringify(pattern);
  if (typeof create !== "function")
    throw new TypeError(`what makes the channels of ${name} is no class and no function`);
  const text = Function.prototype.toString.call(create);
  if (text.startsWith("class") && !(create.prototype instanceof Channel))
    throw new TypeError(`the class of ${name} does not extend Channel`);
  if (Object.prototype.toString.call(create) === "[object AsyncFunction]")
    throw new TypeError(`the function of ${name} is async: wait in the channel's join instead`);
}
