import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { RootDatabase } from "lmdb";
import { systemClock } from "../../../server/clock.js";
import { StoreError } from "../../../server/messaging/store.js";
import { CachedTable } from "../../../server/stores/embedded/cached-table.js";
import { GroupCommit } from "../../../server/stores/embedded/group-commit.js";
import { openEnvironment } from "../../../server/stores/embedded/lmdb.js";
import { Table } from "../../../server/stores/embedded/table.js";

interface Thing {
  readonly name: string;
}

let directory: string;
let root: RootDatabase;
let commit: GroupCommit;
let table: CachedTable<Thing>;
/** The same records, as they lie in the file. */
let stored: Table<Thing>;
let nextCommit: (action: () => unknown) => Promise<unknown>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "bennu-store-"));
  root = openEnvironment(join(directory, "store"), { mapBytes: 2 ** 28 });
  nextCommit = (action) => root.childTransaction(action);
  const environment = new Proxy(root, {
    get(target, name) {
      if (name === "childTransaction") return (action: () => unknown) => nextCommit(action);
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  commit = new GroupCommit(environment, systemClock, () => undefined);
  table = new CachedTable<Thing>(environment, "things", commit);
  stored = new Table<Thing>(root, "things", {});
});

afterEach(async () => {
  await root.close();
  await rm(directory, { recursive: true, force: true });
});

const [one, two]: Thing[] = [{ name: "one" }, { name: "two" }];

describe("[S2] what is kept beside the file", () => {
  test("is what was acknowledged last, without another look", async () => {
    await commit.write(() => table.put(["a", "b"], one!));
    expect(table.get(["a", "b"])).toBe(one);
    await commit.write(() => table.put(["a", "b"], two!));
    expect(table.get(["a", "b"])).toBe(two);
    expect(stored.get(["a", "b"])).toEqual(two);
    await commit.write(() => table.remove(["a", "b"]));
    expect([table.get(["a", "b"]), stored.get(["a", "b"])]).toEqual([null, null]);
  });

  test("is seen by the writes of its group at once, and by nobody else before it is durable", async () => {
    await commit.write(() => table.put("a", one!));
    const seen: (Thing | null)[] = [];
    let written: () => void = () => undefined;
    const isWritten = new Promise<void>((resolve) => (written = resolve));
    let flush: () => void = () => undefined;
    const isFlushed = new Promise<void>((resolve) => (flush = resolve));
    nextCommit = async (action) => {
      const done = root.childTransaction(action);
      await done;
      written();
      await isFlushed;
      return done;
    };
    const writes = [
      commit.write(() => table.put("a", two!)),
      commit.write(() => seen.push(table.get("a"))),
      commit.write(() => table.remove("a")),
      commit.write(() => seen.push(table.get("a"))),
    ];
    await isWritten;
    expect(seen).toEqual([two, null]);
    expect(table.get("a")).toBe(one);
    flush();
    await Promise.all(writes);
    expect(table.get("a")).toBeNull();
  });

  test("[S3] is not what was written beside a write that threw", async () => {
    await commit.write(() => table.put("a", one!));
    const refused = commit.write(() => {
      table.put("a", two!);
      table.put("b", two!);
      throw new Error("no");
    });
    const other = commit.write(() => table.get("a"));
    await expect(refused).rejects.toThrow("no");
    expect(await other).toBe(one);
    expect([table.get("a"), table.get("b")]).toEqual([one, null]);
  });

  test("[S4] stays what was acknowledged last when the disk fails", async () => {
    await commit.write(() => table.put("a", one!));
    nextCommit = (action) => root.childTransaction(action).then(() => Promise.reject(new Error("the disk")));
    await expect(commit.write(() => table.put("a", two!))).rejects.toThrow(StoreError);
    expect(stored.get("a")).toEqual(two);
    expect(table.get("a")).toBe(one);
  });

  test("is no more than it may be: the others are read from the file", async () => {
    const things = Array.from({ length: 24 }, (_, index) => ({ name: String(index).repeat(500_000) }));
    for (const [index, thing] of things.entries()) await commit.write(() => table.put(index, thing));
    const kept = things.filter((thing, index) => table.get(index) === thing);
    expect(kept).toEqual(things.slice(-kept.length));
    expect(kept.length).toBeLessThan(things.length);
    for (const [index, thing] of things.entries()) expect(table.get(index)).toEqual(thing);
  });

  test("tells keys of one text from those of several", async () => {
    await commit.write(() => {
      table.put(["a", "b"], one!);
      table.put("a", two!);
    });
    expect([table.get(["a", "b"]), table.get("a")]).toEqual([one, two]);
  });
});
