import * as z from "zod";
import type { AgentTurn } from "../../messaging/agent.js";
import type { Business, BusinessIntent } from "../../messaging/business.js";
import { recognise } from "./recognise.js";
import { isCompletion } from "./shown.js";
import { vocabularyOf } from "./vocabulary.js";
import { fold, stems } from "./words.js";

const refusals =
  /\b(?:nu (?:mai )?(?:vreau|doresc|am nevoie|imi trebuie|e nevoie)|(?:do not|don.?t|no longer) (?:want|need))\b/;
const removals = /\b(?:sterge\w*|elimina\w*|delete|remove|get rid of|scrap)\b/;
const cancelling = ["anulez", "cancel"];
const calls = z.array(z.object({ name: z.string() })).min(1);

/** What is to be undone, and the business's own way for that; null: it has none. */
export interface Undoing {
  readonly by: BusinessIntent | null;
}

/**
 * "Nu mai vreau programarea", said of what was completed in this session, or "delete my booking", said of one that there
 * may be; null: it is about nothing of the kind. (SPEC A7)
 */
export function undoing({ message, business, history }: AgentTurn): Undoing | null {
  const folded = fold(message);
  const isRemoval = removals.test(folded);
  if (!isRemoval && !refusals.test(folded)) return null;
  const done = calls.safeParse(history.findLast(isCompletion)?.metadata.toolCalls).data?.[0];
  if (done === undefined && !isRemoval) return null;
  const said = folded.replace(refusals, " ").replace(removals, " ");
  const candidates = business.intents.filter(({ name }) => done === undefined || name === done.name);
  const intent = candidates.find((each) => (done !== undefined && isEmpty(said)) || isAbout(said, each, business));
  if (intent === undefined) return null;
  const found = cancelling.map((word) => recognise(`${word} ${intent.title}`, business)?.intent);
  const by = found.find((each) => each !== undefined && each !== intent) ?? null;
  return by === null && done === undefined ? null : { by };
}

function isEmpty(said: string): boolean {
  return stems(said).length === 0;
}

function isAbout(said: string, intent: BusinessIntent, business: Business): boolean {
  const vocabulary = vocabularyOf(business);
  const own = new Set(vocabulary.stems(`${intent.name} ${intent.title}`));
  return vocabulary.stems(said).some((stem) => own.has(stem)) || recognise(said, business)?.intent === intent;
}
