import { type Figures, merged, noFigures } from "./figures.js";
import type { Period } from "./periods.js";
import { isBusinessId } from "../../protocol/payloads.js";
import type { RecordKey, Store } from "./store.js";

/**
 * The figures of an hour of UTC by its quarters: of those every hour and every day of every time zone in use is made,
 * also where clocks are half an hour or three quarters apart from UTC.
 */
export interface HourFigures {
  readonly quarters: readonly Figures[];
}

const quarterMs = 15 * 60 * 1000;
const hourMs = 4 * quarterMs;
const dayMs = 24 * hourMs;
const hoursMax = 24;
const readsAtOnce = 8;
/** Some node gets through each time, and there are not as many that write the same hour in the same moment. */
const attemptsMax = 20;

export const noHour: HourFigures = { quarters: [noFigures, noFigures, noFigures, noFigures] };

/** @returns when the hour of a moment begins, in ms, and which quarter of it that is */
export function quarterOf(ms: number): { readonly hour: number; readonly quarter: number } {
  const hour = Math.floor(ms / hourMs) * hourMs;
  return { hour, quarter: Math.floor((ms - hour) / quarterMs) };
}

/** The same hour with what `change` makes of one quarter. */
export function withQuarter({ quarters }: HourFigures, at: number, change: (figures: Figures) => Figures): HourFigures {
  return { quarters: quarters.map((figures, quarter) => (quarter === at ? change(figures) : figures)) };
}

export function mergedHours(one: HourFigures, other: HourFigures): HourFigures {
  return { quarters: one.quarters.map((figures, quarter) => merged(figures, other.quarters[quarter] ?? noFigures)) };
}

/**
 * Adds to what is stored of one hour of a business, whoever else does so at the same time.
 * @param hour its beginning, in ms
 * @returns false when others wrote it again and again: nothing was added
 * @throws StoreError then it is not known whether it was added
 */
export async function addFigures(store: Store, businessId: string, hour: number, more: HourFigures): Promise<boolean> {
  const key = hourKey(businessId, hour);
  let record = await store.readRecord<HourFigures>(key);
  // First what says that there is something to remove one day. (SPEC H11)
  if (record === null) await store.writeRecord(dayKey(businessId, dayOf(hour)), null, {});
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const sum = record === null ? more : mergedHours(record.value, more);
    const written = await store.writeRecord(key, record?.rev ?? null, sum);
    if (written.isWritten) return true;
    record = written.record;
  }
  return false;
}

/** The figures of each period, which begins with a quarter of an hour. A day of UTC that several have a part in is read once. @throws StoreError */
export async function readFigures(
  store: Store,
  businessId: string,
  periods: readonly Period[],
): Promise<readonly Figures[]> {
  const quarters = new Map<number, Figures>();
  const days = [...new Set(periods.flatMap(daysOf))];
  for (let at = 0; at < days.length; at += readsAtOnce) {
    const partitions = days.slice(at, at + readsAtOnce).map((day) => statsPartition(businessId, day));
    const range = { limit: hoursMax };
    const pages = await Promise.all(partitions.map((name) => store.listRecords<HourFigures>(name, range)));
    for (const { id, value } of pages.flatMap(({ items }) => items)) {
      value.quarters.forEach((figures, quarter) => quarters.set(Date.parse(id) + quarter * quarterMs, figures));
    }
  }
  return periods.map((period) => sumOf(quarters, period));
}

// In every time zone days, and so the hours of a day, begin with a quarter of an hour of UTC.
function sumOf(quarters: ReadonlyMap<number, Figures>, { from, to }: Period): Figures {
  let sum = noFigures;
  for (let at = from; at < to; at += quarterMs) sum = merged(sum, quarters.get(at) ?? noFigures);
  return sum;
}

/** Of the records that name all days of UTC with figures, the oldest first. */
export const statsDays = "stats-days";

/** Which day a record of `statsDays` is about, and where its figures are. */
export function statsDayOf(id: string): { readonly day: string; readonly partition: string } {
  const [day = "", businessId = ""] = id.split("#");
  return { day, partition: statsPartition(businessId, day) };
}

/** Whether a record's key is that of an hour of figures, or of a day that has some. */
export function isStatsKey(key: RecordKey): boolean {
  const [day = "", ofDay = ""] = key.id.split("#");
  const [, ofHour = ""] = key.partition.split("#");
  const isDay = key.partition === statsDays;
  const at = Date.parse(isDay ? `${day}T00:00:00.000Z` : key.id);
  if (Number.isNaN(at) || at % hourMs !== 0 || !isBusinessId(isDay ? ofDay : ofHour)) return false;
  const own = isDay ? dayKey(ofDay, dayOf(at)) : hourKey(ofHour, at);
  return own.partition === key.partition && own.id === key.id;
}

/** The day of UTC of a moment, `YYYY-MM-DD`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, "YYYY-MM-DD".length);
}

// Ids of businesses hold no "#".
function statsPartition(businessId: string, day: string): string {
  return `stats#${businessId}#${day}`;
}

function hourKey(businessId: string, hour: number): RecordKey {
  return { partition: statsPartition(businessId, dayOf(hour)), id: new Date(hour).toISOString() };
}

function dayKey(businessId: string, day: string): RecordKey {
  return { partition: statsDays, id: `${day}#${businessId}` };
}

function daysOf({ from, to }: Period): readonly string[] {
  const days: string[] = [];
  for (let at = Math.floor(from / dayMs) * dayMs; at < to; at += dayMs) days.push(dayOf(at));
  return days;
}
