import type { Condition } from "./requests.js";

/** Bounds of a sort key; neither is part of the range, but for what is said below. */
export interface SortRange {
  readonly sort: string;
  readonly below?: string | null | undefined;
  readonly above?: string | null | undefined;
}

/** Characters. A sort key may be 1,024 bytes long; ours are shorter, and so is every position among them. */
const positionMax = 340;

/**
 * The key condition of a query of one partition, or null when nothing can lie in the range.
 * With both bounds DynamoDB includes them: that is for the caller to mind.
 */
export function keyCondition(attribute: string, partition: string, range?: SortRange): Condition | null {
  const names = { "#partition": attribute };
  const values = { ":partition": partition };
  const only = { expression: "#partition = :partition", names, values };
  if (range === undefined) return only;
  const below = bound(range.below);
  const above = bound(range.above);
  // An empty text is no value of a key: nothing lies below it, and everything above.
  if (above === "" || (above !== null && below !== null && below > above)) return null;
  const isBelow = below !== null && below !== "";
  if (!isBelow && above === null) return only;
  return {
    expression: `#partition = :partition AND ${sortExpression(isBelow, above !== null)}`,
    names: { ...names, "#sort": range.sort },
    values: { ...values, ...(isBelow ? { ":below": below } : {}), ...(above === null ? {} : { ":above": above }) },
  };
}

function sortExpression(isBelow: boolean, isAbove: boolean): string {
  if (isBelow && isAbove) return "#sort BETWEEN :below AND :above";
  return isBelow ? "#sort > :below" : "#sort < :above";
}

// What a client made up as a position can be long, or no text at all.
function bound(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : text.toWellFormed().slice(0, positionMax).toWellFormed();
}

export function isAbsent(attribute: string): Condition {
  return { expression: "attribute_not_exists(#key)", names: { "#key": attribute } };
}

export function isRev(rev: number): Condition {
  return { expression: "#rev = :rev", names: { "#rev": "rev" }, values: { ":rev": rev } };
}
