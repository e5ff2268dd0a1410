import { DateTime } from "luxon";
import { type Mention, settle } from "./mentions.js";
import { cardinalSource, numberSource, readNumber } from "./numbers.js";
import { type Doubt, readBeginning, type Reading, type Said, spanOf, take, without } from "./said.js";
import { dayOf, type NamedWeek, weekdaysIn, weeksIn } from "./weekdays.js";

const YEARS_AHEAD_MAX = 8;
const MONTHS_AHEAD_MAX = 12;
/** Of one way to say a date: who says as many says no certain one. */
const SAID_MAX = 8;

const months = [
  ["ianuarie", "ian", "january", "jan"],
  ["februarie", "feb", "february"],
  ["martie", "mar", "march"],
  ["aprilie", "apr", "april"],
  ["mai", "may"],
  ["iunie", "iun", "june", "jun"],
  ["iulie", "iul", "july", "jul"],
  ["august", "aug"],
  ["septembrie", "sept", "september", "sep"],
  ["octombrie", "oct", "october"],
  ["noiembrie", "noi", "nov", "november"],
  ["decembrie", "dec", "december"],
];

/** Days from today. "Tonight" says a part of the day as well, so its letters are left for the time. */
const near: readonly (readonly [days: number, words: string])[] = [
  [-2, "(?:alaltaieri|(?:the )?day before yesterday)\\b"],
  [-1, "(?:ieri|aseara|yesterday)\\b"],
  [2, "(?:poimaine|poimiine|(?:the )?day after tomorrow)\\b"],
  [1, "(?:maine|miine|tomorrow|tommorow|tomorow)\\b"],
  [0, "(?:azi|astazi|today)\\b"],
  [0, "(?=(?:diseara|deseara|tonight)\\b)"],
];

export const monthSource = months.flat().join("|");
const ordinal = "(?:st|nd|rd|th)?";
// "Pe 3 la 4" is a day, "pe 2 dinți" is none.
const behindDay = `(?=\\s*(?:$|[,.;!?]|(?:la|ora|orele|sau|ori|si|ci|nu|dimineata|seara|dupa|noaptea|pe|te|va|daca|as|e|este|merge|at|or)(?!\\p{L})))`;

interface Pattern {
  readonly regex: RegExp;
  /** Null: there is no such day. */
  readonly read: (groups: Groups, today: DateTime) => DateTime | null;
  /** It can be nothing but a date; what is none is otherwise left to be a time. */
  readonly isPlain?: true;
}

// In this order: what says more comes first, so that "14.08.2026" is never read as "14.08".
const patterns: readonly Pattern[] = [
  { regex: /(?<!\d)(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})(?!\d)/g, read: onDay },
  { regex: /(?<![\d.])(?<day>\d{1,2})([./-])(?<month>\d{1,2})\2(?<year>\d{4}|\d{2})(?![\d]|[./-]\d)/g, read: onDay },
  { regex: /(?<![\d.])(?<day>\d{1,2})[./](?<month>\d{1,2})(?!\d|[./-]\d)/g, read: onDay },
  {
    regex: new RegExp(
      `(?<![\\p{L}\\d])(?<day>\\d{1,2}|intai|(?:${numberSource})(?!\\s+mai\\b))${ordinal}\\s+(?:of\\s+)?(?<month>${monthSource})\\b\\.?(?:,?\\s+(?<year>\\d{4})(?!\\d))?`,
      "gu",
    ),
    read: onDay,
    isPlain: true,
  },
  {
    regex: new RegExp(
      `\\b(?<month>${monthSource})\\s+(?:the\\s+)?(?<day>\\d{1,2})${ordinal}\\b(?![.:]\\d)(?:,?\\s+(?<year>\\d{4})(?!\\d))?`,
      "g",
    ),
    read: onDay,
    isPlain: true,
  },
  ...near.map(([days, words]): Pattern => ({
    regex: new RegExp(`\\b${words}`, "g"),
    read: (_groups, today) => today.plus({ days }),
  })),
  {
    regex: new RegExp(
      `\\b(?:peste|in)\\s+(?<ahead>\\d{1,3}|${cardinalSource}|o|a)\\s+(?:de\\s+)?(?:zile|zi|days?)\\b`,
      "g",
    ),
    read: daysAhead,
  },
  {
    regex: new RegExp(`\\b(?<ahead>\\d{1,3}|${cardinalSource})\\s+days?\\s+from\\s+(?:now|today)\\b`, "g"),
    read: daysAhead,
  },
  {
    regex: new RegExp(
      `\\b(?:data\\s+de\\s+(?<day>\\d{1,2}|${cardinalSource})|(?:on\\s+)?the\\s+(?<nth>\\d{1,2})(?:st|nd|rd|th)|on\\s+(?<on>\\d{1,2})(?:st|nd|rd|th)|pe\\s+(?<alone>\\d{1,2}|${cardinalSource})${behindDay})(?![\\p{L}\\d]|[.:/-]\\d)`,
      "gu",
    ),
    read: ({ day, nth, on, alone }, today) => onDayOfMonth(readNumber(day ?? nth ?? on ?? alone ?? ""), today),
  },
];

