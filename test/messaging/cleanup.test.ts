import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { hang } from "../../server/messaging/asides.js";
import { defaultBusiness } from "../../server/messaging/business.js";
import { type Cleanup, createCleanup } from "../../server/messaging/cleanup.js";
import { createDeletion } from "../../server/messaging/deletion.js";
import { type Accepted, type Conversations, createConversations } from "../../server/messaging/conversations.js";
import { close, type Head } from "../../server/messaging/head.js";
import { createIds } from "../../server/messaging/ids.js";
import type { ChatMessage, Intent, Session } from "../../server/messaging/model.js";
import {
  clientMessageKey,
  feedbackKey,
  feedbackPartition,
  jobKey,
  partitionOf,
} from "../../server/messaging/records.js";
import { addFigures, noHour, statsDayOf, statsDays } from "../../server/messaging/stats-records.js";
import { findHead, readCurrentSession } from "../../server/messaging/sessions.js";
import { type Store, StoreError } from "../../server/messaging/store.js";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import { Telemetry } from "../../server/telemetry.js";
import { asideOf } from "../contract/store-acts.js";
import { crashingStore } from "../support/crashing-store.js";
import { FakeClock } from "../support/fake-clock.js";
import { headOf, intentLife, questionOf, userMessageOf } from "../support/heads.js";
import { interceptedStore, shuffledStore, soon } from "../support/intercepted-store.js";
import { createRandom, seedOfRun } from "../support/random.js";
import { openTemporaryStore, type TemporaryStore, touch } from "../support/temporary-store.js";

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
const life = { idleMs: dayMs, retentionMs: 30 * dayMs };
const business = defaultBusiness("B1", "UTC");
const ana = { businessId: "B1", userId: "ana" };

let under: TemporaryStore;
let clock: FakeClock;
let told: { readonly name: string; readonly sessionId: string }[];
let failures: string[];
/** What became of sessions, as it was told. */
let changed: string[];

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock(Date.parse("2026-03-02T10:00:00.000Z"));
  told = [];
  failures = [];
  changed = [];
});

afterEach(async () => {
  await under.dispose();
});

describe("[M22] a session in which nothing is said", () => {
  test("is abandoned after the idle time, and not before; a message brings it back", async () => {
    const { sessionId } = await said("ana", "hello");
    clock.advance(dayMs - 1);
    await cleaned();
    expect((await headIn(sessionId)).session.status).toBe("active");
    clock.advance(hourMs + 1);
    const now = clock.now();
    await cleaned();
    const { session } = await headIn(sessionId);
    expect([session.status, session.updatedAt]).toEqual(["abandoned", new Date(now).toISOString()]);
    expect(told).toEqual([{ name: "session.abandoned", sessionId }]);
    expect(changed).toEqual([`${sessionId} abandoned`]);
    await cleaned();
    expect(changed).toHaveLength(1);
  });

  test("stays active while a message of it is not answered, however long", async () => {
    const { message } = await accept("ana", "hello");
    clock.advance(40 * dayMs);
    await cleaned();
    expect((await headIn(message.sessionId)).session.status).toBe("active");
  });

  test("many of them go a part a minute, the ones that have waited longest first", async () => {
    for (let index = 0; index < 450; index += 1) await imported(headWith({ sessionId: `s${index}`, offset: 0 }));
    clock.advance(2 * dayMs);
    const cleanup = cleanupOf();
    for (const abandoned of [200, 400, 450, 450]) {
      await cleaned(cleanup);
      expect(told).toHaveLength(abandoned);
    }
    expect(new Set(told.map(({ sessionId }) => sessionId)).size).toBe(450);
  });
});

