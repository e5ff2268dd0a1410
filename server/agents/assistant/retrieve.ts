import type { Business } from "../../messaging/business.js";
import type { Passage } from "../model/model-turn.js";
import { likelihoodOfTasks } from "./kinds-of-text.js";
import type { Entry } from "./knowledge.js";
import {
  type Asked,
  coverage,
  likelihoodOf,
  likelihoodOfUnanswered,
  readAsked,
  type Scope,
  entryScopes,
} from "./topics.js";
import { nearestEntries, wordedAlike } from "./wording.js";
import { sentencesOf } from "./words.js";

/** Under this an entry is no answer: better to say that we do not know. */
const SCORE_MIN = 0.45;
/** What one sentence of several asks, next to what all say together. */
const SENTENCE_WORTH = 0.8;
/** Words that are alike tell less than what is meant by them... */
const WORDING_WORTH = 0.8;
/** ...unless they are as good as those that the business wrote itself. */
const SAME_WORDING_MIN = 0.9;
/** How far the words of a question may also be those of something to be done. */
const TASK_COST = 0.5;
/** How much a model is given to answer from. */
const PASSAGES_MAX = 6;

export interface Found {
  readonly entry: Entry;
  /** How well it fits, from `SCORE_MIN` to 1. */
  readonly score: number;
}

/**
 * What the business knows about a text, or null when nothing fits well enough: by what people mean with such words, by
 * the words that the business wrote itself, and by whether anything is asked about that neither of them knows.
 * @see SPEC A5, A6
 */
export function retrieve(text: string, business: Business): Found | null {
  const asked = sentencesOf(text).filter((sentence) => sentence.endsWith("?"));
  const parts = asked.map((each) => retrieveFor(each, business));
  const weighed = parts.map((part) => part && { ...part, score: part.score * SENTENCE_WORTH });
  return [retrieveFor(text, business), ...weighed].reduce(
    (best, each) => ((each?.score ?? 0) > (best?.score ?? 0) ? each : best),
    null,
  );
}

/**
 * What a model may find the answer in: what was found, and what shares words with the text, however few.
 * @see SPEC A31
 */
export function passagesFor(text: string, business: Business, found: Found | null): readonly Passage[] {
  const near = nearestEntries(text, business, PASSAGES_MAX);
  const all = new Set([...(found === null ? [] : [found.entry]), ...near]);
  return [...all].slice(0, PASSAGES_MAX).map(({ title, answer }) => ({ title, text: answer }));
}

function retrieveFor(text: string, business: Business): Found | null {
  const asked = readAsked(text, business);
  const worded = wordedAlike(text, business);
  const scopes = entryScopes.all(business);
  const doubts: Doubts = {
    task: likelihoodOfTasks(asked.kinds) * TASK_COST,
    unanswered: likelihoodOfUnanswered(scopes, asked),
  };
  let found: Found | null = null;
  for (const scope of scopes) {
    const score = scoreOf(scope, asked, worded.get(scope.entry) ?? 0, doubts);
    if (score >= SCORE_MIN && score > (found?.score ?? 0)) found = { entry: scope.entry, score };
  }
  return found;
}

/** Why words that are alike may mean something else, each 0 to 1. */
interface Doubts {
  /** Something is to be done. */
  readonly task: number;
  /** Something is asked about that no entry is for. */
  readonly unanswered: number;
}

function scoreOf(scope: Scope, asked: Asked, wording: number, doubts: Doubts): number {
  const likelihood = likelihoodOf(scope, asked);
  const covered = likelihood > 0 || scope.isList ? coverage(scope, asked) : 1;
  const alike = scope.isList ? wording * covered : wording;
  if (alike >= SAME_WORDING_MIN) return alike;
  // What is for no topic answers what nobody could foresee.
  const unanswered = scope.topics.size === 0 ? 0 : doubts.unanswered;
  const supported = alike * WORDING_WORTH * (1 - unanswered) * (1 - doubts.task);
  return 1 - (1 - likelihood * covered) * (1 - supported);
}
