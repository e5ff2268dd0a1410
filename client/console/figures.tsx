import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Api } from "./api.js";
import { countSteps, durationSteps, otherZone, shareSteps } from "./axis.js";
import type { Chart } from "./console-charts.js";
import { type Figures as Some, type Stats, statsOf } from "./figures-of.js";
import { BackIcon } from "./icons.js";
import type { Labels } from "./labels.js";
import { durationOf } from "./times.js";

const refreshMs = 60_000;

/** Today against yesterday, as it was stored. */
export function Figures({ api, labels, onBack }: { api: Api; labels: Labels; onBack: () => void }) {
  const [stats, setStats] = useState<Stats | "failed" | null>(null);
  useEffect(() => {
    let isOver = false;
    const read = async () => {
      const next = await api.stats().then(statsOf, () => "failed" as const);
      // Figures of a minute ago are better than none.
      if (!isOver) setStats((known) => (next === "failed" && known !== null ? known : next));
    };
    void read();
    const reading = setInterval(() => void read(), refreshMs);
    return () => {
      isOver = true;
      clearInterval(reading);
    };
  }, [api]);
  return (
    <main class="figures" aria-busy={stats === null}>
      <header class="head">
        <button type="button" class="icon" aria-label={labels.back} onClick={onBack}>
          <BackIcon />
        </button>
        <div class="who">
          <h1>{labels.figures}</h1>
          <p class="standing">{labels.figuresFor}</p>
        </div>
      </header>
      <div class="figures-body" tabIndex={0} role="region" aria-label={labels.figures}>
        {stats === "failed" && <p class="centre quiet">{labels.loadFailed}</p>}
        {stats === null && <p class="centre quiet">{labels.loading}</p>}
        {stats !== null && stats !== "failed" && <Shown stats={stats} labels={labels} />}
      </div>
    </main>
  );
}

function Shown({ stats, labels }: { readonly stats: Stats; readonly labels: Labels }) {
  const { today, yesterday, timeZone } = stats;
  // Anew only with other figures: each is drawn when it is another one.
  const charts = useMemo(() => chartsOf(stats, labels), [stats, labels]);
  const { timeZone: readersZone } = new Intl.DateTimeFormat().resolvedOptions();
  const zone = otherZone(timeZone, readersZone, [yesterday.from, today.from]);
  return (
    <>
      <dl class="tiles">
        <Tile
          name={labels.messagesToday}
          value={String(today.messages)}
          before={String(yesterday.messages)}
          labels={labels}
        />
        <Tile
          name={labels.messagesPerMinute}
          value={rate(today.messagesPerMinute, labels)}
          before={rate(yesterday.messagesPerMinute, labels)}
          labels={labels}
        />
        <Tile
          name={`${labels.answerTime}, ${labels.half.toLowerCase()}`}
          value={durationOf(today.p50Ms)}
          before={durationOf(yesterday.p50Ms)}
          labels={labels}
        />
        <Tile
          name={`${labels.answerTime}, ${labels.most.toLowerCase()}`}
          value={durationOf(today.p95Ms)}
          before={durationOf(yesterday.p95Ms)}
          labels={labels}
        />
        <Tile
          name={labels.answeredByAgent}
          value={percent(today.agentShare)}
          before={percent(yesterday.agentShare)}
          labels={labels}
        />
      </dl>
      {zone !== null && <p class="zone quiet">{labels.hoursOf(zone)}</p>}
      {charts.map(({ title, chart }) => (
        <section class="chart-card" key={title}>
          <h2>{title}</h2>
          <p class="legend" aria-hidden="true">
            {chart.lines.map(({ label, isQuiet }) => (
              <span key={label} class={isQuiet ? "line-quiet" : "line-strong"}>
                {label}
              </span>
            ))}
          </p>
          <Plot chart={chart} title={title} />
          <Table chart={chart} title={title} labels={labels} />
        </section>
      ))}
    </>
  );
}

function Tile(props: { name: string; value: string; before: string; labels: Labels }) {
  const { name, value, before, labels } = props;
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong>
        <span class="quiet">{`${labels.yesterday}: ${before}`}</span>
      </dd>
    </div>
  );
}

function Plot({ chart, title }: { readonly chart: Chart; readonly title: string }) {
  const place = useRef<HTMLDivElement>(null);
  // With what is drawn, not after it: by then the figures may have been closed, and nobody would say so.
  useLayoutEffect(() => {
    let end: (() => void) | null = null;
    let isOver = false;
    void import("./console-charts.js").then(({ drawChart }) => {
      if (!isOver) end = drawChart(place.current!, chart);
    });
    return () => {
      isOver = true;
      end?.();
    };
  }, [chart]);
  return <div ref={place} class="plot" role="img" aria-label={title} />;
}

function Table({ chart, title, labels }: { readonly chart: Chart; readonly title: string; readonly labels: Labels }) {
  const { lines, format } = chart;
  const hours = Array.from({ length: 24 }, (_, hour) => hour).filter((hour) =>
    lines.some(({ values }) => values[hour] != null),
  );
  return (
    <details>
      <summary>{labels.asTable}</summary>
      <table aria-label={title}>
        <thead>
          <tr>
            <th scope="col">{labels.hour}</th>
            {lines.map(({ label }) => (
              <th key={label} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {hours.map((hour) => (
            <tr key={hour}>
              <th scope="row">{`${hour}:00`}</th>
              {lines.map(({ label, values }) => (
                <td key={label}>{values[hour] == null ? "–" : format(values[hour])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function chartsOf({ hours }: Stats, labels: Labels): readonly { readonly title: string; readonly chart: Chart }[] {
  const line = (day: "today" | "yesterday", of: (figures: Some) => number | null, label = labels[day]) => ({
    ...{ label, isQuiet: day === "yesterday" },
    values: hours.map(({ [day]: figures }) => (figures === null ? null : of(figures))),
  });
  const both = (of: (figures: Some) => number | null) => [line("yesterday", of), line("today", of)];
  const p50 = { ...line("today", ({ p50Ms }) => p50Ms, labels.half), isQuiet: true };
  return [
    {
      title: labels.messagesPerMinute,
      chart: {
        lines: both(({ messagesPerMinute }) => messagesPerMinute),
        format: (n) => rate(n, labels),
        steps: countSteps,
        topMin: 1,
      },
    },
    {
      title: `${labels.answerTime}, ${labels.today.toLowerCase()}`,
      chart: {
        lines: [p50, line("today", ({ p95Ms }) => p95Ms, labels.most)],
        format: durationOf,
        steps: durationSteps,
        topMin: 100,
      },
    },
    {
      title: labels.answeredByAgent,
      chart: { lines: both(({ agentShare }) => agentShare), format: percent, steps: shareSteps, topMin: 1 },
    },
  ];
}

function rate(value: number, { lang }: Labels): string {
  return value.toLocaleString(lang, { maximumFractionDigits: 2 });
}

function percent(share: number | null): string {
  return share === null ? "–" : `${Math.round(share * 100)} %`;
}
