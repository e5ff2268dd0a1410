import { asRecord, text } from "../fields.js";
import type { Seen, Sent } from "./arrival.js";
import type { ComposerMode } from "./composer.js";

/** What is written and not stored, of so many conversations; of more the oldest is forgotten. */
const draftsMax = 50;

/**
 * What is written and not stored, by conversation: not sent yet, of each kind, or sent without knowing what became of it. It
 * outlives a reload, as long as the tab and its coordinator's token do; where the browser keeps nothing, as long as the page.
 */
export class Drafts {
  readonly #key: string;
  readonly #texts: Map<string, string>;
  readonly #sentKey: string;
  readonly #sent: Map<string, Sent>;
  /** Where a page that is gone has sent something. */
  readonly #left: Set<string>;

  /** @param coordinatorId whose they are; null where nobody has a name */
  constructor(businessId: string, coordinatorId: string | null) {
    const whose = `${businessId}:${coordinatorId ?? ""}`;
    this.#key = `bennu.console.drafts:${whose}`;
    this.#texts = restored(this.#key, text);
    this.#sentKey = `bennu.console.sent:${whose}`;
    this.#sent = restored(this.#sentKey, readSent);
    this.#left = new Set(this.#sent.keys());
  }

  get(mode: ComposerMode, sessionId: string): string {
    return this.#texts.get(keyOf(mode, sessionId)) ?? "";
  }

  /** @param written empty: nothing any more */
  set(mode: ComposerMode, sessionId: string, written: string): void {
    const key = keyOf(mode, sessionId);
    this.#texts.delete(key);
    if (written !== "") this.#texts.set(key, written);
    keep(this.#key, this.#texts);
  }

  /** What is written goes out: it is no draft any more, but is not forgotten before it is settled. One at a time. */
  depart(sessionId: string, sent: Sent): void {
    this.#sent.set(sessionId, sent);
    keep(this.#sentKey, this.#sent);
    this.set(sent.kind, sessionId, "");
  }

  /** What a page that is gone has sent; null: nothing, or it is settled. */
  left(sessionId: string): Sent | null {
    return this.#left.has(sessionId) ? (this.#sent.get(sessionId) ?? null) : null;
  }

  /** What went out is stored, or comes back before what was written meanwhile. */
  settle(sessionId: string, isStored: boolean): void {
    const sent = this.#sent.get(sessionId);
    if (sent === undefined) return;
    if (!isStored) {
      const meanwhile = this.get(sent.kind, sessionId);
      this.set(sent.kind, sessionId, meanwhile === "" ? sent.message : `${sent.message}\n${meanwhile}`);
    }
    this.#sent.delete(sessionId);
    this.#left.delete(sessionId);
    keep(this.#sentKey, this.#sent);
  }
}

function keyOf(mode: ComposerMode, sessionId: string): string {
  return `${mode} ${sessionId}`;
}

function keep(key: string, values: Map<string, unknown>): void {
  if (values.size > draftsMax) values.delete(values.keys().next().value!);
  try {
    sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(values)));
  } catch {
    // Full or forbidden: then a reload forgets them.
  }
}

function restored<Value>(key: string, read: (raw: unknown) => Value | undefined): Map<string, Value> {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(key) ?? "{}");
    const entries = Object.entries(asRecord(kept)).map(([of, raw]) => [of, read(raw)] as const);
    return new Map(entries.filter((entry): entry is [string, Value & {}] => entry[1] !== undefined));
  } catch {
    return new Map();
  }
}

function readSent(raw: unknown): Sent | undefined {
  const { kind, message, before } = asRecord(raw);
  if ((kind !== "reply" && kind !== "note") || typeof message !== "string") return undefined;
  return { kind, message, before: Array.isArray(before) ? (before as readonly Seen[]) : null };
}
