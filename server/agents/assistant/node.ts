import type { AgentEvent, AgentTurn } from "../../messaging/agent.js";
import type { Plan } from "./decide.js";
import type { Submitted } from "./filled.js";
import type { Outcome } from "./outcome.js";
import type { Recognised } from "./recognise.js";
import type { Found } from "./retrieve.js";
import type { Task } from "./task.js";
import { type Step, textsOf } from "./texts.js";

/** What a model said on the way to the answer. */
export interface Said {
  /** All that was shown of the answer, its greeting included. */
  readonly shown: string;
  /** What it wrote before it called for something. */
  readonly before: string;
  /** An intent: its parameters come next. */
  readonly hasCalled: boolean;
  readonly tokens: number | null;
}

/** What is known of a turn on its way through the graph. Each node adds what it has found out. */
export interface AssistantState {
  readonly turn: AgentTurn;
  /** On the monotonic clock, in ms: what takes time is over by then, so that the user can still be told. */
  readonly endsAt: number;
  readonly task: Task | null;
  readonly submitted: Submitted | null;
  readonly recognised: Recognised | null;
  readonly found: Found | null;
  readonly plan: Plan;
  readonly outcome: Outcome;
  /** What a model has written so far; null: it was not asked, or failed. */
  readonly written: Said | null;
  /** What is kept of a tool's call whose outcome is asked about again. */
  readonly refusedCall: Readonly<Record<string, unknown>> | null;
}

/** What the graph gives a node beside the state. */
export interface NodeContext {
  readonly show: (event: AgentEvent) => void;
  readonly signal: AbortSignal;
}

export type Node = (
  state: AssistantState,
  context: NodeContext,
) => Partial<AssistantState> | Promise<Partial<AssistantState>>;

/** One stage of an answer, shown while it runs. @param isFailed says of what came out that it is no good */
export async function step<Out>(
  name: Step,
  { turn }: AssistantState,
  { show }: NodeContext,
  run: () => Out | Promise<Out>,
  isFailed: (out: Out) => boolean = () => false,
): Promise<Out> {
  const label = textsOf(turn.business.locale).steps[name];
  show({ type: "thinking", step: name, label, status: "started" });
  const out = await run();
  show({ type: "thinking", step: name, label, status: isFailed(out) ? "failed" : "done" });
  return out;
}
