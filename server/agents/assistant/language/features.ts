/** Stands for a service that was named, whichever; and for a place. */
export const serviceMark = "@service";
export const placeMark = "@place";
const numberMark = "@number";
const dayMark = "@day";

/** One word as it was said, and what stands for it where it is one of many alike. */
export interface Token {
  readonly word: string;
  readonly mark?: string;
}

/** A feature and how much it counts. */
export type Feature = readonly [name: string, weight: number];

const WORD_WEIGHT = 1;
const STEM_WEIGHT = 1.2;
const PAIR_WEIGHT = 1;
const TRIPLE_WEIGHT = 0.7;
const PART_WEIGHT = 0.35;
/** Parts of words, so that a typing error leaves most of a word as it was. */
const partLengths = [3, 4, 5];

const days = new Set(
  `marti martea miercuri miercurea joi joia vineri vinerea sambata sambetei duminica azi astazi maine poimaine diseara
  ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie
  monday tuesday tues wednesday thursday thurs friday saturday sunday today tomorrow tmrw tonight
  january february march april june july september october november december`.split(/\s+/),
);

/** What a text is recognised by: its words, their stems, what stands beside what, and parts of words. */
export function featuresOf(tokens: readonly Token[]): readonly Feature[] {
  const features = new Map<string, number>();
  const marked = tokens.map(({ word, mark }) => mark ?? markOf(word) ?? word);
  // A service of three words is one mark.
  const sequence = marked.filter((each, index) => !isMark(each) || each !== marked[index - 1]);
  for (const each of new Set([...sequence, ...tokens.map(({ word }) => word)])) {
    features.set(`word ${each}`, WORD_WEIGHT);
    features.set(`stem ${stem(each)}`, STEM_WEIGHT);
    if (!isMark(each)) for (const part of partsOf(each)) features.set(part, PART_WEIGHT);
  }
  const stems = ["^", ...sequence.map(stem), "$"];
  stems.forEach((each, index) => {
    const [next, last] = [stems[index + 1], stems[index + 2]];
    if (next !== undefined) features.set(`${each} ${next}`, PAIR_WEIGHT);
    if (last !== undefined) features.set(`${each} ${next} ${last}`, TRIPLE_WEIGHT);
  });
  return [...features];
}

function markOf(word: string): string | undefined {
  if (/^\d/.test(word)) return numberMark;
  return days.has(word) ? dayMark : undefined;
}

function isMark(term: string): boolean {
  return term.startsWith("@");
}

/** Only what words begin with: here "programare" and "programați" are alike, and it need be right for no other use. */
function stem(term: string): string {
  if (isMark(term)) return term;
  return term.slice(0, Math.max(4, term.length > 5 ? term.length - 2 : 0));
}

function partsOf(word: string): string[] {
  const bounded = `^${word}$`;
  return partLengths.flatMap((length) =>
    Array.from({ length: Math.max(0, bounded.length - length + 1) }, (_, at) => bounded.slice(at, at + length)),
  );
}
