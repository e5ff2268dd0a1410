import type { ToolOutcome } from "../tools/tool.js";
import type { Found } from "./retrieve.js";
import type { Task } from "./task.js";

/** What the user is to be told: decided, not yet in words. Whoever words it can change nothing of it. */
export type Outcome =
  /** What the business's knowledge says; in the middle of a task its open question follows. */
  | { readonly kind: "found"; readonly found: Found; readonly task: Task | null }
  /** There was nothing to be answered. In the middle of a task its open question follows; so it does of the next two. */
  | { readonly kind: "courtesy"; readonly courtesy: "help" | "welcome"; readonly task: Task | null }
  /** Nobody wrote down what would answer this. */
  | { readonly kind: "unknown"; readonly task: Task | null }
  /** What was filled in was filled in before, and that was done: what was said then. */
  | { readonly kind: "settled"; readonly said: string; readonly task: Task | null }
  /** The user does not want it any more. */
  | { readonly kind: "abandoned"; readonly task: Task }
  /** The message was no answer to what was asked for: it is asked for again, saying what is expected. */
  | { readonly kind: "unclear"; readonly task: Task }
  | Written
  | Asking
  | Complete;

/** A model wrote the answer; in the middle of a task its open question follows. */
export interface Written {
  readonly kind: "written";
  readonly text: string;
  /** Titles of what it was given to answer from. */
  readonly sources: readonly string[];
  readonly task: Task | null;
}

/** Something is still missing. */
export interface Asking {
  readonly kind: "asking";
  readonly task: Task;
  /** Said before the question: how it begins, and what could not be taken. */
  readonly lead: readonly string[];
  /** All that is missing at once. */
  readonly byForm: boolean;
  /** Titles of what was answered on the way. Default: none. */
  readonly sources?: readonly string[];
}

/** Nothing is missing. It is done by that, or by its tool. */
export interface Complete {
  readonly kind: "complete";
  readonly task: Task;
  readonly lead: readonly string[];
  /** What came of its tool; null: it has none, or it was not called yet. */
  readonly called: ToolOutcome | null;
}