describe("[M22] a session that ended", () => {
  test.each(["resolved", "closed", "abandoned"] as const)(
    "that is %s goes after the time of retention, and not before: what was said at once, its head a day later",
    async (status) => {
      const messages = [await said("ana", "one", "c1"), await said("ana", "two", "c2")];
      const { sessionId } = messages[0]!;
      await noted(sessionId);
      await end(sessionId, status);
      clock.advance(30 * dayMs - 1);
      await cleaned();
      expect(await under.store.readMessages(sessionId, { limit: 10 })).toMatchObject({ items: messages });
      clock.advance(hourMs + 1);
      await cleaned();
      expect(await asidesIn(sessionId)).toEqual([]);
      await expectNothingSaid(sessionId, messages);
      expect(await findHead(under.store, sessionId)).toBeNull();
      expect((await headIn(sessionId)).deletingSince).not.toBeNull();
      expect(told).toEqual([{ name: "session.deleted", sessionId }]);
      clock.advance(dayMs - hourMs);
      await cleaned();
      expect(await under.store.readHead(sessionId)).not.toBeNull();
      clock.advance(2 * hourMs);
      await cleaned();
      expect(await under.store.readHead(sessionId)).toBeNull();
      expect(await recordsOf("ana")).toEqual([]);
    },
  );

  test("[M62] takes along what its user thought of the answers, also what was written late, and no other session's", async () => {
    const { sessionId } = await said("ana", "one");
    const thought = (of: string, offset: number) =>
      under.store.writeRecord(feedbackKey({ sessionId: of, offset }), null, { messageId: `m${offset}`, score: 1 });
    const left = async (of: string) => (await under.store.listRecords(feedbackPartition(of), { limit: 500 })).items;
    for (let offset = 1; offset <= 150; offset += 1) await thought(sessionId, offset);
    await thought(`${sessionId}0`, 1);
    await end(sessionId, "closed");
    clock.advance(30 * dayMs + hourMs);
    await cleaned();
    expect(await left(sessionId)).toEqual([]);
    await thought(sessionId, 1);
    clock.advance(dayMs + hourMs);
    await cleaned();
    expect([await left(sessionId), await under.store.readHead(sessionId)]).toEqual([[], null]);
    expect(await left(`${sessionId}0`)).toHaveLength(1);
  });

  test("that came back to life stays, with all that was said", async () => {
    const { sessionId } = await said("ana", "one", "c1");
    await end(sessionId, "abandoned");
    clock.advance(10 * hourMs);
    const again = await said("ana", "two");
    expect(again.sessionId).toBe(sessionId);
    await cleaned(cleanupOf({ life: { idleMs: dayMs, retentionMs: 2 * hourMs } }));
    expect(await textsIn(sessionId)).toEqual(["one", "two"]);
    expect(told).toEqual([]);
  });

  test("takes nothing along that is another's: neither the user's later session, nor the same id said anew", async () => {
    const old = await said("ana", "one", "c1");
    await end(old.sessionId, "closed");
    clock.advance(30 * dayMs);
    const later = await said("ana", "of today", "c2");
    const bobs = await said("bob", "one", "c1");
    clock.advance(2 * hourMs);
    await cleaned();
    const again = await accept("ana", "one", "c1");
    expect([again.duplicate, again.message.sessionId]).toEqual([false, later.sessionId]);
    clock.advance(dayMs + hourMs);
    await cleaned();
    expect(await under.store.readHead(old.sessionId)).toBeNull();
    expect(await textsIn(later.sessionId)).toEqual(["of today", "one"]);
    expect((await readCurrentSession(under.store, ana))?.value.sessionId).toBe(later.sessionId);
    expect((await accept("ana", "one", "c1")).duplicate).toBe(true);
    expect((await accept("bob", "one", "c1")).duplicate).toBe(true);
    expect(await textsIn(bobs.sessionId)).toEqual(["one"]);
  });

  test("takes along ids that were claimed for it, and under which nothing was stored", async () => {
    const { sessionId } = await said("ana", "one");
    const dying = crashingStore(under.store, 0, "after");
    await expect(conversationsOver(dying.store).accept(userMessage("ana", "lost", "c9"))).rejects.toThrow();
    expect(dying.written).toEqual(["writeRecord"]);
    await end(sessionId, "closed");
    await cleanedUntilGone(sessionId);
    expect(await recordsOf("ana")).toEqual([]);
  });

  test("of an agent goes as well", async () => {
    const ofAgent: Partial<Session> = { sessionId: "a1", agentId: "ava", kind: "agent", status: "closed", offset: 1 };
    const { userId, ...session } = { ...headWith({}).session, ...ofAgent };
    expect(userId).toBeDefined();
    await under.store.importSession({ ...headWith({}), day: null, session }, [
      { ...questionOf("q1", 1), sessionId: "a1" },
    ]);
    await cleanedUntilGone("a1");
    expect(await under.store.findMessage("a1", "q1")).toBeNull();
  });

  test("[M23] an id that was claimed for it before it was deleted stands for a new message afterwards", async () => {
    const { sessionId } = await said("ana", "one");
    const dying = crashingStore(under.store, 0, "after");
    await expect(conversationsOver(dying.store).accept(userMessage("ana", "lost", "c9"))).rejects.toThrow();
    await end(sessionId, "closed");
    clock.advance(31 * dayMs);
    await cleaned();
    const [first, again] = [await accept("ana", "lost", "c9"), await accept("ana", "lost", "c9")];
    expect([first.duplicate, again]).toEqual([false, { message: first.message, duplicate: true, head: null }]);
    expect(first.message.sessionId).not.toBe(sessionId);
  });
});

