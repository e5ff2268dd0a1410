import type { Agent, AgentAnswer, AgentEvent, AgentTurn } from "../../server/messaging/agent.js";
import { type Business, defaultBusiness } from "../../server/messaging/business.js";
import { systemClock } from "../../server/clock.js";
import type { ChatMessage, Intent } from "../../server/messaging/model.js";
import { callAgent, type CheckedAnswer } from "../../server/messaging/steps/agent.js";
import { loadBusinesses } from "../../server/stores/business-files.js";

/** A Wednesday, ten in the morning in Bucharest. */
export const wednesday = Date.parse("2026-08-05T07:00:00.000Z");

const read = readDentist();

/** The practice that ships, the same object each time: what is read in a business is read once for each object. */
export function dentist(): Promise<Business> {
  return read;
}

async function readDentist(): Promise<Business> {
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
    offset: 1,
    timestamp: new Date(wednesday).toISOString(),
    answerId: "answer_1",
    history: [],
    business: defaultBusiness("B0100001", "Europe/Bucharest"),
    intent: null,
    suspended: null,
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

/** A conversation as the desk keeps it: what was said, what was shown with it, and the task that goes on. */
export class Conversation {
  readonly history: ChatMessage[] = [];
  intent: Intent | null = null;
  readonly #agent: Agent;
  #more: Partial<AgentTurn>;
  #said = 0;

  constructor(agent: Agent, more: Partial<AgentTurn>) {
    this.#agent = agent;
    this.#more = more;
  }

  /** What holds of all turns from now on: a business that was changed, say. */
  with(more: Partial<AgentTurn>): void {
    this.#more = { ...this.#more, ...more };
  }

  async say(message: string, data?: unknown): Promise<CheckedAnswer> {
    const turn = this.#turn(message, data);
    const answer = await callAgent(this.#agent, turn, systemClock, {
      timeoutMs: 120_000,
      maxAnswerBytes: 65_536,
      onDropped: (part) => void this.#refuse(part),
    });
    this.#keep(turn, answer);
    return answer;
  }

  /** Something that was asked and got no answer of the agent: cancelled, or failed. */
  leave(message: string): AgentTurn {
    const turn = this.#turn(message, undefined);
    this.#add("user", turn.messageId, { content: message });
    this.#add("system", `system_${this.#said}`, { metadata: { source: "websocket", inReplyTo: turn.messageId } });
    return turn;
  }

  /** Fills in, or chooses from, what was shown with an answer. */
  async fill({ components = [] }: CheckedAnswer, values: object): Promise<CheckedAnswer> {
    return this.say(Object.values(values).join("\n"), { componentId: components[0]!.componentId, values });
  }

  #turn(message: string, data: unknown): AgentTurn {
    const messageId = `message_${(this.#said += 1)}`;
    const given = { messageId, history: [...this.history], intent: this.intent, newId: () => `id_${messageId}` };
    return turnOf(message, { ...given, ...(data === undefined ? {} : { data }), ...this.#more });
  }

  #keep(turn: AgentTurn, answer: CheckedAnswer): void {
    const ofTask = answer.intent?.intentId ?? this.intent?.intentId;
    const { components = [], toolCalls = [], isComplete = true } = answer;
    this.#add("user", turn.messageId, { content: turn.message, data: turn.data });
    this.#add("agent", `answer_${this.#said}`, {
      content: answer.message,
      ...(components.length > 0 ? { data: { components } } : {}),
      metadata: {
        source: "websocket",
        inReplyTo: turn.messageId,
        ...(ofTask === undefined ? {} : { intentId: ofTask }),
        ...(toolCalls.length > 0 ? { toolCalls } : {}),
        isComplete,
      },
    });
    if (answer.intent !== undefined) this.intent = answer.intent?.status === "active" ? answer.intent : null;
  }

  #add(type: ChatMessage["type"], messageId: string, more: Partial<ChatMessage>): void {
    const of = { businessId: "B0100001", userId: type, sessionId: "session_1", timestamp: "2026-08-05T07:00:00.000Z" };
    const offset = this.history.length + 1;
    this.history.push({ ...of, messageId, offset, type, content: "", metadata: { source: "websocket" }, ...more });
  }

  #refuse(part: unknown): never {
    throw new Error(`the desk would leave out ${JSON.stringify(part)}`);
  }
}
