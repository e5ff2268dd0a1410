/** The segments of a path. Doubled and trailing slashes do not count. (SPEC T1) */
export function segmentsOf(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "");
}

/** The values of the `:name` segments of `pattern`, as they stand in the path, or null where it does not match. */
export function matchSegments(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    if (part.startsWith(":")) params[part.slice(1)] = segments[index]!;
    else if (part !== segments[index]) return null;
  }
  return params;
}