describe("[M6] [M23] a retry at the moment of deletion", () => {
  test("never takes the claim of another retry for the old one, which began at the same rev", async () => {
    const { sessionId } = await said("ana", "zero");
    // Claimed, and never stored.
    const failing = interceptedStore(under.store, (name, _given, call) => {
      if (name === "changeSession") throw new StoreError("changing", { retryable: true });
      return call();
    });
    await expect(conversationsOver(failing).accept(userMessage("ana", "one", "c1"))).rejects.toThrow(StoreError);
    await end(sessionId, "closed");
    clock.advance(31 * dayMs);
    let first: Accepted | null = null;
    const slow = interceptedStore(under.store, async (name, given, call) => {
      if (name === "changeSession" && given[0] === sessionId && first === null) {
        await cleanedUntilGone(sessionId);
        first = await accept("ana", "one", "c1");
      }
      return call();
    });
    const late = await conversationsOver(slow).accept(userMessage("ana", "one", "c1"));
    expect(late).toEqual({ ok: true, value: { message: first!.message, duplicate: true, head: null } });
    expect(await textsIn(first!.message.sessionId)).toEqual(["one"]);
  });
});

test("[M6] [S-09] an id that is said anew between the two halves of a deletion stays with what was said anew", async () => {
  const { sessionId } = await said("ana", "one", "c1");
  await end(sessionId, "closed");
  clock.advance(31 * dayMs);
  const store = watched(under.store, (name) => {
    if (name === "deleteMessages") throw new StoreError("deleting", { retryable: true });
  });
  await cleaned(cleanupOf({ store }));
  expect(await textsIn(sessionId)).toEqual(["one"]);
  const { message, duplicate } = await accept("ana", "one", "c1");
  expect([duplicate, message.sessionId === sessionId]).toEqual([false, false]);
  await cleaned();
  expect(await textsIn(sessionId)).toEqual([]);
  expect(await accept("ana", "one", "c1")).toEqual({ message, duplicate: true, head: null });
});

describe("[S-09] one session of very many messages", () => {
  test("goes in steps, with pauses in which others are served", async () => {
    const sizes: number[] = [];
    const store = watched(under.store, (name, given) => {
      if (name === "deleteMessages") sizes.push((given[1] as ChatMessage[]).length);
    });
    await importMany("s1", 1050);
    clock.advance(31 * dayMs);
    const running = cleanupOf({ store }).run();
    let served = 0;
    await advanceUntil(running, async () => {
      served += 1;
      expect((await accept(`user${served}`, "hello")).duplicate).toBe(false);
    });
    expect(sizes).toEqual([...Array.from({ length: 10 }, () => 100), 50]);
    expect(served).toBeGreaterThanOrEqual(10);
    expect((await under.store.readMessages("s1", { limit: 10 })).items).toEqual([]);
  });

  test("[M50] what hangs on them goes in steps, too, however much hangs on one", async () => {
    const sizes: number[] = [];
    const store = watched(under.store, (name, given) => {
      if (name === "deleteAsides") sizes.push((given[1] as readonly unknown[]).length);
    });
    await importMany("s1", 3);
    const asides = Array.from({ length: 450 }, (_, index) => ({
      ...asideOf(`note ${index}`),
      ...{ sessionId: "s1", businessId: "B1", afterOffset: index < 250 ? 1 : 3 },
    }));
    await under.store.importSession(headWith({ sessionId: "s1" }), [], asides);
    clock.advance(31 * dayMs);
    await cleaned(cleanupOf({ store }));
    expect(sizes).toEqual([100, 100, 100, 100, 50]);
    expect(await asidesIn("s1")).toEqual([]);
  });

  test("is left in the middle by a process that ends, and finished by the next, which need not wait for it", async () => {
    await importMany("s1", 1050);
    clock.advance(31 * dayMs);
    const first = cleanupOf({ node: "first" });
    void first.run();
    while ((await under.store.readMessages("s1", { after: 0, limit: 1 })).items[0]?.offset === 1) await step();
    await step();
    await first.stop();
    expect((await under.store.readMessages("s1", { limit: 10 })).items).toHaveLength(10);
    expect([clock.timerCount, await under.store.readRecord(jobKey("cleanup"))]).toEqual([0, null]);
    await cleaned(cleanupOf({ node: "second" }));
    expect((await under.store.readMessages("s1", { limit: 10 })).items).toEqual([]);
    await first.run();
    expect(await under.store.readRecord(jobKey("cleanup"))).toMatchObject({ value: { node: "second" } });
  });
});

