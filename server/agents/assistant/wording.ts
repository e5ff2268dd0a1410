import MiniSearch from "minisearch";
import type { Business } from "../../messaging/business.js";
import { entriesOf, type Entry } from "./knowledge.js";
import { balance, type Weigh, weightOf, withWording } from "./overlap.js";
import { vocabularyOf } from "./vocabulary.js";

/** How many entries of the index are looked at closely. */
const CANDIDATES_MAX = 12;
/** A paragraph is found by words that it happens to contain; that is worth less than a question that was foreseen. */
const BODY_WORTH = 0.8;
const BODY_STEMS_MIN = 2;
/** What the answer itself says supports a cue, but is seldom what was asked. */
const ANSWER_WORTH = 0.5;
/** How much of a question must be accounted for: words that are shared by chance are not enough. */
const TEXT_SHARE_MIN = 0.5;
/** And how much of a cue must have been said. */
const CUE_SHARE_MIN = 0.5;
/** A word that the business never uses weighs this much more than one that it uses once. */
const UNKNOWN_WEIGHT = 1.3;

interface Knowledge {
  readonly entries: readonly ReadEntry[];
  readonly index: MiniSearch;
  readonly weigh: Weigh;
}

interface ReadEntry {
  readonly entry: Entry;
  readonly cues: readonly Cue[];
  readonly body: ReadonlySet<string>;
  readonly answer: ReadonlySet<string>;
}

interface Cue {
  readonly terms: ReadonlySet<string>;
  /** Of those terms that it is about. */
  readonly weight: number;
}

// A business that is changed is a new object, so its knowledge is read anew and the old goes with it.
const known = new WeakMap<Business, Knowledge>();

/**
 * How well the words of a text fit each entry that has any of them, above 0, at most 1. The index finds the
 * candidates; how much of the question each covers decides, for that can be held against a threshold.
 */
export function wordedAlike(text: string, business: Business): ReadonlyMap<Entry, number> {
  const vocabulary = vocabularyOf(business);
  const said: Said = { stems: vocabulary.stems(text), terms: vocabulary.terms(text) };
  if (said.stems.length === 0) return new Map();
  const { entries, index, weigh } = knowledgeOf(business);
  const candidates = index.search(said.stems.join(" ")).slice(0, CANDIDATES_MAX);
  const read = candidates.map(({ id }) => entries[id as number]!);
  return new Map(read.map((candidate) => [candidate.entry, fit(said, candidate, weigh)]));
}

/** The entries that share words with a text, however few, the nearest first. */
export function nearestEntries(text: string, business: Business, max: number): readonly Entry[] {
  const { entries, index } = knowledgeOf(business);
  const near = index.search(vocabularyOf(business).stems(text).join(" ")).slice(0, max);
  return near.map(({ id }) => entries[id as number]!.entry);
}

interface Said {
  readonly stems: readonly string[];
  readonly terms: readonly string[];
}

function fit({ stems, terms }: Said, { cues, body, answer }: ReadEntry, weigh: Weigh): number {
  const whole = weightOf(stems, weigh);
  const quoted = stems.filter((stem) => body.has(stem));
  let best = quoted.length >= BODY_STEMS_MIN ? (weightOf(quoted, weigh) / whole) * BODY_WORTH : 0;
  for (const cue of cues) {
    const shared = weightOf(
      stems.filter((stem) => cue.terms.has(stem)),
      weigh,
    );
    if (shared === 0) continue;
    const supported = weightOf(
      stems.filter((stem) => !cue.terms.has(stem) && answer.has(stem)),
      weigh,
    );
    const ofText = (shared + supported * ANSWER_WORTH) / whole;
    if (ofText < TEXT_SHARE_MIN || shared / cue.weight < CUE_SHARE_MIN) continue;
    best = Math.max(best, withWording(balance(ofText, shared / cue.weight), terms, cue.terms));
  }
  return best;
}

function knowledgeOf(business: Business): Knowledge {
  const knowledge = known.get(business) ?? readKnowledge(business);
  known.set(business, knowledge);
  return knowledge;
}

function readKnowledge(business: Business): Knowledge {
  const { terms, stems, stemsOfBody } = vocabularyOf(business);
  const read = entriesOf(business).map((entry) => ({
    entry,
    cues: entry.cues.map((cue) => ({ terms: new Set(terms(cue)), stems: stems(cue) })),
    // The title stands over each of its paragraphs.
    body: entry.body === "" ? [] : stemsOfBody(`${entry.title} ${entry.body}`),
  }));
  const weigh = rarity(read.map(({ cues, body }) => new Set([...cues.flatMap((cue) => cue.stems), ...body])));
  const index = new MiniSearch({
    fields: ["cues", "body"],
    tokenize: (text) => text.split(" "),
    processTerm: (term) => term || null,
    searchOptions: { boost: { cues: 3 } },
  });
  index.addAll(
    read.map(({ cues, body }, id) => ({
      id,
      cues: cues.flatMap((cue) => cue.stems).join(" "),
      body: body.join(" "),
    })),
  );
  const entries = read.map(({ entry, cues, body }) => ({
    entry,
    cues: cues.map((cue) => ({ terms: cue.terms, weight: weightOf(cue.stems, weigh) })),
    body: new Set(body),
    answer: new Set(stemsOfBody(entry.answer)),
  }));
  return { entries, index, weigh };
}

/** A stem that few entries have tells more than one that many have; one that none has tells most. */
function rarity(entries: readonly ReadonlySet<string>[]): Weigh {
  const counts = new Map<string, number>();
  for (const stem of entries.flatMap((stems) => [...stems])) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  const unknown = Math.log(1 + entries.length) * UNKNOWN_WEIGHT;
  return (stem) => {
    const count = counts.get(stem);
    return count === undefined ? unknown : Math.log(1 + entries.length / count);
  };
}
