import { similarity } from "./words.js";

export interface Overlap {
  /** The part of the text that the phrase accounts for, 0 to 1. */
  readonly ofText: number;
  /** The part of the phrase that was said, 0 to 1. */
  readonly ofPhrase: number;
  /** Both as one figure, 0 to 1: high only when both are. */
  readonly score: number;
}

const noOverlap: Overlap = { ofText: 0, ofPhrase: 0, score: 0 };

/**
 * Compares what was said with a phrase, both as stems.
 * @param weigh how much a stem counts; rare ones say more
 */
export function overlap(text: readonly string[], phrase: readonly string[], weigh: (stem: string) => number): Overlap {
  if (text.length === 0 || phrase.length === 0) return noOverlap;
  const ofPhrase = share(phrase, text, weigh);
  if (ofPhrase === 0) return noOverlap;
  const ofText = share(text, phrase, weigh);
  return { ofText, ofPhrase, score: (2 * ofText * ofPhrase) / (ofText + ofPhrase) };
}

/** The weight of those stems that have a like among the others, as a part of the weight of all. */
export function share(stems: readonly string[], others: readonly string[], weigh: (stem: string) => number): number {
  let found = 0;
  let whole = 0;
  for (const stem of stems) {
    const weight = weigh(stem);
    whole += weight;
    found += weight * best(stem, others);
  }
  return whole === 0 ? 0 : found / whole;
}

function best(stem: string, others: readonly string[]): number {
  let highest = 0;
  for (const other of others) highest = Math.max(highest, similarity(stem, other));
  return highest;
}
