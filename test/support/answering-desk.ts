import { expect } from "@jest/globals";
import type { Clock } from "../../server/clock.js";
import type { Agent } from "../../server/messaging/agent.js";
import { type Business, defaultBusiness } from "../../server/messaging/business.js";
import { tellIntent, tellSession } from "../../server/messaging/broadcast.js";
import { type Accepted, createConversations } from "../../server/messaging/conversations.js";
import type { Lease } from "../../server/messaging/head.js";
import { createIds } from "../../server/messaging/ids.js";
import type { ChatMessage, Session } from "../../server/messaging/model.js";
import { createRuns, type Runs } from "../../server/messaging/runs.js";
import { createResponder, type Responder } from "../../server/messaging/respond.js";
import { readCurrentSession } from "../../server/messaging/sessions.js";
import type { AgentFailure, Dropped } from "../../server/messaging/steps/agent.js";
import { createAgentHealths } from "../../server/messaging/steps/agent-health.js";
import { AgentSlots } from "../../server/messaging/steps/agent-slots.js";
import type { Store } from "../../server/messaging/store.js";
import type { Place } from "../../server/messaging/backlog.js";
import { createTurns, type Turns } from "../../server/messaging/turns.js";
import type { DeskEvents, DeskTelemetry } from "../../server/desk-telemetry.js";
import { Telemetry } from "../../server/telemetry.js";
import { intentLife, userMessageOf } from "./heads.js";
import { ScriptedAgent } from "./scripted-agent.js";
import type { TemporaryStore } from "./temporary-store.js";
import { until } from "./until.js";

export const turnLimits = { agentTimeoutMs: 30_000, waitMs: 20_000, maxAnswerBytes: 1000 };

/** What all processes of a test have in common. */
export interface Shared {
  readonly under: TemporaryStore;
  readonly clock: Clock;
}

export interface DeskOptions {
  readonly node?: string;
  readonly store?: Store;
  readonly agent?: Agent;
  /** Whose messages are stored. */
  readonly businessId?: string;
  /** The agents of some businesses. */
  readonly agents?: Readonly<Record<string, Agent>>;
  readonly locale?: Business["locale"];
  readonly concurrency?: number;
  /** How long a turn waits for its agent, and then for the answer. */
  readonly timeoutMs?: number;
  readonly maxTakenUp?: number;
  readonly maxAway?: number;
  readonly maxBacklog?: number;
  readonly maxBacklogPerBusiness?: number;
  readonly maxBacklogPerUser?: number;
  readonly isAbandoned?: (lease: Lease) => boolean;
  readonly telemetry?: DeskTelemetry;
  readonly around?: (responder: Responder) => Responder;
}

export interface Told {
  readonly topic: string;
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export const noPlace: Place = { release: () => undefined };

/** One process that answers, without sockets. Several of them share the store. */
export class AnsweringDesk {
  readonly agent = new ScriptedAgent();
  readonly telemetry: DeskTelemetry;
  readonly turns: Turns;
  readonly runs: Runs;
  readonly told: Told[] = [];
  /** What was shown of answers in the making. */
  readonly shown: Told[] = [];
  readonly failures: AgentFailure[] = [];
  readonly dropped: Dropped[] = [];
  readonly #under: TemporaryStore;
  readonly #clock: Clock;
  readonly #business: Business;
  readonly #node: string;
  #answersAtOnce = false;

