import { asRecord, text } from "../fields.js";
import type { ComposerMode } from "./composer.js";

/** What is written and not sent, of so many conversations; of more the oldest is forgotten. */
const draftsMax = 50;

/**
 * What is written and not sent, by conversation and kind. It outlives a reload, as long as the tab and its coordinator's
 * token do; where the browser keeps nothing, as long as the page.
 */
export class Drafts {
  readonly #key: string;
  readonly #texts: Map<string, string>;

  /** @param coordinatorId whose they are; null where nobody has a name */
  constructor(businessId: string, coordinatorId: string | null) {
    this.#key = `bennu.console.drafts:${businessId}:${coordinatorId ?? ""}`;
    this.#texts = new Map(restored(this.#key));
  }

  get(mode: ComposerMode, sessionId: string): string {
    return this.#texts.get(keyOf(mode, sessionId)) ?? "";
  }

  /** What was sent and not stored comes before what was written meanwhile. */
  putBack(mode: ComposerMode, sessionId: string, sent: string): void {
    const meanwhile = this.get(mode, sessionId);
    this.set(mode, sessionId, meanwhile === "" ? sent : `${sent}\n${meanwhile}`);
  }

  /** @param written empty: nothing any more */
  set(mode: ComposerMode, sessionId: string, written: string): void {
    const key = keyOf(mode, sessionId);
    this.#texts.delete(key);
    if (written !== "") this.#texts.set(key, written);
    if (this.#texts.size > draftsMax) this.#texts.delete(this.#texts.keys().next().value!);
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(Object.fromEntries(this.#texts)));
    } catch {
      // Full or forbidden: then a reload forgets them.
    }
  }
}

function keyOf(mode: ComposerMode, sessionId: string): string {
  return `${mode} ${sessionId}`;
}

function restored(key: string): [key: string, text: string][] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(key) ?? "{}");
    return Object.entries(asRecord(kept)).flatMap(([of, written]) => {
      const known = text(written);
      return known === undefined ? [] : [[of, known] as [string, string]];
    });
  } catch {
    return [];
  }
}
