import { describe, expect, test } from "@jest/globals";
import type { ChatMessage } from "../../server/messaging/model.js";
import { currentSessionKey } from "../../server/messaging/records.js";
import { cursorAt } from "../../server/messaging/ids.js";
import type { Store } from "../../server/messaging/store.js";
import {
  at,
  backwards,
  business,
  cursorOf,
  forwards,
  headAfter,
  hourMs,
  importedMessage,
  messageIdsOf,
  newAgentHead,
  newHead,
  offsetsOf,
  respond,
  say,
  t0,
  user,
} from "./store-acts.js";
import { canonical, contractOver, eventually, type OpenStore, range, type Scale } from "./store-harness.js";
import { oddValues } from "./store-values.js";

/** What was said is read in its order, from any place, in pages of any size. */
export function historyContract(open: OpenStore, scale: Scale): void {
  describe("history", () => {
    const contract = contractOver(open, scale);

    test("[S6] [M4] pages in both directions hold every message once, at any page size", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      await Promise.all(range(23).map((index) => say(store, "s1", `m${index}`)));
      const all = range(23).map((index) => index + 1);
      for (const limit of [1, 2, 7, 22, 23, 24, 200]) {
        expect(offsetsOf(await backwards(store, "s1", limit))).toEqual(all);
        expect(offsetsOf(await forwards(store, "s1", limit))).toEqual(all);
      }
    });

    test("[S6] a page begins next to its bound, and knows whether there is more in its own direction", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      for (const index of range(5)) await say(store, "s1", `m${index}`);
      const pages: [{ after?: number; before?: number; limit: number }, number[], boolean][] = [
        [{ limit: 5 }, [1, 2, 3, 4, 5], false],
        [{ limit: 4 }, [2, 3, 4, 5], true],
        [{ limit: 9 }, [1, 2, 3, 4, 5], false],
        [{ before: 4, limit: 2 }, [2, 3], true],
        [{ before: 4, limit: 3 }, [1, 2, 3], false],
        [{ before: 1, limit: 3 }, [], false],
        [{ before: 0, limit: 3 }, [], false],
        [{ before: 6, limit: 1 }, [5], true],
        [{ before: 1e9, limit: 2 }, [4, 5], true],
        [{ before: 2 ** 53 - 1, limit: 2 }, [4, 5], true],
        [{ after: 0, limit: 4 }, [1, 2, 3, 4], true],
        [{ after: 0, limit: 5 }, [1, 2, 3, 4, 5], false],
        [{ after: 2, limit: 2 }, [3, 4], true],
        [{ after: 2, limit: 3 }, [3, 4, 5], false],
        [{ after: 4, limit: 3 }, [5], false],
        [{ after: 5, limit: 3 }, [], false],
        [{ after: 1e9, limit: 3 }, [], false],
        [{ after: 2 ** 53 - 1, limit: 3 }, [], false],
      ];
      for (const [bounds, offsets, hasMore] of pages) {
        const page = await store.readMessages("s1", bounds);
        expect([bounds, offsetsOf(page.items), page.hasMore]).toEqual([bounds, offsets, hasMore]);
      }
    });

    test("[S2] [S-06] a message is read as it was acknowledged, at once and on every node", async () => {
      const { store, under } = contract;
      const other = await under.another();
      await store.createHead(newHead("s1"));
      for (const [index, { value }] of oddValues.entries()) {
        const said = await say(store, "s1", `m${index}`, { content: `${index}`, data: { value }, chatId: "w" });
        if (said?.kind !== "admitted") throw new Error("not admitted");
        const page = await other.readMessages("s1", { after: said.message.offset - 1, limit: 2 });
        expect(page.items.map(canonical)).toEqual([canonical(said.message)]);
        expect(canonical(await other.findMessage("s1", `m${index}`))).toBe(canonical(said.message));
      }
    });

    test("[S-04] a text comes back with every character that it had", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      const texts = oddValues.map(({ value }) => value).filter((value) => typeof value === "string");
      for (const [index, content] of texts.entries()) await say(store, "s1", `m${index}`, { content });
      expect((await forwards(store, "s1", 100)).map(({ content }) => content)).toEqual(texts);
    });

    test("[S7] a message is found by its id, in the session where it was said", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      await store.createHead(newHead("s2"));
      await say(store, "s1", "m1");
      await say(store, "s2", "m2");
      expect((await store.findMessage("s1", "m1"))?.content).toBe("text of m1");
      expect(await store.findMessage("s1", "m2")).toBeNull();
      expect(await store.findMessage("s1", "m")).toBeNull();
      expect(await store.findMessage("unknown", "m1")).toBeNull();
      await say(store, "s2", "m1", { content: "another" });
      expect((await store.findMessage("s1", "m1"))?.content).toBe("text of m1");
      expect((await store.findMessage("s2", "m1"))?.content).toBe("another");
    });

    test("[M5] a timestamp finds the first offset that is not before it", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      for (const [index, ms] of [0, 0, 0, 5, 5, 9].entries()) await say(store, "s1", `m${index}`, { now: t0 + ms });
      const offsets: [number, number][] = [
        [-hourMs, 1],
        [-1, 1],
        [0, 1],
        [1, 4],
        [5, 4],
        [6, 6],
        [9, 6],
        [10, 7],
        [1e12, 7],
      ];
      for (const [ms, offset] of offsets) expect([ms, await store.offsetAt("s1", at(ms))]).toEqual([ms, offset]);
    });

    test("[M5] [H-02] it does so among hundreds of messages of one millisecond, whatever its digits", async () => {
      const { store } = contract;
      const { crowd } = scale;
      const before = [importedMessage(newHead("s1"), 1, { timestamp: at(-1) })];
      const same = range(crowd).map((index) => importedMessage(newHead("s1"), index + 2, { timestamp: at(0) }));
      const last = importedMessage(newHead("s1"), crowd + 2, { timestamp: at(1) });
      const messages = [...before, ...same, last];
      await store.importSession(headAfter(newHead("s1"), messages), messages);
      const found = await Promise.all([-1, 0, 1, 2].map((ms) => store.offsetAt("s1", at(ms))));
      expect(found).toEqual([1, 2, crowd + 2, crowd + 3]);
      expect(offsetsOf(await backwards(store, "s1", 200, found[2]))).toEqual(range(crowd + 1).map((each) => each + 1));
    });

    test("[M12] a window holds its newest messages, across sessions, oldest first, and of that user alone", async () => {
      const { store } = contract;
      await Promise.all(["s1", "s2"].map((id) => store.createHead(newHead(id))));
      await store.createHead(newHead("s3", { userId: "other" }));
      await store.createHead(newHead("s4", { businessId: "B1x" }));
      for (const [index, sessionId] of ["s1", "s2", "s1", "s2", "s1"].entries()) {
        await say(store, sessionId, `m${index}`, { now: t0 + index, chatId: "w" });
      }
      await say(store, "s1", "m7", { now: t0 + 9, chatId: "another" });
      await say(store, "s1", "m8", { now: t0 + 9 });
      await say(store, "s3", "m9", { chatId: "w", userId: "other" });
      await say(store, "s4", "m9", { chatId: "w" });
      const window = (limit: number) => readWindow(store, "w", limit);
      await eventually(
        () => window(50),
        (seen) => expect(messageIdsOf(seen)).toEqual(["m0", "m1", "m2", "m3", "m4"]),
      );
      expect(messageIdsOf(await window(5))).toEqual(["m0", "m1", "m2", "m3", "m4"]);
      expect(messageIdsOf(await window(3))).toEqual(["m2", "m3", "m4"]);
      expect(messageIdsOf(await window(1))).toEqual(["m4"]);
      expect((await window(5))[1]).toEqual(await store.findMessage("s2", "m1"));
      expect(await readWindow(store, "unknown", 5)).toEqual([]);
      expect(await store.readWindow({ businessId: business, userId: "nobody", chatId: "w" }, 5)).toEqual([]);
    });

    test("[M12] what is said in the user's current session is in its window at once, and answers are too", async () => {
      const { store, under } = contract;
      const other = await under.another();
      await store.createHead(newHead("s1"));
      const current = { sessionId: "s1", day: "2026-03-02", seed: newHead("s1") };
      await store.writeRecord(currentSessionKey({ businessId: business, userId: user }), null, current);
      for (const index of range(12)) {
        await say(store, "s1", `m${index + 10}-q`, { now: t0 + index, chatId: "w" });
        await respond(store, "s1", `m${index + 10}-q`, `m${index + 10}-r`, { now: t0 + index, chatId: "w" });
        const seen = await readWindow(other, "w", 50);
        expect(seen).toEqual(await forwards(other, "s1", 50));
        expect(seen).toHaveLength(2 * index + 2);
      }
    });

    test("[M12] a window goes by time, then session, then offset, whatever the ids are and however it came here", async () => {
      const { store } = contract;
      for (const id of ["s1", "s2"]) await store.createHead(newHead(id));
      const current = { sessionId: "s2", day: "2026-03-02", seed: newHead("s2") };
      await store.writeRecord(currentSessionKey({ businessId: business, userId: user }), null, current);
      // Ids are made when a client's id is claimed: whoever was refused and comes again has an early one.
      const said = range(12).map((index) => `m${50 - index}`);
      for (const id of said) await say(store, "s2", id, { chatId: "w" });
      for (const id of ["m99", "m98"]) await say(store, "s1", id, { chatId: "w" });
      await say(store, "s1", "m00", { chatId: "w", now: t0 + 5 });
      await say(store, "s2", "m01", { chatId: "w", now: t0 + 3 });
      const head = newHead("s3");
      const imported = range(11).map((index) =>
        importedMessage(head, index + 1, {
          messageId: `a${50 - index}`,
          timestamp: at(Math.floor(index / 10) * 4),
          metadata: { source: "http", chatId: "w" },
        }),
      );
      await store.importSession(headAfter(head, imported), imported);
      const ids = messageIdsOf(imported);
      const all = ["m99", "m98", ...said, ...ids.slice(0, 10), "m01", ...ids.slice(10), "m00"];
      await eventually(
        () => readWindow(store, "w", 50),
        (seen) => expect(messageIdsOf(seen)).toEqual(all),
      );
      for (const limit of [1, 2, 5, 20]) {
        expect(messageIdsOf(await readWindow(store, "w", limit))).toEqual(all.slice(-limit));
      }
    });

    test("[M11] [M12] a window has any name that a client gives it", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      const names = ["w".repeat(128), "😀".repeat(32), "a#b", "\u0000\u0001", "__proto__", "ș/..", " "];
      for (const [index, chatId] of names.entries()) {
        await say(store, "s1", `m${index}`, { chatId });
        await say(store, "s1", `x${index}`, { chatId: `${chatId}x` });
      }
      for (const [index, chatId] of names.entries()) {
        await eventually(
          () => readWindow(store, chatId, 5),
          (seen) => expect([chatId, messageIdsOf(seen)]).toEqual([chatId, [`m${index}`]]),
        );
      }
    });

    test("[M17] events come after their cursor, oldest first, in pages, of one business", async () => {
      const { store } = contract;
      const now = Math.floor(Date.now() / hourMs) * hourMs;
      const stored: unknown[] = [];
      for (const index of range(9)) {
        const businessId = index === 4 ? "B1x" : business;
        const sessionId = `s${index % 3}-${businessId}`;
        await store.createHead(newHead(sessionId, { businessId }));
        await say(store, sessionId, `m${index}`, { now: now + index });
        // The later half shares a millisecond.
        const cursor = cursorOf(now + Math.min(index, 5), index);
        const answered = await respond(store, sessionId, `m${index}`, `a${index}`, { now: now + index, cursor });
        if (businessId === business) stored.push(answered!.event);
      }
      const page = (after: string, limit: number) => store.readEvents(business, { after, limit });
      await eventually(
        () => page(cursorAt(0), 50),
        (seen) => expect(seen).toEqual({ items: stored, hasMore: false }),
      );
      for (const limit of [1, 3, 4, 7, 8]) {
        const seen: unknown[] = [];
        for (let after = cursorAt(0); ;) {
          const { items, hasMore } = await page(after, limit);
          expect(items.length).toBeLessThanOrEqual(limit);
          seen.push(...items);
          if (!hasMore) break;
          after = items.at(-1)!.cursor;
        }
        expect(seen).toEqual(stored);
      }
      expect((await page(cursorAt(now + 5), 50)).items.map(({ messageId }) => messageId)).toEqual([
        ...["m5", "m6", "m7", "m8"],
      ]);
      expect((await page(cursorOf(now + 5, 8), 50)).items).toEqual([]);
      expect((await store.readEvents("B", { after: cursorAt(0), limit: 5 })).items).toEqual([]);
      expect((await store.readEvents("B1x", { after: cursorAt(0), limit: 5 })).items).toHaveLength(1);
    });

    test("[M3] what an agent's own session holds is read like any other", async () => {
      const { store } = contract;
      await store.createHead(newAgentHead("s1", "agent-1"));
      await say(store, "s1", "m1", { userId: "agent" });
      expect(messageIdsOf(await forwards(store, "s1", 5))).toEqual(["m1"]);
      expect((await store.readHead("s1"))?.session).not.toHaveProperty("userId");
    });
  });
}

function readWindow(store: Store, chatId: string, limit: number): Promise<readonly ChatMessage[]> {
  return store.readWindow({ businessId: business, userId: user, chatId }, limit);
}
