import type { Code } from "../../protocol/codes.js";
import type { Clock } from "../clock.js";
import type { Agent, AgentTurn } from "./agent.js";
import { type NewAside, stepsMax, storeAside } from "./asides.js";
import { tell } from "./audience.js";
import { type Broadcast, broadcastOutcome, draftEvent, tellIntent, tellSession } from "./broadcast.js";
import { type Business, inLocale } from "./business.js";
import type { ComponentsData } from "./components.js";
import { answer, type Answered, type Head, type Outcome } from "./head.js";
import { withoutWriter } from "./history.js";
import { counterpartOf, type Ids } from "./ids.js";
import type { ChatMessage, Session, User } from "./model.js";
import type { OpenTurn } from "./open-turns.js";
import { seenOn } from "./outbound.js";
import type { Run, Runs, TimedStep } from "./runs.js";
import {
  AgentFailure,
  type AgentLimits,
  callAgent,
  type CheckedAnswer,
  type Dropped,
  type ShownEvent,
  TurnWithdrawn,
} from "./steps/agent.js";
import type { AgentSlots } from "./steps/agent-slots.js";
import { answerCommand, type Command, commandHistoryMax, localeOf, parseCommand } from "./steps/command.js";
import { onboard } from "./steps/onboarding.js";
import { readQuestions } from "./questions.js";
import type { Store } from "./store.js";
import { failureText, stepText } from "./texts.js";
import { updateUser } from "./users.js";

/** One turn on its way to its outcome. */
export interface TurnRun {
  readonly head: Head;
  readonly turn: OpenTurn;
  readonly question: ChatMessage;
  readonly business: Business;
  /** Whether a coordinator took the session since `head` was looked at. */
  readonly isTaken: () => boolean;
  /** Told that its agent is left alone: it waits, and takes no place of another's meanwhile. (SPEC A11) */
  readonly onAway: () => void;
}

export interface Responder {
  /**
   * Takes one turn through its steps, in the order in which they stand here and only here.
   * @returns null when the turn had its outcome already, when another node or, but for a command, a coordinator has the
   * session, or when it waited for its agent while the slots were closed
   * @throws StoreError
   */
  respond(run: TurnRun): Promise<Answered | null>;
}

const historyDefault = 50;

