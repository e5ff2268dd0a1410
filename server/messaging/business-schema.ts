import { IANAZone } from "luxon";
import * as z from "zod";
import { brokenReferences } from "./business-references.js";
import type { Business, Locale } from "./business.js";

export const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

export const plainTypes = ["text", "number", "date", "time", "email", "phone"] as const;

export const defaultGreetings: Readonly<Record<Locale, string>> = { ro: "Bună!", en: "Hello!" };

export const defaultFallbacks: Readonly<Record<Locale, string>> = {
  ro: "Nu știu să răspund la asta. Pot chema un coleg care să te ajute.",
  en: "I do not know the answer to that. I can call a colleague to help you.",
};

const ENTRIES_MAX = 1_000;
const NAME_LENGTH_MAX = 200;
const TEXT_LENGTH_MAX = 8_192;
const DOCUMENT_LENGTH_MAX = 200_000;
const MINUTES_PER_DAY = 1_440;
const RANGES_PER_DAY_MAX = 12;
const SYNONYMS_MAX = 50;
const TOOL_TIMEOUT_MS_MAX = 30_000;
const RATE_MAX = 1_000_000;

const id = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "expected 1 to 64 of the letters A-Z, a-z, digits, dot, _ and -");
const name = z.string().trim().min(1).max(NAME_LENGTH_MAX);
const text = z.string().trim().min(1).max(TEXT_LENGTH_MAX);
const word = name.regex(/^[\p{L}\p{N}]+$/u, "expected one word, of letters and digits");
const url = z.url({ protocol: /^https?$/, error: "expected an address that begins with https:// or http://" });
const rate = z.int().min(1).max(RATE_MAX);

const timeZone = z.string().refine((zone) => IANAZone.isValidZone(zone), {
  error: "expected the IANA name of a time zone, such as Europe/Bucharest",
});

const location = z.strictObject({
  locationId: id,
  name,
  address: name.exactOptional(),
  phone: name.exactOptional(),
});

const service = z.strictObject({
  name,
  durationMinutes: z.int().min(1).max(MINUTES_PER_DAY).exactOptional(),
  price: name.exactOptional(),
  description: text.exactOptional(),
  aliases: list(name).exactOptional(),
});

const timeRange = /^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

const openHours = z
  .array(z.string().regex(timeRange, 'expected times such as "09:00-13:00"'))
  .max(RANGES_PER_DAY_MAX)
  .refine(areInOrder, { error: "expected each range to end after it begins, and to begin after the one before it" });

const openingHours = z.strictObject(
  Object.fromEntries(weekdays.map((day) => [day, openHours.default([])])) as Record<
    (typeof weekdays)[number],
    z.ZodDefault<typeof openHours>
  >,
);

const question = z.strictObject({ question: name, alternatives: list(name).exactOptional(), answer: text });

/** One document of a business, by itself. */
export const documentSchema = z.strictObject({
  documentId: id,
  title: name,
  text: z.string().trim().min(1).max(DOCUMENT_LENGTH_MAX),
});

const parameterBase = {
  name: z
    .string()
    .regex(/^\p{L}[\p{L}\d_]{0,39}$/u, "expected a name of letters, digits and _ that begins with a letter"),
  question: text,
  label: name.exactOptional(),
  required: z.boolean().default(true),
};

const parameter = z.discriminatedUnion("type", [
  z.strictObject({
    ...parameterBase,
    type: z.literal("choice"),
    options: z.union([z.literal("services"), list(name).min(1)], { error: 'expected "services" or a list of options' }),
  }),
  z.strictObject({ ...parameterBase, type: z.enum(plainTypes) }),
]);

const intent = z.strictObject({
  name: id,
  title: name,
  phrases: list(name).min(1),
  opening: text,
  parameters: list(parameter).default([]),
  ask: z.enum(["form", "questions"]).exactOptional(),
  confirmation: text,
  tool: z
    .strictObject({
      kind: z.literal("webhook"),
      url,
      timeoutMs: z.int().min(1).max(TOOL_TIMEOUT_MS_MAX).exactOptional(),
    })
    .exactOptional(),
});

const agent = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("assistant") }),
  z.strictObject({ kind: z.literal("echo") }),
  z.strictObject({ kind: z.literal("http"), url }),
  z.strictObject({ kind: z.literal("channel"), agentIds: list(id).min(1) }),
]);

const variable = z
  .string()
  .regex(
    /^TELEGRAM_(?!API_URL$)[A-Z0-9_]{1,100}$/,
    "expected the name of an environment variable, such as TELEGRAM_TOKEN_B1",
  );

const platforms = z.strictObject({
  telegram: z.strictObject({ tokenVariable: variable, secretVariable: variable }).exactOptional(),
  webhook: z.strictObject({ url }).exactOptional(),
});

const limits = z.strictObject({
  messagesPerMinutePerUser: rate.exactOptional(),
  messagesPerDayPerUser: rate.exactOptional(),
  messagesPerSecond: rate.exactOptional(),
});

/** What is written of a business, before what is left out has its default. */
export const businessFields = z.strictObject({
  businessId: id,
  name,
  type: name.default("general"),
  locale: z.enum(["ro", "en"]),
  timeZone,
  locations: list(location).default([]),
  services: list(service).default([]),
  openingHours: openingHours.exactOptional(),
  synonyms: list(z.array(word).min(2).max(SYNONYMS_MAX)).exactOptional(),
  questions: list(question).default([]),
  documents: list(documentSchema).default([]),
  intents: list(intent).default([]),
  greeting: text.exactOptional(),
  fallback: text.exactOptional(),
  agent: agent.exactOptional(),
  platforms: platforms.exactOptional(),
  limits: limits.exactOptional(),
  welcomesVisitors: z.boolean().default(false),
});

/** Reads a business from a file or a request. A key that it does not know is refused, so that a typo is never silent. (SPEC B1) */
export const businessSchema: z.ZodType<Business> = businessFields.superRefine(refuseBroken).transform((business) => ({
  ...business,
  greeting: business.greeting ?? defaultGreetings[business.locale],
  fallback: business.fallback ?? defaultFallbacks[business.locale],
}));

function list<Item extends z.ZodType>(item: Item): z.ZodArray<Item> {
  return z.array(item).max(ENTRIES_MAX);
}

/** Times compare as text. A range that is no range was refused by itself. */
function areInOrder(ranges: readonly string[]): boolean {
  const times = ranges.flatMap((range) => range.split("-"));
  return (
    ranges.some((range) => !timeRange.test(range)) ||
    times.every((time, index) => index === 0 || time > times[index - 1]!)
  );
}

function refuseBroken(business: z.output<typeof businessFields>, context: z.RefinementCtx): void {
  for (const { path, message } of brokenReferences(business))
    context.addIssue({ code: "custom", path: [...path], message });
}
