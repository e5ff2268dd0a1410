import { existsSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { makeDirectory } from "./directory.js";
import { LmdbFile } from "./lmdb-file.js";
import { walkPages } from "./page-walk.js";
import { openSnapshot, rename, storePaths, syncFile } from "./store-files.js";

/**
 * Copies the store of a data directory, as of now, also beside a running server. What is written has been read through,
 * and is on disk.
 * @param to becomes a data directory; must be empty, or not be there, and lie outside of `from`
 * @returns bytes of the copy
 * @throws what is wrong with the store or with `to`
 */
export async function backUp(from: string, to: string): Promise<number> {
  if (`${realPath(to)}${sep}`.startsWith(`${realPath(from)}${sep}`)) {
    throw new Error(`${to} lies in ${from}, which is what is to be backed up`);
  }
  const { folder, unfinishedBackup } = storePaths(to);
  if (existsSync(to) && readdirSync(to).some((name) => join(to, name) !== unfinishedBackup)) {
    throw new Error(`${to} is not empty`);
  }
  rmSync(unfinishedBackup, { recursive: true, force: true });
  const snapshot = await openSnapshot(from);
  try {
    makeDirectory(unfinishedBackup, 0o700);
    // As it is, without compaction: that one gives up when there are free pages in no list, which is no damage.
    await snapshot.root.backup(unfinishedBackup, false);
  } finally {
    await snapshot.close();
  }
  const copy = new LmdbFile(join(unfinishedBackup, "data.mdb"));
  try {
    walkPages(copy);
  } finally {
    copy.close();
  }
  syncFile(copy.path);
  rename(unfinishedBackup, folder);
  return copy.bytes;
}

/** Where a path leads, also when its end is not there yet. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : join(realPath(dirname(path)), basename(path));
}
