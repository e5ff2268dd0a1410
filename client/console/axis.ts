/** An axis from 0 has at most so many lines above it. */
const linesMax = 4;

/**
 * Pure: where an axis has its lines, from 0 to one that no value is above.
 * @param steps from one line to the next, the smallest first
 */
export function linesOf(valueMax: number, steps: readonly number[]): readonly number[] {
  const widest = steps.at(-1)!;
  const step =
    steps.find((each) => countOf(valueMax, each) <= linesMax) ?? widest * countOf(valueMax, widest * linesMax);
  return Array.from({ length: countOf(valueMax, step) + 1 }, (_, line) => line * step);
}

function countOf(valueMax: number, step: number): number {
  return Math.max(1, Math.ceil(valueMax / step));
}

/** Of what is counted. */
export const countSteps: readonly number[] = Array.from({ length: 8 }, (_, place) => 10 ** (place - 1)).flatMap(
  (unit) => [unit, 2 * unit, 5 * unit],
);

const second = 1000;
const minute = 60 * second;
/** Of what is told in ms, then in seconds, then in minutes. */
export const durationSteps: readonly number[] = [
  ...[10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15].map((count) => count * second),
  ...[1, 2, 5, 10, 20, 60].map((count) => count * minute),
];

/** Of what is told in parts of a whole. */
export const shareSteps: readonly number[] = [0.25];

/**
 * Pure: a time zone and how far from GMT it is, where its clocks show other times than the reader's.
 * @param at what is told of, ISO 8601
 * @returns null: they show the same
 */
export function otherZone(timeZone: string, readersZone: string, at: readonly string[]): string | null {
  if (at.every((time) => offsetOf(timeZone, time) === offsetOf(readersZone, time))) return null;
  return `${timeZone.replaceAll("_", " ")}, ${offsetOf(timeZone, at.at(-1)!)}`;
}

// `GMT+2`
function offsetOf(timeZone: string, time: string): string {
  const format = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "shortOffset" });
  return format.formatToParts(new Date(time)).find(({ type }) => type === "timeZoneName")?.value ?? "";
}
