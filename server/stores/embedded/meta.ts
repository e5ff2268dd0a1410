import { randomUUID } from "node:crypto";
import { statSync, utimesSync } from "node:fs";
import type { Table } from "./table.js";

const formatVersion = 3;

/** Writes what a new store begins with. Inside a write. */
export function putMeta(meta: Table<string | number>, file: string): void {
  meta.put("format", formatVersion);
  meta.put("epoch", randomUUID());
  meta.put("file", file);
}

/** @throws when this server cannot read the store */
export function checkFormat(meta: Table<string | number>): void {
  const version = meta.get("format");
  if (version === null) throw new Error("it does not say which format it has: it is no store of Bennu's, or damaged");
  if (version !== formatVersion) throw new Error(`its format is ${version}, this server knows ${formatVersion}`);
}

/**
 * The rev of a record that is made: higher than that of any that was ever deleted. The record may have been there before,
 * and whoever read it then must not take this one for it. Inside a write.
 */
export function firstRev(meta: Table<string | number>): number {
  return Number(meta.get("deletedRev") ?? 0) + 1;
}

/** Says that a record of this rev was deleted. Inside a write. */
export function putDeletedRev(meta: Table<string | number>, rev: number): void {
  if (rev >= firstRev(meta)) meta.put("deletedRev", rev);
}

const tries = 20;

/**
 * Tells a file from its copies, wherever they lie: its inode, and when that was made. Two new volumes may well give the
 * same number to the same file.
 */
export async function identityOf(path: string): Promise<string> {
  for (let left = tries; left > 0; left -= 1) {
    const { ino, birthtimeNs, ctimeNs } = statSync(path, { bigint: true });
    if (birthtimeNs !== ctimeNs) return `${ino}-${birthtimeNs}`;
    // Either it was made this instant, or this system does not know when, and gives the time of the last change.
    utimesSync(path, new Date(), new Date());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return `${statSync(path, { bigint: true }).ino}-0`;
}
