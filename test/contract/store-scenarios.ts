import { expect } from "@jest/globals";
import { defaultBusiness } from "../../server/messaging/business.js";
import { createConversations } from "../../server/messaging/conversations.js";
import { abandon, beginDeletion, claim, close, phaseOf, takeOver } from "../../server/messaging/head.js";
import { createIds } from "../../server/messaging/ids.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import type { RecordWrite, Store } from "../../server/messaging/store.js";
import { FakeClock } from "../support/fake-clock.js";
import { intentLife, turnOf, userMessageOf } from "../support/heads.js";
import {
  allOf,
  annotate,
  asidesOf,
  deleteAll,
  forwards,
  headAfter,
  idsOf,
  importedMessage,
  minuteMs,
  newHead,
  respond,
  say,
} from "./store-acts.js";
import { eventually, range } from "./store-harness.js";
import { checkFollowing, checkHistory, checkOutcomes, recover } from "./store-invariants.js";

/** One run of a scenario, with names of its own. */
export interface Case {
  readonly sessionId: string;
  readonly userId: string;
  /** Wall time in ms, near the real one: events of another day may be gone. */
  readonly now: number;
  /** What the process that stopped had told, in the order in which it did. */
  readonly told: unknown[];
  /** Sessions that were found to have work when it had stopped. */
  readonly work: string[];
}

export interface Scenario {
  readonly name: string;
  /** Writes that it takes at least: else the hook counts something else. */
  readonly writesMin: number;
  /** What was there before, written by a process that lives on. */
  prepare?(store: Store, each: Case): Promise<unknown>;
  /** The process that stops somewhere in between. */
  run(store: Store, each: Case): Promise<unknown>;
  /** What a process that lives on finds, finishes and checks. @returns the session that it was about */
  check(survivor: Store, each: Case): Promise<string>;
}

const far = "9999-01-01T00:00:00.000Z";
const business = defaultBusiness("B1", "Europe/Bucharest");
const holder = { coordinatorId: "c1", expiresAt: far };
/** More than one part of a long body, on any store. */
const longAnswer = `${'"'.repeat(200_000)}😀`;

export const scenarios: readonly Scenario[] = [
  firstMessages(),
  longAnswerOfTurn(),
  asidesOfTurn(),
  tenAtOnce(),
  takeoverAgainstAnswer(),
  statusChanges(),
  cleanup(),
  importInParts(),
  recordChain(),
];

/** The whole way of two messages under ids of the client's, each with its answer. */
function firstMessages(): Scenario {
  const accept = async (store: Store, { userId, now }: Case, name: string) => {
    const clock = new FakeClock(now);
    const ids = createIds(clock);
    const conversations = createConversations({
      store,
      clock,
      ids,
      node: "node",
      onError: () => undefined,
      onChanged: () => undefined,
      onIntent: () => undefined,
      intentLife,
    });
    const message = userMessageOf(business, userId, `text of ${name}`);
    const metadata = { ...message.metadata, chatId: "w" };
    const result = await conversations.accept({ ...message, metadata, clientMessageId: name });
    if (!result.ok) throw new Error(result.reason);
    return result.value;
  };
  return {
    name: "[I-1] [I-2] [I-3] [I-4] [D-06] [M6] a user's first messages, and their answers",
    writesMin: 6,
    async run(store, each) {
      for (const name of ["c1", "c2"]) {
        const { message } = await accept(store, each, name);
        each.told.push({ name, message });
        const { sessionId, messageId } = message;
        const options = { now: each.now, chatId: "w" };
        const answered = await respond(store, sessionId, messageId, `answer of ${messageId}`, options);
        each.told.push({ name: null, message: answered!.message });
      }
    },
    async check(survivor, each) {
      const told = each.told as { name: string | null; message: ChatMessage }[];
      const stored = [];
      for (const name of ["c1", "c2"]) {
        const { message, duplicate } = await accept(survivor, each, name);
        const before = told.find((one) => one.name === name)?.message;
        if (before !== undefined) expect([message, duplicate]).toEqual([before, true]);
        expect((await accept(survivor, each, name)).message).toEqual(message);
        stored.push(message);
      }
      const [{ sessionId } = { sessionId: "" }] = stored;
      await recover(survivor, sessionId, each);
      const history = await checkHistory(survivor, sessionId, [...stored, ...told.map(({ message }) => message)]);
      expect(history).toHaveLength(4);
      await checkOutcomes(survivor, sessionId);
      await checkFollowing(survivor, sessionId);
      await eventually(
        () => allOf((page) => survivor.readSessionsOf({ businessId: "B1", userId: each.userId }, page)),
        (sessions) => expect(idsOf(sessions)).toEqual([sessionId]),
      );
      return sessionId;
    },
  };
}

