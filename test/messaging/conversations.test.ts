import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { defaultBusiness } from "../../server/messaging/business.js";
import {
  type Accepted,
  type Conversations,
  createConversations,
  type UserMessage,
} from "../../server/messaging/conversations.js";
import { close, type Head } from "../../server/messaging/head.js";
import { createIds } from "../../server/messaging/ids.js";
import type { JoinRequest } from "../../protocol/payloads.js";
import { createResumption } from "../../server/messaging/resume.js";
import type { Intent, Session, SessionStatus } from "../../server/messaging/model.js";
import type { Store } from "../../server/messaging/store.js";
import { crashingStore } from "../support/crashing-store.js";
import { FakeClock } from "../support/fake-clock.js";
import { intentLife, userMessageOf } from "../support/heads.js";
import { forgetfulStore, interceptedStore, shuffledStore } from "../support/intercepted-store.js";
import { createRandom, seedOfRun } from "../support/random.js";
import { openTemporaryStore, type TemporaryStore, touch } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const business = defaultBusiness("B1", "Europe/Bucharest");
const elsewhere = defaultBusiness("B2", "Europe/Bucharest");
const dayMs = 24 * 60 * 60 * 1000;
const uuidV4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let under: TemporaryStore;
let clock: FakeClock;
let failures: unknown[];
let conversations: Conversations;
/** What became of sessions, as it was told. */
let changed: string[];

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock(Date.parse("2026-03-02T10:00:00.000Z"));
  failures = [];
  changed = [];
  conversations = conversationsOver(under.store);
});

afterEach(async () => {
  await under.dispose();
});