  constructor({ under, clock }: Shared, options: DeskOptions = {}) {
    const { node = "first", store = under.store, around = (responder) => responder } = options;
    this.#node = node;
    this.#under = under;
    this.#clock = clock;
    this.telemetry = options.telemetry ?? new Telemetry<DeskEvents>();
    this.#business = { ...defaultBusiness(options.businessId ?? "B1", "UTC"), locale: options.locale ?? "en" };
    this.runs = createRuns({
      clock,
      tell: (event, { userId }, payload) => void this.shown.push({ topic: `user:B1:${userId}`, event, payload }),
    });
    const healths = createAgentHealths(clock, { random: () => 0 });
    const { waitMs, agentTimeoutMs, maxAnswerBytes } = turnLimits;
    const { timeoutMs } = options;
    const slots = new AgentSlots({ clock, healths, max: options.concurrency ?? 64, waitMs: timeoutMs ?? waitMs });
    const responder = createResponder({
      store,
      clock,
      ids: createIds(clock),
      broadcast: (topic, event, payload) => void this.told.push({ topic, event, payload }),
      agentFor: ({ businessId }) => options.agents?.[businessId] ?? options.agent ?? this.#scripted(),
      runs: this.runs,
      slots,
      limits: { timeoutMs: timeoutMs ?? agentTimeoutMs, maxAnswerBytes, healths },
      onAnswered: () => undefined,
      onDropped: (_run, part) => void this.dropped.push(part),
      onAgentFailure: (_run, failure) => void this.failures.push(failure),
    });
    this.turns = createTurns({
      store,
      clock,
      telemetry: this.telemetry,
      responder: around(responder),
      businessOf: (businessId) => ({ ...this.#business, businessId }),
      node,
      isAbandoned: options.isAbandoned ?? (() => true),
      onReleased: this.#onChanged,
      onUnsent: () => undefined,
      slots,
      maxTakenUp: options.maxTakenUp ?? 1000,
      maxAway: options.maxAway ?? 1000,
      maxBacklog: options.maxBacklog ?? 1000,
      maxBacklogPerBusiness: options.maxBacklogPerBusiness ?? 1000,
      maxBacklogPerUser: options.maxBacklogPerUser ?? 1000,
    });
  }

  readonly #onChanged = (session: Session): void =>
    tellSession((topic, event, payload) => void this.told.push({ topic, event, payload }), session);

  get node(): string {
    return this.#node;
  }

  /** From now on the agent answers without being told to. */
  agentAnswersAtOnce(): void {
    this.#answersAtOnce = true;
  }

  /** Stores a message, and lets it be answered. */
  async say(userId: string, text: string): Promise<Accepted> {
    const place = this.turns.reserve({ businessId: "B1", userId });
    if (place === null) throw new Error("no place");
    const accepted = await this.store(userId, text);
    this.turns.admitted(accepted, place);
    return accepted;
  }

  /** The same, but the message is admitted so many microtasks after the promise resolves. */
  async sayAfter(ticks: number, userId: string, text: string): Promise<void> {
    const place = this.turns.reserve({ businessId: "B1", userId })!;
    const accepted = await this.store(userId, text);
    const admit = (left: number) => {
      if (left === 0) this.turns.admitted(accepted, place);
      else queueMicrotask(() => admit(left - 1));
    };
    admit(ticks);
  }

  /** Stores a message, and dies. */
  async store(userId: string, content: string, store: Store = this.#under.store): Promise<Accepted> {
    const clock = this.#clock;
    const ids = createIds(clock);
    const conversations = createConversations({
      store,
      clock,
      ids,
      node: this.#node,
      onError: () => undefined,
      onChanged: this.#onChanged,
      onIntent: (intent) =>
        tellIntent((topic, event, payload) => void this.told.push({ topic, event, payload }), intent),
      intentLife,
    });
    const accepted = await conversations.accept(userMessageOf(this.#business, userId, content));
    if (!accepted.ok) throw new Error(accepted.reason);
    return accepted.value;
  }

  heard(event: string): Told[] {
    return this.told.filter((told) => told.event === event);
  }

  async rowsOf(userId: string): Promise<readonly ChatMessage[]> {
    const current = await readCurrentSession(this.#under.store, { businessId: "B1", userId });
    return current === null
      ? []
      : (await this.#under.store.readMessages(current.value.sessionId, { limit: 200 })).items;
  }

  async answersOf(userId: string): Promise<readonly ChatMessage[]> {
    return (await this.rowsOf(userId)).filter(({ type }) => type !== "user");
  }

  /** Waits for so many outcomes; there must not be more. @returns all that was said */
  async untilAnswered(userId: string, count: number): Promise<readonly ChatMessage[]> {
    let answers = 0;
    const look = async () => {
      answers = (await this.answersOf(userId)).length;
    };
    await until(`${count} answers to ${userId}`, () => {
      void look();
      return answers >= count;
    });
    expect(await this.answersOf(userId)).toHaveLength(count);
    return this.rowsOf(userId);
  }

  #scripted(): Agent {
    if (!this.#answersAtOnce) return this.agent;
    const { agent } = this;
    return {
      node: agent.node,
      historyMax: agent.historyMax,
      answer: (turn, signal) => {
        const events = agent.answer(turn, signal);
        agent.calls.at(-1)!.answer();
        return events;
      },
    };
  }
}
