import type { Code } from "../../../protocol/codes.js";
import { failure, type Result, success } from "../../../protocol/result.js";
import type { Clock } from "../../clock.js";
import type { Business } from "../business.js";
import { type Head, isOpen } from "../head.js";
import type { Ids } from "../ids.js";
import type { Session } from "../model.js";
import { currentSessionKey, hashOf, partitionOf } from "../records.js";
import { type CurrentSession, readCurrentSession } from "../sessions.js";
import { ownAgentOf } from "./participants.js";
import { threadIdOf } from "../steps/onboarding.js";
import { type RecordKey, type Store, StoreError } from "../store.js";

export interface AgentOf {
  readonly business: Business;
  readonly agentId: string;
}

/** What whoever begins a conversation says of it. */
export interface Wanted {
  readonly title: string | null;
  readonly description: string | null;
  /** The id of whoever begins it. */
  readonly createdBy: string;
  /** Names this wish of theirs: said again, it is the same conversation. Null: it is another one each time. */
  readonly key: string | null;
}

/** The conversations that belong to agents. (SPEC M90, M91) */
export interface AgentConversations {
  /**
   * The conversation in which an agent is at present, made if there is none: one, however many look for it at once, on
   * whatever node.
   * @returns `isNew` for the one who made it
   * @throws StoreError
   */
  current(agent: AgentOf): Promise<{ readonly head: Head; readonly isNew: boolean }>;
  /**
   * One more conversation; the agent's present one if it has none.
   * @returns `idempotency_mismatch` when the key was used for another wish
   * @throws StoreError
   */
  create(agent: AgentOf, wanted: Wanted): Promise<Result<{ readonly head: Head; readonly isNew: boolean }, Code>>;
}

/** Others may begin one, or close it, between our looking and our writing; each time we look again. */
const attemptsMax = 5;

/** As a record of a session that is being deleted says. */
const noDay = "";

/** What a key stands for: once written it never changes. It has the names of a claim, and goes with its session like one. */
interface Creation {
  readonly messageId: string;
  readonly sessionId: string;
  readonly textHash: string;
  readonly seed: Head;
}

export function createAgentConversations(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
}): AgentConversations {
  const { store, clock, ids } = deps;

  return { current, create };

  async function current(agent: AgentOf): Promise<{ readonly head: Head; readonly isNew: boolean }> {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const { known, head } = await look(agent);
      if (head !== null) return { head, isNew: false };
      const seed = newHead(agent, autoNamed(agent, known?.value ?? null), ids.random(), clock.now());
      const begun = await begin(agent, known?.rev ?? null, seed);
      if (begun !== null) return begun;
    }
    throw new StoreError("beginning an agent's conversation", {
      retryable: true,
      cause: new Error("others kept closing it"),
    });
  }

  async function create(
    agent: AgentOf,
    wanted: Wanted,
  ): Promise<Result<{ readonly head: Head; readonly isNew: boolean }, Code>> {
    const { title, description, createdBy } = wanted;
    const named = { title: title ?? titleOf(agent), description, createdBy, previous: null };
    const creation = await claim(agent, wanted, newHead(agent, named, ids.random(), clock.now()));
    if (creation === null) return failure("idempotency_mismatch");
    const { seed, isNew } = creation;
    if (isNew) await beCurrent(agent, seed);
    return success({ head: await store.createHead(seed), isNew });
  }

  async function look(agent: AgentOf) {
    const known = await readCurrentSession(store, ownerOf(agent));
    if (known === null || known.value.day === noDay) return { known, head: null };
    const head = (await store.readHead(known.value.sessionId)) ?? (await store.createHead(known.value.seed));
    return { known, head: isPresent(head) ? head : null };
  }

  /** @returns null when it is closed by now */
  async function begin(agent: AgentOf, rev: number | null, seed: Head) {
    const { isWritten, record } = await store.writeRecord(currentSessionKey(ownerOf(agent)), rev, currentOf(seed));
    if (record === null) return null;
    const head = await store.createHead(record.value.seed);
    return isPresent(head) ? { head, isNew: isWritten } : null;
  }

  // Of several that are made at once the first becomes the present one, and the others stand beside it.
  async function beCurrent(agent: AgentOf, seed: Head): Promise<void> {
    const { known, head } = await look(agent);
    if (head !== null) return;
    await store.writeRecord(currentSessionKey(ownerOf(agent)), known?.rev ?? null, currentOf(seed));
  }

  /** @returns what is to be made; null when the key stands for something else */
  async function claim(
    agent: AgentOf,
    { key, title, description, createdBy }: Wanted,
    seed: Head,
  ): Promise<{ readonly seed: Head; readonly isNew: boolean } | null> {
    if (key === null) return { seed, isNew: true };
    const { sessionId } = seed.session;
    const textHash = hashOf(JSON.stringify([agent.agentId, title, description]));
    const creation: Creation = { messageId: sessionId, sessionId, textHash, seed };
    const { isWritten, record } = await store.writeRecord(creationKey(agent, createdBy, key), null, creation);
    if (record?.value.textHash !== textHash) return null;
    return { seed: record.value.seed, isNew: isWritten };
  }
}

