import { afterEach, beforeEach } from "@jest/globals";
import { type Store, StoreError } from "../../server/messaging/store.js";

/** Where a process stops: nothing that it asks of the data afterwards is done any more, neither writes nor reads. */
export interface Stop {
  /**
   * So many of its write requests still reach the data. A request is what the data takes as one: a commit of the
   * embedded store; a PutItem, UpdateItem, DeleteItem or BatchWriteItem of DynamoDB, each attempt counted.
   */
  readonly afterWrites: number;
  /** Whether the process hears of the last of them. `unanswered`: it was applied, and its answer is lost. */
  readonly last: "answered" | "unanswered";
}

/** A process of its own on the same data, which stops at one of its writes. */
export interface StoppingStore {
  /** What is asked of it once it has stopped rejects with a StoreError: soon, so without retries or long waits. */
  readonly store: Store;
  /**
   * Ends the process: waits for what it still does by itself, and lets go. Nothing of it reaches the data afterwards.
   * @returns whether anything that it asked for was refused, or never answered, the last write included; false: it got
   * through with all it had to do
   */
  end(): Promise<boolean>;
}

/** A store under test on data of its own, which is empty at first. */
export interface StoreUnderTest {
  /** The one that was opened first, or by `reopen` last. */
  readonly store: Store;
  /** Lets go of it, and opens the same data again, as a new process would. */
  reopen(): Promise<Store>;
  /** A second one on the same data, as another node has it. The same one where only one process may have the data. */
  another(): Promise<Store>;
  stopping(stop: Stop): Promise<StoppingStore>;
  /** Lets go of everything that was opened, and deletes the data. */
  dispose(): Promise<void>;
}

export type OpenStore = () => Promise<StoreUnderTest>;

/** How much of everything: what a disk does at once takes its time over HTTP. */
export interface Scale {
  /** Of each race. */
  readonly rounds: number;
  /** Of the race of a day's first messages. (T-03) */
  readonly firstRounds: number;
  /** Messages of one millisecond. (H-02) */
  readonly crowd: number;
  /** Bytes of the longest answer. */
  readonly bigBytes: number;
  /** Messages of that length in one page. */
  readonly bigCount: number;
  /** Of the places where a process can stop, every so manyth, from one on that depends on BENNU_SEED. */
  readonly stopEvery: number;
  /** Of one test, in ms. */
  readonly timeoutMs: number;
}

export const fullScale: Scale = {
  rounds: 200,
  firstRounds: 500,
  crowd: 500,
  bigBytes: 256 * 1024,
  bigCount: 60,
  stopEvery: 1,
  timeoutMs: 180_000,
};

/** For a store that is reached over HTTP, on a machine that has other work. */
export const httpScale: Scale = { ...fullScale, rounds: 10, firstRounds: 10, crowd: 100, stopEvery: 3 };

/** What the parts of the contract run on. */
export interface Contract {
  readonly scale: Scale;
  /** Of the test that runs: each has data of its own. */
  readonly under: StoreUnderTest;
  readonly store: Store;
}

/** To be called inside a `describe`. */
export function contractOver(open: OpenStore, scale: Scale): Contract {
  let under: StoreUnderTest | null = null;

  beforeEach(async () => {
    under = await open();
  }, scale.timeoutMs);

  afterEach(async () => {
    await under?.dispose();
    under = null;
  }, scale.timeoutMs);

  return {
    scale,
    get under() {
      return under!;
    },
    get store() {
      return under!.store;
    },
  };
}

/** An index is a second behind at most; a machine that has much to do takes longer. */
const indexLagMaxMs = 5000;
const pollMs = 20;

/** Reads until `check` takes it. For reads of an index and of events only: everything else is there at once. */
export async function eventually<T>(read: () => Promise<T>, check: (seen: T) => void): Promise<void> {
  const end = performance.now() + indexLagMaxMs;
  for (;;) {
    const seen = await read();
    try {
      check(seen);
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Whether a store rejected it, with a StoreError as it must; anything else is a mistake. */
export async function isRejected(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (error instanceof StoreError) return true;
    throw error;
  }
}

/** JSON with the keys of every object in order: equal texts are equal values, also with a key such as `__proto__`. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
