import type { z } from "zod";

/** One thing that is wrong in what somebody wrote about a business. */
export interface BusinessProblem {
  /** Of the field; of what is around it where the field itself is not known. */
  readonly path: readonly (string | number)[];
  /** A key that nobody knows, under `path`. */
  readonly key?: string;
  readonly message: string;
}

/** Whether what was given has something at a path. */
export function isWritten(given: unknown, path: BusinessProblem["path"]): boolean {
  let at = given;
  for (const name of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return false;
    at = (at as Readonly<Record<string | number, unknown>>)[name];
  }
  return true;
}

/**
 * What the schema found, in the words of whoever wrote it.
 * @param isThere whether what was written has something at a path
 */
export function problemsIn(
  { issues }: z.ZodError,
  isThere: (path: BusinessProblem["path"]) => boolean,
): readonly BusinessProblem[] {
  return issues.flatMap((issue): readonly BusinessProblem[] => {
    const path = issue.path as BusinessProblem["path"];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({ path, key, message: `unknown key "${key}"` }));
    }
    const message = isThere(path) ? issue.message.replace(/^Invalid input: /, "") : "expected, but not there";
    return [{ path, message }];
  });
}
