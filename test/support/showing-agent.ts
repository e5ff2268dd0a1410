import type { Agent, AgentEvent, AgentTurn } from "../../server/messaging/agent.js";
import type { Intent } from "../../server/messaging/model.js";

/** Longer than a step lasts before it is shown. */
const stepMs = 250;

/** An agent that shows all there is to show on its way to the answer to one message; the others it says back at once. */
export function showingAgent(message: string): Agent {
  return { node: "echo", historyMax: 0, answer: (turn) => answer(turn, turn.message === message) };
}

async function* answer(turn: AgentTurn, isShown: boolean): AsyncGenerator<AgentEvent> {
  const { message } = turn;
  if (isShown) {
    yield { type: "thinking", step: "retrieval", label: "Looking it up", status: "started" };
    await new Promise((resolve) => setTimeout(resolve, stepMs));
    yield { type: "thinking", step: "retrieval", label: "Looked it up", status: "done" };
    yield { type: "delta", text: message };
    yield { type: "component", kind: "choices", title: "Which?", choices: [{ value: "1", label: "One" }] };
  }
  yield { type: "answer", message, ...(isShown ? { intent: intentOf(turn) } : {}) };
}

function intentOf({ businessId, userId, sessionId, newId, now }: AgentTurn): Intent {
  const at = new Date(now).toISOString();
  const state = { status: "active", parameters: {}, missing: [], createdAt: at, updatedAt: at } as const;
  return { intentId: newId(), businessId, userId, sessionId, name: "booking", ...state };
}
