import {
  DamagedFile,
  type LmdbFile,
  pageFlags,
  pageHeaderBytes,
  pageNumber,
  readTree,
  type Tree,
  treeBytes,
} from "./lmdb-file.js";

const nodeHeaderBytes = 8;
const nodeFlags = { overflow: 1, tree: 2 };
const overflowBytes = 24;

/** An entry of a leaf. */
interface Leaf {
  readonly key: Buffer;
  readonly data: Buffer;
  readonly flags: number;
}

interface Counts {
  branchPages: number;
  leafPages: number;
  overflowPages: number;
  entries: number;
}

/**
 * Reads every page that the newest commit of a file refers to.
 * @throws DamagedFile at the first that is not what it should be
 */
export function walkPages(file: LmdbFile): void {
  const walk = new Walk(file);
  walk.tree(file.meta.main);
  walk.tree(file.meta.free, (leaf) => walk.seeFree(leaf));
}

/**
 * Whether all that the newest commit refers to is in the file. A healthy one may end before its last page, when
 * nothing was ever written there; then those pages are free.
 * @throws DamagedFile naming the sizes
 */
export function checkSize(file: LmdbFile): void {
  const { pageBytes, lastPage, free } = file.meta;
  if (file.pages > lastPage) return;
  try {
    const walk = new Walk(file);
    walk.tree(free, (leaf) => walk.seeFree(leaf));
    const missing = lastPage + 1 - file.pages;
    if (walk.freeBeyondEnd === missing) return;
    // LMDB is known to lose track of free ones. Of half of them it does not.
    walkPages(file);
    if (missing < file.pages) return;
    throw new DamagedFile(`${missing - walk.freeBeyondEnd} pages are missing that are not free`);
  } catch (cause) {
    if (!(cause instanceof DamagedFile)) throw cause;
    throw new DamagedFile(
      `${file.path} has ${file.bytes} bytes, its newest commit needs up to ${(lastPage + 1) * pageBytes}: ` +
        `it was cut off (${cause.message})`,
      { cause },
    );
  }
}

class Walk {
  readonly #file: LmdbFile;
  readonly #seen: Uint8Array;
  /** How many pages are free that the file does not have. */
  freeBeyondEnd = 0;

  constructor(file: LmdbFile) {
    this.#file = file;
    this.#seen = new Uint8Array(Math.ceil((file.pages + 1) / 8));
  }

  /** Looks at a list of free pages: its length, then numbers. A negative one is how many follow from the next one on. */
  seeFree({ data, flags }: Leaf): void {
    const list = (flags & nodeFlags.overflow) === 0 ? data : this.#overflowOf(data);
    const length = Math.min(pageNumber(list, 0), list.length / 8 - 1);
    let run = 1;
    for (let at = 1; at <= length; at += 1) {
      const entry = Number(list.readBigInt64LE(at * 8));
      if (entry > 0) {
        this.#seeRun(entry, run);
        run = 1;
      } else if (entry < 0) run = -entry;
    }
  }

  #seeRun(first: number, count: number): void {
    const { lastPage } = this.#file.meta;
    if (first + count - 1 > lastPage) {
      throw this.#file.damage(first, `is free, and ${count - 1} after it; the last one is ${lastPage}`);
    }
    const within = Math.max(0, Math.min(first + count, this.#file.pages) - first);
    this.freeBeyondEnd += count - within;
    for (let page = first; page < first + within; page += 1) this.#see(page);
  }

  #overflowOf(data: Buffer): Buffer {
    const [first, count] = [pageNumber(data, 0), pageNumber(data, 16)];
    const pages = Array.from({ length: count }, (_, index) => this.#file.bytesOf(first + index));
    return Buffer.concat(pages).subarray(pageHeaderBytes);
  }

  tree(tree: Tree, onLeaf: (leaf: Leaf) => void = () => undefined): void {
    if ((tree.root === null) !== (tree.depth === 0)) {
      throw new DamagedFile(`${this.#file.path}: ${tree.name} cannot have ${tree.depth} levels`);
    }
    const counts: Counts = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 };
    if (tree.root !== null) this.#visit(tree.root, tree.depth, counts, onLeaf);
    for (const name of Object.keys(counts) as (keyof Counts)[]) {
      if (counts[name] === tree[name]) continue;
      throw new DamagedFile(
        `${this.#file.path}: ${tree.name} should have ${tree[name]} ${name}, and ${counts[name]} were found`,
      );
    }
  }

