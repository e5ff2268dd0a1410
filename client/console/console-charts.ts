// Loaded when somebody looks at the figures: most never do.
import uPlot from "uplot";
import { linesOf } from "./axis.js";

export interface ChartLine {
  readonly label: string;
  /** By hour. */
  readonly values: readonly (number | null)[];
  /** What it is compared with is drawn back. */
  readonly isQuiet: boolean;
}

export interface Chart {
  readonly format: (value: number) => string;
  readonly lines: readonly ChartLine[];
  /** From one line of the scale to the next, the smallest first. */
  readonly steps: readonly number[];
  /** The scale reaches at least so far. */
  readonly topMin: number;
}

const heightPx = 180;
const hours = Array.from({ length: 24 }, (_, hour) => hour);

/** Draws a chart as wide as its place, in the colours of the page, and again when one of them changes. @returns its end */
export function drawChart(place: HTMLElement, chart: Chart): () => void {
  let plot = make(place, chart);
  const sizes = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: heightPx }));
  sizes.observe(place);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const again = () => {
    plot.destroy();
    plot = make(place, chart);
  };
  scheme.addEventListener("change", again);
  return () => {
    sizes.disconnect();
    scheme.removeEventListener("change", again);
    plot.destroy();
  };
}

function make(place: HTMLElement, { lines, format, topMin, steps }: Chart): uPlot {
  const splits = linesOf(Math.max(topMin, ...lines.flatMap(({ values }) => values.map(Number))), steps);
  const style = getComputedStyle(place);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const font = `12px ${style.fontFamily}`;
  const axis = {
    ...{ font, stroke: color("--quiet"), ticks: { show: false } },
    grid: { stroke: color("--line"), width: 1 },
  };
  const series = lines.map(({ label, isQuiet }) => {
    const stroke = color(isQuiet ? "--quiet" : "--accent-ink");
    // Of an hour that stands alone there is nothing but its point, however narrow the place is.
    const points = { size: isQuiet ? 4 : 6, space: 0, fill: stroke };
    return { label, width: isQuiet ? 1.5 : 2, points, stroke, ...(isQuiet ? { dash: [4, 4] } : {}) };
  });
  const options: uPlot.Options = {
    ...{ width: place.clientWidth, height: heightPx, legend: { show: false } },
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, range: [0, 23] },
      // Room for a point that lies on the uppermost line.
      y: { range: [0, splits.at(-1)! * 1.05] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 34,
        gap: 10,
        values: (_plot, at) => at.map((hour) => `${hour}:00`),
        space: 60,
      },
      { ...axis, size: 64, values: (_plot, at) => at.map(format), splits: () => [...splits] },
    ],
    series: [{}, ...series],
  };
  return new uPlot(options, [hours, ...lines.map(({ values }) => [...values])], place);
}
