import type { Business, BusinessIntent } from "../../messaging/business.js";
import { kindsOfText } from "./kinds-of-text.js";
import type { Likelihoods } from "./language/classifier.js";
import { type Kind, type TaskKind, taskKinds } from "./language/corpus.js";
import { readOnce } from "./read-once.js";

/** A kind of which an intent has fewer of its phrases came there by chance. */
const PHRASES_SHARE_MIN = 0.02;

const known = new WeakMap<Business, ReadonlyMap<TaskKind, BusinessIntent>>();

/** How likely a text begins an intent, by how people say such things, whatever its phrases. */
export function likelihoodOfIntent(intent: BusinessIntent, kinds: Likelihoods<Kind>, business: Business): number {
  let sum = 0;
  for (const [kind, owner] of intentsByKind(business)) if (owner === intent) sum += kinds.get(kind)!;
  return sum;
}

/** Which intent does what customers ask for in so many ways: the one with the most phrases of that kind. */
function intentsByKind(business: Business): ReadonlyMap<TaskKind, BusinessIntent> {
  const intents = known.get(business) ?? readIntents(business);
  known.set(business, intents);
  return intents;
}

/** How many phrases of each intent are of which kind. */
export const intentKinds = readOnce(
  ({ intents }) => intents,
  (intent, business) => ({ intent, counts: countsOf(intent, business) }),
);

function readIntents(business: Business): ReadonlyMap<TaskKind, BusinessIntent> {
  const counted = intentKinds.all(business);
  const intents = new Map<TaskKind, BusinessIntent>();
  for (const kind of taskKinds) {
    let most = 0;
    for (const { intent, counts } of counted) {
      const count = counts.get(kind) ?? 0;
      if (count < intent.phrases.length * PHRASES_SHARE_MIN || count <= most) continue;
      most = count;
      intents.set(kind, intent);
    }
  }
  return intents;
}

function countsOf({ title, phrases }: BusinessIntent, business: Business): ReadonlyMap<Kind, number> {
  const counts = new Map<Kind, number>();
  for (const phrase of [title, ...phrases]) {
    const kind = likeliest(kindsOfText(phrase, business));
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

function likeliest(kinds: Likelihoods<Kind>): Kind {
  return [...kinds].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}
