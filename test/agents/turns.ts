import type { Agent, AgentAnswer, AgentEvent, AgentTurn } from "../../server/messaging/agent.js";
import { type Business, defaultBusiness } from "../../server/messaging/business.js";
import type { Intent } from "../../server/messaging/model.js";
import { loadBusinesses } from "../../server/stores/business-files.js";

/** A Wednesday, ten in the morning in Bucharest. */
export const wednesday = Date.parse("2026-08-05T07:00:00.000Z");

export async function dentist(): Promise<Business> {
  const business = (await loadBusinesses("businesses")).get("B0100001");
  if (business === undefined) throw new Error("businesses/B0100001.yaml is not there");
  return business;
}

export function turnOf(message: string, more: Partial<AgentTurn> = {}): AgentTurn {
  let ids = 0;
  return {
    businessId: "B0100001",
    locationId: "L0100001",
    userId: "user_123",
    sessionId: "session_1",
    messageId: "message_1",
    message,
    history: [],
    business: defaultBusiness("B0100001", "Europe/Bucharest"),
    intent: null,
    isFirstContact: false,
    context: {},
    deadline: wednesday + 30_000,
    now: wednesday,
    newId: () => `id_${(ids += 1)}`,
    ...more,
  };
}

export async function eventsOf(
  agent: Agent,
  turn: AgentTurn,
  signal = new AbortController().signal,
): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const event of agent.answer(turn, signal)) events.push(event);
  return events;
}

export async function answerOf(agent: Agent, turn: AgentTurn): Promise<AgentAnswer> {
  const last = (await eventsOf(agent, turn)).at(-1);
  if (last?.type !== "answer") throw new Error("the last event is no answer");
  return last;
}

/** A user who keeps talking: each answer's intent is given back with the next message, as the desk does it. */
export function createTalk(agent: Agent, more: Partial<AgentTurn>): (message: string) => Promise<AgentAnswer> {
  let intent: Intent | null = null;
  return async (message) => {
    const answer = await answerOf(agent, turnOf(message, { ...more, intent }));
    if (answer.intent !== undefined) intent = answer.intent;
    return answer;
  };
}