describe("[H11] figures of a business", () => {
  const days = ["2026-03-02", "2026-03-03"];

  async function counted(businesses: readonly string[]): Promise<void> {
    for (const day of days) {
      for (const hour of ["00", "23"]) {
        for (const name of businesses) await addFigures(under.store, name, Date.parse(`${day}T${hour}:00Z`), noHour);
      }
    }
  }

  async function daysLeft(): Promise<readonly string[]> {
    const { items } = await under.store.listRecords(statsDays, { limit: 500 });
    return items.map(({ id }) => id);
  }

  async function hoursLeft(businessId: string): Promise<readonly number[]> {
    const partitions = days.map((day) => statsDayOf(`${day}#${businessId}`).partition);
    const pages = partitions.map((name) => under.store.listRecords(name, { limit: 50 }));
    return (await Promise.all(pages)).map(({ items }) => items.length);
  }

  test("go a day after the other, when the time of retention is over, and not before", async () => {
    await counted(["B1"]);
    const told: [string, readonly number[]][] = [];
    for (const at of ["04-01T23:59:59.999Z", "04-02T00:00:00Z", "04-02T23:59:59.999Z", "04-03T00:00:00Z"]) {
      clock.jumpTo(Date.parse(`2026-${at}`));
      await cleaned();
      told.push([at, await hoursLeft("B1")]);
    }
    expect(told.map(([, left]) => left)).toEqual([
      [2, 2],
      [0, 2],
      [0, 2],
      [0, 0],
    ]);
    expect(await daysLeft()).toEqual([]);
  });

  test("of many businesses go a part a minute", async () => {
    await counted(Array.from({ length: 60 }, (_, index) => `B${index}`));
    clock.jumpTo(Date.parse("2026-04-02T00:00:00Z"));
    const cleanup = cleanupOf();
    for (const left of [70, 60, 60]) {
      await cleaned(cleanup);
      expect(await daysLeft()).toHaveLength(left);
    }
    expect(new Set((await daysLeft()).map((id) => id.split("#")[0]))).toEqual(new Set([days[1]]));
  });

  test.each(["before", "after"] as const)(
    "[S-09] a process that ends %s any write leaves none for ever",
    async (when) => {
      for (let at = 0; ; at += 1) {
        await counted([`B${at}`]);
        clock.jumpTo(Date.parse("2026-04-02T00:00:00Z"));
        const dying = crashingStore(under.store, at, when);
        await cleaned(cleanupOf({ store: dying.store, node: `first${at}` }));
        await cleaned(cleanupOf({ node: `second${at}` }));
        expect(await hoursLeft(`B${at}`)).toEqual([0, 2]);
        expect((await daysLeft()).filter((id) => id.startsWith(days[0]!))).toEqual([]);
        if (!dying.hasCrashed()) break;
      }
    },
  );

  test("[S4] a store that fails is told of, and asked again", async () => {
    await counted(["B1"]);
    clock.jumpTo(Date.parse("2026-04-02T00:00:00Z"));
    let fails = true;
    const store = watched(under.store, (name, given) => {
      if (fails && name === "listRecords" && given[0] === statsDays)
        throw new StoreError("listing", { retryable: true });
    });
    const cleanup = cleanupOf({ store });
    await cleaned(cleanup);
    expect([failures, await hoursLeft("B1")]).toEqual([["clean up"], [2, 2]]);
    fails = false;
    await cleaned(cleanup);
    expect(await hoursLeft("B1")).toEqual([0, 2]);
  });
});

