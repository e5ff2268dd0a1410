import { defaultFallbacks, defaultGreetings, type plainTypes, type weekdays } from "./business-schema.js";

export { businessFields, businessSchema, documentSchema, weekdays } from "./business-schema.js";

/** What a business has written down about itself: the tenant, what its agent knows, and what it can do for a user. */
export interface Business {
  readonly businessId: string;
  readonly name: string;
  /** What kind of business it is, in its own word; becomes `metadata.businessType` of its sessions. */
  readonly type: string;
  readonly locale: Locale;
  /** IANA name; days, dates and opening hours are meant in it. */
  readonly timeZone: string;
  readonly locations: readonly Location[];
  readonly services: readonly Service[];
  /** Left out, nothing is known of opening hours and any time will do. */
  readonly openingHours?: OpeningHours;
  /** Groups of single words, in any language, that mean the same to its users. */
  readonly synonyms?: readonly (readonly string[])[];
  readonly questions: readonly Question[];
  readonly documents: readonly BusinessDocument[];
  readonly intents: readonly BusinessIntent[];
  /** Opens the first answer that a user ever gets. */
  readonly greeting: string;
  /** Said when the agent does not know, or when no agent can be had. */
  readonly fallback: string;
  readonly agent?: BusinessAgent;
  readonly platforms?: BusinessPlatforms;
  readonly limits?: BusinessLimits;
  /** Visitors without an account may get a token of their own. */
  readonly welcomesVisitors: boolean;
  /** Who wrote it down: whoever runs the server, into a file. Left out: somebody over the network, or nobody. */
  readonly origin?: "file";
}

/** Whether the addresses that it names are the word of who runs the server: others may not be private ones. (SPEC B6) */
export function isTrusted({ origin }: Pick<Business, "origin">): boolean {
  return origin === "file";
}

export type Locale = "ro" | "en";

export interface Location {
  readonly locationId: string;
  readonly name: string;
  readonly address?: string;
  readonly phone?: string;
}

export interface Service {
  readonly name: string;
  readonly durationMinutes?: number;
  /** In words, with the currency: "250 lei", "de la 1.200 lei". */
  readonly price?: string;
  readonly description?: string;
  /** Other words by which users mean it. */
  readonly aliases?: readonly string[];
}

export type Weekday = (typeof weekdays)[number];

/** Per weekday the times at which it is open, as "09:00-13:00", in order; none is a day that is closed. */
export type OpeningHours = Readonly<Record<Weekday, readonly string[]>>;

export interface Question {
  readonly question: string;
  readonly alternatives?: readonly string[];
  readonly answer: string;
}

export interface BusinessDocument {
  readonly documentId: string;
  readonly title: string;
  /** Plain text; a blank line begins a new paragraph, and paragraphs are what is found and quoted. */
  readonly text: string;
}

/** Something that a user can get done by answering a few questions. */
export interface BusinessIntent {
  readonly name: string;
  readonly title: string;
  /** What users say to begin it. */
  readonly phrases: readonly string[];
  /** Said when it begins, before the first question. */
  readonly opening: string;
  /** In the order in which they are asked for. */
  readonly parameters: readonly IntentParameter[];
  /** All at once, in a form, or one after the other. Left out: `questions`. */
  readonly ask?: "form" | "questions";
  /** Said when it is done; `{name}` stands for the value of the parameter of that name. */
  readonly confirmation: string;
  readonly tool?: IntentTool;
}

export type IntentParameter = ChoiceParameter | PlainParameter;

interface ParameterBase {
  readonly name: string;
  readonly question: string;
  /** What stands beside its field in a form. Left out: the question. */
  readonly label?: string;
  /** One that is not required is never asked for, only taken when it was said or filled in. */
  readonly required: boolean;
}

export interface ChoiceParameter extends ParameterBase {
  readonly type: "choice";
  readonly options: "services" | readonly string[];
}

/** `date` and `time` mean a time to come at which the business is open; any other date is a `text`. */
export interface PlainParameter extends ParameterBase {
  readonly type: (typeof plainTypes)[number];
}

/** Called with the parameters once an intent is complete. (SPEC A21) */
export interface IntentTool {
  readonly kind: "webhook";
  readonly url: string;
  /** Of one call. Left out: 9 s. */
  readonly timeoutMs?: number;
}

/** Who answers for this business; wins over what the server was started with. */
export type BusinessAgent =
  | { readonly kind: "assistant" }
  | { readonly kind: "echo" }
  | { readonly kind: "http"; readonly url: string }
  | { readonly kind: "channel"; readonly agentIds: readonly string[] };

/** Where its users write, beside our own channel, and where they are answered. (SPEC H37, M110) */
export interface BusinessPlatforms {
  /** Names of the environment variables that hold its bot's token, and the secret that Telegram says. Of files only. */
  readonly telegram?: { readonly tokenVariable: string; readonly secretVariable: string };
  /** Is posted what users must read whom a program speaks for. */
  readonly webhook?: { readonly url: string };
}

/** Narrower than the server's own limits; what is left out is as the server has it. */
export interface BusinessLimits {
  readonly messagesPerMinutePerUser?: number;
  readonly messagesPerDayPerUser?: number;
  readonly messagesPerSecond?: number;
}

/** What answers for a business that nobody has described. */
export function defaultBusiness(businessId: string, timeZone: string): Business {
  return {
    businessId,
    name: businessId,
    type: "general",
    locale: "en",
    timeZone,
    locations: [],
    services: [],
    questions: [],
    documents: [],
    intents: [],
    greeting: defaultGreetings.en,
    fallback: defaultFallbacks.en,
    welcomesVisitors: false,
  };
}

const localized = new WeakMap<Business, Map<Locale, Business>>();

/** A business that says all that the server says in this language. Made once: what is read from a business is kept with it. */
export function inLocale(business: Business, locale: Locale): Business {
  if (locale === business.locale) return business;
  const known = localized.get(business) ?? new Map<Locale, Business>();
  localized.set(business, known);
  const found = known.get(locale) ?? { ...business, locale };
  known.set(locale, found);
  return found;
}