describe("[M1] [M3] which session a message belongs to", () => {
  test("the first message of a day makes the session of that day, with an id that tells nothing", async () => {
    const { message, duplicate, head } = await accept("hello");
    expect(message).toMatchObject({ offset: 1, userId: "ana", businessId: "B1", type: "user", content: "hello" });
    expect([message.sessionId, duplicate]).toEqual([expect.stringMatching(uuidV4), false]);
    expect(await under.store.readHead(message.sessionId)).toEqual({ ...head, rev: 1 });
    expect(head?.day).toBe("2026-03-02");
    expect(head?.session).toMatchObject({ kind: "daily", status: "active", createdBy: "ana", offset: 1 });
    expect(head?.session).not.toHaveProperty("previousSessionId");
  });

  test("without an id, a message goes where the day's others are", async () => {
    const first = await accept("one");
    clock.advance(60_000);
    const second = await accept("two");
    expect([second.message.sessionId, second.message.offset]).toEqual([first.message.sessionId, 2]);
  });

  test("a userId of one business is another user in another", async () => {
    const here = await accept("one");
    const there = await accept("two", { business: elsewhere });
    expect(there.message.sessionId).not.toBe(here.message.sessionId);
    expect(there.head?.session.threadId).not.toBe(here.head?.session.threadId);
  });

  const unknown: [string, string][] = [
    ["an unknown id", "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11"],
    ["the id that old clients make up", "B1:ana:1772402400000"],
    ["the id that another user's old client makes up", "B1:bob:1772402400000"],
    ["an id of another business made up", "B2:ana:1772402400000"],
    ["text with anything in it", "\u0000ÿ😀/../"],
    ["half a surrogate pair", "\ud800"],
    ["a long text", "x".repeat(512)],
    ["a long text of many bytes", "ă".repeat(256)],
  ];

  test.each(unknown)("given %s: the user's session of today", async (_what, sessionId) => {
    const first = await accept("one", { sessionId });
    const second = await accept("two", { sessionId });
    expect(first.message.sessionId).toMatch(uuidV4);
    expect([second.message.sessionId, second.message.offset]).toEqual([first.message.sessionId, 2]);
  });

  test("given someone else's, or one of another business: the user's own", async () => {
    const bobs = await accept("mine", { userId: "bob" });
    const theirs = await accept("there", { business: elsewhere });
    const own = await accept("one", { sessionId: bobs.message.sessionId });
    const again = await accept("two", { sessionId: theirs.message.sessionId });
    expect([own.message.offset, again.message.offset]).toEqual([1, 2]);
    expect(again.message.sessionId).toBe(own.message.sessionId);
    expect(own.head?.session).not.toHaveProperty("previousSessionId");
    expect((await under.store.readHead(bobs.message.sessionId))?.session.offset).toBe(1);
    expect((await under.store.readHead(theirs.message.sessionId))?.session.offset).toBe(1);
  });

  test.each<[SessionStatus, boolean]>([
    ["active", true],
    ["abandoned", true],
    ["resolved", false],
    ["closed", false],
  ])("[T-04] given the day's own that is %s: it takes it: %p", async (status, takes) => {
    const { message } = await accept("one");
    await setStatus(message.sessionId, status);
    const next = await accept("two", { sessionId: message.sessionId });
    // [M72] What comes back to life is told; what goes on as it was, or is over for good, is not.
    expect(changed).toEqual(status === "abandoned" ? [`${message.sessionId} active`] : []);
    expect(next.message.sessionId === message.sessionId).toBe(takes);
    expect(next.head?.session.status).toBe("active");
    expect(next.head?.session.previousSessionId).toBe(takes ? undefined : message.sessionId);
  });

  test("what was resolved today is followed by a new one, which is the day's from then on", async () => {
    const first = await accept("one");
    await setStatus(first.message.sessionId, "resolved");
    expect(await conversations.today(business, "ana")).toBeNull();
    const second = await accept("two");
    const third = await accept("three", { sessionId: first.message.sessionId });
    expect(second.message.offset).toBe(1);
    expect(second.head?.session.previousSessionId).toBe(first.message.sessionId);
    expect([third.message.sessionId, third.message.offset]).toEqual([second.message.sessionId, 2]);
    expect((await conversations.today(business, "ana"))?.session.sessionId).toBe(second.message.sessionId);
    expect((await under.store.readHead(first.message.sessionId))?.session.status).toBe("resolved");
  });

  test("an earlier one of today that came back to life takes what is sent to it", async () => {
    const first = await accept("one");
    await setStatus(first.message.sessionId, "resolved");
    const second = await accept("two");
    await setStatus(first.message.sessionId, "abandoned");
    const third = await accept("three", { sessionId: first.message.sessionId });
    const fourth = await accept("four");
    expect([third.message.sessionId, fourth.message.sessionId]).toEqual([
      first.message.sessionId,
      second.message.sessionId,
    ]);
  });

  test("yesterday's takes no more, is closed, and leads to today's", async () => {
    clock.jumpTo(Date.parse("2026-03-02T21:59:59.999Z"));
    const last = await accept("before midnight");
    clock.jumpTo(Date.parse("2026-03-02T22:00:00.000Z"));
    expect(await conversations.today(business, "ana")).toBeNull();
    const first = await accept("after midnight", { sessionId: last.message.sessionId });
    expect(first.message.sessionId).not.toBe(last.message.sessionId);
    expect(first.head).toMatchObject({
      day: "2026-03-03",
      session: { previousSessionId: last.message.sessionId, offset: 1 },
    });
    await untilStatus(last.message.sessionId, "closed");
    await settled();
    expect(changed).toEqual([`${last.message.sessionId} closed`]);
    const again = await accept("to yesterday's", { sessionId: last.message.sessionId });
    expect([again.message.sessionId, again.message.offset]).toEqual([first.message.sessionId, 2]);
    expect(failures).toEqual([]);
  });

  test.each([
    ["answered", "goes on in today's"],
    ["open", "stays where its turn completes it"],
  ])("[M68] what was going on at midnight in a session whose turns are %s %s", async (turns) => {
    clock.jumpTo(Date.parse("2026-03-02T21:59:59.999Z"));
    const { sessionId } = (await accept("before midnight")).message;
    const at = new Date(clock.now()).toISOString();
    const going: Intent = {
      ...{ intentId: "i1", businessId: "B1", userId: "ana", sessionId, name: "booking", status: "active" },
      ...{ parameters: {}, missing: ["day"], createdAt: at, updatedAt: at },
    };
    await under.store.changeSession(sessionId, (head) => ({
      result: null,
      head: { ...head, intent: going, turns: turns === "open" ? head.turns : [] },
    }));
    clock.jumpTo(Date.parse("2026-03-02T22:00:00.000Z"));
    const next = await accept("after midnight", { sessionId });
    const { suspended } = (await under.store.readHead(next.message.sessionId))!;
    expect(suspended?.intentId ?? null).toBe(turns === "open" ? null : going.intentId);
  });

  test("a day after days of silence links to the last one there was", async () => {
    const first = await accept("one");
    clock.advance(9 * dayMs);
    const next = await accept("two");
    expect(next.head?.session.previousSessionId).toBe(first.message.sessionId);
    await untilStatus(first.message.sessionId, "closed");
  });

  test.each([
    ["2026-03-28T22:00:00.000Z", 23],
    ["2026-10-24T21:00:00.000Z", 25],
  ])("[T-02] the day from %s on has one session for all its %d hours", async (start, hours) => {
    const sessions: string[] = [];
    for (let half = -1; half <= hours * 2; half += 1) {
      clock.jumpTo(Date.parse(start) + half * 30 * 60_000);
      sessions.push((await accept("tick")).message.sessionId);
    }
    const ofTheDay = sessions.slice(1, -1);
    expect(ofTheDay).toHaveLength(hours * 2);
    expect(new Set(ofTheDay).size).toBe(1);
    expect(new Set(sessions).size).toBe(3);
  });

  test("[M5] a clock that jumps back an hour: offsets go on, timestamps stand still", async () => {
    const first = await accept("one");
    clock.jumpTo(clock.now() - 3_600_000);
    const second = await accept("two");
    expect(second.message).toMatchObject({ offset: 2, timestamp: first.message.timestamp });
  });
});

