import { defaultFallbacks, defaultGreetings, type plainTypes, type weekdays } from "./business-schema.js";

export { businessSchema, weekdays } from "./business-schema.js";

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
  readonly questions: readonly Question[];
  readonly documents: readonly BusinessDocument[];
  readonly intents: readonly BusinessIntent[];
  /** Opens the first answer that a user ever gets. */
  readonly greeting: string;
  /** Said when the agent does not know, or when no agent can be had. */
  readonly fallback: string;
  readonly agent?: BusinessAgent;
  readonly limits?: BusinessLimits;
  /** Visitors without an account may get a token of their own. */
  readonly welcomesVisitors: boolean;
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
  /** Said when it is done; `{name}` stands for the value of the parameter of that name. */
  readonly confirmation: string;
  readonly tool?: IntentTool;
}

export type IntentParameter = ChoiceParameter | PlainParameter;

interface ParameterBase {
  readonly name: string;
  readonly question: string;
  /** One that is not required is never asked for, only taken when it was said. */
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

/** Called with the parameters once an intent is complete. */
export interface IntentTool {
  readonly kind: "webhook";
  readonly url: string;
  readonly timeoutMs?: number;
}

/** Who answers for this business; wins over what the server was started with. */
export type BusinessAgent =
  | { readonly kind: "assistant" }
  | { readonly kind: "echo" }
  | { readonly kind: "http"; readonly url: string }
  | { readonly kind: "channel"; readonly agentIds: readonly string[] };

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
