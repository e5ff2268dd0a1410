import type { BusinessIntent } from "../../messaging/business.js";
import { fold, stems, words } from "./words.js";

// Words that say how the conversation is to go on, and nothing of what it is about.

/** Of more words than these, "de la început" is a part of what happened. */
const STEERING_WORDS_MAX = 8;

const startsOver =
  /\b(de la (capat|inceput|zero)|start(ing)? (over|again|afresh)|from (scratch|the (beginning|start))|begin again)\b/;
const goingOn =
  /\b(continu(a|am|i|ati|e|ing)?|mergem mai departe|mai departe|reluam|reiau|go(ing)? on|resume|carry on|keep going|pick up where)\b/;
const goingOnWords = stems(
  "continua continuam continui continuati continue continuing mergem mai departe reluam reiau go going on resume " +
    "carry keep pick up where we left off de unde am ramas hai vreau sa putem please te rog da ok let us",
);

/** "De la capăt": what was said of the task is to be forgotten. (SPEC A26) */
export function isStartingOver(text: string): boolean {
  return startsOver.test(fold(text)) && words(text).length <= STEERING_WORDS_MAX;
}

/** "Hai să continuăm", "Continuă: Programare": nothing but that, and which. (SPEC A26) */
export function isGoingOn(text: string, { name, title }: BusinessIntent): boolean {
  const about = [...goingOnWords, ...stems(`${name} ${title}`)];
  return goingOn.test(fold(text)) && stems(text).every((stem) => about.includes(stem));
}
