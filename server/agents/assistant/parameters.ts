import type { DateTime } from "luxon";
import type { Business, BusinessIntent, ChoiceParameter, IntentParameter } from "../../messaging/business.js";
import { meantOption, namedOption, namesSeveral, numberedOption } from "./choices.js";
import { takeEmail, takeNumber, takePhone, takeText } from "./contacts.js";
import { takeDate } from "./dates.js";
import { takeDescription } from "./described.js";
import { isEverOpenAt } from "./hours.js";
import { isName, takeAnsweredName, takeIntroducedName, takeStandingName } from "./names.js";
import { deniedIn, isNegation, takeAffirmed } from "./negations.js";
import { isQuestion } from "./recognise.js";
import { type Doubt, hear, type Reading, type Said, type Taken } from "./said.js";
import { takeTime } from "./times.js";
import { stems } from "./words.js";

export interface ReadingContext {
  readonly intent: BusinessIntent;
  readonly business: Business;
  /** The parameter that was asked for last, or null when nothing was asked yet. */
  readonly asked: IntentParameter | null;
  /** What is known so far, by parameter name. */
  readonly values: ReadonlyMap<string, string>;
  /** The time now, in the business's time zone. */
  readonly now: DateTime;
  /** The message begins the intent: it may say already what free text would be asked for. */
  readonly isOpening?: boolean;
  /** It may be about something that the business knows or does: words of it are no name, unless they are written as one. */
  readonly isTopical?: boolean;
}

/** What a message says of an intent's parameters, by their names. */
export interface Heard {
  readonly values: ReadonlyMap<string, string>;
  /** What was said of others, but not so that it could be taken. */
  readonly doubts: ReadonlyMap<string, Doubt>;
}

/**
 * Takes from a message whatever parameters it holds: the one that was asked for in any form, others only where the
 * text is plain. What is said again in full replaces the one before; what is denied counts for nothing.
 * @returns what is new, by parameter name; not yet checked against opening hours
 * @see SPEC A4
 */
export function readParameters(message: string, context: ReadingContext): ReadonlyMap<string, string> {
  return hearParameters(message, context).values;
}

/** The same, with what has to be asked since it could mean several things. */
export function hearParameters(message: string, context: ReadingContext): Heard {
  const values = new Map<string, string>();
  const doubts = new Map<string, Doubt>();
  let said = hear(message);
  let isCorrection = false;
  for (const type of typesInOrder(said, context)) {
    const all = wanted(type, context);
    for (const parameter of all) {
      // What stands beside a correction is no answer to what may be answered by any words.
      if (type === "text" && isCorrection && !isName(parameter)) continue;
      const found = takeOne(said, parameter, { ...context, taken: values, isLast: parameter === all.at(-1) });
      if (found === null || isIdle(found, parameter, context)) continue;
      if (found.value === null) doubts.set(parameter.name, found.doubt);
      else values.set(parameter.name, found.value);
      said = found.rest;
      isCorrection ||= context.values.has(parameter.name);
    }
  }
  return { values, doubts };
}

/** "Seara" says nothing against the hour that is known. */
function isIdle(found: Reading, { name }: IntentParameter, { values }: ReadingContext): boolean {
  return found.value === null && found.doubt.kind === "incomplete" && values.has(name);
}

// Dates before phones and phones before times, so that no digit is read as something that it is a part of. Free
// text comes last: it is what the others have left.
const readingOrder = ["email", "date", "phone", "time", "number", "choice", "text"] as const;

function typesInOrder(said: Said, { asked, now }: ReadingContext): readonly IntentParameter["type"][] {
  if (asked === null || asked.type === "text") return readingOrder;
  // "25/11 10.30" answers the question for the time with both; in "10.10" there is no other time than that.
  const date = asked.type === "time" ? takeDate(said, { today: now }) : null;
  if (date !== null && takeTime(date.rest, { isAsked: true }) !== null) return readingOrder;
  return [asked.type, ...readingOrder.filter((type) => type !== asked.type)];
}

/** The parameters of one type that a text may fill: the one asked for, those without a value, else the one to correct. */
function wanted(type: IntentParameter["type"], { intent, asked, values }: ReadingContext): readonly IntentParameter[] {
  const ofType = intent.parameters.filter((each) => each.type === type);
  const open = ofType.filter((each) => each !== asked && !values.has(each.name));
  const isCorrectable = (each: IntentParameter) => {
    const alike = ofType.filter((other) => isName(other) === isName(each));
    return values.has(each.name) && each !== asked && alike.length === 1 && isPlain(each, asked);
  };
  const first = asked?.type === type ? [asked] : [];
  return [...first, ...open, ...ofType.filter(isCorrectable)];
}

