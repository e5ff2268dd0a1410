import MiniSearch from "minisearch";
import type { Business } from "../../messaging/business.js";
import { entriesOf, type Entry } from "./knowledge.js";
import { overlap, share } from "./overlap.js";
import { stems, stemsOfBody } from "./words.js";

/** Under this an entry is no answer: better to say that we do not know. */
const SCORE_MIN = 0.5;
/** How many entries of the index are looked at closely. */
const CANDIDATES_MAX = 12;
/** A paragraph is found by words that it happens to contain; that is worth less than a question that was foreseen. */
const BODY_WORTH = 0.8;
const BODY_STEMS_MIN = 2;

export interface Found {
  readonly entry: Entry;
  /** How well it fits, from `SCORE_MIN` to 1. */
  readonly score: number;
}

interface Knowledge {
  readonly entries: readonly ReadEntry[];
  readonly index: MiniSearch;
  readonly weigh: (stem: string) => number;
}

interface ReadEntry {
  readonly entry: Entry;
  readonly cues: readonly (readonly string[])[];
  readonly body: readonly string[];
}

// A business that is changed is a new object, so its knowledge is read anew and the old goes with it.
const known = new WeakMap<Business, Knowledge>();

/**
 * What the business knows about a text, or null when nothing fits well enough. The index finds the candidates, spelling
 * errors allowed; how much of the question each covers decides, for that can be held against a threshold.
 * @see SPEC A5, A6
 */
export function retrieve(text: string, business: Business): Found | null {
  const said = stems(text);
  if (said.length === 0) return null;
  const { entries, index, weigh } = knowledgeOf(business);
  const candidates = index.search(said.join(" ")).slice(0, CANDIDATES_MAX);
  let found: Found | null = null;
  for (const place of candidates.map(({ id }) => id as number).sort((one, other) => one - other)) {
    const candidate = entries[place]!;
    const score = fit(said, candidate, weigh);
    if (score >= SCORE_MIN && score > (found?.score ?? 0)) found = { entry: candidate.entry, score };
  }
  return found;
}

function fit(said: readonly string[], { cues, body }: ReadEntry, weigh: Knowledge["weigh"]): number {
  const byCue = Math.max(0, ...cues.map((cue) => overlap(said, cue, weigh).score));
  const quoted = said.filter((stem) => share([stem], body, () => 1) > 0);
  const byBody = quoted.length >= BODY_STEMS_MIN ? share(said, body, weigh) * BODY_WORTH : 0;
  return Math.max(byCue, byBody);
}

function knowledgeOf(business: Business): Knowledge {
  const knowledge = known.get(business) ?? readKnowledge(business);
  known.set(business, knowledge);
  return knowledge;
}

function readKnowledge(business: Business): Knowledge {
  const entries = entriesOf(business).map((entry) => ({
    entry,
    cues: entry.cues.map(stems),
    body: stemsOfBody(entry.body),
  }));
  const index = new MiniSearch({
    fields: ["cues", "body"],
    tokenize: (text) => text.split(" "),
    processTerm: (term) => term || null,
    searchOptions: { boost: { cues: 3 }, fuzzy: (term) => (term.length >= 8 ? 2 : term.length >= 5 ? 1 : false) },
  });
  index.addAll(entries.map(({ cues, body }, id) => ({ id, cues: cues.flat().join(" "), body: body.join(" ") })));
  return { entries, index, weigh: rarity(entries) };
}

/** A stem that few entries have tells more than one that many have; one that none has tells as much as the rarest. */
function rarity(entries: readonly ReadEntry[]): (stem: string) => number {
  const counts = new Map<string, number>();
  for (const { cues, body } of entries) {
    for (const stem of new Set([...cues.flat(), ...body])) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  }
  return (stem) => Math.log(1 + entries.length / (counts.get(stem) ?? 1));
}
