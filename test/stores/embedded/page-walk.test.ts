import { closeSync, copyFileSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Database, Key, RootDatabase } from "lmdb";
import { DamagedFile, LmdbFile } from "../../../server/stores/embedded/lmdb-file.js";
import { openEnvironment } from "../../../server/stores/embedded/lmdb.js";
import { checkSize, walkPages } from "../../../server/stores/embedded/page-walk.js";
import { withSeed } from "../../support/random.js";

const pageBytes = 4096;

let directory: string;
let root: RootDatabase;
let data: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "bennu-pages-"));
  root = openEnvironment(join(directory, "store"), { mapBytes: 2 ** 28 });
  data = join(directory, "store", "data.mdb");
});

afterEach(async () => {
  await root.close();
  await rm(directory, { recursive: true, force: true });
});

function look(path: string): { readonly pages: number; readonly lastPage: number } {
  const file = new LmdbFile(path);
  try {
    checkSize(file);
    walkPages(file);
    return { pages: file.pages, lastPage: file.meta.lastPage };
  } finally {
    file.close();
  }
}

/** What is wrong with it, or null. */
function damageOf(path: string): string | null {
  try {
    look(path);
    return null;
  } catch (error) {
    if (error instanceof DamagedFile) return error.message;
    throw error;
  }
}

const table = (name: string) => root.openDB<Buffer, Key>({ name, encoding: "binary" });

/** One transaction that writes and removes values of all sizes. */
async function churn(tables: readonly Database<Buffer>[], random: () => number): Promise<void> {
  await root.childTransaction(() => {
    for (let left = random() * 60; left > 0; left -= 1) {
      const into = tables[Math.floor(random() * tables.length)]!;
      const key = [String(Math.floor(random() * 300)), Math.floor(random() * 20)];
      if (random() < 0.45) void into.remove(key);
      else void into.put(key, Buffer.alloc(10 + Math.floor(random() ** 6 * 30_000), 7));
    }
  });
}

async function fillPages(count: number): Promise<void> {
  const [numbers, texts] = [table("numbers"), table("texts")];
  for (let batch = 0; batch < count; batch += 1) {
    await root.childTransaction(() => {
      for (let key = 0; key < 50; key += 1) void numbers.put([batch, key], Buffer.alloc(100, 1));
      void texts.put([batch], Buffer.alloc(9000, 2));
    });
  }
}

