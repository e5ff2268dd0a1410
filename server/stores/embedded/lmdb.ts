import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open, type RootDatabase } from "lmdb";
import { makeDirectory } from "./directory.js";

const lockFileBytes = 16_384;
/** Address space, not disk: large, so that the map does not move while a snapshot is held. */
const defaultMapBytes = 64 * 2 ** 30;

/**
 * Opens an LMDB environment in such a way that the promise of a transaction rejects whenever the disk has failed, and
 * there is no other promise that could. (docs/decisions/0002)
 */
export function openEnvironment(
  path: string,
  {
    mapBytes = defaultMapBytes,
    isReadOnly = false,
  }: { readonly mapBytes?: number; readonly isReadOnly?: boolean } = {},
): RootDatabase {
  makeDirectory(path);
  // LMDB makes this file sparse and writes it through a mapping, which on a full disk is a signal that ends the
  // process. Written in full beforehand, it is an exception.
  const lockFile = join(path, "lock.mdb");
  if (!existsSync(lockFile)) writeFileSync(lockFile, Buffer.alloc(lockFileBytes));
  return open({
    path,
    noSubdir: false,
    mapSize: mapBytes,
    overlappingSync: false,
    eventTurnBatching: false,
    maxDbs: 32,
    encoding: "binary",
    readOnly: isReadOnly,
  });
}