  #visit(number: number, level: number, counts: Counts, onLeaf: (leaf: Leaf) => void): void {
    const page = this.#file.page(number, level > 1 ? pageFlags.branch : pageFlags.leaf);
    this.#see(number);
    counts[level > 1 ? "branchPages" : "leafPages"] += 1;
    for (const at of this.#nodesOf(page, number)) {
      if (level > 1) {
        this.#visit(page.readUIntLE(at, 6), level - 1, counts, onLeaf);
        continue;
      }
      const leaf = this.#leafAt(page, at, number);
      counts.entries += 1;
      if ((leaf.flags & nodeFlags.overflow) !== 0) counts.overflowPages += this.#visitOverflow(leaf.data, number);
      // The name of a table ends with a zero byte.
      const name = leaf.key.toString().replace(/\0$/, "");
      if ((leaf.flags & nodeFlags.tree) !== 0) this.#table(readTree(leaf.data, 0, `the table ${name}`), number);
      onLeaf(leaf);
    }
  }

  #table(tree: Tree, from: number): void {
    if (tree.flags !== 0) throw this.#file.damage(from, `has ${tree.name} with its keys in another order`);
    this.tree(tree);
  }

  /** Where its nodes begin. */
  #nodesOf(page: Buffer, number: number): number[] {
    const [lower, upper] = [page.readUInt16LE(20), page.readUInt16LE(22)];
    const isWithin = lower % 2 === 0 && lower <= upper && pageHeaderBytes + upper <= page.length;
    if (!isWithin) throw this.#file.damage(number, "has its content in a place where it cannot be");
    return Array.from({ length: lower / 2 }, (_, index) => {
      const at = pageHeaderBytes + page.readUInt16LE(pageHeaderBytes + index * 2);
      if (at >= pageHeaderBytes + upper && at + nodeHeaderBytes <= page.length) return at;
      throw this.#file.damage(number, `has entry ${index} outside of its content`);
    });
  }

  #leafAt(page: Buffer, at: number, number: number): Leaf {
    const flags = page.readUInt16LE(at + 4);
    const keyEnd = at + nodeHeaderBytes + page.readUInt16LE(at + 6);
    const isOverflow = (flags & nodeFlags.overflow) !== 0;
    const isTree = (flags & nodeFlags.tree) !== 0;
    const length = isOverflow ? overflowBytes : page.readUInt32LE(at);
    if (keyEnd + length > page.length || (isTree && length !== treeBytes)) {
      throw this.#file.damage(number, "has an entry that is larger than its place");
    }
    return { key: page.subarray(at + nodeHeaderBytes, keyEnd), data: page.subarray(keyEnd, keyEnd + length), flags };
  }

  #visitOverflow(data: Buffer, from: number): number {
    const [first, count] = [pageNumber(data, 0), pageNumber(data, 16)];
    if (count < 1 || first + count - 1 > this.#file.meta.lastPage) {
      throw this.#file.damage(from, `has a value of ${count} pages at page ${first}`);
    }
    this.#file.page(first, pageFlags.overflow);
    for (let number = first; number < first + count; number += 1) {
      if (number >= this.#file.pages) throw this.#file.damage(number, `is missing: the file ends before it`);
      this.#see(number);
    }
    return count;
  }

  #see(number: number): void {
    const bit = 1 << (number & 7);
    if ((this.#seen[number >> 3]! & bit) !== 0) throw this.#file.damage(number, "is in two places");
    this.#seen[number >> 3]! |= bit;
  }
}