describe("[M22] a session that is being deleted", () => {
  test("is nobody's session of today, takes no message, and is resumed by nobody", async () => {
    const { message } = await accept("one");
    await under.store.changeSession(message.sessionId, (head) => ({
      result: null,
      head: { ...head, deletingSince: "2026-03-02T10:00:00.000Z" },
    }));
    expect(await conversations.today(business, "ana")).toBeNull();
    const ids = createIds(clock);
    const resumption = createResumption({
      store: under.store,
      conversations,
      clock,
      ids,
      deliveredIn: () => 0,
      intentIdleMs: intentLife.idleMs,
    });
    const resume = { sessionId: message.sessionId, offset: 0, epoch: null };
    const request = { userId: "ana", role: null, chatId: null, resume } as unknown as JoinRequest;
    expect(await resumption.ofUser(business, "ana", request)).toMatchObject({ recovered: false, messages: [] });
    const next = await accept("two", { sessionId: message.sessionId });
    expect([next.message.sessionId === message.sessionId, next.message.offset]).toEqual([false, 1]);
    expect((await conversations.today(business, "ana"))?.session.sessionId).toBe(next.message.sessionId);
  });
});

describe("[M21] [M6] what is stored already under an id of the client's", () => {
  test("is found; what is new, or has no id, is not, and another text is a mismatch: nothing is written", async () => {
    const none = crashingStore(under.store, 0, "before");
    const { message } = await accept("one", { clientMessageId: "c1" });
    const found = (text: string, clientMessageId: string | null) =>
      conversationsOver(none.store).findAccepted(userMessage(text, { clientMessageId }));
    expect(await found("one", "c1")).toEqual({ ok: true, value: { message, duplicate: true, head: null } });
    expect(await found("one", "c2")).toEqual({ ok: true, value: null });
    expect(await found("one", null)).toEqual({ ok: true, value: null });
    expect(await found("two", "c1")).toEqual({ ok: false, reason: "idempotency_mismatch" });
    const dying = crashingStore(under.store, 0, "after");
    await expect(acceptBy(conversationsOver(dying.store), "claimed", { clientMessageId: "c3" })).rejects.toThrow();
    expect(await found("claimed", "c3")).toEqual({ ok: true, value: null });
    expect(none.written).toEqual([]);
  });
});

describe("[M2] at once", () => {
  test.each([2, 50])("%d first messages make one session", async (count) => {
    const accepted = await Promise.all(range(count).map((index) => accept(`message ${index}`)));
    expect(new Set(accepted.map(({ message }) => message.sessionId)).size).toBe(1);
    expect(accepted.map(({ message }) => message.offset).toSorted((one, other) => one - other)).toEqual(
      range(count).map((index) => index + 1),
    );
    expect((await under.store.readActiveSessions("B1", { limit: 10 })).items).toHaveLength(1);
  });

  test.each([2, 50])("%d first messages, each on a server of its own, make one session", async (count) => {
    const servers = range(count).map(() => conversationsOver(under.store));
    const accepted = await Promise.all(servers.map((server) => acceptBy(server, "hello")));
    expect(new Set(accepted.map(({ message }) => message.sessionId)).size).toBe(1);
  });

  test("[T-03] fifty messages at midnight all go into the new day's session, and one closes yesterday's", async () => {
    const old = await accept("yesterday");
    clock.jumpTo(Date.parse("2026-03-02T22:00:00.000Z"));
    const accepted = await Promise.all(range(50).map(() => accept("hello", { sessionId: old.message.sessionId })));
    expect(new Set(accepted.map(({ message }) => message.sessionId)).size).toBe(1);
    expect(accepted[0]!.head?.session.previousSessionId).toBe(old.message.sessionId);
    await untilStatus(old.message.sessionId, "closed");
  });

  test("[M3] messages while the session is being resolved: each is stored once, none in one that is over", async () => {
    const { message } = await accept("first");
    const [accepted] = await Promise.all([
      Promise.all(range(20).map((index) => accept(`message ${index}`))),
      setStatus(message.sessionId, "resolved"),
    ]);
    const sessions = new Set(accepted.map(({ message: { sessionId } }) => sessionId));
    const stored = (await Promise.all([...sessions].map((id) => under.store.readMessages(id, { limit: 100 })))).flatMap(
      ({ items }) => items.map(({ content }) => content),
    );
    for (const index of range(20)) expect(stored.filter((text) => text === `message ${index}`)).toHaveLength(1);
    expect(sessions.size).toBeLessThanOrEqual(2);
  });
});