/** A period that is no day: it has to be said which. Weeks are looked for with the weekdays. */
const periods =
  /\b(?:week-?end\w*|sfarsitul saptamanii|luna (?:viitoare|urmatoare|asta|aceasta)|(?:next|this) month)(?!\p{L})/gu;
/** "5-7 decembrie", "5 sau 6 decembrie": the number before belongs to it. */
const rangeBefore = /(?<![\d.:])\d{1,2}\s*(?:[-–]|\b(?:sau|ori|or|si|and|pana (?:la|pe|in))\b)\s*(?:pe\s+)?$/;
/** "Pe 14 sau 15". */
const choiceAfter = /^\s*(?:sau|ori|or)\s+(?:pe\s+)?\d{1,2}(?![\d.:/])/;
const alternatives = /\b(?:sau|ori|or|fie)\b/;
const dayAlone = /^\s*(?<day>\d{1,2})\s*[.!]?\s*$/;

export interface DateContext {
  /** Any time of today, in the business's time zone. */
  readonly today: DateTime;
  /** Whether the date is what was asked for: then a number alone is a day of the month. */
  readonly isAsked?: boolean;
  /** False: what else is said is for another date that is wanted. */
  readonly isLast?: boolean;
}

/**
 * The date that is said, as yyyy-mm-dd. A day and month without a year are the next such day, today included; a weekday
 * is the next one after today, and "vinerea viitoare" that of next week. Where several are said, or a weekday that the
 * date does not fall on, or only a week, it is in doubt. (SPEC A4)
 */
export function takeDate(said: Said, context: DateContext): Reading | null {
  return readBeginning(said, (beginning) => readDate(beginning, context));
}

function readDate(said: Said, { today, isAsked = false, isLast = true }: DateContext): Reading | null {
  const { dates, rest, doubt } = datesIn(said, today);
  if (doubt !== null) return { value: null, doubt, rest };
  const weeks = weeksIn(rest);
  const days = daysIn(rest, weeks[0], today);
  // "Vineri, 14 august" is one day, said twice.
  const own = days.filter((day) => !dates.some((date) => isSameWeekday(date, day)));
  const mentions = [...dates, ...own].sort((one, other) => one.from - other.from);
  const settled = settle(said, mentions, isLast);
  if (settled !== null) {
    const again = days.filter((day) => !own.includes(day));
    const read = { ...settled, rest: withPlainTimes(without(settled.rest, [...weeks, ...again]), mentions) };
    const isContradiction = dates.length > 0 && own.length > 0 && !alternatives.test(said.folded);
    return read.value === null && read.doubt.kind === "several" && isContradiction
      ? { ...read, doubt: { kind: "contradiction", date: dates[0]!.value } }
      : read;
  }
  const open = [...weeks, ...[...said.folded.matchAll(periods)].map(spanOf)];
  if (open.length > 0) return { value: null, doubt: { kind: "incomplete" }, rest: without(said, open) };
  return isAsked ? takeDayAlone(said, today) : null;
}

type Groups = Readonly<Record<string, string | undefined>>;

interface Dates {
  readonly dates: readonly Mention[];
  /** What is left of the message. */
  readonly rest: Said;
  readonly doubt: Doubt | null;
}

