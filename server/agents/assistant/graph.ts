import { Annotation, END, type LangGraphRunnableConfig, START, StateGraph } from "@langchain/langgraph";
import type { AgentEvent, AgentTurn } from "../../messaging/agent.js";
import type { ChatModel } from "../model/chat-model.js";
import type { Tools } from "../tools/tool.js";
import type { AssistantState, Node } from "./node.js";
import type { Outcome } from "./outcome.js";
import { answer } from "./nodes/answer.js";
import { decidePlan } from "./nodes/decide.js";
import { recogniseIntent } from "./nodes/intent.js";
import { takeParameters } from "./nodes/parameters.js";
import { read } from "./nodes/read.js";
import { retrieveKnowledge } from "./nodes/retrieve.js";
import { consultModel, isForModel } from "./nodes/model.js";
import { callTool, toolToCall } from "./nodes/tool.js";

export interface GraphDeps {
  readonly tools: Tools;
  /** Writes what nobody wrote down; none: what was found is said as it is. */
  readonly model: ChatModel | null;
}

export interface AssistantGraph {
  /** What the nodes show, the answer last. It ends, without an answer, once the signal is aborted. */
  run(given: Pick<AssistantState, "turn" | "endsAt">, signal: AbortSignal): AsyncIterable<AgentEvent>;
}

const State = Annotation.Root({
  turn: Annotation<AgentTurn>,
  endsAt: Annotation<number>,
  task: Annotation<AssistantState["task"]>,
  submitted: Annotation<AssistantState["submitted"]>,
  recognised: Annotation<AssistantState["recognised"]>,
  found: Annotation<AssistantState["found"]>,
  plan: Annotation<AssistantState["plan"]>,
  outcome: Annotation<AssistantState["outcome"]>,
  written: Annotation<AssistantState["written"]>,
  refusedCall: Annotation<AssistantState["refusedCall"]>,
});

/**
 *     read ─┬─▶ intent ─▶ retrieve ─┬─▶ decide ─┬─▶ parameters ─┬─▶ tool ─▶ answer
 *           └─ something filled in ─┘           └─ to be told ──┴─ no tool ──┘
 *
 * Where there is a model, what would be told from the business's knowledge, or could not be, goes by way of it: it writes
 * the answer, or calls for an intent, on whose parameters the work then goes on.
 *
 * Nodes wire what is decided in pure functions. There is no checkpointer: all that is known between two turns is in the
 * store, and comes with the turn. Compiled once, it serves all turns at the same time.
 */
export function createGraph({ tools, model }: GraphDeps): AssistantGraph {
  // Where there is none, the node is never reached.
  const consulted = model === null ? () => ({}) : consultModel(model);
  const toTell = (outcome: Outcome) => (model !== null && isForModel(outcome) ? "model" : "answer");
  const graph = new StateGraph(State)
    .addNode("read", wrapped(read))
    .addNode("intent", wrapped(recogniseIntent))
    .addNode("retrieve", wrapped(retrieveKnowledge))
    .addNode("decide", wrapped(decidePlan))
    .addNode("parameters", wrapped(takeParameters))
    .addNode("tool", wrapped(callTool(tools)))
    .addNode("model", wrapped(consulted))
    .addNode("answer", wrapped(answer))
    .addEdge(START, "read")
    .addConditionalEdges("read", ({ submitted }) => (submitted === null ? "intent" : "decide"), ["intent", "decide"])
    .addEdge("intent", "retrieve")
    .addEdge("retrieve", "decide")
    .addConditionalEdges("decide", ({ plan, outcome }) => (plan.kind === "tell" ? toTell(outcome) : "parameters"), [
      "answer",
      "model",
      "parameters",
    ])
    .addConditionalEdges("parameters", ({ outcome }) => (toolToCall(outcome) === null ? toTell(outcome) : "tool"), [
      "answer",
      "model",
      "tool",
    ])
    // What it called for is begun or filled in, and then nothing is left that it would be asked for.
    .addConditionalEdges("model", ({ written }) => (written?.hasCalled === true ? "parameters" : "answer"), [
      "answer",
      "parameters",
    ])
    .addEdge("tool", "answer")
    .addEdge("answer", END)
    .compile();
  return { run };

  async function* run(given: Pick<AssistantState, "turn" | "endsAt">, signal: AbortSignal): AsyncGenerator<AgentEvent> {
    const left = new AbortController();
    const options = { streamMode: "custom", signal: AbortSignal.any([signal, left.signal]) } as const;
    try {
      const initial = {
        ...given,
        task: null,
        submitted: null,
        recognised: null,
        found: null,
        written: null,
        refusedCall: null,
      };
      for await (const event of await graph.stream(initial, options)) {
        signal.throwIfAborted();
        yield event as AgentEvent;
      }
    } finally {
      // A reader that has left wants nothing of what is still under way.
      left.abort();
    }
  }
}

/** A node of ours as one of LangGraph's. */
function wrapped(node: Node) {
  return async (state: typeof State.State, { writer, signal }: LangGraphRunnableConfig) =>
    node(state, { show: (event) => writer?.(event), signal: signal! });
}