describe("[S-09] a process that ends between any two writes", () => {
  test.each(["before", "after"] as const)(
    "%s the write: another finishes, nothing is left, and nothing else is touched",
    async (when) => {
      for (let at = 0; ; at += 1) {
        const userId = `user${at}`;
        const kept = await said(`${userId}kept`, "stays", "c1");
        const messages = [await said(userId, "one", "c1"), await said(userId, "two", "c2")];
        const { sessionId } = messages[0]!;
        for (const id of [sessionId, kept.sessionId]) await noted(id);
        await end(sessionId, "closed");
        clock.advance(15 * dayMs);
        await said(`${userId}kept`, "stays too");
        clock.advance(15 * dayMs + 2 * hourMs);
        const dying = crashingStore(under.store, at, when);
        const first = cleanupOf({ store: dying.store, node: `first${at}` });
        await cleaned(first);
        clock.advance(dayMs + 2 * hourMs);
        await cleaned(first);
        const second = cleanupOf({ node: `second${at}` });
        await cleaned(second);
        await expectNothingSaid(sessionId, messages);
        expect(await asidesIn(sessionId)).toEqual([]);
        clock.advance(dayMs + 2 * hourMs);
        await cleaned(second);
        expect(await under.store.readHead(sessionId)).toBeNull();
        expect(await recordsOf(userId)).toEqual([]);
        expect(await textsIn(kept.sessionId)).toEqual(["stays"]);
        expect(await asidesIn(kept.sessionId)).toEqual(["note 1", "note 2"]);
        if (!dying.hasCrashed()) {
          expect(dying.written).toEqual(
            expect.arrayContaining(["changeSession", "deleteAsides", "deleteMessages", "deleteHead"]),
          );
          break;
        }
      }
    },
  );
});

test("[M2] [S-09] what says that a session is the current one goes no sooner than a round after it was marked", async () => {
  const { sessionId } = await said("ana", "one");
  await under.store.changeSession(sessionId, (head) => ({
    result: null,
    head: {
      ...head,
      session: { ...head.session, status: "closed" },
      deletingSince: new Date(clock.now()).toISOString(),
    },
  }));
  clock.advance(2 * dayMs);
  await cleaned();
  expect([await recordsOf("ana"), (await headIn(sessionId)).deletingSince]).toMatchObject([
    [{ rev: 2 }],
    expect.any(String),
  ]);
  await cleaned();
  expect([await recordsOf("ana"), await under.store.readHead(sessionId)]).toEqual([[], null]);
});

describe("[S-09] two nodes", () => {
  test("one has the job, the other leaves it alone, and takes it when that one is gone", async () => {
    const gone = new Set<string>();
    const isGone = (node: string) => gone.has(node);
    const [first, second] = [cleanupOf({ node: "first", isGone }), cleanupOf({ node: "second", isGone })];
    await cleaned(first);
    const { sessionId } = await said("ana", "one");
    clock.advance(2 * dayMs);
    await cleaned(second);
    expect((await headIn(sessionId)).session.status).toBe("active");
    gone.add("first");
    await cleaned(second);
    expect((await headIn(sessionId)).session.status).toBe("abandoned");
    expect(await under.store.readRecord(jobKey("cleanup"))).toMatchObject({ value: { node: "second" } });
  });

  test("both at once, because each takes the other for dead: everything goes, once, and nothing else", async () => {
    const messages = [await said("ana", "one", "c1"), await said("ana", "two", "c2")];
    await end(messages[0]!.sessionId, "closed");
    const bobs = await said("bob", "one", "c1");
    await importMany("s1", 350);
    clock.advance(31 * dayMs);
    const both = ["first", "second"].map((node) => cleanupOf({ node, isGone: () => true }));
    for (let round = 0; round < 3; round += 1) {
      await advanceUntil(Promise.all(both.map((cleanup) => cleanup.run())));
      clock.advance(dayMs + hourMs);
    }
    for (const sessionId of [messages[0]!.sessionId, "s1"]) expect(await under.store.readHead(sessionId)).toBeNull();
    await expectNothingSaid(messages[0]!.sessionId, messages);
    expect(await textsIn(bobs.sessionId)).toEqual(["one"]);
    expect(failures).toEqual([]);
  });
});

