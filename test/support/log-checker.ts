import type { DeskTelemetry } from "../../server/desk-telemetry.js";
import type { Store } from "../../server/messaging/store.js";
import { createLogger, logTelemetry } from "../../server/observe/logger.js";

/** Shorter texts stand in a log by chance. */
const textLengthMin = 8;
const linesMax = 100_000;
const sessionsMax = 50;
const jwt = /eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/;

/** What a server logs, at the lowest level there is, to be held against what was said to it. (SPEC X6) */
export class LogChecker {
  readonly #lines: string[] = [];

  watch(telemetry: DeskTelemetry): void {
    const write = (line: string) => {
      if (this.#lines.length < linesMax) this.#lines.push(line);
    };
    logTelemetry(telemetry, createLogger("trace", { write }));
  }

  /** @throws when the log holds a token, or a text of a message that is in the store */
  async check(store: Store): Promise<void> {
    // A store that was stopped, or that fails on purpose, has nothing to compare with; tokens are looked for all the same.
    const texts = await textsIn(store).catch(() => []);
    const faults = logFaults(this.#lines, texts);
    if (faults.length > 0) throw new Error(`[X-17] the log holds what it must not: ${faults.slice(0, 5).join("; ")}`);
  }
}

/** What is wrong with lines of a log: each is one JSON object, and none has a token or one of the texts. */
export function logFaults(lines: readonly string[], texts: Iterable<string>): readonly string[] {
  const faults: string[] = [];
  for (const line of lines) {
    if (!isOneObject(line)) faults.push(`no JSON object: ${line.slice(0, 100)}`);
    if (hasToken(line)) faults.push(`a token: ${line.slice(0, 100)}`);
  }
  const log = lines.join("");
  for (const text of texts) {
    const written = JSON.stringify(text).slice(1, -1);
    if (text.length >= textLengthMin && log.includes(written)) faults.push(`a text: ${text.slice(0, 100)}`);
  }
  return faults;
}

export function hasToken(line: string): boolean {
  return jwt.test(line);
}

function isOneObject(line: string): boolean {
  if (line.trimEnd().includes("\n")) return false;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}

async function textsIn(store: Store): Promise<ReadonlySet<string>> {
  const texts = new Set<string>();
  for (const phase of ["active", "over"] as const) {
    const { items } = await store.readSessionsUnchanged(phase, { before: "9999", limit: sessionsMax });
    for (const sessionId of items) {
      const page = await store.readMessages(sessionId, { limit: 200 });
      for (const { content } of page.items) texts.add(content);
    }
  }
  return texts;
}
