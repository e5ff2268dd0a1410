import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { failure } from "../../protocol/result.js";
import type { Business } from "../messaging/business.js";
import { type BusinessFileProblem, type ParsedBusiness, parseBusiness } from "./business-yaml.js";

const FILE_BYTES_MAX = 1_048_576;

/** Business files that cannot be used; the message has a line `file:line:column: what was expected` for each problem. */
export class BusinessFilesError extends Error {
  override readonly name = "BusinessFilesError";

  constructor(readonly problems: readonly BusinessFileProblem[]) {
    super(problems.map((each) => `${each.file}:${each.line}:${each.column}: ${each.message}`).join("\n"));
  }
}

/**
 * Reads every `<businessId>.yaml` of a directory. A directory that is not there holds no businesses; files of other
 * kinds are left alone, save `.yml`, which would be a business that silently does not exist.
 * @throws BusinessFilesError with the problems of all files, so that they can be mended at once
 * @see SPEC B2
 */
export async function loadBusinesses(directory: string): Promise<ReadonlyMap<string, Business>> {
  const names = await listFiles(directory);
  const results = await Promise.all(names.map((name) => loadBusiness(join(directory, name))));
  const problems = results.flatMap((result) => (result.ok ? [] : result.reason));
  if (problems.length > 0) throw new BusinessFilesError(problems);
  const businesses = results.flatMap((result) => (result.ok ? [result.value] : []));
  return new Map(businesses.map((business) => [business.businessId, business]));
}

async function listFiles(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
    return names.filter((name) => /\.ya?ml$/i.test(name) && !name.startsWith(".")).sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new Error(`cannot read the directory of businesses ${directory}`, { cause });
  }
}

async function loadBusiness(file: string): Promise<ParsedBusiness> {
  const whole = (message: string) => failure([{ file, line: 1, column: 1, message }]);
  if (!file.endsWith(".yaml")) return whole("the name of a business file ends in .yaml");
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new Error(`cannot read the business file ${file}`, { cause });
  });
  if (bytes.length > FILE_BYTES_MAX) return whole(`expected at most ${FILE_BYTES_MAX} bytes, found ${bytes.length}`);
  const text = decode(bytes);
  return text === null ? whole("expected text in UTF-8") : parseBusiness(file, text);
}

function decode(bytes: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
