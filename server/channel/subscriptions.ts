import type { Unsubscribe } from "../pubsub/pubsub.js";

/** A topic whose broadcasts leave under the name of the channel. */
interface Audience {
  readonly topic: string;
  readonly unsubscribe: Unsubscribe;
}

/** All that one channel hears, so that nothing of it is left when the channel ends. */
export class Subscriptions {
  #kept: Unsubscribe[] | null = null;
  #audiences: Audience[] | null = null;

  /** @returns ends it before the others */
  keep(unsubscribe: Unsubscribe): Unsubscribe {
    const release = () => {
      unsubscribe();
      const index = this.#kept?.indexOf(release) ?? -1;
      if (index >= 0) this.#kept!.splice(index, 1);
    };
    this.keepToTheEnd(release);
    return release;
  }

  keepToTheEnd(unsubscribe: Unsubscribe): void {
    // A list of one is made as such: pushing to an empty one reserves room for seventeen.
    if (this.#kept === null) this.#kept = [unsubscribe];
    else this.#kept.push(unsubscribe);
  }

  /** An internal topic, once however often it is asked for. */
  hear(topic: string, subscribe: () => Unsubscribe): Unsubscribe {
    const known = this.#audiences?.find((audience) => audience.topic === topic);
    if (known !== undefined) return known.unsubscribe;
    const unsubscribe = subscribe();
    const audience = {
      topic,
      unsubscribe: () => {
        unsubscribe();
        this.#audiences = this.#audiences?.filter((other) => other !== audience) ?? null;
      },
    };
    this.#audiences = [...(this.#audiences ?? []), audience];
    return audience.unsubscribe;
  }

  end(): void {
    const kept = this.#kept ?? [];
    const audiences = this.#audiences ?? [];
    this.#kept = null;
    this.#audiences = null;
    for (const unsubscribe of kept) unsubscribe();
    for (const { unsubscribe } of audiences) unsubscribe();
  }
}
