import type { Business } from "../../messaging/business.js";
import { entriesOf } from "./knowledge.js";
import { byFirstLetter, isStopWord, nearest, stems, stemsOfBody, terms } from "./words.js";

/** Reads texts in a business's own words: typing errors are put right, and what it calls synonyms is one word. */
export interface Vocabulary {
  /** All terms of a text. */
  readonly terms: (text: string) => readonly string[];
  /** Those that a text is about. */
  readonly stems: (text: string) => readonly string[];
  /** The same of a paragraph. */
  readonly stemsOfBody: (text: string) => readonly string[];
}

// A business that is changed is a new object, so its words are read anew and the old go with it.
const known = new WeakMap<Business, Vocabulary>();

export function vocabularyOf(business: Business): Vocabulary {
  const vocabulary = known.get(business) ?? createVocabulary(business);
  known.set(business, vocabulary);
  return vocabulary;
}

function createVocabulary(business: Business): Vocabulary {
  const meanings = meaningsOf(business);
  const index = byFirstLetter(meanings.keys());
  const meaningOf = (term: string): string =>
    isStopWord(term) ? term : (meanings.get(term) ?? meanings.get(nearest(term, index) ?? "") ?? term);
  const read = (all: readonly string[]) => [...new Set(all.map(meaningOf))];
  return {
    terms: (text) => read(terms(text)),
    stems: (text) => read(stems(text)),
    stemsOfBody: (text) => read(stemsOfBody(text)),
  };
}

/** Every stem that the business uses, with the one that stands for it and its synonyms. */
function meaningsOf(business: Business): ReadonlyMap<string, string> {
  const meanings = new Map<string, string>();
  const texts = [
    ...business.intents.flatMap(({ phrases }) => phrases),
    ...entriesOf(business).flatMap(({ cues, answer }) => [...cues, answer]),
  ];
  for (const stem of texts.flatMap(stemsOfBody)) meanings.set(stem, stem);
  for (const group of business.synonyms ?? []) {
    const [first = "", ...others] = group.flatMap(stems);
    for (const stem of [first, ...others]) meanings.set(stem, first);
  }
  return meanings;
}