/** An answer so long that it lies in parts: it is there whole, or another one is. */
function longAnswerOfTurn(): Scenario {
  return {
    name: "[I-3] [M7] [S-04] a long answer, with its window and its event",
    writesMin: 1,
    prepare: (store, each) => begin(store, each, 1),
    async run(store, { sessionId, now, told }) {
      const options = { now, content: longAnswer, chatId: "w" };
      const answered = await respond(store, sessionId, `${sessionId}-q0`, `${sessionId}-r`, options);
      told.push(answered!.message);
    },
    async check(survivor, each) {
      const { sessionId } = each;
      // Before anybody has put anything right, too.
      await checkHistory(survivor, sessionId, each.told as ChatMessage[]);
      await recover(survivor, sessionId, each);
      const [, answer] = await checkHistory(survivor, sessionId, each.told as ChatMessage[]);
      expect([`recovered-${sessionId}-q0`, longAnswer]).toContain(
        answer!.content === longAnswer ? answer!.content : answer!.messageId,
      );
      await checkOutcomes(survivor, sessionId);
      await checkFollowing(survivor, sessionId);
      return sessionId;
    },
  };
}

/** What hangs on messages shares the fate of the write that it is a part of; long ones lie in parts, too. */
function asidesOfTurn(): Scenario {
  const labels = ["one", "two"];
  return {
    name: "[M50] [S-04] notes, an answer with its steps, and a long draft",
    writesMin: 3,
    prepare: (store, each) => begin(store, each, 1),
    async run(store, { sessionId, now, told }) {
      const hung = async (messageId: string, more: Parameters<typeof annotate>[3]) => {
        const result = await annotate(store, sessionId, `${sessionId}-${messageId}`, more);
        if (result?.kind === "hung") told.push(result.aside);
      };
      await hung("a", {});
      await Promise.all(["b", "c"].map((id) => hung(id, {})));
      const options = { now, chatId: "w", thinking: labels };
      const answered = await respond(store, sessionId, `${sessionId}-q0`, `${sessionId}-r`, options);
      told.push(...labels.map((_, index) => ({ step: `${answered!.message.messageId}-step00${index}` })));
      await hung("d", { type: "draft", content: longAnswer });
    },
    async check(survivor, each) {
      const { sessionId, told } = each;
      const isThere = async () => {
        const asides = await asidesOf(survivor, sessionId);
        const ids = asides.map(({ messageId }) => messageId);
        expect(new Set(ids).size).toBe(ids.length);
        for (const one of told) {
          if ("step" in (one as object)) expect(ids).toContain((one as { readonly step: string }).step);
          else expect(asides).toContainEqual(one);
        }
        return asides;
      };
      // Before anybody has put anything right, too.
      const left = await isThere();
      for (const { type, content } of left) if (type === "draft") expect(content === longAnswer).toBe(true);
      const history = await checkHistory(survivor, sessionId, []);
      // The steps are there with their answer, or not at all.
      const isAnswered = history.some(({ messageId }) => messageId === `${sessionId}-r`);
      expect(left.filter(({ type }) => type === "thinking")).toHaveLength(isAnswered ? labels.length : 0);
      await recover(survivor, sessionId, each);
      await survivor.settle(sessionId);
      expect(await isThere()).toEqual(left);
      await checkOutcomes(survivor, sessionId);
      return sessionId;
    },
  };
}

/** Changes that are gathered into one write share its fate, each with a promise of its own. */
function tenAtOnce(): Scenario {
  const sayAll = (store: Store, { sessionId, userId, now }: Case) =>
    range(10).map((index) => say(store, sessionId, `${sessionId}-m${index}`, { now, userId, chatId: "w" }));
  return {
    name: "[I-1] [I-4] ten messages at once, said again by whoever was told nothing",
    writesMin: 1,
    prepare: (store, each) => begin(store, each, 0),
    async run(store, each) {
      const sayings = sayAll(store, each);
      const results = await Promise.allSettled(sayings);
      for (const result of results) {
        if (result.status === "fulfilled" && result.value?.kind === "admitted") each.told.push(result.value.message);
      }
      await Promise.all(sayings);
    },
    async check(survivor, each) {
      const { sessionId } = each;
      const told = each.told as ChatMessage[];
      await checkHistory(survivor, sessionId, told);
      const again = await Promise.all(sayAll(survivor, each));
      for (const { messageId } of told) {
        expect(
          again.find((result) => result?.kind === "duplicate" && result.message.messageId === messageId),
        ).toBeDefined();
      }
      await recover(survivor, sessionId, each);
      expect(await checkHistory(survivor, sessionId, told)).toHaveLength(20);
      await checkOutcomes(survivor, sessionId);
      await checkFollowing(survivor, sessionId);
      return sessionId;
    },
  };
}

