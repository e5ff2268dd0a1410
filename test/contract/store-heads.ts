import { describe, expect, test } from "@jest/globals";
import { beginDeletion, close, type Head } from "../../server/messaging/head.js";
import type { Store } from "../../server/messaging/store.js";
import { turnOf } from "../support/heads.js";
import { at, forwards, messageIdsOf, newHead, offsetsOf, respond, say, t0, workOf } from "./store-acts.js";
import { oddValues } from "./store-values.js";
import { canonical, contractOver, eventually, type OpenStore, range, type Scale } from "./store-harness.js";

/** What is decided together is written together, on condition that nobody wrote in between. */
export function headContract(open: OpenStore, scale: Scale): void {
  describe("heads", () => {
    const contract = contractOver(open, scale);

    test("[S1] a head is created once: the second gets the first, also when it has changed since", async () => {
      const { store } = contract;
      const first = await store.createHead(newHead("s1"));
      const other = { ...newHead("s1"), day: "2000-01-01" };
      expect(await store.createHead(other)).toEqual(first);
      expect(await store.readHead("s1")).toEqual(first);
      await say(store, "s1", "m1");
      expect((await store.createHead(other)).session.offset).toBe(1);
      expect((await store.readHead("s1"))?.day).toBe("2026-03-02");
    });

    test("[S1] who knew a head before it was deleted never takes the one that was made anew for it", async () => {
      const { store, under } = contract;
      const other = await under.another();
      const onDay = (day: string) => (head: Head) => ({ result: head.day, head: { ...head, day } });
      await store.createHead(newHead("s1"));
      await store.changeSession("s1", onDay("2026-03-03"));
      await other.changeSession("s1", (head) => close(head, "closed", t0));
      await other.changeSession("s1", (head) => beginDeletion(head, "9999-01-01T00:00:00.000Z", t0));
      await other.deleteHead("s1");
      await other.createHead(newHead("s1", { userId: "bob" }));
      await other.changeSession("s1", onDay("2026-03-04"));
      // The first one knows its head of the third, written as often as this one.
      expect(await store.changeSession("s1", onDay("2026-03-05"))).toBe("2026-03-04");
      expect(await other.readHead("s1")).toMatchObject({ day: "2026-03-05", session: { userId: "bob" } });
    });

    test("[S1] eight who create the same head at once, on two nodes, all get the one that is there", async () => {
      const stores = [contract.store, await contract.under.another()];
      const heads = await Promise.all(
        range(8).map((index) => stores[index % 2]!.createHead({ ...newHead("s1"), day: `day ${index}` })),
      );
      expect(new Set(heads.map(({ day }) => day)).size).toBe(1);
      for (const store of stores) expect((await store.readHead("s1"))?.day).toBe(heads[0]!.day);
    });

    test("[S1] a session that is not there is not there for any question, and asking for it changes nothing", async () => {
      const { store } = contract;
      for (const sessionId of strangeIds) {
        const asked = [
          await store.readHead(sessionId),
          await store.changeSession(sessionId, (head) => ({ result: 1, head })),
          await store.findMessage(sessionId, "m1"),
          await store.readMessages(sessionId, { limit: 3 }),
          await store.offsetAt(sessionId, at(0)),
        ];
        expect([sessionId, ...asked]).toEqual([sessionId, null, null, null, { items: [], hasMore: false }, 1]);
        await store.settle(sessionId);
        await store.deleteHead(sessionId);
        await store.deleteMessages(sessionId, []);
        expect([sessionId, await store.readHead(sessionId)]).toEqual([sessionId, null]);
      }
    });

    test("[S1] a head comes back as it was written, whatever values it holds", async () => {
      const { store } = contract;
      const context = Object.fromEntries(oddValues.map(({ name, value }) => [name, value]));
      const parameters = { "": "", "😀": "ăîșț\u2028", "a.b#c": '\u0000\u001f"\\', reserved: "status" };
      const times = { createdAt: at(0), updatedAt: at(1) };
      const intent = { intentId: "i1", businessId: "B1", userId: "u", sessionId: "s1", name: "n", missing: [] };
      const head: Head = {
        ...newHead("s1", { title: "", description: "d", participants: [{ type: "user", id: "u", joined: at(0) }] }),
        turns: [{ ...turnOf("m1", 1), context }],
        fence: Number.MAX_SAFE_INTEGER,
        lease: { owner: "node 😀", fence: Number.MAX_SAFE_INTEGER },
        intent: { ...intent, ...times, status: "active", parameters },
        suspended: { ...intent, ...times, intentId: "i0", status: "abandoned", parameters },
      };
      await store.createHead(head);
      expect(canonical(await store.readHead("s1"))).toBe(canonical(head));
      await store.changeSession("s1", (now) => ({ result: null, head: { ...now, fence: now.fence } }));
      const read = (await (await contract.under.another()).readHead("s1"))!;
      expect(canonical({ ...read, rev: 0 })).toBe(canonical(head));
    });

    test("[S1] a change that decides against writing leaves the head as it was, messages and all", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      const message = { ...(await saidElsewhere(store)), sessionId: "s1" };
      expect(await store.changeSession("s1", () => ({ result: "seen", messages: [message] }))).toBe("seen");
      expect(await store.readHead("s1")).toEqual(newHead("s1"));
      expect((await store.readMessages("s1", { limit: 5 })).items).toEqual([]);
    });

    test("[S1] a change is answered with its own result, whatever that is", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      for (const result of [undefined, null, false, 0, "", "text", { a: [1] }]) {
        expect(await store.changeSession("s1", () => ({ result }))).toEqual(result);
        expect(await store.changeSession("s1", (head) => ({ result, head }))).toEqual(result);
      }
    });

    test("[S1] every write makes rev greater, whatever rev the change gave it", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      let last = 0;
      for (const rev of [0, 99, -1]) {
        await store.changeSession("s1", (head) => ({ result: null, head: { ...head, rev } }));
        const now = (await store.readHead("s1"))!.rev;
        expect(now).toBeGreaterThan(last);
        expect(now).toBeLessThan(20);
        last = now;
      }
    });

    test("[S1] changes that wait for one session see what those before them decided, in the order of the calls", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      const counts = range(150).map(() =>
        store.changeSession("s1", (head) => ({ result: head.fence + 1, head: { ...head, fence: head.fence + 1 } })),
      );
      expect(await Promise.all(counts)).toEqual(range(150).map((index) => index + 1));
      expect((await store.readHead("s1"))?.fence).toBe(150);
    });

    test("[S2] [S-03] what was said has an offset without gap, whoever writes at the same time", async () => {
      const { store, under } = contract;
      await store.createHead(newHead("s1"));
      const stores = [store, await under.another()];
      const said = await Promise.all(range(60).map((index) => say(stores[index % 2]!, "s1", `m${index}`)));
      expect(said.every((result) => result?.kind === "admitted")).toBe(true);
      for (const each of stores) {
        const items = await forwards(each, "s1", 200);
        expect(offsetsOf(items)).toEqual(range(60).map((index) => index + 1));
        expect(new Set(messageIdsOf(items)).size).toBe(60);
        expect((await each.readHead("s1"))?.session.offset).toBe(60);
      }
    });

    test("[S2] the same message at the same time twenty times is stored once", async () => {
      const { store, under } = contract;
      await store.createHead(newHead("s1"));
      const stores = [store, await under.another()];
      const results = await Promise.all(range(20).map((index) => say(stores[index % 2]!, "s1", "same")));
      expect(results.filter((result) => result?.kind === "admitted")).toHaveLength(1);
      expect(results.filter((result) => result?.kind === "duplicate")).toHaveLength(19);
      expect((await store.readMessages("s1", { limit: 10 })).items).toHaveLength(1);
    });

    test("[S2] a change is given what is stored under the id that it looks up, in this session alone", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      await store.createHead(newHead("s2"));
      await say(store, "s1", "m1");
      const found = (sessionId: string, lookUp?: string) =>
        store.changeSession(sessionId, (_, message) => ({ result: message?.content ?? "none" }), lookUp);
      expect(await found("s1", "m1")).toBe("text of m1");
      expect(await found("s1", "m2")).toBe("none");
      expect(await found("s2", "m1")).toBe("none");
      expect(await found("s1")).toBe("none");
    });

    test("[S2] one outcome for one turn, whoever answers at the same time", async () => {
      const { store, under } = contract;
      await store.createHead(newHead("s1"));
      await say(store, "s1", "q1");
      const stores = [store, await under.another()];
      const outcomes = await Promise.all(
        range(10).map((index) => respond(stores[index % 2]!, "s1", "q1", `a${index}`)),
      );
      expect(outcomes.filter((outcome) => outcome !== null)).toHaveLength(1);
      expect((await store.readMessages("s1", { limit: 10 })).items.map(({ type }) => type)).toEqual(["user", "agent"]);
      await eventually(
        () => workOf(store),
        (work) => expect(work).toEqual([]),
      );
    });

    test("[S2] a change that throws is refused alone, and writes nothing", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      const mistake = new Error("a mistake");
      const results = await Promise.allSettled([
        say(store, "s1", "m1"),
        store.changeSession("s1", () => {
          throw mistake;
        }),
        say(store, "s1", "m2"),
      ]);
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      const reason = (results[1] as PromiseRejectedResult).reason as Error;
      // As it was thrown, or with what the store says about it.
      expect([reason, reason.cause]).toContain(mistake);
      expect(messageIdsOf((await store.readMessages("s1", { limit: 5 })).items)).toEqual(["m1", "m2"]);
      expect(store.failure).toBeNull();
    });

    test("[S2] several messages and events of one change are all there, in their order", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      await say(store, "s1", "m1");
      const first = (await store.findMessage("s1", "m1"))!;
      const more = range(3).map((index) => ({ ...first, messageId: `x${index}`, offset: index + 2 }));
      await store.changeSession("s1", (head) => ({
        result: null,
        head: { ...head, session: { ...head.session, offset: 4 } },
        messages: more,
      }));
      expect(await forwards(store, "s1", 10)).toEqual([first, ...more]);
    });

    test("[M5] [H-03] a clock that jumps back does not take the session along", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      await say(store, "s1", "m1", { now: t0 + 1000 });
      await say(store, "s1", "m2", { now: t0 - 3_600_000 });
      const { items } = await store.readMessages("s1", { limit: 10 });
      expect(items.map(({ timestamp }) => timestamp)).toEqual([at(1000), at(1000)]);
    });

    test("[S3] what was acknowledged is there when the store is opened again", async () => {
      const { store, under } = contract;
      const { epoch } = store;
      await store.createHead(newHead("s1"));
      await say(store, "s1", "m1");
      await store.writeRecord({ partition: "p", id: "i" }, null, { a: 1 });
      const head = await store.readHead("s1");
      const again = await under.reopen();
      expect(again.epoch).toBe(epoch);
      expect({ ...(await again.readHead("s1")), rev: 0 }).toEqual({ ...head, rev: 0 });
      expect((await again.readMessages("s1", { limit: 5 })).items.map(({ content }) => content)).toEqual([
        "text of m1",
      ]);
      expect((await again.readRecord({ partition: "p", id: "i" }))?.value).toEqual({ a: 1 });
      await eventually(
        () => workOf(again),
        (work) => expect(work).toEqual(["s1"]),
      );
    });

    test("[S3] closing waits for the writes under way", async () => {
      const { store, under } = contract;
      await store.createHead(newHead("s1"));
      const saying = [say(store, "s1", "m1"), say(store, "s1", "m2")];
      const again = await under.reopen();
      expect((await Promise.all(saying)).map((result) => result?.kind)).toEqual(["admitted", "admitted"]);
      expect(messageIdsOf(await forwards(again, "s1", 5))).toEqual(["m1", "m2"]);
    });

    test("[S6] every node has the same epoch, and nothing has failed", async () => {
      const { store, under } = contract;
      const other = await under.another();
      expect(store.epoch).not.toBe("");
      expect(other.epoch).toBe(store.epoch);
      expect([store.failure, other.failure]).toEqual([null, null]);
    });

    test("[S8] settling changes nothing that is seen, however often and by whomever", async () => {
      const { store, under } = contract;
      const other = await under.another();
      await store.createHead(newHead("s1"));
      await say(store, "s1", "q1");
      await respond(store, "s1", "q1", "a1");
      await store.changeSession("s1", (head) => close(head, "resolved", t0));
      const before = { ...(await store.readHead("s1")), rev: 0 };
      const history = await forwards(store, "s1", 10);
      await Promise.all([other.settle("s1"), store.settle("s1"), other.settle("s1"), store.settle("s1")]);
      for (const each of [store, other]) {
        expect({ ...(await each.readHead("s1")), rev: 0 }).toEqual(before);
        expect(await forwards(each, "s1", 10)).toEqual(history);
      }
      await eventually(
        () => workOf(other),
        (work) => expect(work).toEqual([]),
      );
    });
  });
}

const strangeIds = [
  ...["unknown", "", "a#b", "\u0000", "😀", "__proto__", "B1:ana:1772402400000", "x".repeat(512), "ă".repeat(256)],
];

async function saidElsewhere(store: Store) {
  await store.createHead(newHead("elsewhere"));
  await say(store, "elsewhere", "m0");
  return (await store.findMessage("elsewhere", "m0"))!;
}
