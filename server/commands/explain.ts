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
