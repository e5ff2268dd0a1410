import type { Business, Locale, Service } from "../../messaging/business.js";
import { describeWeek } from "./hours.js";
import { type Texts, textsOf } from "./texts.js";

/** One thing that the business has told us and that a question can find. */
export interface Entry {
  /** What the answer was taken from, for `sources`. */
  readonly title: string;
  /** Ways of asking for it. */
  readonly cues: readonly string[];
  /** Text that may be quoted although nobody foresaw the question; empty where the cues say it all. */
  readonly body: string;
  readonly answer: string;
}

/** All that a business knows. What it wrote as questions comes first, and wins where two fit alike. */
export function entriesOf(business: Business): readonly Entry[] {
  const texts = textsOf(business.locale);
  return [
    ...business.questions.map(({ question, alternatives = [], answer }) => ({
      title: question,
      cues: [question, ...alternatives],
      body: "",
      answer,
    })),
    ...hoursEntry(business, texts),
    ...locationsEntry(business, texts),
    ...servicesEntry(business, texts),
    ...business.services.map((service) => serviceEntry(service, business.locale, texts)),
    ...business.documents.flatMap(({ title, text }) =>
      paragraphs(text).map((body) => ({ title, cues: [title], body, answer: body })),
    ),
  ];
}

// How people ask for what every business has. A business's own questions need not repeat these.
const cues: Readonly<
  Record<Locale, { readonly hours: string[]; readonly services: string[]; readonly locations: string[] }>
> = {
  ro: {
    hours: [
      "program",
      "orar",
      "program de lucru",
      "sunteți deschiși",
      "la ce oră deschideți",
      "la ce oră închideți",
      "lucrați",
    ],
    services: [
      "servicii",
      "ce servicii oferiți",
      "lista de prețuri",
      "prețuri",
      "tarife",
      "cât costă serviciile",
      "cât costă",
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
    ],
  },
  en: {
    hours: ["opening hours", "when are you open", "what time do you close", "are you open", "schedule"],
    services: ["services", "what services do you offer", "prices", "price list", "how much does it cost", "fees"],
    locations: [
      "address",
      "where are you located",
      "location",
      "directions",
      "how to get there",
      "phone number",
      "contact",
    ],
  },
};

const costCues: Readonly<Record<Locale, (name: string) => string[]>> = {
  ro: (name) => [name, `cât costă ${name}`, `preț ${name}`, `cât durează ${name}`],
  en: (name) => [name, `how much does ${name} cost`, `price ${name}`, `how long does ${name} take`],
};

function hoursEntry(business: Business, texts: Texts): Entry[] {
  if (business.openingHours === undefined) return [];
  const answer = texts.hours(describeWeek(business, texts.closed));
  return [{ title: texts.titles.hours, cues: cues[business.locale].hours, body: "", answer }];
}

function locationsEntry({ locations, locale }: Business, texts: Texts): Entry[] {
  if (locations.length === 0) return [];
  const lines = locations.map(({ name, address, phone }) => {
    const details = [address, phone && texts.phone(phone)].filter(Boolean).join(", ");
    return details ? `${name}: ${details}.` : `${name}.`;
  });
  return [{ title: texts.titles.locations, cues: cues[locale].locations, body: "", answer: lines.join(" ") }];
}

function servicesEntry({ services, locale }: Business, texts: Texts): Entry[] {
  if (services.length === 0) return [];
  const list = services.map(({ name, price }) => (price ? `${name} (${price})` : name)).join(", ");
  const title = texts.titles.services;
  return [{ title, cues: cues[locale].services, body: "", answer: `${title}: ${list}.` }];
}

function serviceEntry(service: Service, locale: Locale, texts: Texts): Entry {
  const { name, aliases = [], price, durationMinutes, description } = service;
  const facts = [price, durationMinutes && texts.minutes(durationMinutes)].filter(Boolean).join(", ");
  const summary = facts ? `${name}: ${facts}.` : `${name}.`;
  return {
    title: name,
    cues: [name, ...aliases].flatMap(costCues[locale]),
    body: "",
    answer: description ? `${summary} ${description}` : summary,
  };
}

function paragraphs(text: string): string[] {
  const blocks = text.split(/\n\s*\n/).map((block) => block.replace(/\s+/g, " ").trim());
  return blocks.filter((block) => block !== "");
}
