import type { ChatEntry } from "./entry.js";
import { limits } from "./limits.js";

/**
 * The conversation in order, each message once. The same message may come as a reply, a push, a row of history and a
 * row of a join reply, in any order and any number of times; `messageId` and `clientMessageId` say that it is the same.
 */
export class Timeline {
  readonly #entries: ChatEntry[] = [];

  get entries(): readonly ChatEntry[] {
    return this.#entries;
  }

  /** The timestamp an unsent message takes, so that it stands after all there is without trusting this clock. */
  get lastTimestamp(): string {
    return this.#entries.at(-1)?.timestamp ?? "";
  }

  find(id: string): ChatEntry | undefined {
    return this.#entries.find((entry) => entry.id === id);
  }

  /** @returns the message as it now is, or null when nothing was new in it */
  merge(entry: ChatEntry): ChatEntry | null {
    const index = this.#entries.findLastIndex((known) => isSame(known, entry));
    if (index === -1) return this.#insert(entry);
    const known = this.#entries[index]!;
    const merged = combine(known, entry);
    if (JSON.stringify(merged) === JSON.stringify(known)) return null;
    this.#entries.splice(index, 1);
    return this.#insert(merged);
  }

  #insert(entry: ChatEntry): ChatEntry {
    const before = this.#entries.findLastIndex((known) => compare(known, entry) <= 0);
    this.#entries.splice(before + 1, 0, entry);
    if (this.#entries.length > limits.timelineMax) this.#entries.shift();
    return entry;
  }
}

function isSame(a: ChatEntry, b: ChatEntry): boolean {
  if (a.messageId !== undefined && a.messageId === b.messageId) return true;
  return a.clientMessageId !== undefined && a.clientMessageId === b.clientMessageId;
}

// What is stored stays stored: a late failure or retry of the same message changes nothing about it.
function combine(known: ChatEntry, entry: ChatEntry): ChatEntry {
  if (known.state === "stored" && entry.state !== "stored") return known;
  const actions = entry.actions.length > 0 ? entry.actions : known.actions;
  const { code, ...merged } = { ...known, ...entry, id: known.id, actions };
  return merged.state === "failed" && code !== undefined ? { ...merged, code } : merged;
}

// Within a session timestamps never go back, so time first and offset second is the order of offsets, and it also
// orders messages of two sessions. The one without an offset is unsent, and comes after those of its moment.
function compare(a: ChatEntry, b: ChatEntry): number {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? -1 : 1;
  const [left, right] = [a.offset ?? Infinity, b.offset ?? Infinity];
  return left === right ? 0 : left - right;
}
