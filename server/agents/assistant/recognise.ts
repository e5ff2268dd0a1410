import type { Business, BusinessIntent } from "../../messaging/business.js";
import { namedOption, namesOfOptions } from "./choices.js";
import { likelihoodOfIntent } from "./kinds-of-intents.js";
import { kindsOfText, likelihoodOfTopics } from "./kinds-of-text.js";
import { balance, share, weightOf, withWording } from "./overlap.js";
import { readOnce } from "./read-once.js";
import { vocabularyOf } from "./vocabulary.js";
import { wordedAlike as asWordedInKnowledge } from "./wording.js";
import { fold, isStopWord, negation, sentencesOf, stems, words } from "./words.js";

/** How much of a phrase must have been said; one typing error in a phrase of one word passes. */
const PHRASE_SHARE_MIN = 0.75;
/** How well a phrase must fit a question: that it occurs in one tells little, for much can be asked about anything. */
const QUESTION_SCORE_MIN = 0.55;
/** What one sentence of several says, next to what all say together. */
const SENTENCE_WORTH = 0.7;
/** Under this, nothing is begun. */
const SCORE_MIN = 0.4;
/** A question is often about something that nobody foresaw, and that is said in words like those of what is. */
const QUESTION_KIND_MIN = 0.55;
/** Said as the business wrote it: then it is meant, whatever else is said in such words. */
const SAME_SCORE_MIN = 0.9;
const STOP_WORD_WEIGHT = 0.2;
const NEGATION_WEIGHT = 0.6;

export interface Recognised {
  readonly intent: BusinessIntent;
  /** How well the best of its phrases fits, above 0, at most 1. */
  readonly score: number;
}

interface ReadIntent {
  readonly intent: BusinessIntent;
  readonly phrases: readonly Phrase[];
  /** What a message says of its choices is a value, and no sign that it is about something else. */
  readonly values: ReadonlySet<string>;
}

interface Phrase {
  readonly terms: ReadonlySet<string>;
  readonly weight: number;
}

/**
 * Which intent of the business a text begins, or null: by its own phrases, and by how people say such things anywhere.
 * Of two that fit alike, the one that is written first. (SPEC A3)
 */
export function recognise(text: string, business: Business): Recognised | null {
  const kinds = kindsOfText(text, business);
  const asked = likelihoodOfTopics(kinds);
  const kindMin = isQuestion(text) ? QUESTION_KIND_MIN : SCORE_MIN;
  const worded = isRefusal(text) ? new Map<BusinessIntent, number>() : wordedAlike(text, business);
  // Said as a question that was foreseen, it is that question: "copil de 5 ani".
  const isForeseen = Math.max(0, ...asWordedInKnowledge(text, business).values()) === 1;
  let found: Recognised | null = null;
  for (const intent of business.intents) {
    const alike = worded.get(intent) ?? 0;
    const kind = isForeseen ? 0 : likelihoodOfIntent(intent, kinds, business);
    const score = Math.max(
      kind > asked && kind >= kindMin ? kind : 0,
      alike >= SAME_SCORE_MIN ? alike : alike * (1 - asked),
    );
    if (score >= SCORE_MIN && score > (found?.score ?? 0)) found = { intent, score };
  }
  return found;
}

/** How well the best phrase of each intent fits, in the whole text or a sentence of it. */
function wordedAlike(text: string, business: Business): ReadonlyMap<BusinessIntent, number> {
  const found = new Map<BusinessIntent, number>();
  const note = (recognised: Recognised | null, worth: number) => {
    if (recognised === null) return;
    const { intent, score } = recognised;
    found.set(intent, Math.max(found.get(intent) ?? 0, score * worth));
  };
  note(recogniseIn(text, business), 1);
  for (const sentence of sentencesOf(text))
    if (!isQuestion(sentence)) note(recogniseIn(sentence, business), SENTENCE_WORTH);
  return found;
}

function recogniseIn(text: string, business: Business): Recognised | null {
  const said = vocabularyOf(business).terms(text);
  const scoreMin = isQuestion(text) ? QUESTION_SCORE_MIN : 0;
  let found: Recognised | null = null;
  for (const { intent, phrases, values } of intentWordings.all(business)) {
    for (const phrase of phrases) {
      const score = fit(said, phrase, values);
      if (score >= scoreMin && score > (found?.score ?? 0)) found = { intent, score };
    }
  }
  return found;
}

