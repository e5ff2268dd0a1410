import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Whom the table of the SPEC knows. `nobody`: somebody of whom nothing is known. */
export const columns = ["nobody", "user", "coordinator", "agent", "service"] as const;
export type Column = (typeof columns)[number];
const cells = ["own", "business", "—", "yes"] as const;
export type Cell = (typeof cells)[number];

export interface AccessRow extends Readonly<Record<Column, Cell>> {
  /** The names that the table mentions: of the events that the action is about, among others. */
  readonly names: readonly string[];
}

export type AccessTable = ReadonlyMap<string, AccessRow>;

const specFile = join(import.meta.dirname, "..", "..", "protocol", "SPEC.md");

/** The table of SPEC X8, as it is written there. @throws Error when it is not a table of what there can be */
export function readAccessTable(): AccessTable {
  const [, rule = ""] = readFileSync(specFile, "utf8").split(/^- \*\*X8\*\* /m);
  const [heading = "", , ...lines] = /(?:^\|.*\n)+/m.exec(rule)?.[0].trimEnd().split("\n") ?? [];
  if (fieldsOf(heading).join() !== ["action", "what it is", ...columns].join()) throw new Error("SPEC X8 has no table");
  const table = new Map<string, AccessRow>();
  for (const line of lines) {
    const [action = "", what = "", ...row] = fieldsOf(line);
    const name = /^`([a-z.]+)`$/.exec(action)?.[1];
    const isRow = row.length === columns.length && row.every((cell) => (cells as readonly string[]).includes(cell));
    if (name === undefined || !isRow || table.has(name)) throw new Error(`not a row of SPEC X8: ${line}`);
    const names = [...what.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
    const reaches = Object.fromEntries(columns.map((column, at) => [column, row[at]])) as Record<Column, Cell>;
    table.set(name, { ...reaches, names });
  }
  return table;
}

function fieldsOf(line: string): string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((field) => field.trim());
}

/** Somebody, as the table sees them. */
export interface Who {
  readonly role: Column;
  readonly userId: string | null;
  /** Null: of every business. */
  readonly businessId: string | null;
}

export interface What {
  readonly businessId: string | null;
  readonly userId?: string | null;
}

/** What the table says, read by nobody but this: the server has its own way to decide. */
export function isAllowedBy(table: AccessTable, who: Who, action: string, what: What): boolean {
  const cell = table.get(action)?.[who.role] ?? "—";
  if (cell === "yes") return true;
  if (cell === "—" || (who.businessId !== null && who.businessId !== what.businessId)) return false;
  return cell === "business" || (who.userId !== null && who.userId === what.userId);
}
