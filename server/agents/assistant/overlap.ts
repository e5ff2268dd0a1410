import { similarity } from "./words.js";

/** How much a term counts: rare ones say more, and those that stand in every sentence next to nothing. */
export type Weigh = (term: string) => number;

/** The weight of all terms together. */
export function weightOf(terms: Iterable<string>, weigh: Weigh): number {
  let weight = 0;
  for (const term of terms) weight += weigh(term);
  return weight;
}

/** How much of a text and of a phrase is the same, as one figure, 0 to 1: high only when both parts are. */
export function balance(ofText: number, ofPhrase: number): number {
  return ofText + ofPhrase === 0 ? 0 : (2 * ofText * ofPhrase) / (ofText + ofPhrase);
}

/** Of two phrases about the same, the one that is worded alike is meant: "cât ține", not "când se face". */
const WORDING_WORTH = 0.1;

/** A score in which the wording counts a little; 1 only when nothing differs. */
export function withWording(score: number, text: readonly string[], phrase: ReadonlySet<string>): number {
  const shared = text.filter((term) => phrase.has(term)).length;
  return score * (1 - WORDING_WORTH) + balance(shared / text.length, shared / phrase.size) * WORDING_WORTH;
}

/** The part of the stems that have a like among the others, typing errors allowed, 0 to 1. */
export function share(stems: readonly string[], others: readonly string[]): number {
  if (stems.length === 0) return 0;
  const found = stems.map((stem) => Math.max(0, ...others.map((other) => similarity(stem, other))));
  return found.reduce((sum, each) => sum + each, 0) / stems.length;
}
