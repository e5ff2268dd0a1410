import { askModel, type ModelSaid } from "../../model/ask-model.js";
import type { ChatModel } from "../../model/chat-model.js";
import type { OpenTask } from "../../model/model-turn.js";
import type { Plan } from "../decide.js";
import type { AssistantState, Node, NodeContext } from "../node.js";
import type { Outcome } from "../outcome.js";
import { leftTask } from "../resuming.js";
import { onlySaid } from "../only-said.js";
import { passagesFor } from "../retrieve.js";
import type { Task } from "../task.js";
import { textsOf } from "../texts.js";
import { checkValues } from "../values.js";

/** What a model may word, or see more in: all else is settled, and in the business's own words. */
const open: ReadonlySet<Outcome["kind"]> = new Set<Outcome["kind"]>(["found", "unknown", "unclear"]);

/** Whether a model is asked what to answer, instead of saying what was decided without it. */
export function isForModel(outcome: Outcome): boolean {
  return open.has(outcome.kind);
}

/**
 * Has the model write the answer, or find out what the user wants done. When it fails, what was decided without it
 * stays. (SPEC A32, A33)
 */
export function consultModel(model: ChatModel): Node {
  return async (state, context) => {
    const { turn, task, found } = state;
    const passages = passagesFor(turn.message, turn.business, found);
    const around = [leadOf(turn), ...(task?.asked ? ["\n\n", task.asked.question] : [])];
    const said = await listen(model, { turn, passages, task: openTask(task), around }, context);
    if (said === null) return {};
    const { text, call, tokens } = said;
    const written = {
      shown: text === "" ? "" : leadOf(turn) + text,
      before: call === null ? "" : text,
      hasCalled: call?.kind === "intent",
      tokens,
    };
    if (call === null) {
      const sources = [...new Set(passages.map(({ title }) => title))];
      return { written, outcome: { kind: "written", text, sources, task } };
    }
    if (call.kind === "person") return { written, outcome: { kind: "unknown", task: null } };
    const begun = task ?? leftTask(turn);
    const own = begun?.intent === call.intent ? begun : null;
    const values = onlySaid(checkValues(call.values, call.intent, turn.business).values, call.intent, turn, own);
    return { written, plan: planFor(own, call.intent, values) };
  };
}

/** What opens the answer, before anything that a model writes. */
export function leadOf({ isFirstContact, business }: AssistantState["turn"]): string {
  return isFirstContact ? `${business.greeting} ` : "";
}

/** What the model said, shown as it comes; null when it said nothing that can be used. */
async function listen(
  model: ChatModel,
  asked: Parameters<typeof askModel>[1],
  { show, signal }: NodeContext,
): Promise<ModelSaid | null> {
  const { turn } = asked;
  const label = textsOf(turn.business.locale).steps.response;
  const tell = (status: "started" | "done" | "failed") => show({ type: "thinking", step: "response", label, status });
  tell("started");
  let isWriting = false;
  const words = askModel(model, asked, signal);
  for (;;) {
    const next = await words.next();
    if (next.done === true) {
      const { value } = next;
      if (!isWriting) tell(value.kind === "failed" ? "failed" : "done");
      return value.kind === "failed" ? null : value;
    }
    // Steps end before the text. (SPEC M47)
    if (!isWriting) tell("done");
    show({ type: "delta", text: isWriting ? next.value.text : leadOf(turn) + next.value.text });
    isWriting = true;
  }
}

function openTask(task: Task | null): OpenTask | null {
  return task && { intent: task.intent, values: task.values, question: task.asked?.question ?? null };
}

function planFor(task: Task | null, intent: Task["intent"], values: ReadonlyMap<string, string>): Plan {
  return task !== null
    ? { kind: "fill", task, filled: { intent, values, problems: [] } }
    : { kind: "begin", intent, values };
}