/** Whether it is known for what it is wherever it is said, and not only as an answer. */
function isPlain(parameter: IntentParameter, asked: IntentParameter | null): boolean {
  switch (parameter.type) {
    case "number":
      return false;
    case "text":
      return isName(parameter);
    case "choice":
      // What any words answer may well name an option: "m-a durut după detartraj".
      return asked === null || asked.type !== "text" || isName(asked);
    case "date":
    case "time":
    case "email":
    case "phone":
      return true;
  }
}

interface TakingContext extends ReadingContext {
  /** What this message has given so far. */
  readonly taken: ReadonlyMap<string, string>;
  /** No other of its type is wanted. */
  readonly isLast: boolean;
}

function takeOne(said: Said, parameter: IntentParameter, context: TakingContext): Reading | null {
  const isAsked = parameter === context.asked;
  const { isLast } = context;
  switch (parameter.type) {
    case "email":
      return takeAffirmed(said, takeEmail) ?? takeEmail(said);
    case "phone": {
      const take = (part: Said) => takePhone(part, context.business.locale);
      return takeAffirmed(said, take) ?? take(said);
    }
    case "date":
      return takeMoment(said, context, (part) => takeDate(part, { today: context.now, isAsked, isLast }));
    case "time": {
      // Beside a date, "10.30" is no other date.
      const isMarked = context.taken.size > 0 && /(?<![\d.])\d{1,2}\.[0-5]\d(?![.\d])/.test(said.folded);
      const isLikely = (time: string) => isEverOpenAt(context.business, time);
      return takeMoment(said, context, (part) => takeTime(part, { isAsked: isAsked || isMarked, isLast, isLikely }));
    }
    case "number":
      return isAsked ? takeNumber(said) : null;
    case "choice":
      return takeChoice(said, parameter, context);
    case "text":
      return isName(parameter) ? takeName(said, parameter, context) : takeWords(said, parameter, context);
  }
}

/** "Nu mai pot veni mâine" tells the day of what is begun by it. */
function takeMoment(
  said: Said,
  { isOpening = false }: ReadingContext,
  read: (said: Said) => Reading | null,
): Reading | null {
  const found = read(said);
  if (!isOpening || found?.value !== null || found.doubt.kind !== "refused") return found;
  const denied = read(hear(deniedIn(said) ?? ""));
  return denied === null ? found : { ...denied, rest: found.rest };
}

function takeChoice(said: Said, parameter: ChoiceParameter, { business, values, asked }: ReadingContext): Taken | null {
  if (isQuestion(said.text) && namesSeveral(said.text, parameter, business)) return null;
  const read = (text: string): string | null => {
    const named = namedOption(text, parameter, business);
    if (named !== null || parameter !== asked) return named;
    return meantOption(text, parameter, business) ?? numberedOption(text, parameter, business);
  };
  const taken = (value: string | null) => (value === null ? null : { value, rest: said });
  const affirmed = takeAffirmed(said, (part) => taken(read(part.text)));
  if (affirmed !== null) return { ...affirmed, rest: said };
  const denied = read(said.text);
  const known = values.get(parameter.name);
  const isAnswer = denied !== null && (isNegation(denied) || (known !== undefined && denied !== known));
  return isAnswer ? taken(denied) : null;
}

function takeName(said: Said, parameter: IntentParameter, context: TakingContext): Taken | null {
  const part = takeAffirmed(said, takeIntroducedName);
  if (part !== null) return part;
  if (parameter === context.asked) return takeAnsweredName(said, context);
  // "De fapt, Maria Pop", after another question: one that is written as a name.
  if (context.values.has(parameter.name) && isCorrected(said)) {
    return takeAnsweredName(said, { ...context, isTopical: true });
  }
  return context.values.has(parameter.name) || context.taken.size === 0 ? null : takeStandingName(said, context);
}

function isCorrected({ folded }: Said): boolean {
  return /^\s*(?:nu|no|de fapt|actually|scuze|sorry|am gresit)(?!\p{L})/u.test(folded);
}

function takeWords(said: Said, parameter: IntentParameter, context: ReadingContext): Taken | null {
  if (parameter === context.asked) return takeFreeText(said);
  const isFirst = parameter === context.intent.parameters[0];
  return context.isOpening === true && isFirst ? takeDescription(said, context.intent) : null;
}

function takeFreeText(said: Said): Taken | null {
  const value = takeText(said);
  return stems(value).length > 0 ? { value, rest: { text: "", folded: "" } } : null;
}