describe("[S4] a store that fails", () => {
  test("one session that cannot be cleaned up holds up no other, and is tried again", async () => {
    const sessions: string[] = [];
    for (const userId of ["ana", "bob", "cid"]) {
      const { sessionId } = await said(userId, "one", "c1");
      await end(sessionId, "closed");
      sessions.push(sessionId);
    }
    clock.advance(31 * dayMs);
    let fails = true;
    const store = watched(under.store, (name, given) => {
      if (fails && name === "deleteMessages" && given[0] === sessions[1])
        throw new StoreError("deleting", { retryable: true });
    });
    const cleanup = cleanupOf({ store });
    await cleaned(cleanup);
    expect(await Promise.all(sessions.map(textsIn))).toEqual([[], ["one"], []]);
    expect(failures).toEqual(["clean up a session"]);
    fails = false;
    await cleaned(cleanup);
    expect(await textsIn(sessions[1]!)).toEqual([]);
  });

  test("one that fails at everything is asked a few times a minute, and told of", async () => {
    for (let index = 0; index < 20; index += 1) await imported(headWith({ sessionId: `s${index}` }));
    clock.advance(2 * dayMs);
    const store = watched(under.store, (name) => {
      if (name === "changeSession") throw new StoreError("changing", { retryable: true });
    });
    await cleaned(cleanupOf({ store }));
    expect(failures).toEqual(["clean up a session", "clean up a session", "clean up a session"]);
    await cleaned(cleanupOf({ store: crashingStore(under.store, 0, "before").store, node: "other" }));
    expect(failures.at(-1)).toBe("clean up");
  });

  test("a round that is under way is waited for, not begun again", async () => {
    const cleanup = cleanupOf();
    const running = cleanup.run();
    expect(cleanup.run()).toBe(running);
    await advanceUntil(running);
  });

  test("it runs every minute, one round at a time, until it is stopped", async () => {
    let rounds = 0;
    const store = watched(under.store, (name) => {
      if (name === "readRecord") rounds += 1;
    });
    const cleanup = cleanupOf({ store });
    cleanup.start();
    for (let minute = 1; minute <= 3; minute += 1) {
      clock.advance(60_000);
      await step();
      expect(rounds).toBe(minute);
    }
    await cleanup.stop();
    clock.advance(600_000);
    expect([rounds, clock.timerCount]).toEqual([4, 0]);
  });
});

