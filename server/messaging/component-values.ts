import * as z from "zod";
import { failure, type Result, success } from "../../protocol/result.js";
import type { ComponentField } from "./agent.js";
import type { Locale } from "./business.js";
import { type Component, labelled } from "./components.js";
import { isWholePhone, plainPhone } from "./phone-numbers.js";

export type Value = string | number;

/** What somebody filled in, as it is stored, and as people read it. */
export interface Filled {
  /** By the name of the field; of choices the one value, as `choice`. */
  readonly values: Readonly<Record<string, Value>>;
  readonly text: string;
}

/** What is wrong with one value. */
export interface FieldFault {
  readonly name: string;
  readonly error: "required" | "unknown" | "invalid";
}

/** Under which name what was chosen is sent. */
const choiceName = "choice";
/** Characters of one value. */
const valueMax = 1024;
/** Either way from 0. */
const numberMax = 1e15;
/** Characters of a name that is told back: those of fields are no longer. */
const nameMax = 64;

const text = z
  .string()
  .trim()
  .max(valueMax)
  .transform((given) => given.toWellFormed());
const numeral = z
  .string()
  .trim()
  .regex(/^[+-]?\d{1,15}(?:[.,]\d{1,6})?$/)
  .transform((given) => Number(given.replace(",", ".")));
// More digits than a number keeps are no number that somebody means.
const amount = z.number().min(-numberMax).max(numberMax);
const phoneOf = (locale: Locale) =>
  z
    .string()
    .max(64)
    .transform(plainPhone)
    .refine((plain) => isWholePhone(plain, locale));

const schemas: Readonly<Record<Exclude<ComponentField["type"], "choice" | "phone">, z.ZodType<Value>>> = {
  text,
  number: z.union([amount, numeral]),
  date: z.iso.date(),
  time: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/),
  email: z.string().trim().max(254).pipe(z.email()),
};
const phones: Readonly<Record<Locale, z.ZodType<Value>>> = { ro: phoneOf("ro"), en: phoneOf("en") };

/** Whether there is anything to fill in or to choose. */
export function isFillable({ kind }: Component): boolean {
  return kind !== "card";
}

/**
 * Checks what was filled in against what was asked for. Pure.
 * @param locale of the business, by whose ways phone numbers are written
 * @returns every value that cannot be used, and every name that was not asked for
 * @see SPEC M64
 */
export function fillIn(
  component: Component,
  given: Readonly<Record<string, unknown>>,
  locale: Locale,
): Result<Filled, FieldFault[]> {
  const fields = fieldsOf(component);
  const names = new Set(fields.map(({ name }) => name));
  const unknown = Object.keys(given).filter((name) => !names.has(name));
  const faults: FieldFault[] = unknown.map((name) => ({
    name: name.slice(0, nameMax).toWellFormed(),
    error: "unknown",
  }));
  const filled: { readonly field: ComponentField; readonly value: Value }[] = [];
  for (const field of fields) {
    const { name, required } = field;
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    const parsed = isEmpty(value) ? null : schemaOf(field, locale).safeParse(value);
    if (parsed?.success === true) filled.push({ field, value: parsed.data });
    else if (parsed !== null) faults.push({ name, error: "invalid" });
    else if (required) faults.push({ name, error: "required" });
  }
  if (faults.length > 0) return failure(faults);
  const values = Object.fromEntries(filled.map(({ field, value }) => [field.name, value]));
  return success({ values, text: textOf(component, filled) });
}

function fieldsOf({ kind, title, fields = [], choices = [] }: Component): readonly ComponentField[] {
  if (kind !== "choices") return fields;
  const options = choices.map(({ value }) => value);
  return [{ name: choiceName, label: title, type: "choice", required: true, options }];
}

function schemaOf({ type, options = [] }: ComponentField, locale: Locale): z.ZodType<Value> {
  if (type === "choice") return z.string().refine((value) => options.includes(value));
  return type === "phone" ? phones[locale] : schemas[type];
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}

/** What was chosen in its own words; a form line by line. */
function textOf(
  { kind, title, choices = [] }: Component,
  filled: readonly { readonly field: ComponentField; readonly value: Value }[],
): string {
  if (kind === "choices") return choices.find(({ value }) => value === filled[0]?.value)?.label ?? title;
  if (filled.length === 0) return title;
  return filled.map(({ field, value }) => labelled(field.label, String(value))).join("\n");
}
