const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Formats of a language; made once, since making one costs more than using it a thousand times. */
export class Times {
  readonly #clock: Intl.DateTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #longDay: Intl.DateTimeFormat;
  readonly #whole: Intl.DateTimeFormat;

  constructor(lang: string) {
    this.#clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    this.#day = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short" });
    this.#longDay = new Intl.DateTimeFormat(lang, { weekday: "long", day: "numeric", month: "long" });
    this.#whole = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
  }

  clock(timestamp: string): string {
    return format(this.#clock, timestamp);
  }

  /** The time of what was today, else the day. */
  brief(timestamp: string, now: number): string {
    const isToday = new Date(timestamp).toDateString() === new Date(now).toDateString();
    return format(isToday ? this.#clock : this.#day, timestamp);
  }

  day(timestamp: string): string {
    return format(this.#longDay, timestamp);
  }

  whole(timestamp: string): string {
    return format(this.#whole, timestamp);
  }
}

/** Pure: `<1 min`, `5 min`, `2 h`, `3 d`. */
export function lengthOf(ms: number): string {
  if (ms < minuteMs) return "<1 min";
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min`;
  return ms < dayMs ? `${Math.floor(ms / hourMs)} h` : `${Math.floor(ms / dayMs)} d`;
}

/** Pure: `850 ms`, `1.2 s`, `3 min`. */
export function durationOf(ms: number | null): string {
  if (ms === null) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < minuteMs ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / minuteMs)} min`;
}

function format(formatter: Intl.DateTimeFormat, timestamp: string): string {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? "" : formatter.format(date);
}
