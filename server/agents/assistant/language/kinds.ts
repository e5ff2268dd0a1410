import { LRUCache } from "lru-cache";
import { words } from "../words.js";
import { learn, type Likelihoods } from "./classifier.js";
import { type Kind, utterances } from "./corpus.js";
import { featuresOf, placeMark, serviceMark, type Token } from "./features.js";

/** What stands in an utterance for any service, and for any place. */
const slots = [
  { slot: "$s", word: "serviceslot", mark: serviceMark },
  { slot: "$p", word: "placeslot", mark: placeMark },
];

// Learnt while the module is loaded, which is when the assistant is first needed.
const classify = await learn(
  utterances.map(({ text, kind }) => ({ features: featuresOf(tokensOf(text)), label: kind })),
);

/** Phrases of businesses, of which one version is much like the one before. Each takes some 3 KB. */
const toldMax = 2000;
const told = new LRUCache<string, Likelihoods<Kind>>({ max: toldMax });

/** What kind of message it is, by how people say such things in Romanian and English. */
export function kindsOf(tokens: readonly Token[]): Likelihoods<Kind> {
  const text = tokens.map(({ word, mark = "" }) => word + mark).join(" ");
  const kinds = told.get(text) ?? classify(featuresOf(tokens));
  told.set(text, kinds);
  return kinds;
}

function tokensOf(text: string): Token[] {
  const filled = slots.reduce((line, { slot, word }) => line.replaceAll(slot, word), text);
  return words(filled).map((word) => {
    const mark = slots.find((slot) => slot.word === word)?.mark;
    return mark === undefined ? { word } : { word: mark, mark };
  });
}
