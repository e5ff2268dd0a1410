import type { AcceptedMessage } from "../console-events.js";
import { type ChatAction, readActions } from "../entry.js";
import { asRecord, text } from "../fields.js";
import type { Step } from "../running.js";

type Raw = Readonly<Record<string, unknown>>;

/** Something that was said in a session, or hangs on it. */
export interface Entry {
  readonly id: string;
  readonly kind: "user" | "agent" | "coordinator" | "system" | "note" | "draft";
  /** Its place, or that of the message it hangs on. */
  readonly offset: number;
  readonly content: string;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  /** Of a coordinator's: whose. */
  readonly coordinatorId: string | null;
  readonly actions: readonly ChatAction[];
  readonly score: -1 | 1 | null;
  readonly made: Making;
}

/** How an answer came about. */
export interface Making {
  readonly steps: readonly Step[];
  readonly sources: readonly string[];
  readonly tools: readonly string[];
  readonly durationMs: number | null;
  readonly tokens: number | null;
}

/** Entries of one session that are kept; the oldest are dropped, and read again when somebody scrolls up to them. */
export const entriesMax = 1000;

const asides: ReadonlySet<unknown> = new Set(["note", "draft"]);

/** What was said in one session, as far as it was read: without a hole up to its newest. */
export class Transcript {
  readonly sessionId: string;
  #rows = new Map<string, Raw>();
  #entries: readonly Entry[] | null = null;
  /** Where what is older begins; null: there is nothing older. */
  #cursor: string | null = null;
  #isLoaded = false;

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  get cursor(): string | null {
    return this.#cursor;
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** In order; the same array as long as nothing changes. */
  get entries(): readonly Entry[] {
    return (this.#entries ??= entriesOf([...this.#rows.values()]));
  }

  /** The newest page. One that does not reach back to what is here takes its place: nothing is shown with a hole. */
  newest(messages: readonly Raw[], cursor: string | null): void {
    const said = [...this.#rows.values()].filter(isSaid);
    const end = Math.max(0, ...said.map(placeOf));
    const begin = Math.min(...messages.filter(isSaid).map(placeOf));
    if (!this.#isLoaded || begin > end + 1) {
      this.#rows.clear();
      this.#cursor = cursor;
    }
    this.#isLoaded = true;
    this.#merge(messages);
    this.#forgetOldest();
  }

  older(messages: readonly Raw[], cursor: string | null): void {
    this.#cursor = cursor;
    this.#merge(messages);
  }

  /** A user's message, as soon as it is stored. One behind a hole waits for the page that fills it. */
  accepted({ messageId, message, offset, timestamp }: AcceptedMessage): void {
    const end = Math.max(0, ...[...this.#rows.values()].filter(isSaid).map(placeOf));
    if (this.#isLoaded && offset === end + 1)
      this.#merge([{ messageId, type: "user", content: message, offset, timestamp }]);
  }

  #merge(messages: readonly Raw[]): void {
    for (const row of messages) this.#rows.set(String(row.messageId), row);
    this.#entries = null;
  }

  #forgetOldest(): void {
    if (this.#rows.size <= entriesMax) return;
    const kept = [...this.#rows.values()].toSorted((one, other) => placeOf(one) - placeOf(other)).slice(-entriesMax);
    this.#rows = new Map(kept.map((row) => [String(row.messageId), row]));
    // A timestamp says where it begins as well as a cursor does.
    this.#cursor = String(kept.find(isSaid)?.timestamp);
    this.#entries = null;
  }
}

/** Pure. @param rows of a history, in any order */
export function entriesOf(rows: readonly Raw[]): readonly Entry[] {
  const steps = new Map<string, Raw[]>();
  for (const row of rows) {
    if (row.type !== "thinking") continue;
    const responseId = responseOf(row);
    steps.set(responseId, [...(steps.get(responseId) ?? []), row]);
  }
  return rows
    .filter((row) => isSaid(row) || asides.has(row.type))
    .map((row) => entryOf(row, steps.get(responseOf(row)) ?? []))
    .sort(byPlace);
}

function entryOf(row: Raw, steps: readonly Raw[]): Entry {
  const metadata = asRecord(row.metadata);
  const { score } = asRecord(metadata.feedback);
  const kind = row.type as Entry["kind"];
  return {
    id: String(row.messageId),
    kind,
    offset: placeOf(row),
    content: text(row.content) ?? "",
    timestamp: text(row.timestamp) ?? "",
    coordinatorId: text(metadata.coordinatorId) ?? null,
    actions: readActions(metadata.actions),
    score: score === -1 || score === 1 ? score : null,
    made: {
      steps: kind === "agent" || kind === "system" ? steps.toSorted(byBeginning).map(stepOf) : [],
      sources: texts(metadata.sources),
      tools: Array.isArray(metadata.toolCalls) ? metadata.toolCalls.map(toolOf) : [],
      durationMs: numberOf(metadata.durationMs),
      tokens: numberOf(metadata.tokens),
    },
  };
}

function stepOf({ content, data }: Raw): Step {
  const { step, status } = asRecord(data);
  return {
    step: text(step) ?? "",
    label: text(content) ?? "",
    status: status === "failed" || status === "started" ? status : "done",
  };
}

function responseOf({ metadata }: Raw): string {
  return text(asRecord(metadata).responseId) ?? "";
}

function toolOf(call: unknown): string {
  return text(asRecord(call).name) ?? text(asRecord(call).tool) ?? JSON.stringify(call);
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function isSaid({ offset }: Raw): boolean {
  return typeof offset === "number";
}

function placeOf({ offset, afterOffset }: Raw): number {
  return Number(offset ?? afterOffset ?? 0);
}

function isAside({ kind }: Entry): boolean {
  return asides.has(kind);
}

// What hangs on a message comes behind it, in its own order.
function byPlace(one: Entry, other: Entry): number {
  return (
    one.offset - other.offset ||
    Number(isAside(one)) - Number(isAside(other)) ||
    compare(one.timestamp, other.timestamp)
  );
}

// Ids are made in the order in which steps were first shown; a timestamp is of how one was shown last.
function byBeginning(one: Raw, other: Raw): number {
  return compare(String(one.messageId), String(other.messageId));
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
