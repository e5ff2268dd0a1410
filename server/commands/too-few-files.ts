// It says why other modules cannot be loaded, so it needs none.

/** EMFILE and ENFILE, by name or as LMDB gives them. */
const codes: readonly unknown[] = ["EMFILE", "ENFILE", 24, 23];

/** What an operator must do when this process, or this machine, may have no more files open; null for anything else. */
export function tooFewFiles(cause: unknown): string | null {
  for (let at = cause; at instanceof Error; at = at.cause) {
    if (!codes.includes((at as { readonly code?: unknown }).code)) continue;
    return `too few files may be open at once: raise the limit, such as with ulimit -n 65536 (${at.message})`;
  }
  return null;
}
