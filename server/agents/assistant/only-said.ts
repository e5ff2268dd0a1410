import { DateTime } from "luxon";
import type { AgentTurn } from "../../messaging/agent.js";
import type { Business, BusinessIntent, ChoiceParameter, IntentParameter } from "../../messaging/business.js";
import { meantOption } from "./choices.js";
import { takeEmail, takeNumber, takePhone } from "./contacts.js";
import { takeDate } from "./dates.js";
import { readNumber } from "./numbers.js";
import { hear, type Reading, type Said } from "./said.js";
import type { Task } from "./task.js";
import { takeTime } from "./times.js";
import { fold, stems } from "./words.js";

/** Something that the user said in this session, and when. */
interface Utterance {
  readonly text: string;
  /** In the business's time zone: "mâine" is meant from then on. */
  readonly at: DateTime;
}

/**
 * Those of a model's values that the user said in this session, in whatever words: one that a model makes up is as well
 * formed as any other. What is known already changes only by what is said now. (SPEC A32)
 * @param task that the values are for, when it has begun
 */
export function onlySaid(
  values: ReadonlyMap<string, string>,
  intent: BusinessIntent,
  turn: AgentTurn,
  task: Task | null,
): ReadonlyMap<string, string> {
  const { timeZone: zone } = turn.business;
  const now: Utterance = { text: turn.message, at: DateTime.fromMillis(turn.now, { zone }) };
  const before = turn.history
    .filter(({ type }) => type === "user")
    .map(({ content, timestamp }): Utterance => ({ text: content, at: DateTime.fromISO(timestamp, { zone }) }));
  const isSaid = ([name, value]: readonly [string, string]) => {
    const parameter = intent.parameters.find((each) => each.name === name);
    if (parameter === undefined) return false;
    const isAsked = task?.asked === parameter;
    const heard = task?.values.has(name) === true ? [now] : [now, ...before];
    return heard.some((said) =>
      says(said, value, parameter, { business: turn.business, isAsked: isAsked && said === now }),
    );
  };
  return new Map([...values].filter(isSaid));
}

function says(
  { text, at }: Utterance,
  value: string,
  parameter: IntentParameter,
  { business, isAsked }: { readonly business: Business; readonly isAsked: boolean },
): boolean {
  const said = hear(text);
  switch (parameter.type) {
    case "text":
      return plain(value) !== "" && ` ${plain(text)} `.includes(` ${plain(value)} `);
    case "email":
      return holds(said, value, takeEmail);
    case "phone":
      return holds(said, value, (rest) => takePhone(rest, business.locale));
    case "number":
      return holds(said, value, takeNumber) || inWords(text, Number(value));
    case "date":
      return takeDate(said, { today: at, isAsked })?.value === value;
    case "time":
      return takeTime(said, { isAsked })?.value === value;
    case "choice":
      return names(text, value, parameter, business);
  }
}

/** Is it one of those that are read in the text, one after the other? */
function holds(said: Said, value: string, read: (rest: Said) => Reading | null): boolean {
  for (let found = read(said); found !== null; found = read(found.rest)) if (found.value === value) return true;
  return false;
}

/** "Două persoane". */
function inWords(text: string, value: number): boolean {
  return plain(text)
    .split(" ")
    .some((word) => /^\p{L}/u.test(word) && readNumber(word) === value);
}

/** A choice is often described: one word that its name shares, or the option that a short answer can only mean. */
function names(text: string, value: string, parameter: ChoiceParameter, business: Business): boolean {
  const aliases =
    parameter.options === "services" ? business.services.find((each) => each.name === value)?.aliases : [];
  const own = [value, ...(aliases ?? [])];
  if (own.some((name) => ` ${plain(text)} `.includes(` ${plain(name)} `))) return true;
  const said = new Set(stems(text));
  return (
    own.some((name) => stems(name).some((stem) => said.has(stem))) || meantOption(text, parameter, business) === value
  );
}

/** Its words alone, each with a blank behind it. */
function plain(text: string): string {
  return fold(text.normalize("NFC"))
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
