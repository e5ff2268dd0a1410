import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { RootDatabase } from "lmdb";
import { type Clock, systemClock } from "../../../server/clock.js";
import { StoreError } from "../../../server/messaging/store.js";
import { GroupCommit } from "../../../server/stores/embedded/group-commit.js";
import { openEnvironment } from "../../../server/stores/embedded/lmdb.js";
import { DamagedRecord, decodeRecord, encodeRecord } from "../../../server/stores/embedded/record.js";
import { Table } from "../../../server/stores/embedded/table.js";

const mapBytes = 2 ** 26;

let directory: string;
let root: RootDatabase;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "bennu-store-"));
  root = openEnvironment(join(directory, "store"), { mapBytes });
});

afterEach(async () => {
  await root.close();
  await rm(directory, { recursive: true, force: true });
});

type ChildTransaction = RootDatabase["childTransaction"];

/** The same environment, whose transactions go through `childTransaction`. */
function through(childTransaction: ChildTransaction): RootDatabase {
  return new Proxy(root, {
    get(target, name) {
      if (name === "childTransaction") return childTransaction;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A commit that counts its transactions, and a table of it. */
function counted() {
  const count = { transactions: 0 };
  const counting = ((action: () => unknown) => {
    count.transactions += 1;
    return root.childTransaction(action);
  }) as ChildTransaction;
  const commit = new GroupCommit(through(counting), systemClock, () => undefined);
  return { count, commit, table: new Table<number>(root, "numbers", commit) };
}

const everything = { start: [0], end: [1_000_000] };

describe("[S5] one commit", () => {
  test("for all writes of a turn of the event loop, also of its microtasks", async () => {
    const { count, commit, table } = counted();
    const write = async (key: number) => {
      await Promise.resolve();
      return commit.write(() => table.put([key], key));
    };
    await Promise.all([commit.write(() => table.put([0], 0)), commit.write(() => table.put([1], 1))]);
    expect(count.transactions).toBe(1);
    await Promise.all([2, 3, 4, 5].map(write));
    expect(count.transactions).toBe(2);
    expect(table.range(everything)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("for all that waits while another one is being written", async () => {
    const { count, commit, table } = counted();
    const first = commit.write(() => table.put([0], 0));
    await Promise.resolve();
    expect(count.transactions).toBe(1);
    await Promise.all([first, ...[1, 2, 3].map((key) => commit.write(() => table.put([key], key)))]);
    expect(count.transactions).toBe(2);
    expect(table.range(everything)).toEqual([0, 1, 2, 3]);
  });

  test("of at most 1024 writes", async () => {
    const { count, commit, table } = counted();
    const keys = Array.from({ length: 2049 }, (_, key) => key);
    await Promise.all(keys.map((key) => commit.write(() => table.put([key], key))));
    expect(count.transactions).toBe(3);
    expect(table.range(everything)).toEqual(keys);
  });

  test("in which each write sees those before it, in the order in which they were asked for", async () => {
    const { commit, table } = counted();
    const increment = () => {
      const next = (table.get([0]) ?? 0) + 1;
      table.put([0], next);
      return next;
    };
    expect(await Promise.all([1, 2, 3].map(() => commit.write(increment)))).toEqual([1, 2, 3]);
  });
});

describe("[S2] a write that throws", () => {
  test.each([
    { throwing: [1], transactions: 2 },
    { throwing: [0], transactions: 2 },
    { throwing: [3], transactions: 2 },
    { throwing: [0, 2], transactions: 3 },
    { throwing: [0, 1, 2, 3], transactions: 4 },
  ])(
    "is undone and refused alone; the others of its group are written ($throwing of 4)",
    async ({ throwing, transactions }) => {
      const { count, commit, table } = counted();
      const writes = [0, 1, 2, 3].map((key) =>
        commit.write(() => {
          table.put([key], key);
          if (throwing.includes(key)) throw new Error(`no ${key}`);
          return key * 10;
        }),
      );
      const settled = await Promise.allSettled(writes);
      expect(settled.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason)))).toEqual(
        [0, 1, 2, 3].map((key) => (throwing.includes(key) ? `Error: no ${key}` : key * 10)),
      );
      expect(table.range(everything)).toEqual([0, 1, 2, 3].filter((key) => !throwing.includes(key)));
      expect(count.transactions).toBe(transactions);
      expect(commit.failure).toBeNull();
      await commit.write(() => table.put([9], 9));
      expect(table.get([9])).toBe(9);
    },
  );
});

describe("[S4] a disk that fails", () => {
  const broken = new Error("the disk");

  /** The first transaction is written; the second one ends as `fail` says. */
  function failing(fail: () => Promise<never>, clock: Clock = systemClock) {
    const failures: unknown[] = [];
    let transactions = 0;
    const failSecond = ((action: () => unknown) => {
      transactions += 1;
      return transactions === 2 ? fail() : root.childTransaction(action);
    }) as ChildTransaction;
    const commit = new GroupCommit(through(failSecond), clock, (cause) => failures.push(cause));
    return { commit, failures, table: new Table<number>(root, "numbers", commit), transactions: () => transactions };
  }

  // As lmdb does it: a wrapper, and in it a promise that must be handled as well.
  const rejection = () =>
    Promise.reject<never>(Object.assign(new Error("Commit failed"), { commitError: Promise.reject<never>(broken) }));

  test.each([
    ["with lmdb's wrapper", rejection],
    ["with an error of the system", () => Promise.reject<never>(broken)],
  ])("refuses the group, all that waits and all that comes, and never writes again: %s", async (_how, fail) => {
    const { commit, failures, table, transactions } = failing(fail);
    await commit.write(() => table.put([0], 0));
    const group = [1, 2].map((key) => commit.write(() => table.put([key], key)));
    await Promise.resolve();
    expect(transactions()).toBe(2);
    const waiting = commit.write(() => table.put([3], 3));
    const settled = await Promise.allSettled([...group, waiting]);
    const later = await Promise.allSettled([commit.write(() => table.put([4], 4))]);
    for (const result of [...settled, ...later]) {
      expect(result).toEqual({ status: "rejected", reason: commit.failure });
    }
    expect(commit.failure).toBeInstanceOf(StoreError);
    expect(commit.failure).toMatchObject({ retryable: false, cause: broken });
    expect(failures).toEqual([broken]);
    expect(transactions()).toBe(2);
    expect(table.range(everything)).toEqual([0]);
  });

  test("leaves reads at the last acknowledged state, whatever the file holds by now", async () => {
    const { commit, table } = failing(() => root.childTransaction(() => table.put([1], 1)).then(rejection));
    await commit.write(() => table.put([0], 0));
    await expect(commit.write(() => undefined)).rejects.toThrow(StoreError);
    const unseen = new Table<number>(root, "numbers", new GroupCommit(root, systemClock, () => undefined));
    expect(unseen.range(everything)).toEqual([0, 1]);
    expect(table.range(everything)).toEqual([0]);
    expect(table.get([1])).toBeNull();
    expect(table.count(everything)).toBe(1);
  });

  test("by a number of LMDB's, thrown in the middle of a write, is no fault of that write", async () => {
    const { commit, table } = counted();
    const full = Object.assign(new Error("MDB_MAP_FULL"), { code: -30792 });
    const writes = [
      commit.write(() => table.put([0], 0)),
      commit.write(() => {
        throw full;
      }),
    ];
    const settled = await Promise.allSettled(writes);
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(commit.failure?.cause).toBe(full);
    expect(table.range(everything)).toEqual([]);
  });

  test("and does not answer at all: refused after the time limit, also when it fails at last", async () => {
    const timers = new Map<number, () => void>();
    const clock: Clock = {
      ...systemClock,
      after(ms, callback) {
        timers.set(ms, callback);
        return () => timers.delete(ms);
      },
    };
    let failAtLast: () => void = () => undefined;
    const hanging = new Promise<never>((_resolve, reject) => {
      failAtLast = () => void rejection().catch(reject);
    });
    const { commit, failures, table } = failing(() => hanging, clock);
    await commit.write(() => table.put([0], 0));
    const write = commit.write(() => table.put([1], 1));
    await Promise.resolve();
    timers.get(30_000)!();
    await expect(write).rejects.toThrow(StoreError);
    expect(String(failures)).toBe("StoreError: a write that the disk did not answer within 30000 ms failed");
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    failAtLast();
    // Node tells of what nobody handled once the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });
});

describe("[S10] a record", () => {
  const name = () => `["a",1] of things`;

  test("comes back as it was", () => {
    const long = "ș".repeat(40_000);
    for (const value of [null, 0, "", "ăîșț 🚗", [], { text: "x".repeat(5000), list: [1, { deep: null }] }, long]) {
      expect(decodeRecord(encodeRecord(value), name)).toEqual(value);
    }
  });

  test("with any bit flipped, or any end cut off, is an error that names it", () => {
    const record = encodeRecord({ text: "ok", offset: 17 });
    for (let bit = 0; bit < record.length * 8; bit += 1) {
      const damaged = Buffer.from(record);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeRecord(damaged, name)).toThrow(new DamagedRecord(`the record ["a",1] of things is damaged`));
    }
    for (let length = 0; length < record.length; length += 1) {
      expect(() => decodeRecord(record.subarray(0, length), name)).toThrow(DamagedRecord);
    }
  });

  test("that is damaged in the file is never given out: get and range name it, the others are read", async () => {
    const { commit, table } = counted();
    const texts = new Table<string>(root, "texts", commit);
    await commit.write(() => {
      for (const key of [1, 2, 3]) texts.put(["session", key], `the text number ${key}`);
      table.put([1], 1);
    });
    await root.close();
    const file = join(directory, "store", "data.mdb");
    const bytes = await readFile(file);
    const at = bytes.indexOf("the text number 2");
    expect(at).toBeGreaterThan(0);
    bytes[at]! ^= 1;
    await writeFile(file, bytes);

    root = openEnvironment(join(directory, "store"), { mapBytes });
    const again = new GroupCommit(root, systemClock, () => undefined);
    const damaged = new Table<string>(root, "texts", again);
    const error = new DamagedRecord(`the record ["session",2] of texts is damaged`);
    expect(() => damaged.get(["session", 2])).toThrow(error);
    expect(() => damaged.range({ start: ["session"], end: ["session", 9] })).toThrow(error);
    await expect(again.write(() => damaged.get(["session", 2]))).rejects.toThrow(error);
    expect(damaged.get(["session", 1])).toBe("the text number 1");
    expect(damaged.range({ start: ["session", 3], end: ["session", 9] })).toEqual(["the text number 3"]);
    expect(again.failure).toBeNull();
  });
});