describe("[D-08] a healthy file", () => {
  test("is found healthy after every one of 150 commits", () =>
    withSeed(async (random) => {
      const tables = ["a", "b", "c"].map(table);
      for (let left = 150; left > 0; left -= 1) {
        await churn(tables, random);
        expect(damageOf(data)).toBeNull();
      }
      expect(look(data).pages).toBeGreaterThan(50);
    }));

  test("may end before its last page, when nothing was ever written there", async () => {
    const big = table("big");
    const comeAndGo = () => {
      for (let key = 0; key < 50; key += 1) void big.put([key], Buffer.alloc(30_000));
      for (let key = 0; key < 50; key += 1) void big.remove([key]);
    };
    await big.put([99], Buffer.alloc(10));
    await root.childTransaction(comeAndGo);
    await root.transaction(comeAndGo);
    const { pages, lastPage } = look(data);
    expect(pages).toBeLessThanOrEqual(lastPage);
  });

  test("[D-09] may hold the trees of a commit that failed at its meta page, under the number of the one before", async () => {
    await fillPages(5);
    const bytes = readFileSync(data);
    const newer = (new LmdbFile(data).meta.transaction % 2) * pageBytes;
    const copy = join(directory, "copy.mdb");
    // What LMDB leaves there when it takes a meta page back: all but the last page and the transaction.
    const trees = [40, 144] as const;
    bytes.copy(bytes, pageBytes - newer + trees[0], newer + trees[0], newer + trees[1]);
    bytes.writeBigInt64LE(5000n, pageBytes - newer + 88);
    writeFileSync(copy, bytes);
    expect(damageOf(copy)).toBeNull();
  });

  test("is found healthy while it is written", async () => {
    const tables = ["a", "b"].map(table);
    let isWriting = true;
    const writing = withSeed(async (random) => {
      while (isWriting) await churn(tables, random);
    });
    const end = Date.now() + 500;
    while (Date.now() < end) {
      const file = new LmdbFile(data);
      expect(() => checkSize(file)).not.toThrow();
      file.close();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    isWriting = false;
    await writing;
  });
});

describe("[D-08] a damaged file", () => {
  test("that was cut off anywhere says so, with path and sizes; what it still has is whole only if all of it is", async () => {
    await fillPages(40);
    const { bytes } = new LmdbFile(data);
    const cut = join(directory, "cut.mdb");
    copyFileSync(data, cut);
    const lengths = Array.from({ length: bytes / pageBytes }, (_, index) => bytes - (index + 1) * pageBytes);
    for (const length of lengths.flatMap((each) => [each + pageBytes - 1, each + 1, each])) {
      truncateSync(cut, length);
      const damage = damageOf(cut);
      expect(damage).toContain(cut);
      expect(damage).toContain(`${length} bytes`);
    }
  });

  test("with any page filled with zeros is named by that page, or nothing refers to it", async () => {
    await fillPages(40);
    const bytes = readFileSync(data);
    const copy = join(directory, "copy.mdb");
    const silent: number[] = [];
    for (let page = 0; page < bytes.length / pageBytes; page += 1) {
      const damaged = Buffer.from(bytes).fill(0, page * pageBytes, (page + 1) * pageBytes);
      writeFileSync(copy, damaged);
      const damage = damageOf(copy);
      if (damage === null) silent.push(page);
      else expect(damage).toMatch(new RegExp(`page ${page} (of|\\(at byte ${page * pageBytes}\\))`));
    }
    // Free ones, and all but the first of a long value, whose content has a checksum of its own.
    expect(silent.length).toBeLessThan(bytes.length / pageBytes);
    for (const page of [0, 1]) expect(silent).not.toContain(page);
  });

  test("with one page in another's place is named by that page", async () => {
    await fillPages(40);
    const bytes = readFileSync(data);
    const copy = join(directory, "copy.mdb");
    const leaves = [...Array(bytes.length / pageBytes).keys()].filter((page) => {
      const damaged = Buffer.from(bytes).fill(0, page * pageBytes, (page + 1) * pageBytes);
      writeFileSync(copy, damaged);
      return page > 1 && damageOf(copy) !== null && bytes.readUInt16LE(page * pageBytes + 18) === leafFlag;
    });
    const [from, to] = [leaves.at(-1)!, leaves.at(-2)!];
    bytes.copy(bytes, to * pageBytes, from * pageBytes, (from + 1) * pageBytes);
    writeFileSync(copy, bytes);
    expect(damageOf(copy)).toContain(`page ${to} of ${copy} (at byte ${to * pageBytes}) says that it is page ${from}`);
  });

  test("with any bit of a meta page flipped is refused, but for what tells nothing of the data", async () => {
    await fillPages(5);
    const bytes = readFileSync(data);
    const newer = new LmdbFile(data).meta.transaction % 2;
    const copy = join(directory, "copy.mdb");
    copyFileSync(data, copy);
    const descriptor = openSync(copy, "r+");
    const harmless = new Set<string>();
    for (const page of [0, 1]) {
      for (let bit = 0; bit < metaBytes * 8; bit += 1) {
        const at = page * pageBytes + (bit >> 3);
        writeSync(descriptor, Buffer.of(bytes[at]! ^ (1 << (bit & 7))), 0, 1, at);
        if (damageOf(copy) === null) harmless.add(`${page === newer ? "newer" : "older"}: ${fieldOf(bit >> 3)}`);
        writeSync(descriptor, bytes, at, 1, at);
      }
    }
    closeSync(descriptor);
    const said = ["header", "version's upper half", "address", "map size", "unused", "boot"];
    // A last page that is said to lie a little further: then some are never used.
    // A smaller transaction makes it the older one: it looks the same as after a commit that failed.
    const neverRead = ["newer: last page", "newer: transaction", ...said.map((field) => `newer: ${field}`)];
    // The trees of the older commit are read by nobody.
    const older = [...said, "free pages", "tables", "last page", "transaction"].map((field) => `older: ${field}`);
    expect([...harmless].filter((field) => ![...neverRead, ...older].includes(field))).toEqual([]);
  });
});

const metaBytes = 168;
const leafFlag = 2;

// Of the struct MDB_meta, after the header of the page.
const fields: readonly (readonly [end: number, name: string])[] = [
  [8, "page number"],
  [18, "header"],
  [20, "kind of page"],
  [24, "header"],
  [28, "magic"],
  [30, "version"],
  [32, "version's upper half"],
  [40, "address"],
  [48, "map size"],
  [52, "page size"],
  [96, "free pages"],
  [100, "unused"],
  [144, "tables"],
  [152, "last page"],
  [160, "transaction"],
  [168, "boot"],
];

function fieldOf(at: number): string {
  return fields.find(([end]) => at < end)![1];
}
