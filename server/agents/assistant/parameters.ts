import type { DateTime } from "luxon";
import type { Business, BusinessIntent, IntentParameter } from "../../messaging/business.js";
import { meantOption, namedOption } from "./choices.js";
import { takeEmail, takeIntroducedName, takeNumber, takePhone, takeText } from "./contacts.js";
import { takeDate } from "./dates.js";
import { hear, type Said, type Taken } from "./said.js";
import { takeTime } from "./times.js";
import { fold, stems } from "./words.js";

const NAME_PATTERN = /^\p{L}[\p{L} .'-]{1,79}$/u;

export interface ReadingContext {
  readonly intent: BusinessIntent;
  readonly business: Business;
  /** The parameter that was asked for last, or null when nothing was asked yet. */
  readonly asked: IntentParameter | null;
  /** What is known so far, by parameter name. */
  readonly values: ReadonlyMap<string, string>;
  /** The time now, in the business's time zone. */
  readonly now: DateTime;
}

/**
 * Takes from a message whatever parameters it holds: the one that was asked for in any form, others only where the
 * text is plain. A date or time that is said again replaces the one before.
 * @returns what is new, by parameter name; not yet checked against opening hours
 * @see SPEC A4
 */
export function readParameters(message: string, context: ReadingContext): ReadonlyMap<string, string> {
  const taken = new Map<string, string>();
  let said = hear(message);
  let isCorrection = false;
  for (const type of typesInOrder(context.asked)) {
    for (const parameter of wanted(type, context)) {
      if (type === "text" && isCorrection) continue;
      const found = takeOne(said, parameter, context);
      if (found === null) continue;
      taken.set(parameter.name, found.value);
      said = found.rest;
      isCorrection ||= context.values.has(parameter.name);
    }
  }
  return taken;
}

/** Is it a person's name that is asked for? */
export function isName(parameter: IntentParameter): boolean {
  return parameter.type === "text" && /^(pre)?nume|name$/.test(fold(parameter.name));
}

// Dates before phones and phones before times, so that no digit is read as something that it is a part of. Free
// text comes last: it is what the others have left.
const readingOrder = ["email", "date", "phone", "time", "number", "choice", "text"] as const;

function typesInOrder(asked: IntentParameter | null): readonly IntentParameter["type"][] {
  if (asked === null || asked.type === "text") return readingOrder;
  return [asked.type, ...readingOrder.filter((type) => type !== asked.type)];
}

/** The parameters of one type that a text may fill: the one asked for, those without a value, else the one to correct. */
function wanted(type: IntentParameter["type"], { intent, asked, values }: ReadingContext): readonly IntentParameter[] {
  const ofType = intent.parameters.filter((each) => each.type === type);
  const open = ofType.filter((each) => each !== asked && !values.has(each.name));
  if (asked?.type === type) return [asked, ...open];
  const isCorrectable = type === "date" || type === "time";
  return open.length === 0 && ofType.length === 1 && isCorrectable ? ofType : open;
}

function takeOne(said: Said, parameter: IntentParameter, context: ReadingContext): Taken | null {
  const isAsked = parameter === context.asked;
  switch (parameter.type) {
    case "email":
      return takeEmail(said);
    case "date":
      return takeDate(said, context.now);
    case "phone":
      return takePhone(said, context.business.locale);
    case "time":
      return takeTime(said, isAsked);
    case "number":
      return isAsked ? takeNumber(said) : null;
    case "choice": {
      const named = namedOption(said.text, parameter, context.business);
      const value = named ?? (isAsked ? meantOption(said.text, parameter, context.business) : null);
      return value === null ? null : { value, rest: said };
    }
    case "text":
      return (isName(parameter) ? takeIntroducedName(said) : null) ?? (isAsked ? takeFreeText(said, parameter) : null);
  }
}

function takeFreeText(said: Said, parameter: IntentParameter): Taken | null {
  const value = takeText(said);
  const isAnswer = stems(value).length > 0 && (!isName(parameter) || NAME_PATTERN.test(value));
  return isAnswer ? { value, rest: { text: "", folded: "" } } : null;
}