describe("[M2] [M6] on two nodes", () => {
  // The store takes any time for anything, so what the two do is mixed in any order.
  const runs = 150;

  const pairs = 1000;

  test(`[D-03] ${pairs} pairs of the same first message: one session, one message, and both are told the same`, async () => {
    for (let run = 0; run < pairs; run += 1) {
      await withRun(run, async (random) => {
        const userId = `user${run}`;
        const [one, other] = await Promise.all(
          [0, 1].map(() => acceptBy(onNode(random), "hello", { userId, clientMessageId: "c1" })),
        );
        expect(one!.message).toEqual(other!.message);
        expect([one!.duplicate, other!.duplicate].toSorted()).toEqual([false, true]);
        expect(await storedTexts(one!.message.sessionId)).toEqual(["hello"]);
        const { items } = await under.store.readSessionsOf({ businessId: "B1", userId }, { limit: 10 });
        expect(items).toHaveLength(1);
      });
    }
  });

  test("several messages of a user, each of them twice: one session, and each is stored once", async () => {
    for (let run = 0; run < runs / 3; run += 1) {
      await withRun(run, async (random) => {
        const userId = `user${run}`;
        const texts = range(4).map((index) => `message ${index}`);
        const accepted = await Promise.all(
          [...texts, ...texts].map((text) => acceptBy(onNode(random), text, { userId, clientMessageId: text })),
        );
        expect(new Set(accepted.map(({ message }) => message.sessionId)).size).toBe(1);
        expect(new Set(accepted.map(({ message }) => message.messageId)).size).toBe(4);
        expect(accepted.filter(({ duplicate }) => !duplicate)).toHaveLength(4);
        expect((await storedTexts(accepted[0]!.message.sessionId)).toSorted()).toEqual(texts);
      });
    }
  });

  // What is stored is answered before the slower of the two looks: then no open turn tells of it any more.
  test("stored and answered by one while the other is between two steps: still its duplicate", async () => {
    let hasOther: Accepted | null = null;
    const slow = interceptedStore(under.store, async (name, _given, call) => {
      if (name === "changeSession" && hasOther === null) {
        hasOther = await accept("hello", { clientMessageId: "c1" });
        await under.store.changeSession(hasOther.message.sessionId, (head) => ({
          result: null,
          head: { ...head, turns: [], lease: null },
        }));
      }
      return call();
    });
    const late = await acceptBy(conversationsOver(slow), "hello", { clientMessageId: "c1" });
    expect(late).toEqual({ message: hasOther!.message, duplicate: true, head: null });
    expect(await storedTexts(late.message.sessionId)).toEqual(["hello"]);
  });

  test("[S6] what is new is not looked for among what is stored; what may be a repeat is", async () => {
    const lookedFor: unknown[] = [];
    const store = interceptedStore(under.store, (name, given, call) => {
      if (name === "changeSession") lookedFor.push(given[2]);
      return call();
    });
    const node = conversationsOver(store);
    await acceptBy(node, "one");
    await acceptBy(node, "two", { clientMessageId: "c1" });
    expect(lookedFor).toEqual([undefined, undefined]);
    const { message } = await acceptBy(node, "two", { clientMessageId: "c1" });
    expect(lookedFor.slice(2)).toEqual([message.messageId]);
  });

  function onNode(random: () => number): Conversations {
    return conversationsOver(shuffledStore(under.store, random));
  }

  async function withRun(run: number, play: (random: () => number) => Promise<void>): Promise<void> {
    try {
      await play(createRandom(seedOfRun + run));
    } catch (cause) {
      throw new Error(`BENNU_SEED=${seedOfRun} repeats run ${run}: ${(cause as Error).message}`, { cause });
    }
  }
});

