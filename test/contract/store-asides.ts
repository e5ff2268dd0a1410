import { describe, expect, test } from "@jest/globals";
import { hangingMax, onOneMax, stepsMax } from "../../server/messaging/asides.js";
import type { Aside } from "../../server/messaging/model.js";
import type { AsideRange, Store } from "../../server/messaging/store.js";
import {
  annotate,
  asideOf,
  asidesOf,
  forwards,
  headAfter,
  importedMessage,
  newHead,
  respond,
  say,
} from "./store-acts.js";
import { canonical, contractOver, type OpenStore, range, type Scale } from "./store-harness.js";
import { oddValues } from "./store-values.js";

/** More than one part of a long body, on any store. */
const longText = `${'"'.repeat(200_000)}😀`;

/** What hangs on messages is stored with a write of the head, and read by the messages that it hangs on. */
export function asideContract(open: OpenStore, scale: Scale): void {
  describe("asides", () => {
    const contract = contractOver(open, scale);

    test("[M50] hang on what was said last, take no offset, and are in no history", async () => {
      const { store, under } = contract;
      await store.createHead(newHead("s1"));
      await annotate(store, "s1", "n0");
      await say(store, "s1", "m1");
      await annotate(store, "s1", "n1");
      await respond(store, "s1", "m1", "a1", { thinking: ["one", "two"] });
      const draft = await annotate(store, "s1", "d1", { type: "draft", userId: "agent" });
      const places = [
        ["n0", 0],
        ["a1-step000", 1],
        ["a1-step001", 1],
        ["n1", 1],
        ["d1", 2],
      ];
      for (const each of [store, await under.another()]) {
        const asides = await asidesOf(each, "s1");
        expect(asides.map(({ messageId, afterOffset }) => [messageId, afterOffset])).toEqual(places);
        expect(asides.at(-1)).toEqual(draft?.kind === "hung" ? draft.aside : null);
        expect(asides.at(-1)).toEqual({
          ...asideOf("d1", { type: "draft", userId: "agent" }),
          ...{ sessionId: "s1", businessId: "B1", afterOffset: 2 },
        });
        expect((await forwards(each, "s1", 9)).map(({ messageId }) => messageId)).toEqual(["m1", "a1"]);
        expect(await each.findMessage("s1", "n1")).toBeNull();
      }
      expect((await store.readHead("s1"))!.session).toMatchObject({ offset: 2, totals: { messages: 2 } });
    });

    test("[M50] a note changes nothing else of its session, whatever its status", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1", { status: "closed" }));
      const before = (await store.readHead("s1"))!;
      expect((await annotate(store, "s1", "n1"))?.kind).toBe("hung");
      const { session } = (await store.readHead("s1"))!;
      expect(session).toEqual(before.session);
      expect(await annotate(store, "unknown", "n1")).toBeNull();
    });

    test("[M50] [S6] are read by the messages they hang on, in either direction, of the types that are asked for", async () => {
      const { store } = contract;
      await fill(store);
      const all = ["1a", "1b", "1c", "2a", "2b", "2c", "3a", "3b", "3c"];
      const only = (...types: Aside["type"][]) => new Set(types);
      const pages: [AsideRange, string[], boolean][] = [
        [{ from: 0, to: 3, limit: 9 }, all, false],
        [{ from: 0, to: 1e9, limit: 9 }, all, false],
        [{ from: 0, to: 3, limit: 8 }, all.slice(0, 8), true],
        [{ from: 0, to: 3, limit: 8, isReverse: true }, all.slice(1), true],
        [{ from: 0, to: 3, limit: 9, isReverse: true }, all, false],
        [{ from: 2, to: 2, limit: 9 }, ["2a", "2b", "2c"], false],
        [{ from: 2, to: 3, limit: 2 }, ["2a", "2b"], true],
        [{ from: 1, to: 2, limit: 4, isReverse: true }, ["1c", "2a", "2b", "2c"], true],
        [{ from: 4, to: 9, limit: 9 }, [], false],
        [{ from: 3, to: 2, limit: 9 }, [], false],
        [{ from: 0, to: 0, limit: 9 }, [], false],
        [{ from: 0, to: 3, limit: 9, types: only("draft") }, ["1b", "2b", "3b"], false],
        [{ from: 0, to: 3, limit: 2, types: only("draft") }, ["1b", "2b"], true],
        [{ from: 0, to: 3, limit: 2, types: only("draft"), isReverse: true }, ["2b", "3b"], true],
        [{ from: 0, to: 3, limit: 3, types: only("draft") }, ["1b", "2b", "3b"], false],
        [{ from: 2, to: 3, limit: 9, types: only("note", "thinking") }, ["2a", "2c", "3a", "3c"], false],
        [{ from: 0, to: 3, limit: 9, types: only() }, [], false],
      ];
      for (const isSettled of [false, true]) {
        if (isSettled) await store.settle("s1");
        for (const [asked, ids, hasMore] of pages) {
          const page = await store.readAsides("s1", asked);
          expect([asked, page.items.map(({ messageId }) => messageId), page.hasMore]).toEqual([asked, ids, hasMore]);
        }
      }
      expect(await store.readAsides("unknown", { from: 0, to: 9, limit: 9 })).toEqual({ items: [], hasMore: false });
    });

    test("[S2] [S-04] come back as they were, however long and whatever is in them", async () => {
      const { store, under } = contract;
      await store.createHead(newHead("s1"));
      const other = await under.another();
      const notes = [longText, ...oddValues.map(({ value }) => value).filter((value) => typeof value === "string")];
      for (const [index, content] of notes.entries()) {
        const hung = await annotate(store, "s1", `n${index + 100}`, { content, data: { value: content } });
        if (hung?.kind !== "hung") throw new Error("not hung");
        const read = await asidesOf(other, "s1");
        expect(canonical(read.at(-1)) === canonical(hung.aside)).toBe(true);
      }
      await store.settle("s1");
      expect((await asidesOf(other, "s1")).map(({ content }) => content)).toEqual(notes);
    });

    test("[S2] many at once, from two nodes: each is there once, and none is lost", async () => {
      const { store, under } = contract;
      await store.createHead(newHead("s1"));
      const stores = [store, await under.another()];
      const ids = range(40).map((index) => `n${index + 100}`);
      const hung = await Promise.all(ids.map((id, index) => annotate(stores[index % 2]!, "s1", id)));
      expect(hung.map((each) => each?.kind)).toEqual(ids.map(() => "hung"));
      for (const each of stores) expect((await asidesOf(each, "s1")).map(({ messageId }) => messageId)).toEqual(ids);
    });

    test("[L25] one message has so many notes and drafts, and no more until something is said", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      const kinds = async (ids: readonly string[]) =>
        (await Promise.all(ids.map((id) => annotate(store, "s1", id)))).map((each) => each?.kind);
      expect(await kinds(range(hangingMax).map((index) => `n${index}`))).toEqual(range(hangingMax).map(() => "hung"));
      expect(await kinds(["one more"])).toEqual(["full"]);
      await say(store, "s1", "m1");
      const labels = range(stepsMax).map((index) => `${index}`);
      expect(await kinds(range(hangingMax).map((index) => `x${index}`))).toEqual(range(hangingMax).map(() => "hung"));
      await respond(store, "s1", "m1", "a1", { thinking: labels });
      const onOne = await store.readAsides("s1", { from: 1, to: 1, limit: 1000 });
      expect(onOne.items).toHaveLength(onOneMax);
      expect(await asidesOf(store, "s1")).toHaveLength(hangingMax + onOneMax);
    });

    test("[S8] [M50] a session with a note alone has no work once that is settled", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      await annotate(store, "s1", "n1");
      await store.settle("s1");
      expect((await store.readSessionsWithWork({ limit: 9 })).items).toEqual([]);
    });

    test("[S2] are imported once, and none that hang beyond the end of what is there", async () => {
      const { store, under } = contract;
      const head = newHead("s1");
      const messages = range(3).map((index) => importedMessage(head, index + 1));
      const asides = range(9).map((index): Aside => ({
        ...asideOf(`n${index}`, { content: index === 4 ? longText : `text ${index}` }),
        ...{ sessionId: "s1", businessId: "B1", afterOffset: Math.floor(index / 3) + 1 },
      }));
      const stores = [store, await under.another()];
      await store.importSession(headAfter(head, messages), messages, asides.slice(0, 5));
      await Promise.all(stores.map((each) => each.importSession(headAfter(head, messages), [], asides.slice(3))));
      const other = { ...asides[0]!, content: "another text" };
      const beyond = { ...asides[0]!, messageId: "beyond", afterOffset: 4 };
      await store.importSession(headAfter(head, messages), [], [other, beyond]);
      for (const each of stores) expect(await asidesOf(each, "s1")).toEqual(asides);
      await say(store, "s1", "next");
      expect(await asidesOf(store, "s1")).toEqual(asides);
    });
  });
}

/** Three messages, each with a step, a draft and a note. */
async function fill(store: Store): Promise<void> {
  await store.createHead(newHead("s1"));
  for (const offset of [1, 2, 3]) {
    await say(store, "s1", `m${offset}`);
    await annotate(store, "s1", `${offset}a`, { type: "thinking" });
    await annotate(store, "s1", `${offset}b`, { type: "draft" });
    await annotate(store, "s1", `${offset}c`);
  }
}
