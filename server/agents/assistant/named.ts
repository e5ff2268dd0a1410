import type { Business, Location } from "../../messaging/business.js";
import { isCommon } from "./language/corpus.js";
import { placeMark, serviceMark, type Token } from "./language/features.js";
import { isStopWord, similarity, termOf, words } from "./words.js";

/** A text of which is known what it names. */
export interface Named {
  readonly tokens: readonly Token[];
  /** The services and the places, by their names. */
  readonly services: ReadonlySet<string>;
  readonly places: ReadonlySet<string>;
}

/** One way to name a service or a place. */
interface Name {
  readonly of: string;
  readonly mark: string;
  readonly words: readonly Word[];
}

interface Word {
  readonly word: string;
  readonly term: string;
}

/** Stems that are shorter tell too little: of "carie" there is no more than of "care". */
const STEM_LENGTH_MIN = 4;

const known = new WeakMap<Business, readonly Name[]>();

/** The words of a text, with a mark on those that name one of the business's services or places. */
export function named(text: string, business: Business): Named {
  const names = namesOf(business);
  const said = read(text);
  const tokens: Token[] = [];
  const services = new Set<string>();
  const places = new Set<string>();
  while (tokens.length < said.length) {
    const name = names.find(({ words }) => words.every((word, index) => isLike(said[tokens.length + index], word)));
    if (name !== undefined) (name.mark === serviceMark ? services : places).add(name.of);
    const length = name?.words.length ?? 1;
    const mark = name && { mark: name.mark };
    for (const { word } of said.slice(tokens.length, tokens.length + length)) tokens.push({ word, ...mark });
  }
  return { tokens, services: services.size > 0 ? services : meantServices(said, names), places };
}

/** Services of which enough was said: all that a name says, in whatever order, or a word that only its names have. */
function meantServices(said: readonly Word[], names: readonly Name[]): ReadonlySet<string> {
  const ofServices = names.filter(({ mark }) => mark === serviceMark);
  const isSaid = (word: Word) => said.some((each) => isLike(each, word));
  const isTelling = (word: Word, { of }: Name) =>
    word.term.length >= STEM_LENGTH_MIN &&
    !isCommon(word.term) &&
    said.some(({ term }) => term === word.term) &&
    ofServices.every((other) => other.of === of || !other.words.some((each) => isLike(each, word)));
  const meant = ofServices.filter((name) => {
    const about = name.words.filter(({ term }) => !isStopWord(term));
    return about.length > 0 && (about.every(isSaid) || about.some((word) => isTelling(word, name)));
  });
  return new Set(meant.map(({ of }) => of));
}

/** "Zâmbet Titan" is "Titan" to those who know that all are called Zâmbet; empty where there is but one. */
export function ownName(name: string, locations: readonly Location[]): string {
  const all = locations.map((each) => words(each.name));
  return words(name)
    .filter((word) => !all.every((others) => others.includes(word)))
    .join(" ");
}

function namesOf(business: Business): readonly Name[] {
  const names = known.get(business) ?? readNames(business);
  known.set(business, names);
  return names;
}

/** The longest first: "consultație de urgență" is not "consultație". */
function readNames({ services, locations }: Business): Name[] {
  const ofServices = services.flatMap(({ name, aliases = [] }) =>
    [name, ...aliases].map((text) => ({ of: name, mark: serviceMark, words: read(text) })),
  );
  const ofPlaces = locations.flatMap(({ name }) =>
    [name, ownName(name, locations)].map((text) => ({ of: name, mark: placeMark, words: read(text) })),
  );
  return [...ofServices, ...ofPlaces]
    .filter((name) => name.words.length > 0)
    .sort((one, other) => other.words.length - one.words.length);
}

function read(text: string): Word[] {
  return words(text).map((word) => ({ word, term: termOf(word) }));
}

function isLike(said: Word | undefined, meant: Word): boolean {
  if (said === undefined) return false;
  if (said.word === meant.word) return true;
  return meant.term.length >= STEM_LENGTH_MIN && similarity(said.term, meant.term) > 0;
}