describe("[M6] a clientMessageId stands for one message", () => {
  test.each([2, 20])("%d times at once: stored once, and every other is its duplicate", async (count) => {
    const accepted = await Promise.all(range(count).map(() => accept("same", { clientMessageId: "c1" })));
    expect(accepted.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(accepted.map(({ message }) => JSON.stringify(message))).size).toBe(1);
    expect(accepted.filter(({ head }) => head === null)).toHaveLength(count - 1);
    expect(await storedTexts(accepted[0]!.message.sessionId)).toEqual(["same"]);
  });

  test("again: the first reply, whatever became of the session", async () => {
    const first = await accept("hello", { clientMessageId: "c1" });
    for (const [status, ms] of [
      ["active", 0],
      ["resolved", 0],
      ["closed", dayMs],
      ["abandoned", dayMs],
    ] as const) {
      await setStatus(first.message.sessionId, status);
      clock.advance(ms);
      const again = await accept("hello", { clientMessageId: "c1" });
      expect(again).toEqual({ message: first.message, duplicate: true, head: null });
    }
    expect(await storedTexts(first.message.sessionId)).toEqual(["hello"]);
  });

  test("after a restart, and by way of another session's id", async () => {
    const first = await accept("hello", { clientMessageId: "c1" });
    conversations = conversationsOver(await under.reopen());
    const again = await accept("hello", { clientMessageId: "c1", sessionId: "unknown", metadata: { source: "http" } });
    expect(again).toEqual({ message: first.message, duplicate: true, head: null });
  });

  test("with another text: a mismatch, and nothing is stored", async () => {
    const first = await accept("hello", { clientMessageId: "c1" });
    expect(await conversations.accept(userMessage("hello!", { clientMessageId: "c1" }))).toEqual({
      ok: false,
      reason: "idempotency_mismatch",
    });
    expect(await storedTexts(first.message.sessionId)).toEqual(["hello"]);
  });

  test("two texts under one id at once: one is stored, the other is a mismatch", async () => {
    const results = await Promise.all(
      ["one", "two"].map((text) => conversations.accept(userMessage(text, { clientMessageId: "c1" }))),
    );
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    const today = await conversations.today(business, "ana");
    expect(await storedTexts(today!.session.sessionId)).toHaveLength(1);
  });

  test("it is a user's own, and a business's own", async () => {
    const accepted = [
      await accept("hello", { clientMessageId: "c1" }),
      await accept("hello", { clientMessageId: "c1", userId: "bob" }),
      await accept("hello", { clientMessageId: "c1", business: elsewhere }),
    ];
    expect(accepted.map(({ duplicate }) => duplicate)).toEqual([false, false, false]);
    expect(new Set(accepted.map(({ message }) => message.messageId)).size).toBe(3);
  });

  test.each([null, "c1"])(
    "[D-01] a store that asks again for what it has written stores it once; id %p",
    async (id) => {
      const { store, forgetOnce } = forgetfulStore(under.store);
      forgetOnce();
      const { message } = await acceptBy(conversationsOver(store), "once", { clientMessageId: id });
      expect(await storedTexts(message.sessionId)).toEqual(["once"]);
      expect((await store.readHead(message.sessionId))?.turns).toHaveLength(1);
    },
  );

  test("without one, the same text twice is two messages", async () => {
    const [first, second] = [await accept("hello"), await accept("hello")];
    expect([first.message.offset, second.message.offset]).toEqual([1, 2]);
    expect(second.message.messageId).not.toBe(first.message.messageId);
  });
});