function fit(said: readonly string[], phrase: Phrase, values: ReadonlySet<string>): number {
  let shared = 0;
  let others = 0;
  for (const term of said) {
    if (phrase.terms.has(term)) shared += weigh(term);
    else if (!values.has(term) && !isFiller(term)) others += weigh(term);
  }
  const ofPhrase = shared / phrase.weight;
  if (ofPhrase < PHRASE_SHARE_MIN) return 0;
  return withWording(balance(shared / (shared + others), ofPhrase), said, phrase.terms);
}

function weigh(term: string): number {
  if (term === negation) return NEGATION_WEIGHT;
  return isStopWord(term) ? STOP_WORD_WEIGHT : 1;
}

function isFiller(term: string): boolean {
  return isStopWord(term) && term !== negation;
}

/** The phrases of each intent, as what is said is compared with them. */
export const intentWordings = readOnce(({ intents }) => intents, readIntent);

function readIntent(intent: BusinessIntent, business: Business): ReadIntent {
  const vocabulary = vocabularyOf(business);
  const options = intent.parameters.flatMap((each) => (each.type === "choice" ? namesOfOptions(each, business) : []));
  const phrases = intent.phrases.map((phrase) => {
    const terms = new Set(vocabulary.terms(phrase));
    return { terms, weight: weightOf(terms, weigh) };
  });
  return { intent, phrases, values: new Set(options.flatMap(vocabulary.stems)) };
}

const wishes =
  /\b(vreau|doresc|as (vrea|dori|putea)|am nevoie de|mi-?ar (trebui|placea)|imi trebuie|trebuie sa (imi )?fac|caut|ma (puteti )?program\w*|as veni|sa vin|cand (pot|as putea|ma)|se poate (o )?program\w*|i want|i need|need (an?|to)|(i would|i.?d|would) (like|love)|looking (for|to)|book|schedule|can i (get|have|come)|get (my|an?))\b/;
/** It was not said in so many words, so anything that fits better goes first. */
const IMPLIED_SCORE = 0.5;

/**
 * The intent that a wish for one of its options implies: "aș vrea un detartraj mâine" wants an appointment. The option
 * must be what the intent asks for first; further on, the same word may mean anything.
 */
export function implied(text: string, business: Business): Recognised | null {
  if (!wishes.test(fold(text)) || isRefusal(text)) return null;
  if (likelihoodOfTopics(kindsOfText(text, business)) > IMPLIED_SCORE) return null;
  const intent = business.intents.find(({ parameters: [first] }) => {
    return first?.type === "choice" && namedOption(text, first, business) !== null;
  });
  return intent ? { intent, score: IMPLIED_SCORE } : null;
}

/** "Nu vreau o programare" names an intent without wanting it. */
export function isRefusal(text: string): boolean {
  return /\bnu (mai )?(vreau|doresc|as vrea|am nevoie|trebuie)\b|\b(do not|don.?t|no longer) (want|need)\b/.test(
    fold(text),
  );
}

const questionWords =
  /^(si )?(ce|cat|cata|cate|cum|unde|cand|care|cine|pot|puteti|ma puteti|are|putem|poate|se poate|este|sunt|sunteti|aveti|exista|acceptati|faceti|lucrati|whats?|hows?|wheres?|whens?|which|whos?|why|do|does|is|are|can|could)\b/;

/** The user asks something, rather than tells something. */
export function isQuestion(text: string): boolean {
  return text.includes("?") || questionWords.test(words(text).join(" "));
}

const givesUp =
  /\b(nu mai (vreau|doresc|e nevoie|este nevoie|am nevoie)|renunt|am renuntat|las-o balta|lasa-o balta|m-am razgandit|never ?mind|forget (about )?it|changed my mind)\b/;
const stopsIt = [
  "anulez",
  "anuleaza",
  "anulati",
  "anulare",
  "renunta",
  "renuntam",
  "stop",
  "gata",
  "lasa",
  "cancel",
  "quit",
];

/** The user no longer wants what was begun: by a phrase, or by words that say nothing but "stop" and its name. (SPEC A7) */
export function givesUpOn(intent: BusinessIntent, text: string): boolean {
  if (givesUp.test(fold(text))) return true;
  const said = stems(text);
  const stopping = stems(stopsIt.join(" "));
  const about = [...stopping, ...stems(`${intent.name} ${intent.title}`)];
  return share(said, stopping) > 0 && said.every((stem) => about.includes(stem));
}