/** One that is over, or from which the agent was taken out, is not where it is at present. (SPEC M90, M94) */
function isPresent(head: Head): boolean {
  return isOpen(head) && ownAgentOf(head.session) !== null;
}

function ownerOf({ business: { businessId }, agentId }: AgentOf) {
  return { businessId, agentId };
}

function creationKey(agent: AgentOf, createdBy: string, key: string): RecordKey {
  return { partition: partitionOf(ownerOf(agent)), id: `conversation#${hashOf(JSON.stringify([createdBy, key]))}` };
}

function titleOf({ agentId }: AgentOf): string {
  return `Agent ${agentId} - Auto Conversation`;
}

function autoNamed(agent: AgentOf, before: CurrentSession | null): Named {
  return {
    title: titleOf(agent),
    description: "Automatically created conversation for agent",
    createdBy: agent.agentId,
    previous: before === null ? null : lastOf(before),
  };
}

// The one before stands in the place of one that is being deleted.
function lastOf({ day, sessionId, seed }: CurrentSession): string | null {
  return day === noDay ? (seed.session.previousSessionId ?? null) : sessionId;
}

/** Only whether it is being deleted is read of its day: a conversation has none. */
function currentOf(seed: Head): CurrentSession {
  const { sessionId, createdAt } = seed.session;
  return { sessionId, day: createdAt.slice(0, "2026-03-02".length), seed };
}

interface Named extends Pick<Session, "createdBy"> {
  readonly title: string;
  readonly description: string | null;
  readonly previous: string | null;
}

function newHead({ business, agentId }: AgentOf, named: Named, sessionId: string, now: number): Head {
  const { businessId, locations, type } = business;
  const { title, description, createdBy, previous } = named;
  const timestamp = new Date(now).toISOString();
  return {
    rev: 0,
    day: null,
    turns: [],
    fence: 0,
    lease: null,
    intent: null,
    delivered: 0,
    read: 0,
    deletingSince: null,
    session: {
      sessionId,
      businessId,
      locationId: locations[0]?.locationId ?? "default",
      agentId,
      kind: "agent",
      threadId: threadIdOf(businessId, agentId, "agent"),
      title,
      ...(description === null ? {} : { description }),
      status: "active",
      participants: [{ type: "agent", id: agentId, joined: timestamp }],
      offset: 0,
      ...(previous === null ? {} : { previousSessionId: previous }),
      totals: { messages: 0, tokens: 0, cost: 0 },
      createdAt: timestamp,
      updatedAt: timestamp,
      lastMessageAt: timestamp,
      createdBy,
      metadata: { businessType: type, context: {} },
    },
  };
}
