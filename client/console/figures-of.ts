import { asRecord, text } from "../fields.js";

export interface Figures {
  readonly from: string;
  readonly messages: number;
  readonly messagesPerMinute: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** 0 to 1. */
  readonly agentShare: number | null;
}

export interface Stats {
  readonly today: Figures;
  readonly yesterday: Figures;
  /** By hour of the business's day; null: not reached yet, or that day has no such hour. */
  readonly hours: readonly Hour[];
  /** Of the business. */
  readonly timeZone: string;
}

export interface Hour {
  readonly hour: number;
  readonly today: Figures | null;
  readonly yesterday: Figures | null;
}

/** Pure. @param raw of `GET /api/businesses/:businessId/stats` */
export function statsOf(raw: unknown): Stats {
  const { figures, today, yesterday, timeZone: zone } = asRecord(raw);
  const timeZone = text(zone) ?? "UTC";
  const hourOf = new Intl.DateTimeFormat("en", { hour: "numeric", hourCycle: "h23", timeZone });
  const days = { today: figuresOf(today), yesterday: figuresOf(yesterday) };
  const all = Array.isArray(figures) ? figures.map(figuresOf) : [];
  const hours = Array.from({ length: 24 }, (_, hour) => {
    const of = all.filter(({ from }) => Number(hourOf.format(new Date(from))) === hour);
    // An hour that comes twice, when the clocks go back, is shown as its second one.
    return {
      hour,
      today: of.findLast(({ from }) => from >= days.today.from) ?? null,
      yesterday: of.findLast(({ from }) => from < days.today.from) ?? null,
    };
  });
  return { ...days, hours, timeZone };
}

function figuresOf(raw: unknown): Figures {
  const { from, messages, messagesPerMinute, answerMs, agentShare } = asRecord(raw);
  const { p50, p95 } = asRecord(answerMs);
  return {
    from: String(from),
    messages: numberOf(messages) ?? 0,
    messagesPerMinute: numberOf(messagesPerMinute) ?? 0,
    p50Ms: numberOf(p50),
    p95Ms: numberOf(p95),
    agentShare: numberOf(agentShare),
  };
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