describe("[S-08] cleanup while somebody comes back", () => {
  const [racesMin, racesMax] = [120, 1500];
  const shortLife = { idleMs: hourMs, retentionMs: 2 * hourMs };

  // Whatever comes first: the session lives with all that was said in it, or it is gone and a new one has the message.
  test(`in ${racesMin} orders of what happens, and until each end was seen`, async () => {
    const ends = { revived: 0, begun: 0, repeated: 0 };
    // How close the races are depends on the machine, so they are run until they were close.
    for (let race = 0; race < racesMin || Object.values(ends).includes(0); race += 1) {
      if (race === racesMax) throw new Error(`after ${racesMax} races ${JSON.stringify(ends)}`);
      const random = createRandom(seedOfRun + race);
      try {
        ends[await revivalAgainstCleanup(random, race)] += 1;
      } catch (cause) {
        throw new Error(`BENNU_SEED=${seedOfRun} repeats race ${race}: ${(cause as Error).message}`, { cause });
      }
    }
  }, 180_000);

  async function revivalAgainstCleanup(random: () => number, race: number): Promise<"revived" | "begun" | "repeated"> {
    const userId = `user${race}`;
    clock.jumpTo(Date.parse("2026-03-02T01:00:00.000Z"));
    const old = [await said(userId, "one", "c1"), await said(userId, "two", "c2")];
    const { sessionId } = old[0]!;
    await end(sessionId, "abandoned");
    clock.advance(5 * hourMs);
    const shuffled = shuffledStore(under.store, random);
    const cleanups = ["first", "second"].map((node) => cleanupOf({ store: shuffled, node, life: shortLife }));
    const given = random() < 0.5 ? sessionId : null;
    const [text, clientId] = random() < 0.7 ? ["three", "c3"] : ["one", "c1"];
    const writers = [conversationsOver(shuffled), conversationsOver(shuffled)];
    const clean = advanceUntil(Promise.all(cleanups.slice(0, random() < 0.5 ? 1 : 2).map((cleanup) => cleanup.run())));
    for (let wait = Math.floor(random() * 40); wait > 0; wait -= 1) await soon();
    const results = await Promise.all(
      writers.map((writer) => writer.accept({ ...userMessage(userId, text, clientId), sessionId: given })),
    );
    await clean;
    const accepted = results.map((result) => (result.ok ? result.value : result.reason));
    for (const one of accepted) if (typeof one === "string") throw new Error(`refused as ${one}`);
    const fresh = (accepted as Accepted[]).filter(({ duplicate }) => !duplicate);
    expect(fresh.length).toBeLessThanOrEqual(1);
    const message = fresh[0]?.message;
    if (message === undefined) {
      for (const one of accepted as Accepted[]) expect(one.message.messageId).toBe(old[0]!.messageId);
      return "repeated";
    }
    // Nobody may ever delete what was just said.
    await cleaned(cleanupOf({ life: shortLife }));
    const isRevived = message.sessionId === sessionId;
    expect((await findHead(under.store, message.sessionId))?.session.status).toBe("active");
    expect(await textsIn(message.sessionId)).toEqual(isRevived ? ["one", "two", text] : [text]);
    if (!isRevived) await expectNothingSaid(sessionId, text === "one" ? old.slice(1) : old);
    const again = await accept(userId, text, clientId);
    expect([again.duplicate, again.message.messageId]).toEqual([true, message.messageId]);
    const after = await accept(userId, "four");
    expect(after.message.sessionId).toBe(message.sessionId);
    for (const open of [message, after.message]) await answered(open);
    return isRevived ? "revived" : "begun";
  }
});

interface CleanupOptions {
  readonly store?: Store;
  readonly node?: string;
  readonly isGone?: (node: string) => boolean;
  readonly life?: typeof life;
}

const listeners = {
  onChanged,
  onIntent: ({ sessionId, intentId, status }: Intent) => void changed.push(`${sessionId} ${intentId} ${status}`),
};

function cleanupOf(options: CleanupOptions = {}): Cleanup {
  const telemetry = new Telemetry<DeskEvents>();
  for (const name of ["session.abandoned", "session.deleted"] as const)
    telemetry.attach(name, ({ sessionId }) => void told.push({ name, sessionId }));
  telemetry.attach("store.failed", ({ operation }) => void failures.push(operation));
  const { store = under.store, node = "node", isGone = () => true } = options;
  const times = options.life ?? life;
  const deletion = createDeletion({ store, clock, telemetry, life: times });
  return createCleanup({ store, clock, telemetry, nodes: { isGone }, node, life: times, deletion, ...listeners });
}

async function cleaned(cleanup: Cleanup = cleanupOf()): Promise<void> {
  await advanceUntil(cleanup.run());
}

async function cleanedUntilGone(sessionId: string): Promise<void> {
  clock.advance(31 * dayMs);
  await cleaned();
  clock.advance(dayMs + hourMs);
  await cleaned();
  expect(await under.store.readHead(sessionId)).toBeNull();
}

/** Lets time pass until it is done, with something else in each pause. */
async function advanceUntil(running: Promise<unknown>, meanwhile: () => Promise<void> = soon): Promise<void> {
  let isDone = false;
  void running.finally(() => (isDone = true)).catch(() => undefined);
  while (!isDone) {
    if (clock.timerCount > 0) {
      await meanwhile();
      clock.advance(50);
    }
    await soon();
  }
  await running;
}

