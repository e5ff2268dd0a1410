import type { Business } from "../../messaging/business.js";
import type { Likelihoods } from "./language/classifier.js";
import { isTopic, type Kind } from "./language/corpus.js";
import { kindsOf } from "./language/kinds.js";
import { named } from "./named.js";
import { sentencesOf } from "./words.js";

/** What kind of message a text is, as one to this business: of several sentences, by all together and by each. */
export function kindsOfText(text: string, business: Business): Likelihoods<Kind> {
  const whole = kindsOf(named(text, business).tokens);
  const parts = sentencesOf(text);
  if (parts.length < 2) return whole;
  const sentences = parts.map((sentence) => kindsOf(named(sentence, business).tokens));
  const kinds = new Map<Kind, number>();
  for (const [kind, share] of whole) {
    const ofSentences = sentences.reduce((sum, each) => sum + each.get(kind)!, 0) / sentences.length;
    kinds.set(kind, (share + ofSentences) / 2);
  }
  return kinds;
}

/** How likely something is asked about, whatever it is. */
export function likelihoodOfTopics(kinds: Likelihoods<Kind>): number {
  return sumOf(kinds, isTopic);
}

/** How likely something is to be done. */
export function likelihoodOfTasks(kinds: Likelihoods<Kind>): number {
  return sumOf(kinds, (kind) => !isTopic(kind) && kind !== "answer");
}

function sumOf(kinds: Likelihoods<Kind>, isMeant: (kind: Kind) => boolean): number {
  let sum = 0;
  for (const [kind, share] of kinds) if (isMeant(kind)) sum += share;
  return sum;
}
