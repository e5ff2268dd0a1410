/** Codes of errors after which nobody can have been reached, for now. */
const unreachableCodes: ReadonlySet<unknown> = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/** The network failed: there was no connection, or it broke. The same request may succeed in a moment. */
export function isNetworkError(cause: unknown): boolean {
  return unreachableCodes.has((cause as { readonly code?: unknown } | null | undefined)?.code);
}
