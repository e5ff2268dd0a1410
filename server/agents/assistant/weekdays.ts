import type { DateTime } from "luxon";
import { cardinalSource, readNumber } from "./numbers.js";
import { type Said, type Span, spanOf } from "./said.js";
import { byFirstLetter, nearest } from "./words.js";

/** A day of the week that is named. */
export interface NamedWeekday extends Span {
  /** 1 is Monday. */
  readonly weekday: number;
  /** Weeks from this one, when it is said: "vinerea viitoare". */
  readonly week: number | null;
}

/** A week that is named without its day. */
export interface NamedWeek extends Span {
  readonly week: number;
}

const days = [
  ["luni", "lunea", "monday", "mon"],
  ["marti", "martea", "marty", "martii", "tuesday", "tue", "tues"],
  ["miercuri", "miercurea", "wednesday", "wed", "wensday"],
  ["joi", "joia", "joii", "thursday", "thu", "thur", "thurs"],
  ["vineri", "vinerea", "friday", "fri"],
  ["sambata", "saturday"],
  ["duminica", "dumineca", "sunday"],
];

const fuzzyLengthMin = 6;
/** Too near to the name of a month. */
const exactOnly: ReadonlySet<string> = new Set(["martea", "martii"]);
const long = byFirstLetter(days.flat().filter((name) => name.length >= fuzzyLengthMin && !exactOnly.has(name)));
/** Words that are nearer to a weekday than they should be. */
const others: ReadonlySet<string> = new Set(["martie"]);

const count = `(?<count>\\d{1,2}|${cardinalSource}|o|a)`;
const weeks = new RegExp(
  `\\b(?:(?<next>saptamana (?:viitoare|urmatoare|cealalta)|next week)|(?<current>saptamana (?:asta|aceasta|curenta)|this week)|(?:peste|in)\\s+${count}\\s+(?:saptamani|saptamana|weeks?))\\b`,
  "g",
);

/** The weekdays that are named, typing errors aside, in the order in which they stand. */
export function weekdaysIn({ folded }: Said): readonly NamedWeekday[] {
  return [...folded.matchAll(/(?<![\p{L}\p{N}])\p{L}{3,16}(?!\p{L})/gu)].flatMap((match) => {
    const weekday = weekdayOf(match[0]);
    const { from, to } = spanOf(match);
    if (weekday === 0 || (match[0] === "luni" && isMonths(folded.slice(0, from)))) return [];
    const before = folded.slice(0, from).match(/\b(?<word>next|this)\s+$/);
    const after = folded.slice(to).match(/^\s+(?<word>viitoare|viitor|urmatoare|urmator|asta|aceasta|acesta)\b/);
    const word = before?.groups?.word ?? after?.groups?.word;
    const week = word !== undefined && /^(?:next|viitoa?r|urmato)/.test(word) ? 1 : null;
    return [{ from: from - (before?.[0].length ?? 0), to: to + (after?.[0].length ?? 0), weekday, week }];
  });
}

export function weeksIn({ folded }: Said): readonly NamedWeek[] {
  return [...folded.matchAll(weeks)].map((match) => {
    const { next, current, count: said } = match.groups ?? {};
    return { ...spanOf(match), week: next !== undefined ? 1 : current !== undefined ? 0 : weeksOf(said ?? "") };
  });
}

/** The day of a weekday: in its week, else the next one after today. */
export function dayOf({ weekday, week }: NamedWeekday, named: NamedWeek | undefined, today: DateTime): DateTime {
  const weeksAhead = named?.week ?? week;
  if (weeksAhead !== null) return today.startOf("week").plus({ weeks: weeksAhead, days: weekday - 1 });
  return today.plus({ days: ((weekday - today.weekday + 6) % 7) + 1 });
}

/** 1 is Monday; 0: it is none. */
function weekdayOf(word: string): number {
  const place = placeOf(word);
  if (place > 0 || word.length < fuzzyLengthMin - 1 || others.has(word)) return place;
  return placeOf(nearest(word, long) ?? "");
}

function placeOf(name: string): number {
  return days.findIndex((list) => list.includes(name)) + 1;
}

/** "Peste două luni", "de câteva luni": months, not Monday. */
function isMonths(before: string): boolean {
  return new RegExp(`(?<![\\p{L}\\p{N}.:])(?:(?:${cardinalSource}|\\d+)(?:\\s+de)?|cateva|multe|niste)\\s+$`, "u").test(
    before,
  );
}

function weeksOf(said: string): number {
  return said === "o" || said === "a" ? 1 : readNumber(said);
}
