import type { Telemetry } from "../telemetry.js";

/** What a handler threw. */
export interface Crash {
  readonly event: string;
  readonly error: unknown;
  /** How many crashes there had been before it. */
  readonly number: number;
}

const known = new WeakMap<Telemetry, Crashes>();

/** The crashes that an endpoint tells of, from the first call on. */
export function crashesOf(telemetry: Telemetry): Crashes {
  let crashes = known.get(telemetry);
  if (crashes === undefined) known.set(telemetry, (crashes = new Crashes(telemetry)));
  return crashes;
}

/** Remembers what handlers threw, so that an assertion can say why nothing came. */
export class Crashes {
  readonly #last = new Map<string, Crash>();
  #count = 0;

  constructor(telemetry: Telemetry) {
    telemetry.attach("channel_crashed", ({ topic, event, error }) => {
      this.#last.set(topic, { event, error, number: this.#count });
      this.#count += 1;
    });
  }

  get count(): number {
    return this.#count;
  }

  /** The last crash on a topic, whoever's channel it was, if it came after `count` others. */
  since(count: number, topic: string): Crash | null {
    const crash = this.#last.get(topic);
    return crash === undefined || crash.number < count ? null : crash;
  }
}
