import type { Figure, Goal } from "./part.js";
import { ratios, spread, type Spread } from "./statistics.js";

/** A figure as lines of text: each peer's samples, then ours against the goal. */
export function figureLines({ work, unit, samples, goal }: Figure): string[] {
  const ours = [...samples.values()].at(-1)!;
  const width = Math.max(...[...samples.keys()].map((peer) => peer.length)) + 2;
  const rows = [...samples].map(([peer, values]) => {
    const isOurs = values === ours;
    const ratio = isOurs ? null : `ours is ${range(spread(ratios(ours, values)), 2)} times that`;
    return [`  ${peer.padEnd(width)}`, range(spread(values), 2).padEnd(28), ratio ?? verdict(ours, samples, goal)].join(
      "",
    );
  });
  return [`${work} (${unit})`, ...rows];
}

/** Markdown, to be kept: a table for each set of peers, one line a figure. */
export function tableLines(figures: readonly Figure[]): string[] {
  const tables = new Map<string, Figure[]>();
  for (const figure of figures) {
    const peers = [...figure.samples.keys()].join();
    tables.set(peers, [...(tables.get(peers) ?? []), figure]);
  }
  return [...tables.values()].flatMap((alike, index) => [...(index === 0 ? [] : [""]), ...table(alike)]);
}

function table(figures: readonly Figure[]): string[] {
  const peers = [...figures[0]!.samples.keys()];
  const others = peers.slice(0, -1);
  const head = ["work", "unit", ...peers, ...others.map((peer) => `÷ ${peer}`), "goal", ""];
  const rows = figures.map(({ work, unit, samples, goal }) => {
    const ours = samples.get(peers.at(-1)!)!;
    const figuresOf = peers.map((peer) => spread(samples.get(peer)!).median.toFixed(2));
    const ratiosOf = others.map((peer) => spread(ratios(ours, samples.get(peer)!)).median.toFixed(2));
    const met = goal === null ? "" : judge(ours, samples, goal).isMet ? "met" : "missed";
    return [work, unit, ...figuresOf, ...ratiosOf, goal === null ? "" : goalText(goal, unit), met];
  });
  const rule = head.map((_, column) => (column < 2 ? "---" : "--:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

function verdict(ours: readonly number[], samples: Figure["samples"], goal: Goal | null): string {
  if (goal === null) return "";
  const { value, isMet } = judge(ours, samples, goal);
  return `${isMet ? "met" : "MISSED"}: ${value.toFixed(2)}, goal ${goalText(goal, "")}`;
}

function judge(
  ours: readonly number[],
  samples: Figure["samples"],
  { max, of }: Goal,
): { value: number; isMet: boolean } {
  const value = spread(of === null ? ours : ratios(ours, samples.get(of)!)).median;
  return { value, isMet: value <= max };
}

function goalText({ max, of }: Goal, unit: string): string {
  return of === null ? `≤ ${max} ${unit}`.trim() : `≤ ${max} × ${of}`;
}

function range({ median, least, most }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}
