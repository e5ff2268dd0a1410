import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { admit, answer, claim, close, type Head, type NewUserMessage } from "../../server/messaging/head.js";
import { cursorAt } from "../../server/messaging/ids.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import type { Store } from "../../server/messaging/store.js";
import { headOf } from "../support/heads.js";

/** A store under test, and the same one opened again as a new process would. */
export interface StoreUnderTest {
  readonly store: Store;
  reopen(): Promise<Store>;
  dispose(): Promise<void>;
}

const business = "B1";
const user = "user_1";
const t0 = Date.parse("2026-03-02T10:00:00.000Z");

/** What every Store must do. Each implementation runs it. */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of Store`, () => {
    let under: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      under = await open();
      store = under.store;
    });

    afterEach(async () => {
      await under.dispose();
    });

    test("[S1] a head is created once: the second gets the first", async () => {
      const first = await store.createHead(newHead("s1"));
      const second = await store.createHead({ ...newHead("s1"), day: "2000-01-01" });
      expect(second).toEqual(first);
      expect(await store.readHead("s1")).toEqual(first);
      expect(await store.readHead("unknown")).toBeNull();
    });

    test("[S1] a change of an unknown session is null, and writes nothing", async () => {
      expect(await store.changeSession("unknown", (head) => ({ result: 1, head }))).toBeNull();
      expect(await store.readHead("unknown")).toBeNull();
    });

    test("[S1] a change that decides against writing leaves rev as it was", async () => {
      await store.createHead(newHead("s1"));
      expect(await store.changeSession("s1", () => ({ result: "seen" }))).toBe("seen");
      expect((await store.readHead("s1"))?.rev).toBe(0);
    });

    test("[S2] what was said has an offset without gap, whoever writes at the same time", async () => {
      await store.createHead(newHead("s1"));
      await Promise.all(range(50).map((index) => say(store, "s1", `m${index}`)));
      const { items } = await store.readMessages("s1", { limit: 200 });
      expect(items.map(({ offset }) => offset)).toEqual(range(50).map((index) => index + 1));
      expect(new Set(items.map(({ messageId }) => messageId)).size).toBe(50);
      expect((await store.readHead("s1"))?.session.offset).toBe(50);
    });

    test("[S2] the same message at the same time twenty times is stored once", async () => {
      await store.createHead(newHead("s1"));
      const results = await Promise.all(range(20).map(() => say(store, "s1", "same")));
      expect(results.filter((result) => result?.kind === "admitted")).toHaveLength(1);
      expect(results.filter((result) => result?.kind === "duplicate")).toHaveLength(19);
      expect((await store.readMessages("s1", { limit: 10 })).items).toHaveLength(1);
    });

    test("[S2] one outcome for one turn, whoever answers at the same time", async () => {
      await store.createHead(newHead("s1"));
      await say(store, "s1", "q1");
      await store.changeSession("s1", (head) => claim(head, "node", () => true));
      const outcomes = await Promise.all(range(10).map((index) => respond(store, "s1", "q1", `a${index}`)));
      expect(outcomes.filter((outcome) => outcome !== null)).toHaveLength(1);
      expect((await store.readMessages("s1", { limit: 10 })).items.map(({ type }) => type)).toEqual(["user", "agent"]);
      expect(await workOf(store)).toEqual([]);
    });

    test("[S6] pages of history in both directions hold every message once, at any page size", async () => {
      await store.createHead(newHead("s1"));
      for (const index of range(23)) await say(store, "s1", `m${index}`);
      for (const limit of [1, 7, 22, 23, 24]) {
        expect(await backwards(store, "s1", limit)).toEqual(range(23).map((index) => index + 1));
        expect(await forwards(store, "s1", limit)).toEqual(range(23).map((index) => index + 1));
      }
    });

    test("[S6] a page knows whether there is more in its own direction", async () => {
      await store.createHead(newHead("s1"));
      for (const index of range(4)) await say(store, "s1", `m${index}`);
      expect((await store.readMessages("s1", { limit: 4 })).hasMore).toBe(false);
      expect((await store.readMessages("s1", { limit: 3 })).hasMore).toBe(true);
      expect((await store.readMessages("s1", { after: 1, limit: 3 })).hasMore).toBe(false);
      expect((await store.readMessages("s1", { after: 0, limit: 3 })).hasMore).toBe(true);
      expect(await store.readMessages("s1", { before: 1, limit: 3 })).toEqual({ items: [], hasMore: false });
      expect(await store.readMessages("unknown", { limit: 3 })).toEqual({ items: [], hasMore: false });
    });

    test("[M5] a timestamp finds its offset, also where many messages share one", async () => {
      await store.createHead(newHead("s1"));
      for (const [index, ms] of [0, 0, 0, 5, 5, 9].entries()) await say(store, "s1", `m${index}`, t0 + ms);
      const at = (ms: number) => store.offsetAt("s1", new Date(t0 + ms).toISOString());
      expect(await Promise.all([-1, 0, 1, 5, 6, 9, 10].map(at))).toEqual([1, 1, 4, 4, 6, 6, 7]);
    });

    test("[M5] a clock that jumps back does not take the session along", async () => {
      await store.createHead(newHead("s1"));
      await say(store, "s1", "m1", t0 + 1000);
      await say(store, "s1", "m2", t0 - 3_600_000);
      const { items } = await store.readMessages("s1", { limit: 10 });
      expect(items.map(({ timestamp }) => Date.parse(timestamp) - t0)).toEqual([1000, 1000]);
    });

    test("[S7] a message is found by its id", async () => {
      await store.createHead(newHead("s1"));
      await say(store, "s1", "m1");
      expect((await store.findMessage("m1"))?.content).toBe("text of m1");
      expect(await store.findMessage("m2")).toBeNull();
    });

    test("[M3] the current session is changed by compare-and-set: the loser gets the winner's", async () => {
      const key = { businessId: business, userId: user };
      const next = (id: string) => ({ sessionId: id, day: "2026-03-02", seed: newHead(id) });
      expect(await store.readCurrentSession(business, user)).toBeNull();
      const winners = await Promise.all(
        range(8).map((index) => store.replaceCurrentSession(key, null, next(`s${index}`))),
      );
      expect(new Set(winners.map(({ sessionId }) => sessionId)).size).toBe(1);
      const first = winners[0]!.sessionId;
      expect((await store.replaceCurrentSession(key, "another", next("late"))).sessionId).toBe(first);
      expect((await store.replaceCurrentSession(key, first, next("later"))).sessionId).toBe("later");
      expect((await store.readCurrentSession(business, user))?.sessionId).toBe("later");
      expect(await store.readCurrentSession(business, "other")).toBeNull();
    });

    test("[M6] a client's id stands for one message for ever, and for each user by himself", async () => {
      const key = { businessId: business, userId: user, clientMessageId: "c\u0000é".repeat(40) };
      const claims = await Promise.all(
        range(8).map((index) =>
          store.claimClientMessage(key, { messageId: `m${index}`, sessionId: "s1", textHash: "h" }),
        ),
      );
      expect(new Set(claims.map(({ messageId }) => messageId)).size).toBe(1);
      const other = await store.claimClientMessage(
        { ...key, userId: "other" },
        { messageId: "mx", sessionId: "s2", textHash: "h" },
      );
      expect(other.messageId).toBe("mx");
    });

    test("[H5] active sessions come with the latest message first, in pages, and only active ones of that business", async () => {
      for (const index of range(5)) {
        await store.createHead(newHead(`s${index}`, { userId: `u${index}` }));
        await say(store, `s${index}`, `m${index}`, t0 + index * 1000);
      }
      await store.createHead(newHead("elsewhere", { businessId: "B1x" }));
      await store.changeSession("s1", (head) => close(head, "resolved", t0));
      await say(store, "s0", "again", t0 + 60_000);
      const first = await store.readActiveSessions(business, { limit: 3 });
      expect(first.items.map(({ sessionId }) => sessionId)).toEqual(["s0", "s4", "s3"]);
      expect(first.hasMore).toBe(true);
      const rest = await store.readActiveSessions(business, { limit: 3, after: first.items[2]! });
      expect(rest.items.map(({ sessionId }) => sessionId)).toEqual(["s2"]);
      expect(rest.hasMore).toBe(false);
      expect(await store.countActiveSessions(business)).toBe(4);
    });

    test("[M3] the sessions of a user within a day", async () => {
      for (const [index, hours] of [0, 5, 30].entries()) {
        await store.createHead(newHead(`s${index}`, { createdAt: new Date(t0 + hours * 3_600_000).toISOString() }));
      }
      const found = await store.readSessionsOf(
        { businessId: business, userId: user },
        { from: "2026-03-02T00:00:00.000Z", to: "2026-03-03T00:00:00.000Z" },
      );
      expect(found.map(({ sessionId }) => sessionId)).toEqual(["s0", "s1"]);
    });

    test("[M12] a chat window holds its newest messages, across sessions, and of that user alone", async () => {
      await store.createHead(newHead("s1"));
      await store.createHead(newHead("s2"));
      await store.createHead(newHead("s3", { userId: "other" }));
      for (const [index, sessionId] of ["s1", "s1", "s2"].entries())
        await say(store, sessionId, `m${index}`, t0, { chatId: "w" });
      await say(store, "s1", "m8", t0, { chatId: "another" });
      await say(store, "s3", "m9", t0, { chatId: "w" }, "other");
      const window = (limit: number) => store.readWindow({ businessId: business, userId: user, chatId: "w" }, limit);
      expect((await window(50)).map(({ messageId }) => messageId)).toEqual(["m0", "m1", "m2"]);
      expect((await window(2)).map(({ messageId }) => messageId)).toEqual(["m1", "m2"]);
    });

    test("[S8] sessions with open turns are found, in pages", async () => {
      for (const index of range(5)) {
        await store.createHead(newHead(`s${index}`));
        await say(store, `s${index}`, `m${index}`);
      }
      await store.changeSession("s2", (head) => claim(head, "node", () => true));
      await respond(store, "s2", "m2", "a2");
      expect(await workOf(store)).toEqual(["s0", "s1", "s3", "s4"]);
    });

    test("[M17] events come after their cursor, oldest first, of one business", async () => {
      await store.createHead(newHead("s1"));
      for (const index of range(5)) {
        await say(store, "s1", `m${index}`, t0 + index);
        await store.changeSession("s1", (head) => claim(head, "node", () => true));
        await respond(store, "s1", `m${index}`, `a${index}`, t0 + index);
      }
      const first = await store.readEvents(business, { after: cursorAt(t0), limit: 3 });
      expect(first.items.map(({ messageId }) => messageId)).toEqual(["m1", "m2", "m3"]);
      expect(first.hasMore).toBe(true);
      const rest = await store.readEvents(business, { after: first.items[2]!.cursor, limit: 3 });
      expect(rest.items.map(({ messageId }) => messageId)).toEqual(["m4"]);
      expect((await store.readEvents("B1x", { after: cursorAt(0), limit: 3 })).items).toEqual([]);
    });

    test("[M18] a user is created once, and changed", async () => {
      const created = {
        businessId: business,
        userId: user,
        blocked: false,
        platforms: [],
        threadId: "t",
        greeted: false,
        createdAt: "c",
        lastSeenAt: "c",
      };
      await store.createUser(created);
      expect(await store.createUser({ ...created, threadId: "another" })).toEqual(created);
      await store.updateUser(created, (known) => ({ ...known, greeted: true }));
      expect(await store.readUser(business, user)).toEqual({ ...created, greeted: true });
      expect(await store.readUser(business, "other")).toBeNull();
    });

    test("[S3] what was acknowledged is there when the store is opened again", async () => {
      const { epoch } = store;
      await store.createHead(newHead("s1"));
      await say(store, "s1", "m1");
      const again = await under.reopen();
      expect(again.epoch).toBe(epoch);
      expect((await again.readMessages("s1", { limit: 5 })).items.map(({ content }) => content)).toEqual([
        "text of m1",
      ]);
      expect(await workOf(again)).toEqual(["s1"]);
    });

    test("[S2] a change that throws is refused alone, and writes nothing", async () => {
      await store.createHead(newHead("s1"));
      const results = await Promise.allSettled([
        say(store, "s1", "m1"),
        store.changeSession("s1", () => {
          throw new Error("a mistake");
        }),
        say(store, "s1", "m2"),
      ]);
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect((await store.readMessages("s1", { limit: 5 })).items.map(({ messageId }) => messageId).toSorted()).toEqual(
        ["m1", "m2"],
      );
      expect(store.failure).toBeNull();
    });
  });
}

function newHead(
  sessionId: string,
  { businessId = business, userId = user, createdAt = new Date(t0).toISOString() } = {},
): Head {
  const times = { createdAt, updatedAt: createdAt, lastMessageAt: createdAt };
  return headOf({ session: { sessionId, businessId, userId, createdBy: userId, ...times } });
}

function say(
  store: Store,
  sessionId: string,
  messageId: string,
  now = t0,
  metadata: { readonly chatId?: string } = {},
  userId = user,
) {
  const message: NewUserMessage = {
    messageId,
    userId,
    locationId: "L1",
    content: `text of ${messageId}`,
    context: {},
    metadata: { source: "websocket", ...metadata },
  };
  const terms = { now, node: "node", isOver: false, isFinal: false };
  return store.changeSession(sessionId, (head, found) => admit(head, found, message, terms), messageId);
}

async function respond(store: Store, sessionId: string, question: string, messageId: string, now = t0) {
  const asked = (await store.findMessage(question)) as ChatMessage;
  const { fence } = (await store.readHead(sessionId))!;
  const outcome = {
    messageId,
    responseId: `r-${messageId}`,
    type: "agent",
    content: "answer",
    tokens: 1,
    metadata: { source: "websocket" },
  } as const;
  return store.changeSession(sessionId, (head) => answer(head, asked, outcome, { now, fence, cursor: cursorAt(now) }));
}

async function backwards(store: Store, sessionId: string, limit: number): Promise<number[]> {
  const offsets: number[] = [];
  for (let before: number | undefined; ;) {
    const page = await store.readMessages(sessionId, { limit, ...(before === undefined ? {} : { before }) });
    offsets.unshift(...page.items.map(({ offset }) => offset));
    if (!page.hasMore) return offsets;
    before = offsets[0]!;
  }
}

async function forwards(store: Store, sessionId: string, limit: number): Promise<number[]> {
  const offsets: number[] = [];
  for (let after = 0; ; after = offsets.at(-1)!) {
    const page = await store.readMessages(sessionId, { limit, after });
    offsets.push(...page.items.map(({ offset }) => offset));
    if (!page.hasMore) return offsets;
  }
}

async function workOf(store: Store): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | undefined; ; after = ids.at(-1)) {
    const page = await store.readSessionsWithWork({ limit: 2, ...(after === undefined ? {} : { after }) });
    ids.push(...page.items);
    if (!page.hasMore) return ids;
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
