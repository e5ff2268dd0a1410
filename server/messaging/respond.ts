import type { Code } from "../../protocol/codes.js";
import type { Clock } from "../clock.js";
import type { Agent, AgentAnswer, AgentTurn } from "./agent.js";
import { type Broadcast, broadcastOutcome } from "./broadcast.js";
import type { Business } from "./business.js";
import { answer, type Answered, type Head, type OpenTurn, type Outcome } from "./head.js";
import type { Ids } from "./ids.js";
import type { ChatMessage, User } from "./model.js";
import { AgentFailure, type AgentLimits, callAgent } from "./steps/agent.js";
import { onboard } from "./steps/onboarding.js";
import type { Store } from "./store.js";
import { failureText } from "./texts.js";
import { updateUser } from "./users.js";

/** One turn on its way to its outcome. */
export interface TurnRun {
  readonly head: Head;
  readonly turn: OpenTurn;
  readonly question: ChatMessage;
  readonly business: Business;
}

export interface Responder {
  /**
   * Takes one turn through its steps, in the order in which they stand here and only here.
   * @returns null when the turn had its outcome already, or when another node has the session
   * @throws StoreError
   */
  respond(run: TurnRun): Promise<Answered | null>;
  /** Ends a turn as `system` without asking the agent. */
  fail(run: TurnRun, code: Code): Promise<Answered | null>;
}

const historyDefault = 50;

export function createResponder(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly broadcast: Broadcast;
  readonly agentFor: (business: Business) => Agent;
  readonly limits: AgentLimits;
  /** Told why an agent gave no answer: the user learns only that there is none. */
  readonly onAgentFailure: (run: TurnRun, failure: AgentFailure) => void;
}): Responder {
  const { store, clock, ids } = deps;

  return { respond, fail: (run, code) => conclude(run, failedOutcome(run, code), null) };

  async function respond(run: TurnRun): Promise<Answered | null> {
    const user = await onboard(store, run.question);
    const agent = deps.agentFor(run.business);
    const outcome = await outcomeOf(agent, run, user);
    const greets = outcome.type === "agent" && agent.node === "agent" && !user.greeted;
    return conclude(run, outcome, greets ? user : null);
  }

  async function outcomeOf(agent: Agent, run: TurnRun, user: User): Promise<Outcome> {
    const startedAt = clock.monotonic();
    try {
      const answered = await callAgent(agent, await agentTurn(agent, run, user), clock, deps.limits);
      return answeredOutcome(run, agent, answered, Math.round(clock.monotonic() - startedAt));
    } catch (cause) {
      if (!(cause instanceof AgentFailure)) throw cause;
      deps.onAgentFailure(run, cause);
      return failedOutcome(run, cause.code);
    }
  }

  async function agentTurn(agent: Agent, { head, turn, question, business }: TurnRun, user: User): Promise<AgentTurn> {
    const { businessId, userId, sessionId, messageId, content, offset } = question;
    const limit = agent.historyMax ?? historyDefault;
    const history = limit === 0 ? [] : (await store.readMessages(sessionId, { before: offset, limit })).items;
    const now = clock.now();
    return {
      businessId,
      locationId: locationOf(business, turn.locationId),
      userId,
      sessionId,
      messageId,
      message: content,
      history,
      business,
      intent: head.intent,
      isFirstContact: !user.greeted,
      context: turn.context,
      deadline: now + deps.limits.timeoutMs,
      now,
      newId: () => ids.sortable(),
    };
  }

  /** The output step: the outcome is stored once, then told. */
  async function conclude(
    { head, question, business }: TurnRun,
    outcome: Outcome,
    greeted: User | null,
  ): Promise<Answered | null> {
    const fence = head.lease?.fence ?? -1;
    const cursor = ids.sortable();
    const answered = await store.changeSession(question.sessionId, (now) =>
      answer(now, question, outcome, { now: clock.now(), fence, cursor }),
    );
    if (answered === null) return null;
    broadcastOutcome(deps.broadcast, answered, business);
    if (greeted !== null) await updateUser(store, greeted, (user) => ({ ...user, greeted: true }));
    return answered;
  }

  function answeredOutcome({ question }: TurnRun, agent: Agent, answered: AgentAnswer, durationMs: number): Outcome {
    const { message, actions = [], isComplete = true, toolCalls, sources, tokens, intent } = answered;
    const responseId = ids.sortable();
    return {
      messageId: ids.sortable(),
      responseId,
      type: "agent",
      content: message,
      tokens: tokens ?? 0,
      ...(intent === undefined ? {} : { intent }),
      metadata: {
        ...answerMetadata(question, responseId),
        node: agent.node,
        actions,
        isComplete,
        durationMs,
        ...(toolCalls === undefined ? {} : { toolCalls }),
        ...(sources === undefined ? {} : { sources }),
        ...(tokens === undefined ? {} : { tokens }),
      },
    };
  }

  function failedOutcome({ question, business }: TurnRun, code: Code): Outcome {
    const responseId = ids.sortable();
    return {
      messageId: ids.sortable(),
      responseId,
      type: "system",
      content: failureText(business.locale, code),
      tokens: 0,
      metadata: { ...answerMetadata(question, responseId), code, isComplete: true },
    };
  }
}

// Old clients send `default`: what the business does not list counts as its first location. What was sent stays stored.
function locationOf({ locations }: Business, given: string): string {
  const isListed = locations.some(({ locationId }) => locationId === given);
  return isListed ? given : (locations[0]?.locationId ?? given);
}

function answerMetadata({ messageId, metadata }: ChatMessage, responseId: string) {
  const { source, chatId, connectionId } = metadata;
  return {
    source,
    responseId,
    inReplyTo: messageId,
    ...(chatId === undefined ? {} : { chatId }),
    ...(connectionId === undefined ? {} : { connectionId }),
  };
}