/** The takeover is there or not; and once it was told, no answer made before it is. */
function takeoverAgainstAnswer(): Scenario {
  return {
    name: "[A-14] [M8] a takeover while the agent works",
    writesMin: 2,
    prepare: (store, each) => begin(store, each, 1),
    async run(store, { sessionId, now, told }) {
      const head = await store.changeSession(sessionId, (current) => claim(current, "node", () => true));
      told.push({ fence: head!.fence });
      await store.changeSession(sessionId, (current) => takeOver(current, holder, now));
      told.push("taken over");
      const late = { now, fence: head!.fence };
      expect(await respond(store, sessionId, `${sessionId}-q0`, `${sessionId}-late`, late)).toBeNull();
    },
    async check(survivor, each) {
      const { sessionId, now, told } = each;
      const head = (await survivor.readHead(sessionId))!;
      if (told.includes("taken over")) expect(head.session.holder).toEqual(holder);
      if (head.session.holder !== undefined) {
        for (const fence of [(told[0] as { fence: number } | undefined)?.fence ?? 1, head.fence]) {
          const late = { now, fence };
          expect(await respond(survivor, sessionId, `${sessionId}-q0`, `${sessionId}-late`, late)).toBeNull();
        }
        expect(await checkHistory(survivor, sessionId, [])).toHaveLength(1);
        await handBack(survivor, sessionId);
      }
      await recover(survivor, sessionId, each);
      expect(await checkHistory(survivor, sessionId, [])).toHaveLength(2);
      await checkOutcomes(survivor, sessionId);
      await checkFollowing(survivor, sessionId);
      return sessionId;
    },
  };
}

/** What an index says follows from the head, wherever the head was left. */
function statusChanges(): Scenario {
  return {
    name: "[S8] abandoned, back to life, answered, closed: the indexes follow the head",
    writesMin: 4,
    prepare: (store, each) => begin(store, each, 0),
    async run(store, { sessionId, userId, now, told }) {
      const status = (name: string) => told.push(name);
      await store.changeSession(sessionId, (head) => abandon(head, far, now));
      status("abandoned");
      await say(store, sessionId, `${sessionId}-m`, { now: now + minuteMs, userId, chatId: "w" });
      status("active");
      await respond(store, sessionId, `${sessionId}-m`, `${sessionId}-r`, { now: now + minuteMs, chatId: "w" });
      status("active");
      await store.changeSession(sessionId, (head) => close(head, "closed", now + 2 * minuteMs));
      status("closed");
    },
    async check(survivor, each) {
      const { sessionId, told } = each;
      const statuses = ["active", "abandoned", "active", "active", "closed"];
      const { session } = (await survivor.readHead(sessionId))!;
      // What was told last, or what was on its way.
      expect([statuses[told.length], statuses[told.length + 1]]).toContain(session.status);
      await recover(survivor, sessionId, each);
      await checkHistory(survivor, sessionId, []);
      await checkOutcomes(survivor, sessionId);
      await checkFollowing(survivor, sessionId);
      return sessionId;
    },
  };
}

