import { resolve, sep } from "node:path";
import { getSystemErrorName } from "node:util";
import type { Config } from "../config.js";
import { DamagedExport } from "../stores/export-format.js";
import { DamagedFile } from "../stores/embedded/lmdb-file.js";

/** What went wrong, and why, in one line: for people, without where in the code it came up. */
export function explain(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { message, cause: inner } = cause;
  // These have said it already.
  const isWhole = inner === undefined || cause instanceof DamagedFile || cause instanceof DamagedExport;
  return isWhole ? message : `${message}: ${explain(inner)}`;
}

/** What an operator can mend about a data directory. */
const dataDirFaults: Readonly<Record<string, string>> = {
  EROFS: "cannot be written: read-only file system",
  EACCES: "cannot be written: permission denied",
  EPERM: "cannot be written: operation not permitted",
  ENOSPC: "cannot be written: no space left on device",
  EDQUOT: "cannot be written: disk quota exceeded",
  ENOTDIR: "is not a directory: it is a file, or what should be a directory above it is one",
};

/** Why the embedded store's directory cannot be used, by the name of its setting; null when it is something else. */
export function whyDataDirFails(cause: unknown, config: Pick<Config, "STORE" | "DATA_DIR">): string | null {
  if (config.STORE !== "embedded") return null;
  const directory = resolve(config.DATA_DIR);
  for (let at = cause; at instanceof Error; at = at.cause) {
    const fault = dataDirFaults[codeOf(at) ?? ""];
    const path = pathOf(at);
    if (fault === undefined || path === undefined || !isOn(directory, path)) continue;
    return `DATA_DIR ${directory} ${fault}`;
  }
  return null;
}

// LMDB says which error it was as the system numbers it; its own are negative.
function codeOf({ code }: NodeJS.ErrnoException | { readonly code?: number }): string | null {
  if (typeof code === "number") return code > 0 && code < 200 ? getSystemErrorName(-code) : null;
  return code ?? null;
}

/** Null for LMDB, which opens files of the data directory only; undefined for what is about no file. */
function pathOf(error: NodeJS.ErrnoException & { readonly address?: string }): string | null | undefined {
  if (typeof error.code === "number") return null;
  return error.path ?? error.address;
}

// In it, or above it, where it was to be made.
function isOn(directory: string, path: string | null): boolean {
  if (path === null || path.endsWith("/owner.sock")) return true;
  const [one, other] = [`${directory}${sep}`, `${resolve(path)}${sep}`];
  return one.startsWith(other) || other.startsWith(one);
}