describe("[M6] [S2] a process that dies between two steps", () => {
  const situations: [string, () => Promise<void>][] = [
    ["the first message ever", () => Promise.resolve()],
    ["the second message of a day", async () => void (await accept("earlier"))],
    [
      "the first message of another day",
      async () => {
        await accept("yesterday");
        clock.advance(dayMs);
      },
    ],
    [
      "the first message after a resolved session",
      async () => setStatus((await accept("earlier")).message.sessionId, "resolved"),
    ],
  ];

  test.each(situations)(
    "%s, retried under the same id: stored once, in one session, at every step",
    async (_what, arrange) => {
      let steps = 0;
      for (const when of ["before", "after"] as const) {
        for (let at = 0; ; at += 1) {
          await under.dispose();
          under = await openTemporaryStore();
          conversations = conversationsOver(under.store);
          await arrange();
          await settled();
          const dying = crashingStore(under.store, at, when);
          const attempt = acceptBy(conversationsOver(dying.store), "hello", { clientMessageId: "c1" });
          const died = await attempt.then(
            () => false,
            () => true,
          );
          await settled();
          if (!died) {
            steps = Math.max(steps, at);
            break;
          }
          await expectOneAfterRetry();
        }
      }
      expect(steps).toBeGreaterThanOrEqual(2);
    },
  );

  test("it dies at midnight, after the place was decided: the retry of the next day finds it there, once", async () => {
    clock.jumpTo(Date.parse("2026-03-02T21:59:59.999Z"));
    const earlier = await accept("earlier");
    const dying = crashingStore(under.store, 0, "after");
    await expect(acceptBy(conversationsOver(dying.store), "hello", { clientMessageId: "c1" })).rejects.toThrow();
    expect(dying.written).toEqual(["writeRecord"]);
    clock.jumpTo(Date.parse("2026-03-02T22:00:00.000Z"));
    const other = await accept("of today");
    const retried = await accept("hello", { clientMessageId: "c1" });
    expect([retried.message.sessionId, retried.duplicate]).toEqual([earlier.message.sessionId, false]);
    expect(await storedTexts(earlier.message.sessionId)).toEqual(["earlier", "hello"]);
    expect(await storedTexts(other.message.sessionId)).toEqual(["of today"]);
  });
});

async function expectOneAfterRetry(): Promise<void> {
  const retried = await accept("hello", { clientMessageId: "c1" });
  const again = await accept("hello", { clientMessageId: "c1" });
  expect(again).toEqual({ message: retried.message, duplicate: true, head: null });
  const after = await accept("afterwards");
  expect(after.message.sessionId).toBe(retried.message.sessionId);
  const { items: sessions } = await under.store.readSessionsOf({ businessId: "B1", userId: "ana" }, { limit: 100 });
  const texts = (await Promise.all(sessions.map(({ sessionId }) => storedTexts(sessionId)))).flat();
  expect(texts.filter((text) => text === "hello")).toHaveLength(1);
  const open = sessions.filter(({ status }) => status === "active");
  expect(open.map(({ sessionId }) => sessionId)).toContain(retried.message.sessionId);
  const head = await under.store.readHead(retried.message.sessionId);
  expect(head?.turns.filter(({ messageId }) => messageId === retried.message.messageId)).toHaveLength(1);
}

function conversationsOver(store: Store): Conversations {
  const onError = (_operation: string, error: unknown) => void failures.push(error);
  const onChanged = ({ sessionId, status }: Session) => void changed.push(`${sessionId} ${status}`);
  const onIntent = ({ intentId, status }: Intent) => void changed.push(`${intentId} ${status}`);
  return createConversations({
    store,
    clock,
    ids: createIds(clock),
    node: "node",
    onError,
    onChanged,
    onIntent,
    intentLife,
  });
}

function userMessage(content: string, more: Partial<UserMessage> = {}): UserMessage {
  return { ...userMessageOf(business, "ana", content), ...more };
}

function accept(content: string, more: Partial<UserMessage> = {}): Promise<Accepted> {
  return acceptBy(conversations, content, more);
}

async function acceptBy(server: Conversations, content: string, more: Partial<UserMessage> = {}): Promise<Accepted> {
  const result = await server.accept(userMessage(content, more));
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

async function setStatus(sessionId: string, status: SessionStatus): Promise<void> {
  const changed = (head: Head): Head => ({ ...head, session: { ...head.session, status } });
  await under.store.changeSession(sessionId, (head) =>
    status === "resolved" ? close(head, status, clock.now()) : { result: head.session, head: changed(head) },
  );
}

async function untilStatus(sessionId: string, status: SessionStatus): Promise<void> {
  let known: string | undefined;
  const look = async () => {
    known = (await under.store.readHead(sessionId))?.session.status;
  };
  await until(`a session that is ${status}`, () => {
    void look();
    return known === status;
  });
}

/** What was written without anybody waiting for it is on the disk. */
async function settled(): Promise<void> {
  await touch(under.store);
}

async function storedTexts(sessionId: string): Promise<string[]> {
  return (await under.store.readMessages(sessionId, { limit: 100 })).items.map(({ content }) => content);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
