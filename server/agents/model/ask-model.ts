import { type AgentDelta, AgentError } from "../../messaging/agent.js";
import type { ChatModel } from "./chat-model.js";
import type { ModelTurn } from "./model-turn.js";
import { messagesFor } from "./prompt.js";
import { createToolbox, type ToolCall } from "./tools.js";

/** What came of asking a model. */
export type ModelOutcome =
  | ModelSaid
  /** Nothing of use, and nothing was shown: whoever asked can answer without it. */
  | { readonly kind: "failed"; readonly error: AgentError };

export interface ModelSaid {
  readonly kind: "said";
  /** All that was shown; empty when it called for something at once. */
  readonly text: string;
  /** What it called for; null: the text is the answer. */
  readonly call: ToolCall | null;
  /** Of question and answer together; null when the endpoint does not say. */
  readonly tokens: number | null;
}

/** Of the time that is left: then the model has begun, or there is time to answer without it. */
const beginShare = 2 / 3;

/**
 * Asks a model to answer a turn, and gives its text piece by piece, as it is safe to show.
 * @returns what it said when it was done; its text is all the deltas together
 * @throws AgentError when it failed after some of its text was shown, and whatever aborts the signal
 * @see SPEC A31 to A33
 */
export async function* askModel(
  model: ChatModel,
  asked: ModelTurn,
  signal: AbortSignal,
): AsyncGenerator<AgentDelta, ModelOutcome> {
  const { turn, task, around } = asked;
  const toolbox = createToolbox(turn.business, task);
  const beginMs = Math.max(1, (turn.deadline - turn.now) * beginShare);
  const reservedBytes = Buffer.byteLength(around.join(""));
  const request = { messages: messagesFor(asked), tools: toolbox.tools, beginMs, reservedBytes, signal };
  let text = "";
  let call: ToolCall | null = null;
  let tokens: number | null = null;
  try {
    for await (const event of model.complete(request)) {
      if (event.type === "delta") {
        const shown = showable(event.text, text === "");
        text += shown;
        if (shown !== "") yield { type: "delta", text: shown };
      } else if (event.type === "tool_call") {
        // One thing at a time: the first that there is. The rest can be said again.
        call ??= toolbox.read(event);
      } else {
        tokens = event.tokens;
      }
    }
    // It said something, but nothing that can be seen or done.
    if (text === "" && call === null) throw new AgentError("model_empty", { isThere: true });
    return { kind: "said", text, call, tokens };
  } catch (error) {
    if (signal.aborted || !(error instanceof AgentError)) throw error;
    // The assistant itself is there, whatever became of the model that wrote for it.
    if (text !== "") throw new AgentError(error.code, { isThere: true, cause: error });
    return { kind: "failed", error };
  }
}

/** Control characters, and those that turn the direction of what stands around them. Lines may end as they like. */
const unseen = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** An answer begins with something that is seen. */
function showable(text: string, isFirst: boolean): string {
  const clean = text.replace(unseen, (character) => (character === "\n" || character === "\t" ? character : ""));
  return isFirst ? clean.trimStart() : clean;
}
