import type { TurnOutcome } from "../desk-telemetry.js";

/** What happened in a business within some time. */
export interface Figures {
  /** Messages of users that were stored, commands among them. */
  readonly messages: number;
  /** Turns that the agent answered. */
  readonly answered: number;
  /** Turns that ended without an answer: failed, cancelled, or ended with their session. */
  readonly failed: number;
  /** Turns that a coordinator answered. */
  readonly human: number;
  /** Answers of both by how long they took, one count for each of `durationSteps`; zeros at the end are left out. */
  readonly durations: readonly number[];
}

/** What is made of figures for people. */
export interface Summary extends Omit<Figures, "durations"> {
  /** Time to answer in ms, each at most a quarter too long; null: nothing was answered. */
  readonly answerMs: { readonly p50: number | null; readonly p95: number | null };
  /** Which part of the turns the agent answered, from 0 to 1; null: there were none. */
  readonly agentShare: number | null;
}

const durationStepCount = 72;

/** Upper ends in ms, each a quarter above the one before. What took longer than the last, 21 hours, counts as that. */
export const durationSteps: readonly number[] = Array.from({ length: durationStepCount }, (_, step) =>
  Math.round(10 * 1.25 ** step),
);

export const noFigures: Figures = { messages: 0, answered: 0, failed: 0, human: 0, durations: [] };

export function withMessage(figures: Figures): Figures {
  return { ...figures, messages: figures.messages + 1 };
}

/** What failed has no time to answer, however long it took. */
export function withOutcome(figures: Figures, outcome: Exclude<TurnOutcome, "command">, durationMs: number): Figures {
  const counted = { ...figures, [outcome]: figures[outcome] + 1 };
  return outcome === "failed" ? counted : { ...counted, durations: withOneAt(figures.durations, stepOf(durationMs)) };
}

export function merged(one: Figures, other: Figures): Figures {
  return {
    messages: one.messages + other.messages,
    answered: one.answered + other.answered,
    failed: one.failed + other.failed,
    human: one.human + other.human,
    durations: sumOf(one.durations, other.durations),
  };
}

export function summaryOf({ messages, answered, failed, human, durations }: Figures): Summary {
  const turns = answered + failed + human;
  return {
    messages,
    answered,
    failed,
    human,
    answerMs: { p50: percentile(durations, 0.5), p95: percentile(durations, 0.95) },
    agentShare: turns === 0 ? null : Math.round((answered / turns) * 10_000) / 10_000,
  };
}

/** The upper end of the step that `share` of all do not exceed, in ms; null: there are none. */
function percentile(durations: readonly number[], share: number): number | null {
  const total = durations.reduce((sum, count) => sum + count, 0);
  let below = 0;
  const step = durations.findIndex((count) => (below += count) > 0 && below >= share * total);
  return step === -1 ? null : durationSteps[step]!;
}

function stepOf(durationMs: number): number {
  const step = durationSteps.findIndex((end) => durationMs <= end);
  return step === -1 ? durationStepCount - 1 : step;
}

function withOneAt(durations: readonly number[], step: number): readonly number[] {
  const counts = durations.slice();
  while (counts.length <= step) counts.push(0);
  counts[step]! += 1;
  return counts;
}

function sumOf(one: readonly number[], other: readonly number[]): readonly number[] {
  const [longer, shorter] = one.length >= other.length ? [one, other] : [other, one];
  return longer.map((count, step) => count + (shorter[step] ?? 0));
}
