import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** A file that is not what LMDB has left. The message names the place. */
export class DamagedFile extends Error {
  override readonly name = "DamagedFile";
}

/** A tree of pages as its parent tells of it. */
export interface Tree {
  readonly name: string;
  /** Null: it is empty. */
  readonly root: number | null;
  readonly depth: number;
  /** How its keys are ordered. */
  readonly flags: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
}

/** What a commit leaves behind, in one of the first two pages. */
export interface Meta {
  readonly pageBytes: number;
  readonly lastPage: number;
  readonly transaction: number;
  /** Pages that may be written again. */
  readonly free: Tree;
  /** The names of tables, and their trees. */
  readonly main: Tree;
}

const magic = 0xbeefc0de;
const version = 2;
/** Free pages are listed by numbers, everything else by bytes. */
const [numberKeys, byteKeys] = [8, 0];
/** What stands before the content of a page: its number, its transaction, its flags. */
export const pageHeaderBytes = 24;
export const pageFlags = { branch: 1, leaf: 2, overflow: 4, meta: 8 };
const metaBytes = 168;
export const treeBytes = 48;

/** The pages of a data.mdb, read beside LMDB, which trusts what it reads and crashes over it. (docs/decisions/0002) */
export class LmdbFile {
  readonly path: string;
  readonly bytes: number;
  readonly #descriptor: number;
  /** The newer one. */
  readonly meta: Meta;

  /** @throws DamagedFile when it does not begin as LMDB's files do; what the operating system says */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(path, "r");
    try {
      this.meta = this.#settledMeta();
      // After the meta, so that the file has grown at least to what that says.
      this.bytes = this.#size();
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Pages that are there as a whole. */
  get pages(): number {
    return Math.floor(this.bytes / this.meta.pageBytes);
  }

  /** @throws DamagedFile when it is not there, or is another one */
  page(number: number, flags: number): Buffer {
    const { pageBytes, lastPage } = this.meta;
    if (number < 2 || number > lastPage) throw this.damage(number, `is referred to, but the last one is ${lastPage}`);
    if (number >= this.pages) throw this.damage(number, `is missing: the file ends after ${this.bytes} bytes`);
    const page = this.#read(number * pageBytes, pageBytes);
    const found = pageNumber(page, 0);
    if (found !== number) throw this.damage(number, `says that it is page ${found}`);
    const kind = page.readUInt16LE(18);
    if ((kind & flags) === 0) throw this.damage(number, `is of another kind (${kind})`);
    return page;
  }

  /** A page as it is, whatever it is. */
  bytesOf(number: number): Buffer {
    return this.#read(number * this.meta.pageBytes, this.meta.pageBytes);
  }

  damage(number: number, what: string): DamagedFile {
    return new DamagedFile(`page ${number} of ${this.path} (at byte ${number * this.meta.pageBytes}) ${what}`);
  }

  // A server may be writing one of them this moment: what is read twice is what is there.
  #settledMeta(): Meta {
    for (let left = 5; left > 0; left -= 1) {
      const [once, again] = [this.#metaOrNull(), this.#metaOrNull()];
      if (once !== null && JSON.stringify(once) === JSON.stringify(again)) return once;
    }
    return this.#newestMeta();
  }

  #metaOrNull(): Meta | null {
    try {
      return this.#newestMeta();
    } catch (error) {
      if (error instanceof DamagedFile) return null;
      throw error;
    }
  }

  #size(): number {
    return fstatSync(this.#descriptor).size;
  }

  #newestMeta(): Meta {
    const first = this.#readMeta(0, 0);
    const second = this.#readMeta(1, first.pageBytes);
    if (first.pageBytes !== second.pageBytes) {
      throw this.#damagedMeta(0, `has pages of ${first.pageBytes} bytes, and meta page 1 of ${second.pageBytes}`);
    }
    const newest = first.transaction > second.transaction ? 0 : 1;
    this.#checkNewest([first, second][newest]!, newest);
    return [first, second][newest]!;
  }

  // Of the older one nobody reads more. After a commit that failed it holds that one's trees under its old number.
  #checkNewest(meta: Meta, number: 0 | 1): void {
    const { free, main, lastPage, pageBytes, transaction } = meta;
    const damaged = (what: string) => this.#damagedMeta(number, what);
    if (free.flags !== numberKeys || main.flags !== byteKeys) throw damaged("has keys in another order");
    if (!Number.isSafeInteger((lastPage + 1) * pageBytes)) throw damaged(`has its last page at ${lastPage}`);
    for (const { root, name } of [free, main]) {
      if (root !== null && (root < 2 || root > lastPage)) throw damaged(`has the root of ${name} at page ${root}`);
    }
    // Every commit writes the table of tables.
    if (main.root === null || main.depth !== 1) return;
    const found = pageNumber(this.#read(main.root * pageBytes, pageHeaderBytes), 8);
    if (found === transaction) return;
    throw damaged(
      `is of transaction ${transaction}, and its page ${main.root} (at byte ${main.root * pageBytes}) of ${found}`,
    );
  }

  #damagedMeta(number: 0 | 1, what: string): DamagedFile {
    return new DamagedFile(`meta page ${number} of ${this.path} (${this.#size()} bytes) ${what}`);
  }

  #readMeta(number: 0 | 1, at: number): Meta {
    const damaged = (what: string) => this.#damagedMeta(number, what);
    if (this.#size() < at + metaBytes) throw damaged("is missing: the file ends before it");
    const page = this.#read(at, metaBytes);
    if (pageNumber(page, 0) !== number || page.readUInt16LE(18) !== pageFlags.meta) throw damaged("is no meta page");
    if (page.readUInt32LE(24) !== magic) throw damaged("is not LMDB's");
    if ((page.readUInt32LE(28) & 0xffff) !== version) throw damaged(`is not of version ${version}`);
    const pageBytes = page.readUInt32LE(48);
    const isPageSize = pageBytes >= 512 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0;
    if (!isPageSize) throw damaged(`has pages of ${pageBytes} bytes`);
    return {
      pageBytes,
      free: readTree(page, 48, "the free pages"),
      main: readTree(page, 96, "the table of tables"),
      lastPage: pageNumber(page, 144),
      transaction: pageNumber(page, 152),
    };
  }

  #read(at: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    const count = readSync(this.#descriptor, buffer, 0, length, at);
    return count === length ? buffer : buffer.fill(0, count);
  }
}

export function readTree(bytes: Buffer, at: number, name: string): Tree {
  const root = bytes.readBigInt64LE(at + 40);
  return {
    name,
    root: root === -1n ? null : Number(root),
    flags: bytes.readUInt16LE(at + 4),
    depth: bytes.readUInt16LE(at + 6),
    branchPages: pageNumber(bytes, at + 8),
    leafPages: pageNumber(bytes, at + 16),
    overflowPages: pageNumber(bytes, at + 24),
    entries: pageNumber(bytes, at + 32),
  };
}

export function pageNumber(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
