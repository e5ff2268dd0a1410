import type { Business } from "../../messaging/business.js";
import { kindsOfText } from "./kinds-of-text.js";
import { entriesOf, type Entry } from "./knowledge.js";
import type { Likelihoods } from "./language/classifier.js";
import { isCommon, isTopic, type Kind, stemsOf, type Topic } from "./language/corpus.js";
import { named } from "./named.js";
import { readOnce } from "./read-once.js";
import { vocabularyOf } from "./vocabulary.js";
import { similarity, stems } from "./words.js";

/** What an entry answers. */
export interface Scope {
  readonly entry: Entry;
  /** How far it is for a topic, above 0, at most 1. */
  readonly topics: ReadonlyMap<Topic, number>;
  /** The services that it is about; none: whichever. */
  readonly services: ReadonlySet<string>;
  /** It lists all services, so that whatever else is asked about is none of them. */
  readonly isList: boolean;
  /** All words that it says, and that are said of its topics. */
  readonly stems: ReadonlySet<string>;
}

/** What is asked: what is named, what it is likely about, and its other words. */
export interface Asked {
  readonly services: ReadonlySet<string>;
  readonly places: ReadonlySet<string>;
  readonly kinds: Likelihoods<Kind>;
  readonly words: readonly Word[];
}

interface Word {
  readonly stem: string;
  /** The word that stands for it at this business. */
  readonly meaning: string;
}

/** What the wordings of a question are so likely about, it is for. */
const TOPIC_SHARE_MIN = 0.35;
/** A paragraph tells something, so what is asked of it shows less; only what it is most likely about counts. */
const BODY_TOPIC_SHARE_MIN = 0.15;
/** The question as the business put it says more than another way of asking it. */
const QUESTION_WEIGHT = 3;
/** That a question is about the very service an entry is about need not be said: "does it hurt?" */
const UNNAMED_WORTH = 0.6;
/** Where there is an entry for the place that is named, the one for all places is the second best. */
const OTHER_PLACES_WORTH = 0.8;
/** One word that nobody knows is not all that is asked about. */
const WORDS_TAKEN_AS_KNOWN = 1;

/** What each entry of the business answers, in their order. */
export const entryScopes = readOnce(entriesOf, scopeOf);

export function readAsked(text: string, business: Business): Asked {
  const { tokens, services, places } = named(text, business);
  const others = tokens.filter(({ mark }) => mark === undefined).map(({ word }) => word);
  const said = stems(others.join(" ")).filter((stem) => !isCommon(stem));
  const { stems: meaningsOf } = vocabularyOf(business);
  const words = said.map((stem) => ({ stem, meaning: meaningsOf(stem)[0] ?? stem }));
  return { services, places, kinds: kindsOfText(text, business), words };
}

/** How likely a question is one that an entry answers, by what people mean with such words. */
export function likelihoodOf(scope: Scope, asked: Asked): number {
  let sum = 0;
  for (const [topic, worth] of scope.topics) sum += asked.kinds.get(topic)! * worth;
  return sum * fitOfNames(scope, asked);
}

/** How likely something is asked about that no entry is for. */
export function likelihoodOfUnanswered(scopes: readonly Scope[], asked: Asked): number {
  const fitting = scopes.filter((scope) => fitOfNames(scope, asked) > 0);
  let sum = 0;
  for (const [kind, share] of asked.kinds)
    if (isTopic(kind) && !fitting.some(({ topics }) => topics.has(kind))) sum += share;
  return sum;
}

/** How much of what is asked is known of what the entry is about, 0 to 1: parking is no answer for parking at an airport. */
export function coverage(scope: Scope, { words }: Asked): number {
  const isKnown = ({ stem, meaning }: Word) =>
    scope.stems.has(meaning) || [...scope.stems].some((each) => similarity(stem, each) > 0);
  return (words.filter(isKnown).length + WORDS_TAKEN_AS_KNOWN) / (words.length + WORDS_TAKEN_AS_KNOWN);
}

function fitOfNames({ entry, services }: Scope, asked: Asked): number {
  if (entry.place !== undefined) return asked.places.has(entry.place) ? 1 : 0;
  if (entry.service !== undefined) return asked.services.has(entry.service) ? 1 : 0;
  const ofPlaces = asked.places.size > 0 ? OTHER_PLACES_WORTH : 1;
  if (services.size === 0) return ofPlaces;
  if (asked.services.size === 0) return UNNAMED_WORTH;
  return [...services].some((each) => asked.services.has(each)) ? 1 : 0;
}

function scopeOf(entry: Entry, business: Business): Scope {
  const topics = entry.topics.length > 0 ? new Map(entry.topics.map((topic) => [topic, 1])) : topicsOf(entry, business);
  const isList = topics.has("prices");
  const services = entry.topics.length > 0 ? new Set<string>() : named(entry.title, business).services;
  const { terms, stemsOfBody } = vocabularyOf(business);
  const own = [...entry.cues.flatMap(terms), ...(isList ? [] : stemsOfBody(entry.answer))];
  return {
    entry,
    topics,
    services,
    isList,
    stems: new Set([...own, ...[...topics.keys()].flatMap((each) => [...stemsOf(each)])]),
  };
}

function topicsOf({ title, cues, body }: Entry, business: Business): ReadonlyMap<Topic, number> {
  if (body !== "") return topicOfBody(kindsOfAll([title, `${title}. ${body}`, body], business));
  const shares = kindsOfAll(cues, business);
  const highest = Math.max(...shares.values());
  const likely = [...shares].filter(([, share]) => share >= TOPIC_SHARE_MIN);
  return new Map(likely.map(([topic, share]) => [topic, share / highest]));
}

function topicOfBody(shares: ReadonlyMap<Topic, number>): ReadonlyMap<Topic, number> {
  const sum = [...shares.values()].reduce((all, share) => all + share, 0);
  const [topic, share] = [...shares].reduce((best, each) => (each[1] > best[1] ? each : best));
  return new Map(share / sum >= BODY_TOPIC_SHARE_MIN ? [[topic, 1]] : []);
}

/** How likely several wordings of the same are about each topic, the first of them above all. */
function kindsOfAll(wordings: readonly string[], business: Business): ReadonlyMap<Topic, number> {
  const sums = new Map<Topic, number>();
  const weights = wordings.length - 1 + QUESTION_WEIGHT;
  for (const [index, wording] of wordings.entries()) {
    const weight = (index === 0 ? QUESTION_WEIGHT : 1) / weights;
    for (const [kind, share] of kindsOfText(wording, business))
      if (isTopic(kind)) sums.set(kind, (sums.get(kind) ?? 0) + share * weight);
  }
  return sums;
}
