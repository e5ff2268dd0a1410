import type { Business, BusinessIntent } from "./business.js";

export interface BrokenReference {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

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
  ];
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