/** A cleanup that stopped is gone on with by anybody, and what it has begun to delete nobody can use. */
function cleanup(): Scenario {
  return {
    name: "[S-08] [S-09] a cleanup, from the mark to the head",
    writesMin: 4,
    async prepare(store, each) {
      const { sessionId, now } = each;
      await begin(store, each, 3);
      for (const id of ["a", "b"]) await annotate(store, sessionId, `${sessionId}-${id}`, { content: longAnswer });
      await recover(store, sessionId, each);
      await store.changeSession(sessionId, (head) => close(head, "closed", now));
    },
    async run(store, { sessionId, now, told }) {
      await store.changeSession(sessionId, (head) => beginDeletion(head, far, now));
      told.push("marked");
      await deleteAll(store, sessionId, 2);
      told.push("gone");
    },
    async check(survivor, { sessionId, userId, now, told }) {
      const head = await survivor.readHead(sessionId);
      if (told.includes("gone")) expect(head).toBeNull();
      if (told.includes("marked")) expect([null, "deleting"]).toContain(head === null ? null : phaseOf(head));
      if (head?.deletingSince === null) {
        expect(await checkHistory(survivor, sessionId, [])).toHaveLength(6);
        expect(await asidesOf(survivor, sessionId)).toHaveLength(2);
      } else expect([undefined, "over"]).toContain((await say(survivor, sessionId, "late", { userId }))?.kind);
      await survivor.changeSession(sessionId, (current) => beginDeletion(current, far, now));
      await deleteAll(survivor, sessionId);
      expect(await survivor.readHead(sessionId)).toBeNull();
      expect(await forwards(survivor, sessionId, 50)).toEqual([]);
      expect(await asidesOf(survivor, sessionId)).toEqual([]);
      for (const index of range(3)) expect(await survivor.findMessage(sessionId, `${sessionId}-q${index}`)).toBeNull();
      await eventually(
        () => survivor.readWindow({ businessId: "B1", userId, chatId: "w" }, 50),
        (seen) => expect(seen).toEqual([]),
      );
      await eventually(
        () => allOf((page) => survivor.readSessionsOf({ businessId: "B1", userId }, page)),
        (seen) => expect(seen).toEqual([]),
      );
      return sessionId;
    },
  };
}

/** An import that stopped is begun again, and comes to the same. */
function importInParts(): Scenario {
  const exported = ({ sessionId, userId }: Case) => {
    const head = newHead(sessionId, { userId });
    const metadata = { source: "websocket", chatId: "w" } as const;
    const messages = range(9).map((index) => importedMessage(head, index + 1, { metadata }));
    const turns = [turnOf(messages[8]!.messageId, 9)];
    return { head: { ...headAfter(head, messages), turns, lease: { owner: "there", fence: 4 }, fence: 4 }, messages };
  };
  const importAll = async (store: Store, each: Case) => {
    const { head, messages } = exported(each);
    await store.importSession(head, messages.slice(0, 4));
    await store.importSession(head, messages.slice(4));
  };
  return {
    name: "[S2] an import in two parts",
    writesMin: 2,
    run: importAll,
    async check(survivor, each) {
      const { sessionId } = each;
      await importAll(survivor, each);
      const { head, messages } = exported(each);
      expect(await checkHistory(survivor, sessionId, messages)).toHaveLength(9);
      expect({ ...(await survivor.readHead(sessionId)), rev: 0 }).toEqual({ ...head, lease: null, rev: 0 });
      await eventually(
        () => survivor.readWindow({ businessId: "B1", userId: each.userId, chatId: "w" }, 50),
        (seen) => expect(seen).toEqual(messages),
      );
      await recover(survivor, sessionId, each);
      expect(await checkHistory(survivor, sessionId, messages)).toHaveLength(10);
      return sessionId;
    },
  };
}

/** A record is what was told last, or what was on its way. */
function recordChain(): Scenario {
  const chain = ["a", "b", null, "c"];
  return {
    name: "[S1] [S-01] a record that is made, changed, deleted and made again",
    writesMin: 4,
    async run(store, { sessionId, told }) {
      let rev: number | null = null;
      for (const value of chain) {
        const written: RecordWrite<string> = await store.writeRecord({ partition: "p", id: sessionId }, rev, value);
        expect([written.isWritten, written.record?.value ?? null]).toEqual([true, value]);
        rev = written.record?.rev ?? null;
        told.push(value);
      }
    },
    async check(survivor, { sessionId, told }) {
      const values = [null, ...chain];
      const key = { partition: "p", id: sessionId };
      const now = await survivor.readRecord(key);
      expect(values.slice(told.length, told.length + 2)).toContain(now?.value ?? null);
      expect((await survivor.writeRecord(key, now?.rev ?? null, "z")).isWritten).toBe(true);
      return sessionId;
    },
  };
}

/** A session with so many open questions. */
async function begin(store: Store, { sessionId, userId, now }: Case, questions: number): Promise<void> {
  const createdAt = new Date(now).toISOString();
  await store.createHead(newHead(sessionId, { userId, createdAt }));
  for (const index of range(questions)) {
    await say(store, sessionId, `${sessionId}-q${index}`, { now, userId, chatId: "w" });
  }
}

function handBack(store: Store, sessionId: string): Promise<unknown> {
  return store.changeSession(sessionId, (head) => {
    const session = Object.entries(head.session).filter(([name]) => name !== "holder");
    return { result: null, head: { ...head, session: Object.fromEntries(session) as unknown as typeof head.session } };
  });
}
