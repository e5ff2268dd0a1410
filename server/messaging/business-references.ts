import type { Business, BusinessIntent, IntentParameter } from "./business.js";
import { componentLimits } from "./components.js";

export interface BrokenReference {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Of all choices of all intents, with aliases: each may be compared with each message. */
const optionNamesMax = 20_000;

type Described = Pick<Business, "locations" | "services" | "documents" | "intents">;

/** What no single field of a business can know: ids that repeat, and names that point to nothing. (SPEC B3) */
export function brokenReferences(business: Described): BrokenReference[] {
  const { locations, services, documents, intents } = business;
  return [
    ...repeats(
      ["locations"],
      "locationId",
      locations.map((each) => each.locationId),
    ),
    ...repeats(
      ["services"],
      "name",
      services.map((each) => each.name),
    ),
    ...repeats(
      ["documents"],
      "documentId",
      documents.map((each) => each.documentId),
    ),
    ...repeats(
      ["intents"],
      "name",
      intents.map((each) => each.name),
    ),
    ...intents.flatMap((intent, index) => brokenInIntent(business, intent, ["intents", index])),
    ...tooManyOptions(business),
  ];
}

function tooManyOptions({ services, intents }: Described): BrokenReference[] {
  const ofServices = services.reduce((sum, { aliases = [] }) => sum + 1 + aliases.length, 0);
  const count = intents
    .flatMap(({ parameters }) => parameters)
    .filter((each) => each.type === "choice")
    .reduce((sum, { options }) => sum + (options === "services" ? ofServices : options.length), 0);
  const message = `all choices together have ${count} options and aliases, at most ${optionNamesMax}; services count for each choice of them`;
  return count <= optionNamesMax ? [] : [{ path: ["intents"], message }];
}

function repeats(list: BrokenReference["path"], key: string, names: readonly string[]): BrokenReference[] {
  const seen = new Set<string>();
  return names.flatMap((name, index) => {
    if (!seen.has(name)) return seen.add(name) && [];
    return [{ path: [...list, index, key], message: `"${name}" is there twice` }];
  });
}

function brokenInIntent(business: Described, intent: BusinessIntent, path: BrokenReference["path"]): BrokenReference[] {
  const names = intent.parameters.map((each) => each.name);
  return [
    ...repeats([...path, "parameters"], "name", names),
    ...brokenPlaces(intent).map((message) => ({ path: [...path, "confirmation"], message })),
    ...brokenForm(business, intent, path),
    ...intent.parameters.flatMap((each, index) => {
      if (each.type !== "choice" || each.options !== "services" || business.services.length > 0) return [];
      return [{ path: [...path, "parameters", index, "options"], message: "there are no services to choose from" }];
    }),
  ];
}

/** A place must name a required parameter: any other may have no value when the confirmation is said. */
function brokenPlaces(intent: BusinessIntent): string[] {
  const required = new Set(intent.parameters.filter((each) => each.required).map((each) => each.name));
  const places = [...intent.confirmation.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? "");
  return places
    .filter((place) => !required.has(place))
    .map((place) => `{${place}} names no required parameter of this intent`);
}

/** What is to be asked by form must be what a form can hold. (SPEC A24) */
function brokenForm(business: Described, intent: BusinessIntent, path: BrokenReference["path"]): BrokenReference[] {
  if (intent.ask !== "form") return [];
  const { fields, label, options } = componentLimits;
  const { parameters } = intent;
  const size = parameters.length <= fields ? [] : [`a form has at most ${fields} parameters`];
  return [
    ...size.map((message) => ({ path: [...path, "parameters"], message })),
    ...parameters.flatMap((each, index) => {
      const place = [...path, "parameters", index];
      const isLong = each.label === undefined && each.question.length > label;
      return [
        ...(isLong
          ? [{ path: place, message: `in a form, a question of over ${label} characters needs a label` }]
          : []),
        ...(optionCount(business, each) > options
          ? [{ path: [...place, "options"], message: `in a form, a choice has at most ${options} options` }]
          : []),
      ];
    }),
  ];
}

function optionCount({ services }: Described, parameter: IntentParameter): number {
  if (parameter.type !== "choice") return 0;
  return parameter.options === "services" ? services.length : parameter.options.length;
}
