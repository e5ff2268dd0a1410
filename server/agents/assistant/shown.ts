import * as z from "zod";
import { type Component, componentsOf } from "../../messaging/components.js";
import type { ChatMessage } from "../../messaging/model.js";

/** Something to fill in or to choose that stands in the history. */
export interface Shown {
  readonly component: Component;
  /** Of the task that it asked for. */
  readonly intentId: string | undefined;
  /** What was said when a task to which it was an answer was completed; null: none was. (SPEC A24) */
  readonly settled: string | null;
}

const submitted = z.object({ componentId: z.string() });

/** Null for what was shown too long ago to be in the history. */
export function shownIn(history: readonly ChatMessage[], componentId: string): Shown | null {
  for (const answer of history) {
    const component = componentsOf(answer).find((each) => each.componentId === componentId);
    if (component === undefined) continue;
    const { intentId } = answer.metadata;
    return { component, intentId, settled: settledBy(history, componentId, intentId) };
  }
  return null;
}

/** Which component a message answers, or null. */
export function componentIdOf(data: unknown): string | null {
  const parsed = submitted.safeParse(data);
  return parsed.success ? parsed.data.componentId : null;
}

/** By the task that showed it, or by one that an answer to it began later. */
function settledBy(history: readonly ChatMessage[], componentId: string, intentId: string | undefined): string | null {
  const answers = history.filter(({ type, data }) => type === "user" && componentIdOf(data) === componentId);
  const answered = new Set(answers.map(({ messageId }) => messageId));
  const begun = history.filter(({ metadata: { inReplyTo } }) => inReplyTo !== undefined && answered.has(inReplyTo));
  const ids = new Set([intentId, ...begun.map(({ metadata }) => metadata.intentId)]);
  const completing = history.find((message) => isCompletion(message) && ids.has(message.metadata.intentId));
  return completing?.content ?? null;
}

/** Whether a task was completed by this answer: nothing else that is complete carries what was done. (SPEC A22) */
export function isCompletion({ type, metadata: { intentId, isComplete, toolCalls } }: ChatMessage): boolean {
  return type === "agent" && intentId !== undefined && isComplete === true && toolCalls !== undefined;
}
