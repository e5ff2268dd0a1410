import type { ChatEntry } from "./entry.js";
import { limits } from "./limits.js";

/**
 * The conversation in order, each message once. The same message may come as a reply, a push, a row of history and a
 * row of a join reply, in any order and any number of times; `messageId` and `clientMessageId` say that it is the same.
 */
export class Timeline {
  /** Another array with each change: whoever goes through one may change the conversation meanwhile. */
  #entries: readonly ChatEntry[] = [];
  /** By session: up to which offset its user's words were read. */
  readonly #readTo = new Map<string, number>();

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
    if (index === -1) return this.#add(this.#marked(entry));
    const known = this.#entries[index]!;
    const merged = this.#marked(combine(known, entry));
    if (JSON.stringify(merged) === JSON.stringify(known)) return null;
    this.#entries = this.#entries.toSpliced(index, 1);
    this.#insert(merged);
    return merged;
  }

  /** Those whom it was said to have read a session up to there. @returns the messages that are now known to be read */
  read(sessionId: string, offset: number): readonly ChatEntry[] {
    if (offset <= (this.#readTo.get(sessionId) ?? 0)) return [];
    this.#readTo.set(sessionId, offset);
    if (this.#readTo.size > limits.marksMax) this.#readTo.delete(this.#readTo.keys().next().value!);
    const before = this.#entries;
    this.#entries = before.map((entry) => this.#marked(entry));
    return this.#entries.filter((entry, index) => entry !== before[index]);
  }

  forget(isGone: (entry: ChatEntry) => boolean): void {
    this.#entries = this.#entries.filter((entry) => !isGone(entry));
  }

  #marked(entry: ChatEntry): ChatEntry {
    const { from, isRead, sessionId = "", offset = Infinity } = entry;
    const isNew = from === "user" && isRead === undefined && offset <= (this.#readTo.get(sessionId) ?? 0);
    return isNew ? { ...entry, isRead: true } : entry;
  }

  // What is fetched of before is what somebody wants to see: at the limit the oldest gives way to what is new alone.
  #add(entry: ChatEntry): ChatEntry {
    const index = this.#insert(entry);
    const isNew = this.#entries.slice(index + 1).every(({ state }) => state !== "stored");
    if (isNew && this.#entries.length > limits.timelineMax) this.#entries = this.#entries.slice(1);
    return entry;
  }

  #insert(entry: ChatEntry): number {
    const index = this.#entries.findLastIndex((known) => compare(known, entry) <= 0) + 1;
    this.#entries = this.#entries.toSpliced(index, 0, entry);
    return index;
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
  const components = entry.components.length > 0 ? entry.components : known.components;
  const { code, ...merged } = { ...known, ...entry, id: known.id, actions, components };
  return merged.state === "failed" && code !== undefined ? { ...merged, code } : merged;
}

// Within a session timestamps never go back, so time first and offset second is the order of offsets, and it also
// orders messages of two sessions. The one without an offset is unsent, and comes after those of its moment.
function compare(a: ChatEntry, b: ChatEntry): number {
  if (a.timestamp !== b.timestamp) {
    // Kept from before, it is behind all that is known by now.
    if (a.timestamp === "" || b.timestamp === "") return a.timestamp === "" ? 1 : -1;
    return a.timestamp < b.timestamp ? -1 : 1;
  }
  const [left, right] = [a.offset ?? Infinity, b.offset ?? Infinity];
  return left === right ? 0 : left - right;
}
