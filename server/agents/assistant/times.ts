import { type Said, take, type Taken } from "./said.js";

const times = new RegExp(
  [
    /(?<before>\b(?:la\s+)?(?:ora|orele|at)\s+|\bla\s+)?/,
    /(?<![\d.:,])(?<hour>\d{1,2})(?:(?<mark>[.:])(?<minute>[0-5]\d))?(?!\d|[.:/-]\d)/,
    /(?<half>\s+si\s+jum\w*)?/,
    /(?:\s*(?<part>am|pm|h|dimineata|seara|dupa[- ](?:amiaza|masa)|in the (?:morning|afternoon|evening))\b)?/,
  ]
    .map((part) => part.source)
    .join(""),
  "g",
);

/**
 * The first time of day that is said, as HH:mm. A bare number is one only when a time was asked for; otherwise it
 * must be told from other numbers: "10:30", "la 10", "ora 14", "5 seara". (SPEC A4)
 */
export function takeTime(said: Said, wasAsked: boolean): Taken | null {
  for (const match of said.folded.matchAll(times)) {
    const { before, mark, half, part } = match.groups ?? {};
    const isTime = wasAsked || before !== undefined || mark === ":" || half !== undefined || part !== undefined;
    const time = isTime ? readTime(match.groups ?? {}) : null;
    if (time !== null) return take(said, match, time);
  }
  return null;
}

function readTime({ hour, minute, half, part }: Readonly<Record<string, string | undefined>>): string | null {
  const isLate = part !== undefined && /pm|seara|dupa|afternoon|evening/.test(part);
  const said = Number(hour);
  const hours = isLate && said < 12 ? said + 12 : part === "am" && said === 12 ? 0 : said;
  if (hours > 23) return null;
  const minutes = half === undefined ? (minute ?? "00") : "30";
  return `${String(hours).padStart(2, "0")}:${minutes}`;
}
