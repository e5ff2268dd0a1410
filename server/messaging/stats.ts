import type { Cancel, Clock } from "../clock.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { type Figures, withMessage, withOutcome } from "./figures.js";
import type { Period } from "./periods.js";
import {
  addFigures,
  type HourFigures,
  mergedHours,
  noHour,
  quarterOf,
  readFigures,
  withQuarter,
} from "./stats-records.js";
import type { Store } from "./store.js";

/**
 * Counts what happens on this node, and every few seconds adds it to what is stored, where other nodes add theirs. A
 * process that is killed takes what it counted since with it. (SPEC H11)
 */
export interface Stats {
  /** Counts what telemetry tells, from now until `stop`. */
  start(): void;
  /** Stores what was counted. It never rejects: what could not be stored is tried again with the next. */
  flush(): Promise<void>;
  /** What is stored of each period, by all nodes. @throws StoreError */
  read(businessId: string, periods: readonly Period[]): Promise<readonly Figures[]>;
  /** Stores what is left. */
  stop(): Promise<void>;
}

const flushMs = 10_000;
/** Hours of businesses that wait to be stored. What belongs to one more is not counted, which `limit.reached` tells. */
const pendingMax = 5000;
const writesAtOnce = 8;

interface Counted {
  readonly businessId: string;
  /** Its beginning, in ms. */
  readonly hour: number;
  readonly figures: HourFigures;
}

export function createStats(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly telemetry: DeskTelemetry;
  /** For tests. */
  readonly pendingMax?: number;
}): Stats {
  const { store, clock, telemetry } = deps;
  const max = deps.pendingMax ?? pendingMax;
  let pending = new Map<string, Counted>();
  let flushing: Promise<void> = Promise.resolve();
  let cancels: readonly Cancel[] = [];

  return { start, flush, read: (businessId, periods) => readFigures(store, businessId, periods), stop };

  function start(): void {
    cancels = [
      telemetry.attach("message.accepted", ({ businessId, duplicate }) => {
        if (!duplicate) count(businessId, withMessage);
      }),
      telemetry.attach("turn.answered", ({ businessId, outcome, durationMs }) => {
        if (outcome !== "command") count(businessId, (figures) => withOutcome(figures, outcome, durationMs));
      }),
      clock.every(flushMs, () => void flush()),
    ];
  }

  async function stop(): Promise<void> {
    for (const cancel of cancels) cancel();
    await flush();
  }

  function count(businessId: string, change: (figures: Figures) => Figures): void {
    const { hour, quarter } = quarterOf(clock.now());
    keep(businessId, hour, (figures) => withQuarter(figures, quarter, change));
  }

  function keep(businessId: string, hour: number, change: (figures: HourFigures) => HourFigures): void {
    const key = `${hour}#${businessId}`;
    const counted = pending.get(key);
    if (counted === undefined && pending.size >= max) telemetry.emit("limit.reached", { limit: "stats" });
    else pending.set(key, { businessId, hour, figures: change(counted?.figures ?? noHour) });
  }

  // One after another, or what is kept for the next would be stored before it is known that it must be.
  function flush(): Promise<void> {
    flushing = flushing.then(storePending);
    return flushing;
  }

  async function storePending(): Promise<void> {
    const counted = [...pending.values()];
    pending = new Map();
    for (let at = 0; at < counted.length; at += writesAtOnce) {
      const some = counted.slice(at, at + writesAtOnce);
      const stored = await Promise.all(some.map(storeOne));
      // A store that fails is left alone until the next time.
      if (stored.includes(false)) return counted.slice(at + writesAtOnce).forEach(keepForNext);
    }
  }

  async function storeOne(counted: Counted): Promise<boolean> {
    const { businessId, hour, figures } = counted;
    try {
      if (await addFigures(store, businessId, hour, figures)) return true;
    } catch (error) {
      telemetry.emit("store.failed", { operation: "store figures", error });
    }
    keepForNext(counted);
    return false;
  }

  function keepForNext({ businessId, hour, figures }: Counted): void {
    keep(businessId, hour, (newer) => mergedHours(figures, newer));
  }
}
