import { basename } from "node:path";
import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument, visit } from "yaml";
import { failure, type Result, success } from "../../protocol/result.js";
import { type Business, businessSchema } from "../messaging/business.js";
import { type BusinessProblem, problemsIn } from "../messaging/business-problems.js";

/** One thing that is wrong in a business file; line and column count from 1. */
export interface BusinessFileProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Of one file. One bracket too many can make thousands, and what is behind them is found when they are mended. */
const problemsMax = 100;

export type ParsedBusiness = Result<Business, readonly BusinessFileProblem[]>;

/**
 * Reads the text of one business file.
 * @param file its path; the name without `.yaml` must be the businessId
 */
export function parseBusiness(file: string, text: string): ParsedBusiness {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number, message: string): BusinessFileProblem => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), message };
  };
  const broken = syntaxProblems(document).map(({ offset, message }) => at(offset, message));
  if (broken.length > 0) return failure(broken.slice(0, problemsMax));
  if (!isMap(document.contents)) return failure([at(0, "expected a list of `key: value`, such as `businessId: B1`")]);
  const parsed = businessSchema.safeParse(document.toJS());
  if (!parsed.success) {
    const problems = problemsIn(parsed.error, (path) => document.hasIn(path));
    return failure(problems.slice(0, problemsMax).map((problem) => at(...locate(document, problem))));
  }
  const expectedId = basename(file, ".yaml");
  if (parsed.data.businessId === expectedId) return success({ ...parsed.data, origin: "file" });
  const offset = offsetOf(document, ["businessId"]);
  return failure([
    at(offset, `expected businessId "${expectedId}", as the file is named, found "${parsed.data.businessId}"`),
  ]);
}

/**
 * Errors; warnings, for an unknown tag means something else than its writer believes; aliases, which can make a small
 * file endless and leave a problem without a place of its own; and keys that are no text, which have no name either.
 */
function syntaxProblems(document: Document.Parsed): { offset: number; message: string }[] {
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    offset: error.pos[0],
    message: error.code === "DUPLICATE_KEY" ? "this key is there twice" : `not YAML: ${error.message}`,
  }));
  visit(document, {
    Alias(_, alias) {
      problems.push({ offset: alias.range?.[0] ?? 0, message: `write the value out: *${alias.source} is not taken` });
    },
    Pair(_, { key }) {
      const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
      if (!isScalar(key) || typeof key.value !== "string")
        problems.push({ offset, message: "expected a text as the key" });
    },
  });
  return problems;
}

/** Where a problem is in the file, and what to say there. */
function locate(document: Document, { path, key, message }: BusinessProblem): [offset: number, message: string] {
  const where = path.length > 0 ? `${path.map(String).join(".")}: ` : "";
  const offset = key === undefined ? offsetOf(document, path) : keyOffset(document, path, key);
  return [offset, where + message];
}

/** The offset of what a path points to, or of the nearest thing around it that exists. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function keyOffset(document: Document, path: readonly PropertyKey[], key: string): number {
  const map: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  const pair = isMap(map) ? map.items.find((item) => isScalar(item.key) && String(item.key.value) === key) : undefined;
  return (pair?.key as Node | undefined)?.range?.[0] ?? offsetOf(document, path);
}
