import { describe, expect, test } from "@jest/globals";
import { beginDeletion, close } from "../../server/messaging/head.js";
import { cursorAt } from "../../server/messaging/ids.js";
import { beatKey, clientMessageKey, currentSessionKey, jobKey, userKey } from "../../server/messaging/records.js";
import type { RecordKey } from "../../server/messaging/store.js";
import {
  allOf,
  at,
  backwards,
  business,
  cursorOf,
  forwards,
  hourMs,
  idsOf,
  messageIdsOf,
  newAgentHead,
  newHead,
  offsetsOf,
  respond,
  say,
  t0,
  user,
  workOf,
} from "./store-acts.js";
import { contractOver, eventually, type OpenStore, range, type Scale } from "./store-harness.js";

const owner = { businessId: business, userId: user };

/** Everything that the desk ever asks, by the names of design §13. */
export function accessPatternContract(open: OpenStore, scale: Scale): void {
  describe("access patterns of §13", () => {
    const contract = contractOver(open, scale);

    test("[S7] message by id", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      await say(store, "s1", "m1");
      expect((await store.findMessage("s1", "m1"))?.offset).toBe(1);
    });

    test("[S6] messages of a session after or before an offset", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      await Promise.all(range(9).map((index) => say(store, "s1", `m${index}`)));
      expect(offsetsOf((await store.readMessages("s1", { after: 4, limit: 3 })).items)).toEqual([5, 6, 7]);
      expect(offsetsOf((await store.readMessages("s1", { before: 4, limit: 2 })).items)).toEqual([2, 3]);
    });

    test("[S6] [H-02] messages of a session after or before a timestamp", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      for (const [index, ms] of [0, 1, 1, 1, 2].entries()) await say(store, "s1", `m${index}`, { now: t0 + ms });
      const found = await store.offsetAt("s1", at(1));
      expect(offsetsOf(await backwards(store, "s1", 1, found))).toEqual([1]);
      expect(offsetsOf(await forwards(store, "s1", 1, (await store.offsetAt("s1", at(2))) - 1))).toEqual([5]);
    });

    test("[S1] session by id", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      expect((await store.readHead("s1"))?.session.sessionId).toBe("s1");
    });

    test("[M2] today's session of a user", async () => {
      const { store } = contract;
      const current = { sessionId: "s1", day: "2026-03-02", seed: newHead("s1") };
      expect((await store.writeRecord(currentSessionKey(owner), null, current)).isWritten).toBe(true);
      expect((await store.writeRecord(currentSessionKey(owner), null, { sessionId: "s2" })).record?.value).toEqual(
        current,
      );
      expect((await store.readRecord(currentSessionKey(owner)))?.value).toEqual(current);
      expect(await store.readRecord(currentSessionKey({ businessId: business, agentId: user }))).toBeNull();
    });

    test("[H5] active sessions of a business by last message", async () => {
      const { store } = contract;
      for (const [index, ms] of [0, 2, 1].entries()) {
        await store.createHead(newHead(`s${index}`));
        await say(store, `s${index}`, `m${index}`, { now: t0 + ms * hourMs });
      }
      await eventually(
        () => allOf((page) => store.readActiveSessions(business, page), 1),
        (seen) => expect(idsOf(seen)).toEqual(["s1", "s2", "s0"]),
      );
    });

    test("[M3] sessions by agent and status", async () => {
      const { store } = contract;
      for (const index of range(4))
        await store.createHead(newAgentHead(`s${index}`, "agent-1", { createdAt: at(index) }));
      await store.changeSession("s1", (head) => close(head, "closed", t0));
      await eventually(
        () => allOf((page) => store.readSessionsOf({ businessId: business, agentId: "agent-1" }, page), 2),
        (seen) => expect(seen.map(({ status }) => status)).toEqual(["active", "active", "closed", "active"]),
      );
    });

    test("[M3] chats of a user", async () => {
      const { store } = contract;
      for (const index of range(3)) {
        const session = { createdAt: at(index), kind: index === 1 ? "daily" : "chat", title: `chat ${index}` } as const;
        await store.createHead(newHead(`s${index}`, session, { day: null }));
      }
      await eventually(
        () => allOf((page) => store.readSessionsOf(owner, page), 2),
        (seen) =>
          expect(seen.map(({ kind, title }) => [kind, title])).toEqual([
            ["chat", "chat 2"],
            ["daily", "chat 1"],
            ["chat", "chat 0"],
          ]),
      );
    });

    test("[S8] turns that are due", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      await say(store, "s1", "m1");
      await eventually(
        () => workOf(store),
        (seen) => expect(seen).toEqual(["s1"]),
      );
    });

    test("[M12] answers that a user has not been given: those of the current session after an offset", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      await store.writeRecord(currentSessionKey(owner), null, { sessionId: "s1" });
      for (const index of range(3)) {
        await say(store, "s1", `q${index}`);
        await respond(store, "s1", `q${index}`, `r${index}`);
      }
      const current = await store.readRecord<{ sessionId: string }>(currentSessionKey(owner));
      const { items } = await store.readMessages(current!.value.sessionId, { after: 2, limit: 50 });
      expect(messageIdsOf(items.filter(({ type }) => type !== "user"))).toEqual(["r1", "r2"]);
    });

    test("[M12] messages of a chat window", async () => {
      const { store } = contract;
      for (const index of range(2)) {
        await store.createHead(newHead(`s${index}`));
        await say(store, `s${index}`, `m${index}`, { chatId: "w", now: t0 + index });
      }
      await eventually(
        () => store.readWindow({ ...owner, chatId: "w" }, 50),
        (seen) => expect(messageIdsOf(seen)).toEqual(["m0", "m1"]),
      );
    });

    test("[M17] processed events of a business after a cursor", async () => {
      const { store } = contract;
      const now = Date.now();
      await store.createHead(newHead("s1"));
      for (const index of range(3)) {
        await say(store, "s1", `q${index}`, { now });
        await respond(store, "s1", `q${index}`, `r${index}`, { now, cursor: cursorOf(now, index) });
      }
      await eventually(
        () => store.readEvents(business, { after: cursorOf(now, 0), limit: 50 }),
        ({ items }) => expect(items.map(({ messageId }) => messageId)).toEqual(["q1", "q2"]),
      );
      expect((await store.readEvents(business, { after: cursorAt(now + 1), limit: 50 })).items).toEqual([]);
    });

    test("[S-08] sessions to clean up: idle, ended and half deleted ones", async () => {
      const { store } = contract;
      for (const index of range(3)) await store.createHead(newHead(`s${index}`));
      for (const index of [1, 2]) await store.changeSession(`s${index}`, (head) => close(head, "closed", t0));
      await store.changeSession("s2", (head) => beginDeletion(head, at(1), t0));
      for (const [index, phase] of (["active", "over", "deleting"] as const).entries()) {
        await eventually(
          () => allOf((page) => store.readSessionsUnchanged(phase, { ...page, before: at(2 * hourMs) })),
          (seen) => expect(seen).toEqual([`s${index}`]),
        );
      }
    });

    const records: [string, RecordKey, RecordKey][] = [
      ["client message id", clientMessageKey(business, user, "😀".repeat(32)), clientMessageKey(business, user, "😀")],
      ["user", userKey(business, user), userKey(business, "other")],
      ["business", { partition: `business#${business}`, id: "settings" }, { partition: "business#B2", id: "settings" }],
      [
        "agent",
        { partition: `agent#${business}#a1`, id: "profile" },
        { partition: `agent#${business}#a2`, id: "profile" },
      ],
      ["schedule", { partition: `schedule#${business}`, id: "s1" }, { partition: `schedule#${business}`, id: "s2" }],
      ["life of a node", beatKey("node 1"), beatKey("node 2")],
      ["holder of a job", jobKey("cleanup"), jobKey("another")],
    ];

    test("[S1] [M6] client message id, user, business, agent, schedule, life of a node, holder of a job", async () => {
      const { store } = contract;
      for (const [name, key, other] of records) {
        expect([name, (await store.writeRecord(key, null, { a: 1 })).isWritten]).toEqual([name, true]);
        const { isWritten, record } = await store.writeRecord(key, null, { a: 2 });
        expect([name, isWritten, record?.value]).toEqual([name, false, { a: 1 }]);
        expect([name, await store.readRecord(key)]).toEqual([name, record]);
        expect([name, await store.readRecord(other)]).toEqual([name, null]);
      }
    });
  });
}
