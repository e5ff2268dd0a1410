import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open, type RootDatabase } from "lmdb";

const lockFileBytes = 16_384;

/**
 * Opens an LMDB environment in such a way that the promise of a transaction rejects whenever the disk has failed, and
 * there is no other promise that could. (docs/decisions/0002)
 * @param mapBytes address space, not disk: large, so that the map does not move while a snapshot is held
 */
export function openEnvironment(path: string, mapBytes: number): RootDatabase {
  mkdirSync(path, { recursive: true });
  // LMDB makes this file sparse and writes it through a mapping, which on a full disk is a signal that ends the
  // process. Written in full beforehand, it is an exception.
  const lockFile = join(path, "lock.mdb");
  if (!existsSync(lockFile)) writeFileSync(lockFile, Buffer.alloc(lockFileBytes));
  return open({
    path,
    mapSize: mapBytes,
    overlappingSync: false,
    eventTurnBatching: false,
    maxDbs: 32,
    encoding: "binary",
  });
}
