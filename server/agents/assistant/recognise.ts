import type { Business, BusinessIntent } from "../../messaging/business.js";
import { namedOption } from "./choices.js";
import { overlap, share } from "./overlap.js";
import { fold, stems, words } from "./words.js";

/** How much of a phrase must have been said; one typing error in a phrase of one word passes. */
const PHRASE_SHARE_MIN = 0.75;

export interface Recognised {
  readonly intent: BusinessIntent;
  /** How well the best of its phrases fits, above 0, at most 1. */
  readonly score: number;
}

const phraseStems = new WeakMap<BusinessIntent, readonly (readonly string[])[]>();

/** Which intent of the business a text begins, or null. Of two that fit alike, the one that is written first. (SPEC A3) */
export function recognise(text: string, business: Business): Recognised | null {
  if (isRefusal(text)) return null;
  const said = stems(text);
  let found: Recognised | null = null;
  for (const intent of business.intents) {
    const score = Math.max(0, ...phrasesOf(intent).map((phrase) => fit(said, phrase)));
    if (score > (found?.score ?? 0)) found = { intent, score };
  }
  return found;
}

function fit(said: readonly string[], phrase: readonly string[]): number {
  const { ofPhrase, score } = overlap(said, phrase, () => 1);
  return ofPhrase >= PHRASE_SHARE_MIN ? score : 0;
}

function phrasesOf(intent: BusinessIntent): readonly (readonly string[])[] {
  const known = phraseStems.get(intent) ?? intent.phrases.map(stems);
  phraseStems.set(intent, known);
  return known;
}

const wishes = /\b(vreau|doresc|as (vrea|dori)|am nevoie de|i want|i need|i would like|i.d like|book)\b/;
/** It was not said in so many words, so anything that fits better goes first. */
const IMPLIED_SCORE = 0.5;

/**
 * The intent that a wish for one of its options implies: "aș vrea un detartraj mâine" wants an appointment. The option
 * must be what the intent asks for first; further on, the same word may mean anything.
 */
export function implied(text: string, business: Business): Recognised | null {
  if (!wishes.test(fold(text)) || isRefusal(text)) return null;
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
  /^(si )?(ce|cat|cata|cate|cum|unde|cand|care|cine|pot|putem|poate|se poate|este|sunt|sunteti|aveti|exista|acceptati|faceti|lucrati|what|how|where|when|which|who|why|do|does|is|are|can|could)\b/;

/** The user asks something, rather than tells something. */
export function isQuestion(text: string): boolean {
  return text.trimEnd().endsWith("?") || questionWords.test(words(text).join(" "));
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
  return share(said, stopping, () => 1) > 0 && said.every((stem) => about.includes(stem));
}
