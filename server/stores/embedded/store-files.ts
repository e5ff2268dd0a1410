import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RootDatabase } from "lmdb";
import { LmdbFile } from "./lmdb-file.js";
import { openEnvironment } from "./lmdb.js";
import { checkFormat, identityOf, putMeta } from "./meta.js";
import { checkSize, walkPages } from "./page-walk.js";
import { Tables } from "./tables.js";

/** Where the files of a data directory's store lie. */
export function storePaths(directory: string) {
  const folder = join(directory, "store");
  return {
    folder,
    data: join(folder, "data.mdb"),
    /** Where it is made. It is the store once it has the store's name, so a kill leaves a whole one or none. */
    unfinished: join(directory, "store-new"),
    /** Where a backup is written. Somebody who finds it has no backup. */
    unfinishedBackup: join(directory, "store-partial"),
  };
}

/** A store that this process may write. */
export interface OpenFiles {
  readonly root: RootDatabase;
  readonly epoch: string;
}

/** Bytes of a store that is read through whenever it is opened: about half a second of it. */
const walkedBytesMax = 2 ** 30;

/**
 * Opens the store of a data directory for writing, or makes one. LMDB trusts its file, and a damaged one crashes the
 * process, now or later: so it is looked at first. A store that was copied gets another epoch: clients of the original
 * have seen offsets that the copy will give to other messages.
 * @throws what is wrong with it
 */
export async function openStoreFiles(directory: string): Promise<OpenFiles> {
  const paths = storePaths(directory);
  if (!existsSync(paths.folder)) await makeStore(directory);
  checkFile(paths.data);
  const root = openEnvironment(paths.folder);
  try {
    return { root, epoch: await epochOf(root, paths.data) };
  } catch (cause) {
    await root.close();
    throw cause;
  }
}

async function epochOf(root: RootDatabase, data: string): Promise<string> {
  const { meta } = new Tables(root, {});
  checkFormat(meta);
  const file = await identityOf(data);
  if (meta.get("file") !== file) await root.transaction(() => putMeta(meta, file));
  return String(meta.get("epoch"));
}

async function makeStore(directory: string): Promise<void> {
  const { folder, unfinished, unfinishedBackup } = storePaths(directory);
  if (existsSync(unfinishedBackup)) {
    throw new Error(`${unfinishedBackup} is a backup that was not finished; there is nothing else in ${directory}`);
  }
  rmSync(unfinished, { recursive: true, force: true });
  const root = openEnvironment(unfinished);
  try {
    const { meta } = new Tables(root, {});
    const file = await identityOf(join(unfinished, "data.mdb"));
    await root.transaction(() => putMeta(meta, file));
  } finally {
    await root.close();
  }
  rename(unfinished, folder);
}

/**
 * Looks at the file of a store, beside LMDB.
 * @throws DamagedFile; what the operating system says
 */
function checkFile(path: string): void {
  const file = new LmdbFile(path);
  try {
    checkSize(file);
    if (file.bytes <= walkedBytesMax) walkPages(file);
  } finally {
    file.close();
  }
}

/** Gives a folder another name, for good: it is on disk. */
export function rename(from: string, to: string): void {
  syncFile(from);
  renameSync(from, to);
  syncFile(dirname(to));
}

export function syncFile(path: string): void {
  // Windows has no descriptors of folders.
  if (process.platform === "win32" && statSync(path).isDirectory()) return;
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What stands still while others write. */
export interface Snapshot {
  readonly tables: Tables;
  readonly root: RootDatabase;
  close(): Promise<void>;
}

/**
 * Opens the store of a data directory for reading, as of now, also beside a running server. As long as it is open, the
 * server cannot use space again that it frees.
 * @throws what is wrong with it
 */
export async function openSnapshot(directory: string): Promise<Snapshot> {
  const { folder, data } = storePaths(directory);
  if (!existsSync(folder)) throw new Error(`there is no store in ${directory}`);
  const file = new LmdbFile(data);
  try {
    checkSize(file);
  } finally {
    file.close();
  }
  const root = openEnvironment(folder, { isReadOnly: true });
  try {
    const reader: { readOptions?: { transaction: ReturnType<RootDatabase["useReadTransaction"]> } } = {};
    const tables = new Tables(root, reader);
    // Opening a table ends the read transaction there is, so this comes last.
    const transaction = root.useReadTransaction();
    reader.readOptions = { transaction };
    checkFormat(tables.meta);
    const close = async () => {
      transaction.done();
      await root.close();
    };
    return { tables, root, close };
  } catch (cause) {
    await root.close();
    throw cause;
  }
}
