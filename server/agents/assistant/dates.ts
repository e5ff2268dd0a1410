import { DateTime } from "luxon";
import { type Said, take, type Taken } from "./said.js";

const YEARS_AHEAD_MAX = 8;

const days = [
  ["luni", "lunea", "monday"],
  ["marti", "martea", "tuesday"],
  ["miercuri", "miercurea", "wednesday"],
  ["joi", "joia", "thursday"],
  ["vineri", "vinerea", "friday"],
  ["sambata", "saturday"],
  ["duminica", "sunday"],
];

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

const near = [
  ["azi", "astazi", "today", "tonight"],
  ["maine", "tomorrow"],
  ["poimaine", "day after tomorrow"],
];

const month = months.flat().join("|");

interface Pattern {
  readonly regex: RegExp;
  readonly read: (groups: Groups, today: DateTime) => DateTime | null;
}

// In this order: what says more comes first, so that "14.08.2026" is never read as "14.08".
const patterns: readonly Pattern[] = [
  { regex: /(?<!\d)(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})(?!\d)/, read: onDay },
  { regex: /(?<![\d.])(?<day>\d{1,2})([./-])(?<month>\d{1,2})\2(?<year>\d{4}|\d{2})(?![\d]|[./-]\d)/, read: onDay },
  { regex: /(?<![\d.])(?<day>\d{1,2})[./](?<month>\d{1,2})(?!\d|[./-]\d)/, read: onDay },
  {
    regex: new RegExp(
      `(?<!\\d)(?<day>\\d{1,2})(?:st|nd|rd|th)?\\s+(?:of\\s+)?(?<month>${month})\\b\\.?(?:\\s+(?<year>\\d{4}))?`,
    ),
    read: onDay,
  },
  {
    regex: new RegExp(`\\b(?<month>${month})\\s+(?<day>\\d{1,2})(?:st|nd|rd|th)?\\b(?:,?\\s+(?<year>\\d{4}))?`),
    read: onDay,
  },
  {
    regex: new RegExp(`\\b(?<near>${near.flat().reverse().join("|")})\\b`),
    read: ({ near: word }, today) => today.plus({ days: place(near, word) }),
  },
  {
    regex: new RegExp(`(?<!\\d\\s)\\b(?<weekday>${days.flat().join("|")})\\b`),
    read: ({ weekday }, today) => nextWeekday(place(days, weekday) + 1, today),
  },
];

/**
 * The first date that is said, as yyyy-mm-dd. A day and month without a year are the next such day, today included; a
 * weekday is the next one after today. (SPEC A4)
 * @param today any time of today, in the business's time zone
 */
export function takeDate(said: Said, today: DateTime): Taken | null {
  for (const { regex, read } of patterns) {
    const match = said.folded.match(regex);
    const date = match && read(match.groups ?? {}, today);
    if (match && date) return take(said, match, date.toFormat("yyyy-MM-dd"));
  }
  return null;
}

type Groups = Readonly<Record<string, string | undefined>>;

/** Null when there is no such day: 31.02, or 10.30, which is a time. */
function onDay(groups: Groups, today: DateTime): DateTime | null {
  const { year, month = "", day } = groups;
  const wanted = { month: Number(month) || place(months, month) + 1, day: Number(day) };
  // A 29 February without a year is at most eight years away.
  const years = Array.from({ length: YEARS_AHEAD_MAX + 1 }, (_, ahead) => today.year + ahead);
  const candidates = year === undefined ? years : [Number(year.padStart(4, "20"))];
  for (const candidate of candidates) {
    const date = DateTime.fromObject({ ...wanted, year: candidate }, { zone: today.zone });
    if (date.isValid && (year !== undefined || date >= today.startOf("day"))) return date;
  }
  return null;
}

function nextWeekday(weekday: number, today: DateTime): DateTime {
  return today.plus({ days: ((weekday - today.weekday + 6) % 7) + 1 });
}

function place(lists: readonly (readonly string[])[], word: string | undefined): number {
  return lists.findIndex((list) => list.includes(word ?? ""));
}
