import { formsOfStopWords, stopWords } from "./stop-words.js";

/** What of a long message is looked at; the rest cannot change what it is about. */
const WORDS_MAX = 80;
const BODY_WORDS_MAX = 1_000;
const SENTENCES_MAX = 6;
const TYPING_ERROR_COST = 0.1;
const STEM_LENGTH_MIN = 3;
/** No word is longer, and comparing what is not a word would take its length squared. */
const STEM_LENGTH_MAX = 32;

const STOP_WORD_LENGTH_MIN = 6;
const longStopWords = byFirstLetter([...stopWords].filter((word) => word.length >= STOP_WORD_LENGTH_MIN));

// Endings of nouns and verbs, longest first: an article or a plural does not make another word.
const endings = `urilor urile iilor ilor elor ului iile ile ele ilor iei lui ul ii ia ie ea ei uri le a e i u s ing ed`
  .split(" ")
  .sort((one, other) => other.length - one.length);

/**
 * Lower case and without diacritics, letter by letter: the result is as long as the text, so that a place found in
 * one is the same place in the other.
 */
export function fold(text: string): string {
  return Array.from({ length: text.length }, (_, index) => foldUnit(text.charAt(index))).join("");
}

function foldUnit(unit: string): string {
  if (unit < "\u0080") return unit.toLowerCase();
  const folded = unit.normalize("NFD").charAt(0).toLowerCase();
  return folded.length === 1 ? folded : unit;
}

/** The words of a text, folded, as they stand. */
export function words(text: string): string[] {
  return firstWords(text, WORDS_MAX);
}

/** The sentences of a text, when there are several; of very many only the first. */
export function sentencesOf(text: string): string[] {
  const sentences = text.split(/(?<=[.!?])\s+|\n+/, SENTENCES_MAX).filter((sentence) => /\p{L}/u.test(sentence));
  return sentences.length > 1 ? sentences : [];
}

/** The stems of all words, those that say little among them. For what is begun by such words: "nu mai pot veni". */
export function terms(text: string): string[] {
  return [...new Set(words(text).filter(isNoNumber).map(termOf))];
}

/** "Nu pot veni" is the contrary of "pot veni". */
export const negation = "nu";

/** Does a word, or a term, say little of what a text is about? */
export function isStopWord(term: string): boolean {
  return term.length === 1 || stopWords.has(term);
}

/** The stems of the words that a text is about. */
export function stems(text: string): string[] {
  return meaningfulStems(words(text));
}

/** The same of a paragraph of a document, of which more is looked at than of a message. */
export function stemsOfBody(text: string): string[] {
  return meaningfulStems(firstWords(text, BODY_WORDS_MAX));
}

function firstWords(text: string, max: number): string[] {
  return (
    writtenOut(fold(text.normalize("NFC")))
      .match(/[\p{L}\p{N}]+/gu)
      ?.slice(0, max) ?? []
  );
}

/** "Can't" is "can not", with or without its apostrophe: what is not wanted must not be lost in a short word. */
function writtenOut(folded: string): string {
  return folded
    .replace(/\b(?:cannot|can['’]?t|couldn['’]?t|won['’]?t)\b/g, "can not")
    .replace(/\b(do|does|did|is|are|was|have|has|had|would|should)n['’]?t\b/g, "$1 not")
    .replace(/(?<=\p{L})['’](?=\p{L})/gu, "");
}

function meaningfulStems(all: readonly string[]): string[] {
  return [...new Set(all.filter(isNoNumber).map(termOf))].filter((term) => !isStopWord(term));
}

function isNoNumber(word: string): boolean {
  return !/^\d/.test(word);
}

/** A stop word in its one form, or the stem of any other word. */
export function termOf(word: string): string {
  const stop = isStopWord(word) ? word : nearest(word.slice(0, STEM_LENGTH_MAX), longStopWords);
  if (stop !== null) return formsOfStopWords.get(stop) ?? stop;
  const stemmed = stem(word.slice(0, STEM_LENGTH_MAX));
  // "Doare" is no form of "doar".
  return isStopWord(stemmed) ? word : stemmed;
}

/** Takes endings away until none is left: "maseaua" and "masea", "prices" and "price" must end as the same. */
function stem(word: string): string {
  const ending = endings.find((each) => word.endsWith(each) && word.length - each.length >= STEM_LENGTH_MIN);
  return ending === undefined ? word : stem(word.slice(0, -ending.length));
}

/** How far two stems mean the same: 1 when equal, less with every typing error, else 0. */
export function similarity(one: string, other: string): number {
  if (one === other) return 1;
  const shorter = Math.min(one.length, other.length);
  const longer = Math.max(one.length, other.length);
  const allowed = shorter >= 8 ? 2 : shorter >= 4 && longer >= 5 ? 1 : 0;
  // A first letter is seldom mistyped, and without this rule too many short words are alike.
  if (allowed === 0 || one[0] !== other[0] || longer - shorter > allowed) return 0;
  const distance = editDistance(one, other);
  return distance <= allowed ? 1 - distance * TYPING_ERROR_COST : 0;
}

/** Words by their first letter, for `nearest`. */
export type WordIndex = ReadonlyMap<string, readonly string[]>;

export function byFirstLetter(all: Iterable<string>): WordIndex {
  const index = new Map<string, string[]>();
  for (const word of all) index.set(word.charAt(0), [...(index.get(word.charAt(0)) ?? []), word]);
  return index;
}

/** The word that another was meant to be, typing errors aside, or null. */
export function nearest(word: string, index: WordIndex): string | null {
  let found: { word: string; similarity: number } | null = null;
  for (const each of index.get(word.charAt(0)) ?? []) {
    const alike = similarity(word, each);
    if (alike > (found?.similarity ?? 0)) found = { word: each, similarity: alike };
  }
  return found?.word ?? null;
}

/** Letters added, left out, changed or swapped with their neighbour, to come from one word to the other. */
function editDistance(one: string, other: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const change = one[row - 1] === other[column - 1] ? 0 : 1;
      let best = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + change);
      const isSwap = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (isSwap) best = Math.min(best, before[column - 2]! + 1);
      current.push(best);
    }
    before = previous;
    previous = current;
  }
  return previous[other.length]!;
}
