import { isQuestion } from "./recognise.js";
import { stems, words } from "./words.js";

const COURTESY_WORDS_MAX = 6;
const thanks = new Set(["multumesc", "multumim", "mersi", "thanks", "thank"]);

/** How "mulțumesc" or "bună ziua" is returned, or null when the text is about something. */
export function courtesyFor(message: string): "help" | "welcome" | null {
  const said = words(message);
  if (said.length === 0 || isQuestion(message)) return null;
  if (said.length <= COURTESY_WORDS_MAX && said.some((word) => thanks.has(word))) return "welcome";
  return stems(message).length === 0 ? "help" : null;
}
