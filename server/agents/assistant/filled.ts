import * as z from "zod";
import type { AgentTurn } from "../../messaging/agent.js";
import type { Business, BusinessIntent, ChoiceParameter } from "../../messaging/business.js";
import type { Value } from "../../messaging/component-values.js";
import { optionsOf } from "./choices.js";
import { componentIdOf, type Shown, shownIn } from "./shown.js";
import type { Task } from "./task.js";
import { type Checked, checkValues } from "./values.js";

/** What was filled in, and for which intent. */
export interface Filled extends Checked {
  readonly intent: BusinessIntent;
}

/** What comes of something filled in. */
export type Submitted =
  | { readonly kind: "filled"; readonly filled: Filled }
  /** What it was shown for is done; that is what was said then. */
  | { readonly kind: "settled"; readonly said: string }
  /** It answers nothing that is still asked for. */
  | { readonly kind: "stale" };

const submitted = z.object({ values: z.record(z.string(), z.union([z.string(), z.number()])) });

/**
 * What a turn says that is no message but something filled in, or null. It counts for what it was shown for, once. A form
 * that is submitted late belongs to the intent that has all its fields: maybe one that is begun by it. (SPEC A24, A25)
 */
export function filledIn({ data, business, history }: AgentTurn, task: Task | null): Submitted | null {
  const parsed = submitted.safeParse(data);
  const given = parsed.success ? parsed.data.values : {};
  const names = Object.keys(given);
  if (names.length === 0) return null;
  const shown = shownIn(history, componentIdOf(data) ?? "");
  const isGoingOn = task !== null && shown?.intentId === task.record.intentId;
  if (shown !== null && shown.settled !== null && !isGoingOn) return { kind: "settled", said: shown.settled };
  const filled = fill(given, { task, shown, business });
  if (filled !== null) return { kind: "filled", filled };
  // Its text is an answer to something else, and must not be read as one to what is asked for now.
  return task === null ? null : { kind: "stale" };
}

interface Place {
  readonly task: Task | null;
  readonly shown: Shown | null;
  readonly business: Business;
}

function fill(given: Readonly<Record<string, Value>>, { task, shown, business }: Place): Filled | null {
  const names = Object.keys(given);
  const fits = (intent: BusinessIntent) => names.every((name) => intent.parameters.some((each) => each.name === name));
  const take = (intent: BusinessIntent, values = given): Filled => ({
    intent,
    ...checkValues(values, intent, business),
  });
  const isChoice = shown === null ? given.choice !== undefined : shown.component.kind === "choices";
  const chosen = task === null || !isChoice ? null : offeredFor(task, shown);
  if (task !== null && chosen !== null && optionsOf(chosen, business).includes(String(given.choice))) {
    return take(task.intent, { [chosen.name]: given.choice! });
  }
  if (task !== null && fits(task.intent)) return take(task.intent);
  const intent = business.intents.find((each) => each.ask === "form" && fits(each));
  return intent === undefined ? null : take(intent);
}

/** What was asked with these choices; of choices that nobody remembers, what is asked for now. (SPEC A25) */
function offeredFor({ intent, asked, record }: Task, shown: Shown | null): ChoiceParameter | null {
  if (shown === null) return asked?.type === "choice" ? asked : null;
  if (shown.intentId !== record.intentId) return null;
  const offered = intent.parameters.find(({ question }) => question === shown.component.title);
  return offered?.type === "choice" ? offered : null;
}
