import type { Business, ChoiceParameter } from "../../messaging/business.js";
import { commonNamesOf } from "./common-options.js";
import { share } from "./overlap.js";
import { stems, words } from "./words.js";

const NAMED_SHARE_MIN = 0.8;

interface Option {
  readonly value: string;
  /** Its name and its aliases. */
  readonly names: readonly Name[];
}

interface Name {
  readonly text: string;
  readonly words: readonly string[];
  readonly stems: readonly string[];
}

/** By their list: all choices of services have the same options, read once. */
const readBefore = new WeakMap<object, readonly Option[]>();

/** The options of a choice, as they are shown. */
export function optionsOf(parameter: ChoiceParameter, business: Business): readonly string[] {
  return parameter.options === "services" ? business.services.map((service) => service.name) : parameter.options;
}

/**
 * The option that a text names in full, by its name or an alias; of several the one with the longest name, so that
 * "consultație de urgență" is not "consultație".
 */
export function namedOption(text: string, parameter: ChoiceParameter, business: Business): string | null {
  const said = { words: ` ${words(text).join(" ")} `, stems: stems(text) };
  let found: { value: string; length: number } | null = null;
  for (const { value, names } of readOptions(parameter, business)) {
    const length = Math.max(...names.map((name) => namedLength(name, said)));
    if (length > (found?.length ?? 0)) found = { value, length };
  }
  return found?.value ?? null;
}

/** Whether a text names more than one option: what asks about two chooses neither. */
export function namesSeveral(text: string, parameter: ChoiceParameter, business: Business): boolean {
  const first = namedOption(text, parameter, business);
  const named = readOptions(parameter, business).find(({ value }) => value === first);
  if (named === undefined) return false;
  const own = new Set(named.names.flatMap((name) => [...name.words, ...name.stems]));
  const others = words(text).filter((word) => !own.has(word) && !stems(word).some((stem) => own.has(stem)));
  return namedOption(others.join(" "), parameter, business) !== null;
}

/** How many words of the text name the option; 0 when it is not named. */
function namedLength(name: Name, said: { readonly words: string; readonly stems: readonly string[] }): number {
  // Some options are words that say nothing by themselves, "da" or "2": these must be there as they are written.
  if (said.words.includes(` ${name.words.join(" ")} `)) return name.words.length;
  return share(name.stems, said.stems) >= NAMED_SHARE_MIN ? name.stems.length : 0;
}

/** The one option that a short answer can only mean: "canal" for "tratament de canal". Null when several fit. */
export function meantOption(text: string, parameter: ChoiceParameter, business: Business): string | null {
  const said = stems(text);
  const fits = (name: Name) => share(said, name.stems) >= NAMED_SHARE_MIN;
  const meant = readOptions(parameter, business).filter(({ names }) => names.some(fits));
  return meant.length === 1 ? meant[0]!.value : null;
}

const ordinals = [
  /^(?:prim(?:a|ul)|intai|first|1st)$/,
  /^(?:doua|doilea|second|2nd)$/,
  /^(?:treia|treilea|third|3rd)$/,
  /^(?:patra|patrulea|fourth|4th)$/,
  /^(?:cincea|cincilea|fifth|5th)$/,
  /^(?:sasea|saselea|sixth|6th)$/,
  /^(?:saptea|saptelea|seventh|7th)$/,
  /^(?:opta|optulea|eighth|8th)$/,
  /^(?:noua|noulea|ninth|9th)$/,
  /^(?:zecea|zecelea|tenth|10th)$/,
];
const besideOrdinals = new Set(
  stems("varianta optiunea optiune option choice numarul number alegerea pick choose aleg alege prefer please"),
);

/** The option that is meant by its place among those that are shown: "a doua", "al doilea", "the last one", "3". */
export function numberedOption(text: string, parameter: ChoiceParameter, business: Business): string | null {
  const options = optionsOf(parameter, business);
  const said = words(text);
  const mayCount = options.every((option) => !/\d/.test(option));
  const placed = said.map((word) => ({
    word,
    place: /\d/.test(word) && !mayCount ? null : placeOf(word, options.length),
  }));
  const places = placed.flatMap(({ place }) => (place === null ? [] : [place]));
  const others = placed.filter(({ place }) => place === null).map(({ word }) => word);
  const isAlone = stems(others.join(" ")).every((stem) => besideOrdinals.has(stem));
  return places.length === 1 && isAlone ? (options[places[0]!] ?? null) : null;
}

function placeOf(word: string, count: number): number | null {
  if (/^(?:ultim(?:a|ul)|last)$/.test(word)) return count - 1;
  if (/^\d{1,2}$/.test(word)) return Number(word) - 1;
  const place = ordinals.findIndex((ordinal) => ordinal.test(word));
  return place < 0 ? null : place;
}

/** All names of all options. */
export function namesOfOptions(parameter: ChoiceParameter, business: Business): readonly string[] {
  return readOptions(parameter, business).flatMap(({ names }) => names.map(({ text }) => text));
}

function readOptions(parameter: ChoiceParameter, business: Business): readonly Option[] {
  const list = parameter.options === "services" ? business.services : parameter.options;
  const options = readBefore.get(list) ?? namesOf(parameter, business);
  readBefore.set(list, options);
  return options;
}

function namesOf(parameter: ChoiceParameter, { services }: Business): readonly Option[] {
  const named =
    parameter.options === "services"
      ? services.map(({ name, aliases = [] }) => ({ value: name, names: [name, ...aliases] }))
      : parameter.options.map((value) => ({ value, names: [value, ...commonNamesOf(value)] }));
  const read = (text: string): Name => ({ text, words: words(text), stems: stems(text) });
  return named.map(({ value, names }) => ({ value, names: names.map(read) }));
}