async function step(): Promise<void> {
  await touch(under.store);
  await soon();
  clock.advance(50);
  await touch(under.store);
  await soon();
}

function conversationsOver(store: Store): Conversations {
  return createConversations({
    store,
    clock,
    ids: createIds(clock),
    node: "node",
    onError: () => undefined,
    intentLife,
    ...listeners,
  });
}

function onChanged({ sessionId, status }: Session): void {
  changed.push(`${sessionId} ${status}`);
}

function userMessage(userId: string, content: string, clientMessageId: string | null = null) {
  const message = userMessageOf(business, userId, content);
  if (clientMessageId === null) return message;
  return { ...message, clientMessageId, metadata: { ...message.metadata, clientMessageId, chatId: "w1" } };
}

async function accept(userId: string, content: string, clientMessageId: string | null = null): Promise<Accepted> {
  const result = await conversationsOver(under.store).accept(userMessage(userId, content, clientMessageId));
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

/** A message with its answer; the answer itself is not kept, so that what is left is easy to see. */
async function said(userId: string, content: string, clientMessageId: string | null = null): Promise<ChatMessage> {
  const { message } = await accept(userId, content, clientMessageId);
  await answered(message);
  return message;
}

async function answered({ sessionId }: ChatMessage): Promise<void> {
  await under.store.changeSession(sessionId, (head) => ({ result: null, head: { ...head, turns: [], lease: null } }));
}

async function end(sessionId: string, status: "resolved" | "closed" | "abandoned"): Promise<void> {
  await under.store.changeSession<unknown>(sessionId, (head) =>
    status === "abandoned"
      ? { result: null, head: { ...head, session: { ...head.session, status } } }
      : close(head, status, clock.now()),
  );
}

async function headIn(sessionId: string): Promise<Head> {
  return (await under.store.readHead(sessionId))!;
}

async function textsIn(sessionId: string): Promise<string[]> {
  return (await under.store.readMessages(sessionId, { limit: 100 })).items.map(({ content }) => content);
}

async function noted(sessionId: string): Promise<void> {
  for (const id of ["note 1", "note 2"]) {
    const hung = await under.store.changeSession(sessionId, (head) => hang(head, asideOf(id)));
    expect(hung?.kind).toBe("hung");
  }
}

async function asidesIn(sessionId: string): Promise<string[]> {
  const { items } = await under.store.readAsides(sessionId, { from: 0, to: 1e9, limit: 1000 });
  return items.map(({ messageId }) => messageId);
}

async function recordsOf(userId: string): Promise<unknown[]> {
  const { items } = await under.store.listRecords(partitionOf({ businessId: "B1", userId }), { limit: 100 });
  return [...items];
}

async function expectNothingSaid(sessionId: string, messages: readonly ChatMessage[]): Promise<void> {
  const { store } = under;
  expect(await store.readMessages(sessionId, { limit: 10 })).toEqual({ items: [], hasMore: false });
  for (const { businessId, userId, messageId, metadata } of messages) {
    expect(await store.findMessage(sessionId, messageId)).toBeNull();
    const window = await store.readWindow({ businessId, userId, chatId: "w1" }, 10);
    expect(window.filter((message) => message.sessionId === sessionId)).toEqual([]);
    const claim = await store.readRecord(clientMessageKey(businessId, userId, metadata.clientMessageId!));
    expect(claim).toBeNull();
    const current = await readCurrentSession(store, { businessId, userId });
    if (current?.value.sessionId === sessionId) expect(current.value.day).toBe("");
  }
}

function headWith(session: Partial<Session>): Head {
  return headOf({ session });
}

async function imported(head: Head): Promise<void> {
  await under.store.importSession(head, []);
}

async function importMany(sessionId: string, count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, index) => ({ ...questionOf(`q${index}`, index + 1), sessionId }));
  await under.store.importSession(headWith({ sessionId, status: "closed", offset: count }), messages);
}

/** A store that tells of each call before it is made. What the telling throws, the call rejects with. */
function watched(inner: Store, tell: (name: keyof Store, given: readonly unknown[]) => void): Store {
  return interceptedStore(inner, (name, given, call) => {
    tell(name, given);
    return call();
  });
}
