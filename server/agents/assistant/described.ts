import type { BusinessIntent } from "../../messaging/business.js";
import { tidy } from "./contacts.js";
import { isQuestion } from "./recognise.js";
import type { Said, Taken } from "./said.js";
import { isGoingOn, isStartingOver } from "./steering.js";
import { fold, stems, words } from "./words.js";

const subject =
  /\b(?:despre|legat(?:a)? de|in legatura cu|referitor la|cu privire la|about|regarding|concerning)\s+(?<about>[^.!?\n]+)/;
const wishes =
  /\b(?:vreau|as vrea|doresc|as dori|pot|puteti|poate|va rog|te rog|nevoie|i want|i would like|i.d like|can|could|please|need)\b/;
const asksForSomebody = stems(
  "ajutor ajutati ajuta ajutati-ma help urgent urgenta emergency grav vorbesc vorbi discut om oameni uman umana operator " +
    "coleg persoana reala receptie cineva suna sunati contact contactati legatura transfer transferati talk speak human " +
    "person real someone agent staff call ring reception robot bot live acum now",
);

/**
 * What the words that begin an intent say of it already, where free text would be asked for first: "mi s-a spart un
 * dinte", "vreau să vorbesc cu cineva despre o factură". Words that only ask for it, or for somebody, say nothing. (SPEC A4)
 */
export function takeDescription(said: Said, intent: BusinessIntent): Taken | null {
  const about = said.folded.match(subject);
  const from = (about?.index ?? 0) + (about?.[0].length ?? 0) - (about?.groups?.about?.length ?? 0);
  const value = about === null ? descriptionIn(said.text, intent) : tidy(said.text.slice(from).split(/[.!?\n]/)[0]!);
  return value === "" ? null : { value, rest: { text: "", folded: "" } };
}

function descriptionIn(text: string, intent: BusinessIntent): string {
  const known = new Set([...asksForSomebody, ...stems(`${intent.name} ${intent.title}`)]);
  const tells = (part: string) =>
    words(part).length > 1 &&
    !isQuestion(part) &&
    !wishes.test(fold(part)) &&
    stems(part).some((stem) => !known.has(stem));
  const isSteering = isStartingOver(text) || isGoingOn(text, intent);
  const parts = isSteering ? [] : text.split(/[,;!\n]+|(?<=\?)|\.(?=\s|$)/).map(tidy);
  return parts.filter(tells).join(", ");
}
