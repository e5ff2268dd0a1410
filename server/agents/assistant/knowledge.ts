import type { Business, Service } from "../../messaging/business.js";
import { describeWeek } from "./hours.js";
import { type Texts, textsOf } from "./texts.js";
import type { Topic } from "./language/corpus.js";
import { ownName } from "./named.js";

/** One thing that the business has told us and that a question can find. */
export interface Entry {
  /** What the answer was taken from, for `sources`. */
  readonly title: string;
  /** Ways of asking for it. */
  readonly cues: readonly string[];
  /** Text that may be quoted although nobody foresaw the question; empty where the cues say it all. */
  readonly body: string;
  readonly answer: string;
  /** What is asked of it, where that is known; of what the business wrote in its own words it is found out. */
  readonly topics: readonly Topic[];
  /** The service, by its name, or the place, that it is about. */
  readonly service?: string;
  readonly place?: string;
}

// A business that is changed is a new object, so its entries are made anew and the old go with it.
const known = new WeakMap<Business, readonly Entry[]>();

/** All that a business knows, always the same objects. What it wrote as questions comes first, and wins where two fit alike. */
export function entriesOf(business: Business): readonly Entry[] {
  const entries = known.get(business) ?? makeEntries(business);
  known.set(business, entries);
  return entries;
}

function makeEntries(business: Business): readonly Entry[] {
  const texts = textsOf(business.locale);
  return [
    ...business.questions.map(({ question, alternatives = [], answer }) => ({
      title: question,
      cues: [question, ...alternatives],
      body: "",
      answer,
      topics: [],
    })),
    ...hoursEntry(business, texts),
    ...locationEntries(business, texts),
    ...servicesEntry(business, texts),
    ...business.services.map((service) => serviceEntry(service, texts)),
    ...business.documents.flatMap(({ title, text }) =>
      paragraphs(text).map((body) => ({ title, cues: [title], body, answer: body, topics: [] })),
    ),
  ];
}

// How people ask for what every business has, in whatever language they write. A business's own questions need not
// repeat these.
const cues = {
  hours: [
    "program",
    "orar",
    "program de lucru",
    "sunteți deschiși",
    "este deschis",
    "este închis",
    "la ce oră deschideți",
    "la ce oră închideți",
    "lucrați",
    "în ce zile lucrați",
    "aveți deschis",
    "până la ce oră sunteți",
    "de la ce oră începeți",
    "la ce oră terminați",
    "lucrați în weekend",
    "aveți pauză",
    "opening hours",
    "when are you open",
    "what time do you close",
    "are you open",
    "schedule",
  ],
  services: [
    "servicii",
    "ce servicii oferiți",
    "lista de prețuri",
    "prețuri",
    "tarife",
    "cât costă serviciile",
    "cât costă",
    "services",
    "what services do you offer",
    "prices",
    "price list",
    "how much does it cost",
    "fees",
  ],
  locations: [
    "adresă",
    "unde vă aflați",
    "unde sunteți",
    "locație",
    "cum ajung la voi",
    "telefon",
    "numărul de telefon",
    "contact",
    "unde este cabinetul",
    "pe ce stradă sunteți",
    "unde vă găsesc",
    "unde este clinica",
    "câte cabinete aveți",
    "în ce zonă sunteți",
    "address",
    "where are you located",
    "location",
    "directions",
    "how to get there",
    "phone number",
  ],
};

const locationCues = (name: string): string[] => [
  name,
  `adresa ${name}`,
  `clinica ${name}`,
  `cabinetul ${name}`,
  `unde este ${name}`,
  `cum ajung la ${name}`,
  `numărul de telefon ${name}`,
  `address ${name}`,
  `phone number ${name}`,
];

const serviceCues = (name: string): string[] => [
  name,
  `cât costă ${name}`,
  `preț ${name}`,
  `tarif ${name}`,
  `cât plătesc pentru ${name}`,
  `cât durează ${name}`,
  `ce include ${name}`,
  `ce presupune ${name}`,
  `în ce constă ${name}`,
  `cum se face ${name}`,
  `ce înseamnă ${name}`,
  `faceți ${name}`,
  `câte minute durează ${name}`,
  `how much does ${name} cost`,
  `price ${name}`,
  `how long does ${name} take`,
  `what does ${name} include`,
];

const locationTopics = ["address", "phone"] as const;
const priceTopics = ["price"] as const;
const durationTopics = ["duration"] as const;

function hoursEntry(business: Business, texts: Texts): Entry[] {
  if (business.openingHours === undefined) return [];
  const answer = texts.hours(describeWeek(business, texts.closed));
  return [{ title: texts.titles.hours, cues: cues.hours, body: "", answer, topics: ["hours"] }];
}

/** All places in one, and where there are several each by itself. */
function locationEntries({ locations }: Business, texts: Texts): Entry[] {
  const each = locations.map(({ name, address, phone }): Entry => {
    const details = [address, phone && texts.phone(phone)].filter(Boolean).join(", ");
    const cues = [name, ownName(name, locations)].flatMap(locationCues);
    const answer = details ? `${name}: ${details}.` : `${name}.`;
    return { title: name, cues, body: "", answer, topics: locationTopics, place: name };
  });
  if (each.length === 0) return [];
  const answer = each.map((entry) => entry.answer).join(" ");
  const all: Entry = { title: texts.titles.locations, cues: cues.locations, body: "", answer, topics: locationTopics };
  return each.length === 1 ? [all] : [all, ...each];
}

function servicesEntry({ services }: Business, texts: Texts): Entry[] {
  if (services.length === 0) return [];
  const list = services.map(({ name, price }) => (price ? `${name} (${price})` : name)).join(", ");
  const title = texts.titles.services;
  return [{ title, cues: cues.services, body: "", answer: `${title}: ${list}.`, topics: ["prices"] }];
}

function serviceEntry(service: Service, texts: Texts): Entry {
  const { name, aliases = [], price, durationMinutes, description } = service;
  const facts = [price, durationMinutes && texts.minutes(durationMinutes)].filter(Boolean).join(", ");
  const summary = facts ? `${name}: ${facts}.` : `${name}.`;
  return {
    title: name,
    cues: [name, ...aliases].flatMap(serviceCues),
    body: "",
    answer: description ? `${summary} ${description}` : summary,
    topics: ["offers", "details", ...(price ? priceTopics : []), ...(durationMinutes ? durationTopics : [])],
    service: name,
  };
}

function paragraphs(text: string): string[] {
  const blocks = text.split(/\n\s*\n/).map((block) => block.replace(/\s+/g, " ").trim());
  return blocks.filter((block) => block !== "");
}