export function createResponder(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly broadcast: Broadcast;
  readonly agentFor: (business: Business, session: Session) => Agent;
  /** Where what an agent says in the course of its answer is shown. */
  readonly runs: Runs;
  readonly slots: Pick<AgentSlots, "slotFor">;
  readonly limits: AgentLimits;
  /** Told of each session as an outcome left it. */
  readonly onAnswered: (head: Head) => void;
  /** Told of each part of what an agent said that was left out. */
  readonly onDropped: (run: TurnRun, part: Dropped) => void;
  /** Told why an agent gave no answer: the user learns only that there is none. */
  readonly onAgentFailure: (run: TurnRun, failure: AgentFailure) => void;
}): Responder {
  const { store, clock, ids } = deps;

  return { respond };

  async function respond(run: TurnRun): Promise<Answered | null> {
    const user = await onboard(store, run.question, { platform: seenOn(run.question) });
    // What the server itself says is said in the user's own language.
    const own: TurnRun = { ...run, business: inLocale(run.business, localeOf(user, run.business)) };
    const command = parseCommand(run.question.content);
    if (command !== null) return conclude(own, await commandOutcome(own, command, user), null);
    const agent = deps.agentFor(run.business, run.head.session);
    const outcome = await outcomeOf(agent, own, user);
    if (outcome === null) return null;
    const greets = outcome.type === "agent" && agent.node === "agent" && !user.greeted;
    return conclude(own, outcome, greets ? user : null);
  }

  async function commandOutcome(run: TurnRun, command: Command, user: User): Promise<Outcome> {
    const { question, business } = run;
    const history = command.name === "history" ? await historyOf(run, commandHistoryMax) : [];
    const { content, status, locale, wantsHuman, greets } = answerCommand(command, business, history);
    if (locale !== undefined) await updateUser(store, user, (known) => ({ ...known, locale }));
    if (greets === true) await updateUser(store, user, (known) => ({ ...known, greeted: true }));
    const responseId = ids.sortable();
    return {
      messageId: outcomeIdOf(run),
      responseId,
      type: "agent",
      content,
      tokens: 0,
      ...(status === undefined ? {} : { status }),
      ...(wantsHuman === undefined ? {} : { context: { wantsHuman } }),
      metadata: { ...answerMetadata(question, responseId), node: "command", isComplete: true },
    };
  }

  /** @returns null when nobody is to answer it now */
  async function outcomeOf(agent: Agent, run: TurnRun, user: User): Promise<Outcome | null> {
    const { businessId, userId, sessionId, messageId } = run.question;
    const [answerId, responseId] = [outcomeIdOf(run), ids.sortable()];
    const { onAway, turn } = run;
    const slot = deps.slots.slotFor(agent, { businessId, since: Date.parse(turn.admittedAt), onAway });
    // From here on the answer is in the making: it can be cancelled, and taken over, also while it waits.
    const shown = deps.runs.begin({ businessId, userId, sessionId, messageId, responseId }, () => {
      slot.withdraw();
      agent.onSilenced?.({ businessId, messageId });
    });
    const { controller } = shown;
    try {
      // Taken over before there was anything to silence.
      if (run.isTaken()) throw new TurnWithdrawn();
      shown.step({ step: "processing", label: stepText(run.business.locale, "processing"), status: "started" });
      await slot.enter(controller.signal);
      const startedAt = clock.monotonic();
      const onEvent = (event: ShownEvent) => show(shown, event);
      const onDropped = (part: Dropped) => deps.onDropped(run, part);
      // For speed, what is new stands before what is copied. (CONTRIBUTING.md)
      const options = { slot, controller, onEvent, onDropped, ...deps.limits };
      const answered = await callAgent(agent, await agentTurn(agent, run, { user, answerId }), clock, options);
      shown.endSteps("done");
      const durationMs = Math.round(clock.monotonic() - startedAt);
      const outcome = answeredOutcome(run, { agent, answered, answerId, responseId, durationMs });
      return withThinking(outcome, run.question, shown.shown);
    } catch (cause) {
      if (cause instanceof TurnWithdrawn) return null;
      if (!(cause instanceof AgentFailure)) throw cause;
      // Who does not want an answer any more blames nobody for it.
      if (cause.code !== "cancelled") deps.onAgentFailure(run, cause);
      shown.endSteps("failed");
      return withThinking(failedOutcome(run, cause.code, responseId), run.question, shown.shown);
    } finally {
      slot.end();
      shown.end();
    }
  }

  async function agentTurn(
    agent: Agent,
    run: TurnRun,
    { user, answerId }: { readonly user: User; readonly answerId: string },
  ): Promise<AgentTurn> {
    const { head, turn, question, business } = run;
    const { businessId, userId, sessionId, messageId, content, offset, timestamp, data, metadata } = question;
    const limit = agent.historyMax ?? historyDefault;
    const history = limit === 0 ? [] : await historyOf(run, limit);
    const now = clock.now();
    return {
      businessId,
      locationId: locationOf(business, turn.locationId),
      userId,
      sessionId,
      messageId,
      message: content,
      offset,
      timestamp,
      ...(data === undefined ? {} : { data }),
      answerId,
      history,
      business,
      ...(metadata.chatId === undefined ? {} : { chatId: metadata.chatId }),
      intent: head.intent,
      suspended: head.suspended ?? null,
      isFirstContact: !user.greeted,
      context: turn.context,
      deadline: now + deps.limits.timeoutMs,
      now,
      newId: () => ids.sortable(),
    };
  }

  /** What was said before the question, and what was answered since: what others asked behind it is still to come. */
  async function historyOf({ head, question }: TurnRun, limit: number): Promise<readonly ChatMessage[]> {
    const { sessionId, offset } = question;
    const later = head.session.offset - offset;
    if (later === 0) return (await store.readMessages(sessionId, { before: offset, limit })).items.map(withoutWriter);
    const { items } = await store.readMessages(sessionId, { limit: limit + later + 1 });
    const heard = items.filter((message) => message.offset < offset || message.type !== "user").slice(-limit);
    return heard.map(withoutWriter);
  }

  /** The output step: the outcome is stored once, then told. */
  async function conclude(
    { head, turn, question, business }: TurnRun,
    outcome: Outcome,
    greeted: User | null,
  ): Promise<Answered | null> {
    const { sessionId } = question;
    const fence = head.lease?.fence ?? -1;
    const questions = await readQuestions(deps, sessionId, turn.earlier ?? []);
    const cursor = ids.sortable();
    let decided: Answered | null = null;
    let isHeld = false;
    const written = await store.changeSession(sessionId, (now) => {
      const change = answer(now, question, outcome, { now: clock.now(), fence, cursor, questions });
      decided = change.result ?? decided;
      isHeld = now.session.holder !== undefined;
      return change;
    });
    const answered = written ?? (decided === null ? null : await unanswered(decided));
    const isOfAgent = outcome.type === "agent" && outcome.metadata.node !== "command";
    if (answered === null && isHeld && isOfAgent) await keepDraft(question, outcome);
    if (answered === null) return null;
    broadcastOutcome(deps.broadcast, answered, { business, session: answered.head.session });
    if (outcome.status !== undefined) tellSession(deps.broadcast, answered.head.session);
    for (const intent of answered.intents) tellIntent(deps.broadcast, intent);
    deps.onAnswered(answered.head);
    if (greeted !== null) await updateUser(store, greeted, (user) => ({ ...user, greeted: true }));
    return answered;
  }

  /** What an agent finishes too late is its coordinators' to read, and nobody else's. (SPEC M36) */
  async function keepDraft(question: ChatMessage, outcome: Outcome): Promise<void> {
    const { content, metadata } = outcome;
    const timestamp = new Date(clock.now()).toISOString();
    // The outcome that the turn has after all may have the id that this one would have had.
    const draft: NewAside = { messageId: ids.sortable(), userId: "agent", content, type: "draft", timestamp, metadata };
    const { kind } = await storeAside(store, question.sessionId, draft);
    if (kind !== "gone") tell(deps.broadcast, "draft", question, draftEvent(question, outcome, timestamp));
  }

  function withThinking(outcome: Outcome, question: ChatMessage, steps: readonly TimedStep[]): Outcome {
    if (steps.length === 0) return outcome;
    const metadata = answerMetadata(question, outcome.responseId);
    const thinking = steps.slice(-stepsMax).map(({ step, label, status, timestamp }): NewAside => ({
      messageId: ids.sortable(),
      userId: "agent",
      content: label,
      data: { step, status },
      type: "thinking",
      timestamp,
      metadata,
    }));
    return { ...outcome, thinking };
  }

  /** Asked again, an outcome finds its turn gone: maybe because it was written itself, and only the store's answer was lost. */
  async function unanswered(decided: Answered): Promise<Answered | null> {
    const { sessionId, messageId, metadata } = decided.message;
    const message = await store.findMessage(sessionId, messageId);
    if (message === null || message.metadata.responseId !== metadata.responseId) return null;
    const head = await store.readHead(sessionId);
    return head === null ? null : { ...decided, message, head };
  }

  /** What is asked in a chat knows the id of its response beforehand. (SPEC H32) */
  function outcomeIdOf({ head, question }: TurnRun): string {
    return head.session.kind === "chat" ? counterpartOf(question.messageId) : ids.sortable();
  }

  function answeredOutcome(
    { question }: TurnRun,
    { agent, answered, answerId, responseId, durationMs }: AgentResult,
  ): Outcome {
    const { message, components, actions = [], isComplete = true, toolCalls, sources, tokens, intent } = answered;
    return {
      messageId: answerId,
      responseId,
      type: "agent",
      content: message,
      ...(components === undefined ? {} : { data: { components } satisfies ComponentsData }),
      tokens: tokens ?? 0,
      ...(intent === undefined ? {} : { intent }),
      // For speed, what is new stands before what is copied. (CONTRIBUTING.md)
      metadata: {
        node: agent.node,
        actions,
        isComplete,
        durationMs,
        ...answerMetadata(question, responseId),
        ...(toolCalls === undefined ? {} : { toolCalls }),
        ...(sources === undefined ? {} : { sources }),
        ...(tokens === undefined ? {} : { tokens }),
      },
    };
  }

  /** @param responseId of what was shown of the answer, whose place it takes (SPEC M41) */
  function failedOutcome(run: TurnRun, code: Code, responseId: string): Outcome {
    const { question, business } = run;
    return {
      messageId: outcomeIdOf(run),
      responseId,
      type: "system",
      content: failureText(business.locale, code),
      tokens: 0,
      metadata: { ...answerMetadata(question, responseId), code, isComplete: true },
    };
  }
}

interface AgentResult {
  readonly agent: Agent;
  readonly answered: CheckedAnswer;
  /** By which its components are known. */
  readonly answerId: string;
  /** By which its deltas are known. */
  readonly responseId: string;
  readonly durationMs: number;
}

function show(run: Run, event: ShownEvent): void {
  switch (event.type) {
    case "thinking":
      return run.step({ step: event.step, label: event.label, status: event.status });
    case "delta":
      return run.delta(event.text);
    case "component":
      return run.component(event.component);
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
