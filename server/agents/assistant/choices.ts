import type { Business, ChoiceParameter } from "../../messaging/business.js";
import { share } from "./overlap.js";
import { stems, words } from "./words.js";

const NAMED_SHARE_MIN = 0.8;

interface Option {
  readonly value: string;
  /** Its name and its aliases. */
  readonly names: readonly string[];
}

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

/** How many words of the text name the option; 0 when it is not named. */
function namedLength(name: string, said: { readonly words: string; readonly stems: readonly string[] }): number {
  // Some options are words that say nothing by themselves, "da" or "2": these must be there as they are written.
  const nameWords = words(name);
  if (said.words.includes(` ${nameWords.join(" ")} `)) return nameWords.length;
  const nameStems = stems(name);
  return share(nameStems, said.stems, () => 1) >= NAMED_SHARE_MIN ? nameStems.length : 0;
}

/** The one option that a short answer can only mean: "canal" for "tratament de canal". Null when several fit. */
export function meantOption(text: string, parameter: ChoiceParameter, business: Business): string | null {
  const said = stems(text);
  const fits = (name: string) => share(said, stems(name), () => 1) >= NAMED_SHARE_MIN;
  const meant = readOptions(parameter, business).filter(({ names }) => names.some(fits));
  return meant.length === 1 ? meant[0]!.value : null;
}

function readOptions(parameter: ChoiceParameter, business: Business): readonly Option[] {
  if (parameter.options !== "services") return parameter.options.map((value) => ({ value, names: [value] }));
  return business.services.map(({ name, aliases = [] }) => ({ value: name, names: [name, ...aliases] }));
}