/** Days that are told by date, or counted from today. */
function datesIn(said: Said, today: DateTime): Dates {
  let rest = said;
  let doubt: Doubt | null = null;
  const dates: Mention[] = [];
  for (const { regex, read, isPlain } of patterns) {
    for (const match of [...rest.folded.matchAll(regex)].slice(0, SAID_MAX)) {
      const date = read(match.groups ?? {}, today);
      const span = spanOf(match);
      if (date !== null) dates.push({ ...span, value: iso(date) });
      if (date === null && isPlain === true) doubt = { kind: "impossible" };
      const isRange = /^\d/.test(match[0]) && rangeBefore.test(rest.folded.slice(0, span.from));
      if (date !== null && (isRange || choiceAfter.test(rest.folded.slice(span.to)))) doubt = { kind: "incomplete" };
      if (date !== null || isPlain === true) rest = without(rest, [span]);
    }
  }
  return { dates, rest, doubt };
}

function daysIn(said: Said, week: NamedWeek | undefined, today: DateTime): readonly Mention[] {
  return weekdaysIn(said)
    .slice(0, SAID_MAX)
    .map((named) => {
      const { from, to, weekday } = named;
      // "Luni 24" is the 24th if that is a Monday, else the number says something else.
      const day = said.folded.slice(to).match(/^,?\s+(?<day>\d{1,2})(?![\d.:/-]|\s*\p{L})/u);
      const date = day && onDayOfMonth(Number(day.groups?.day), today);
      if (date?.weekday === weekday) return { from, to: to + day![0].length, value: iso(date) };
      return { from, to, value: iso(dayOf(named, week, today)) };
    });
}

function takeDayAlone(said: Said, today: DateTime): Reading | null {
  const match = said.folded.match(dayAlone);
  const date = match && onDayOfMonth(Number(match.groups?.day), today);
  return match && date && take(said, match, iso(date));
}

/** "25/11 10.30": what stands right behind a date is a time, and is written as one. */
function withPlainTimes({ text, folded }: Said, dates: readonly Mention[]): Said {
  const dots = dates.flatMap(({ to }) => {
    const match = folded.slice(to).match(/^[\s,]*\d{1,2}(?=\.[0-5]\d(?![\d.]))/);
    return match === null ? [] : [to + match[0].length];
  });
  const written = (whole: string) => dots.reduce((left, dot) => `${left.slice(0, dot)}:${left.slice(dot + 1)}`, whole);
  return { text: written(text), folded: written(folded) };
}

/** Null when there is no such day: 31.02, or 10.30, which is a time. */
function onDay(groups: Groups, today: DateTime): DateTime | null {
  const { year, month = "", day = "" } = groups;
  const wanted = { month: Number(month) || place(months, month) + 1, day: readNumber(day) };
  // A 29 February without a year is at most eight years away.
  const years = Array.from({ length: YEARS_AHEAD_MAX + 1 }, (_, ahead) => today.year + ahead);
  const candidates = year === undefined ? years : [Number(year.padStart(4, "20"))];
  for (const candidate of candidates) {
    const date = DateTime.fromObject({ ...wanted, year: candidate }, { zone: today.zone });
    if (date.isValid && (year !== undefined || date >= today.startOf("day"))) return date;
  }
  return null;
}

/** The next such day of a month, today included. */
function onDayOfMonth(day: number, today: DateTime): DateTime | null {
  for (let ahead = 0; ahead <= MONTHS_AHEAD_MAX; ahead += 1) {
    const { year, month } = today.startOf("month").plus({ months: ahead });
    const date = DateTime.fromObject({ year, month, day }, { zone: today.zone });
    if (date.isValid && date >= today.startOf("day")) return date;
  }
  return null;
}

function daysAhead({ ahead = "" }: Groups, today: DateTime): DateTime {
  return today.plus({ days: ahead === "o" || ahead === "a" ? 1 : readNumber(ahead) });
}

function isSameWeekday({ value }: Mention, day: Mention): boolean {
  return DateTime.fromISO(value).weekday === DateTime.fromISO(day.value).weekday;
}

function iso(date: DateTime): string {
  return date.toFormat("yyyy-MM-dd");
}

function place(lists: readonly (readonly string[])[], word: string): number {
  return lists.findIndex((list) => list.includes(word));
}
