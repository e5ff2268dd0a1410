import { describe, expect, test } from "@jest/globals";
import { beginDeletion, close, type Head, takeOver } from "../../server/messaging/head.js";
import { cursorAt } from "../../server/messaging/ids.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import type { Store } from "../../server/messaging/store.js";
import { turnOf } from "../support/heads.js";
import { describeStore } from "./describe-store.js";
import {
  allOf,
  annotate,
  asidesOf,
  at,
  backwards,
  business,
  cursorOf,
  deleteAll,
  forwards,
  headAfter,
  importedMessage,
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

const far = "9999-01-01T00:00:00.000Z";

/** How sessions leave a store, and how they come into another. */
export function deletionContract(open: OpenStore, scale: Scale): void {
  describe("deletion", () => {
    const contract = contractOver(open, scale);

    test("[S-08] nothing is deleted of a session that is not being deleted", async () => {
      const { store } = contract;
      await conversation(store, "s1", 2);
      const statuses: [string, (head: Head) => { result: unknown; head?: Head }][] = [
        ["active", (head) => ({ result: null, head })],
        ["closed", (head) => close(head, "closed", t0)],
      ];
      for (const [status, decide] of statuses) {
        await store.changeSession("s1", decide);
        const before = await forwards(store, "s1", 50);
        const asides = await asidesOf(store, "s1");
        await store.deleteMessages("s1", before);
        await store.deleteAsides("s1", asides);
        await store.deleteHead("s1");
        expect([status, await asidesOf(store, "s1")]).toEqual([status, asides]);
        expect([status, await forwards(store, "s1", 50)]).toEqual([status, before]);
        expect((await store.readHead("s1"))?.session.offset).toBe(4);
      }
    });

    test("[S-08] messages go with all that was written about each, and the others stay", async () => {
      const { store, under } = contract;
      await conversation(store, "s2", 2);
      await conversation(store, "s1", 3);
      await beginDeleting(store, "s1");
      const messages = await forwards(store, "s1", 50);
      await store.deleteMessages("s1", messages.slice(0, 3));
      for (const each of [store, await under.another()]) {
        expect(offsetsOf(await forwards(each, "s1", 2))).toEqual([4, 5, 6]);
        expect(offsetsOf(await backwards(each, "s1", 2))).toEqual([4, 5, 6]);
        expect(await each.findMessage("s1", messages[0]!.messageId)).toBeNull();
        expect(await each.findMessage("s1", messages[3]!.messageId)).toEqual(messages[3]);
      }
      const kept = messageIdsOf([...messages.slice(3), ...(await forwards(store, "s2", 50))]);
      await eventually(
        // Not one more: what is gone takes no place.
        () => store.readWindow({ businessId: business, userId: user, chatId: "w" }, kept.length),
        (seen) => expect(messageIdsOf(seen).toSorted()).toEqual(kept.toSorted()),
      );
    });

    test("[S-08] events of what was deleted are gone too", async () => {
      const { store } = contract;
      await conversation(store, "s1", 2);
      await conversation(store, "s2", 1);
      await beginDeleting(store, "s1");
      await store.settle("s1");
      await deleteAll(store, "s1");
      await eventually(
        () => store.readEvents(business, { after: cursorAt(0), limit: 50 }),
        ({ items }) => expect(items.map(({ sessionId }) => sessionId)).toEqual(["s2"]),
      );
    });

    test("[S-08] [S-09] a session that is deleted is nowhere any more, and deleting it again changes nothing", async () => {
      const { store } = contract;
      await conversation(store, "s1", 4);
      await conversation(store, "s2", 1);
      const messages = await forwards(store, "s1", 50);
      await beginDeleting(store, "s1");
      for (let time = 0; time < 2; time += 1) {
        // Two nodes clean up at once.
        await Promise.all([deleteAll(store, "s1", 3), deleteAll(await contract.under.another(), "s1", 2)]);
        expect(await store.readHead("s1")).toBeNull();
        expect((await store.readMessages("s1", { limit: 9 })).items).toEqual([]);
        expect(await asidesOf(store, "s1")).toEqual([]);
        expect(await asidesOf(store, "s2")).toHaveLength(3);
        for (const { messageId } of messages) expect(await store.findMessage("s1", messageId)).toBeNull();
        expect(await say(store, "s1", "late")).toBeNull();
      }
      await store.deleteMessages("s1", messages);
      await eventually(
        () => describeIndexes(store),
        (seen) =>
          expect(seen).toEqual({
            active: ["s2"],
            owned: ["s2"],
            ofBusiness: ["s2"],
            work: [],
            phases: ["s2"],
            window: ["s2", "s2"],
          }),
      );
    });

    test("[M22] no coordinator takes over what is being deleted", async () => {
      const { store } = contract;
      await conversation(store, "s1", 1);
      await beginDeleting(store, "s1");
      await store.settle("s1");
      const before = await store.readHead("s1");
      const holder = { coordinatorId: "carla", expiresAt: far };
      expect(await store.changeSession("s1", (head) => takeOver(head, holder, t0))).toBeNull();
      expect(await store.readHead("s1")).toEqual(before);
    });

    test("[S-08] what is being deleted accepts nothing, and is not shown to its owner or its business", async () => {
      const { store } = contract;
      await conversation(store, "s1", 1);
      await beginDeleting(store, "s1");
      expect((await say(store, "s1", "late"))?.kind).toBe("over");
      const asides = await asidesOf(store, "s1");
      expect((await annotate(store, "s1", "late note"))?.kind).toBe("gone");
      expect(await asidesOf(store, "s1")).toEqual(asides);
      expect(await store.findMessage("s1", "late")).toBeNull();
      await eventually(
        () => describeIndexes(store),
        ({ active, owned, ofBusiness, phases }) =>
          expect({ active, owned, ofBusiness, phases }).toEqual({
            active: [],
            owned: [],
            ofBusiness: [],
            phases: ["s1"],
          }),
      );
    });
  });

  describe("import", () => {
    const contract = contractOver(open, scale);

    test("[S2] a session that is imported in several parts, twice and on two nodes, is there once and whole", async () => {
      const { store, under } = contract;
      const stores = [store, await under.another()];
      const { head, messages } = exported("s1", 30);
      const parts = [messages.slice(0, 12), messages.slice(10, 20), messages.slice(20)];
      for (let time = 0; time < 2; time += 1) {
        await Promise.all(parts.map((part, index) => stores[index % 2]!.importSession(head, part)));
      }
      await store.importSession(head, []);
      for (const each of stores) {
        expect(await forwards(each, "s1", 7)).toEqual(messages);
        expect({ ...(await each.readHead("s1")), rev: 0 }).toEqual({ ...head, lease: null, rev: 0 });
      }
    });

    test("[S2] its open turns are kept without a lease, so that they are answered here", async () => {
      const { store } = contract;
      const { head, messages } = exported("s1", 3);
      const turns = [turnOf("s1-000002", 2), turnOf("s1-000003", 3)];
      await store.importSession({ ...head, turns, lease: { owner: "there", fence: 9 }, fence: 9 }, messages);
      const imported = await store.readHead("s1");
      expect([imported?.turns, imported?.lease]).toEqual([turns, null]);
      await eventually(
        () => workOf(store),
        (work) => expect(work).toEqual(["s1"]),
      );
      const answered = await respond(store, "s1", "s1-000002", "answer");
      expect([answered?.message.offset, answered?.head.turns]).toEqual([4, [turns[1]]]);
      expect(answered!.head.fence).toBeGreaterThan(9);
    });

    test("[S2] what is there already stays as it is", async () => {
      const { store } = contract;
      await conversation(store, "s1", 2);
      const history = await forwards(store, "s1", 50);
      const before = await store.readHead("s1");
      const { head } = exported("s1", 4);
      const others = history.map((message) => ({ ...message, content: "another text" }));
      await store.importSession({ ...head, day: "2000-01-01" }, others);
      await store.importSession(head, [importedMessage(head, 9, { content: "beyond its end" })]);
      const same = history.map((message) => ({ ...message, messageId: `other ${message.messageId}` }));
      await store.importSession(head, same);
      expect(await forwards(store, "s1", 50)).toEqual(history);
      expect({ ...(await store.readHead("s1")), rev: 0 }).toEqual({ ...before, rev: 0 });
      expect(await store.findMessage("s1", history[0]!.messageId)).toEqual(history[0]);
      await say(store, "s1", "next");
      expect(offsetsOf(await forwards(store, "s1", 50))).toEqual([1, 2, 3, 4, 5]);
    });

    test("[S2] a session that goes on after its import goes on where it ended, and a late import changes nothing", async () => {
      const { store } = contract;
      const { head, messages } = exported("s1", 5);
      await store.importSession(head, messages);
      expect((await say(store, "s1", "next"))?.kind).toBe("admitted");
      await store.importSession(head, messages);
      expect(messageIdsOf(await forwards(store, "s1", 50))).toEqual([...messageIdsOf(messages), "next"]);
    });

    test("[S2] nothing comes back into a session that is being deleted", async () => {
      const { store } = contract;
      await conversation(store, "s1", 1);
      await beginDeleting(store, "s1");
      const messages = await forwards(store, "s1", 50);
      const asides = await asidesOf(store, "s1");
      await store.deleteMessages("s1", messages);
      await store.deleteAsides("s1", asides);
      await store.importSession({ ...(await store.readHead("s1"))!, deletingSince: null }, messages, asides);
      expect(await forwards(store, "s1", 50)).toEqual([]);
      expect(await asidesOf(store, "s1")).toEqual([]);
      expect((await store.readHead("s1"))?.deletingSince).not.toBeNull();
    });

    test("[S2] what one store has, another has after the import, in every way it can be read", async () => {
      const { store } = contract;
      const target = await open();
      try {
        await conversation(store, "s1", 3);
        await conversation(store, "s2", 2);
        await say(store, "s2", "open", { now: t0 + 99, context: { a: 1 }, chatId: "w" });
        await store.changeSession("s1", (head) => close(head, "resolved", t0 + 500));
        await store.createHead(newAgentHead("s3", "agent-1"));
        await store.writeRecord({ partition: `user#${business}#${user}`, id: "client#abc" }, null, { messageId: "m" });
        const ids = ["s1", "s2", "s3"];
        const before = await describeStore(store, ids);
        for (const id of ids) {
          const head = (await store.readHead(id))!;
          const messages = await forwards(store, id, 50);
          const asides = await asidesOf(store, id);
          await target.store.importSession(head, messages.slice(0, 2), asides.slice(0, 3));
          await target.store.importSession(head, messages.slice(2), asides.slice(3));
        }
        for (const { id, value } of await allOf((page) => store.listRecords(`user#${business}#${user}`, page))) {
          await target.store.writeRecord({ partition: `user#${business}#${user}`, id }, null, value);
        }
        await eventually(
          () => describeStore(target.store, ids),
          (after) => expect(after).toEqual(before),
        );
        expect(Object.values(before.sessions).every(({ isFoundById }) => isFoundById)).toBe(true);
        expect(before.work).toEqual(["s2"]);
        expect(Object.values(before.sessions).map(({ asides }) => asides.length)).toEqual([9, 6, 0]);
      } finally {
        await target.dispose();
      }
    });
  });
}

/** A session with questions and their answers, all in one window. */
async function conversation(store: Store, sessionId: string, count: number): Promise<void> {
  const now = Date.now();
  await store.createHead(newHead(sessionId));
  for (const index of range(count)) {
    const question = `${sessionId}-q${index}`;
    await say(store, sessionId, question, { now: now + index, chatId: "w" });
    const cursor = cursorOf(now, index + sessionId.charCodeAt(1) * 100);
    const options = { now: now + index, chatId: "w", cursor, thinking: ["looking", "reading"] };
    await respond(store, sessionId, question, `${sessionId}-r${index}`, options);
    await annotate(store, sessionId, `${sessionId}-n${index}`);
  }
}

async function beginDeleting(store: Store, sessionId: string): Promise<void> {
  await store.changeSession(sessionId, (head) => close(head, "closed", t0));
  expect(await store.changeSession(sessionId, (head) => beginDeletion(head, far, t0))).toBe(true);
}

function exported(sessionId: string, count: number): { head: Head; messages: readonly ChatMessage[] } {
  const head = newHead(sessionId, { title: "t", createdAt: at(-1) }, { fence: 3 });
  const messages = range(count).map((index) =>
    importedMessage(head, index + 1, { metadata: { source: "http", chatId: `w${index % 3}` }, data: { index } }),
  );
  return { head: headAfter(head, messages), messages };
}

async function describeIndexes(store: Store) {
  const phases = await Promise.all(
    (["active", "over", "deleting"] as const).map((phase) =>
      allOf((page) => store.readSessionsUnchanged(phase, { ...page, before: far })),
    ),
  );
  const window = await store.readWindow({ businessId: business, userId: user, chatId: "w" }, 50);
  return {
    active: (await allOf((page) => store.readActiveSessions(business, page))).map(({ sessionId }) => sessionId),
    owned: (await allOf((page) => store.readSessionsOf({ businessId: business, userId: user }, page))).map(
      ({ sessionId }) => sessionId,
    ),
    ofBusiness: (await allOf((page) => store.readSessionsOfBusiness(business, page))).map(({ sessionId }) => sessionId),
    work: await workOf(store),
    phases: phases.flat(),
    window: window.map(({ sessionId }) => sessionId),
  };
}
