// Loaded with the first message that is refused, or too long: most conversations have none.
import type { ChatEntry } from "../entry.js";
import { button } from "./dom.js";
import { troubleLabelsFor } from "./trouble-labels.js";

/** What may go through another time as it stands. Of any other refusal only another text is taken, or none. (SPEC M10) */
const passing = new Set(
  "rate_limited busy storage_unavailable token_expired offline outbox_full expired undelivered".split(" "),
);

/** @param fallback said of a code that is none of visitors' business */
export function reasonOf(code: string, lang: string, fallback: string): string {
  return troubleLabelsFor(lang).codes[code] ?? fallback;
}

/** @param count UTF-16 units */
export function tooLong(count: number, lang: string): string {
  return troubleLabelsFor(lang).tooLong(count);
}

/** What can be done about a message that was not sent: try again, or change it where that would be in vain. */
export function remedyOf(entry: ChatEntry, lang: string, by: Record<"retry" | "edit", () => void>): HTMLElement {
  const what = passing.has(entry.code ?? "") ? "retry" : "edit";
  return button("retry", troubleLabelsFor(lang)[what], by[what]);
}
