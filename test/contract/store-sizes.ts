import { describe, expect, test } from "@jest/globals";
import { beginDeletion, close } from "../../server/messaging/head.js";
import { handBack, hold, reply } from "../../server/messaging/holding.js";
import { createIds, cursorAt } from "../../server/messaging/ids.js";
import { FakeClock } from "../support/fake-clock.js";
import {
  backwards,
  business,
  deleteAll,
  forwards,
  headAfter,
  importedMessage,
  newHead,
  offsetsOf,
  respond,
  say,
  t0,
  user,
  workOf,
} from "./store-acts.js";
import { canonical, contractOver, eventually, type OpenStore, range, type Scale } from "./store-harness.js";

const messageBytesMax = 8 * 1024;
const fillers = ["a", "ă", "€", "😀", '"', "\\", "\n", "\u0001", "\u2028"];

/** What a client or an agent may say is stored, however long its bytes are. (S-04) */
export function sizeContract(open: OpenStore, scale: Scale): void {
  describe("sizes", () => {
    const contract = contractOver(open, scale);

    test("[S-04] [L10] texts of about 8 KiB of any character, with one that does not fit in front of them", async () => {
      const { store, under } = contract;
      await store.createHead(newHead("s1"));
      const texts = fillers.flatMap((filler) =>
        [-2, -1, 0, 1, 2].map((more) => textOf(messageBytesMax + more, filler, (more + 2) % 4)),
      );
      const said = await Promise.all(texts.map((content, index) => say(store, "s1", `m${index}`, { content })));
      expect(said.every((each) => each?.kind === "admitted")).toBe(true);
      const read = await forwards(await under.another(), "s1", 50);
      expect(read.map(({ content }) => content)).toEqual(texts);
      expect((await store.findMessage("s1", "m7"))?.content).toBe(texts[7]);
    });

    test.each(fillers)(
      "[S-04] [L11] an answer of the longest kind, of %j",
      async (filler) => {
        const { store, under } = contract;
        await store.createHead(newHead("s1"));
        const now = Date.now();
        for (const [index, bytes] of [scale.bigBytes, scale.bigBytes - 1, 2 * messageBytesMax].entries()) {
          await say(store, "s1", `q${index}`, { now, chatId: "w" });
          const content = textOf(bytes, filler, index);
          const answered = await respond(store, "s1", `q${index}`, `r${index}`, { now, content, chatId: "w" });
          expect(answered?.message.content === content).toBe(true);
          const found = await (await under.another()).findMessage("s1", `r${index}`);
          expect(found?.content === content).toBe(true);
        }
        const all = await forwards(store, "s1", 50);
        expect(offsetsOf(all)).toEqual([1, 2, 3, 4, 5, 6]);
        await eventually(
          () => store.readWindow({ businessId: business, userId: user, chatId: "w" }, 9),
          (seen) => expect(canonical(seen.toSorted((a, b) => a.offset - b.offset)) === canonical(all)).toBe(true),
        );
        await eventually(
          () => store.readEvents(business, { after: cursorAt(0), limit: 9 }),
          ({ items }) => expect(items.at(-1)?.answer.length).toBe(all.at(-1)!.content.length),
        );
      },
      scale.timeoutMs,
    );

    test.each([3 * 1024, messageBytesMax])(
      "[L14] [M31] one outcome of as many turns as there can be, to texts of %d bytes: an event of each, and all go with it",
      async (bytes) => {
        const { store, under } = contract;
        await store.createHead(newHead("s1"));
        const now = Date.now();
        const turns = range(100);
        const content = textOf(bytes, "a", 0);
        for (const index of turns) await say(store, "s1", `q${index}`, { now, content });
        const ids = createIds(new FakeClock(now));
        const { items } = await store.readMessages("s1", { limit: 200 });
        const questions = new Map(items.map((message) => [message.messageId, { message, cursor: ids.sortable() }]));
        const saying = {
          ...{ messageId: "r1", responseId: "r1", content, cursor: ids.sortable() },
          ...{ respondsTo: null, inReplyTo: null, source: "websocket" as const, chatId: null },
        };
        const carla = { coordinatorId: "carla", now };
        await store.changeSession("s1", (head) => hold(head, carla));
        const held = await store.changeSession("s1", (head) => handBack(head, carla));
        expect(held?.kind).toBe("done");
        const earlier = (await (await under.another()).readHead("s1"))!.turns[0]!.earlier!;
        expect(earlier.map(({ messageId }) => messageId)).toEqual(turns.slice(0, -1).map((index) => `q${index}`));
        const done = await store.changeSession("s1", (head) => reply(head, saying, { ...carla, questions }));
        expect(done?.kind).toBe("done");
        const events = () => store.readEvents(business, { after: cursorAt(0), limit: 200 });
        await eventually(events, ({ items: told }) => {
          expect(told.map(({ messageId }) => messageId)).toEqual(turns.map((index) => `q${index}`));
          expect(told.every(({ answer, message }) => answer === content && message === content)).toBe(true);
        });
        await store.settle("s1");
        await store.changeSession("s1", (head) => close(head, "closed", now));
        await store.changeSession("s1", (head) => beginDeletion(head, "9999-01-01T00:00:00.000Z", now));
        await deleteAll(store, "s1");
        await eventually(events, ({ items: told }) => expect(told).toEqual([]));
      },
      scale.timeoutMs,
    );

    test(
      "[S-04] [S6] a page of messages of the longest kind",
      async () => {
        const { store } = contract;
        const { bigCount, bigBytes } = scale;
        const messages = range(bigCount).map((index) =>
          importedMessage(newHead("s1"), index + 1, { content: textOf(bigBytes, fillers[index % 4]!, index % 5) }),
        );
        const head = headAfter(newHead("s1"), messages);
        for (let from = 0; from < bigCount; from += 10)
          await store.importSession(head, messages.slice(from, from + 10));
        for (const page of [
          await store.readMessages("s1", { limit: bigCount }),
          await store.readMessages("s1", { after: 0, limit: bigCount }),
        ]) {
          expect(page.items.map(({ content }, index) => content === messages[index]!.content)).toEqual(
            range(bigCount).map(() => true),
          );
          expect(page.hasMore).toBe(false);
        }
      },
      scale.timeoutMs,
    );

    test("[S6] [L12] the largest page of history, of the longest messages", async () => {
      const { store } = contract;
      const messages = range(210).map((index) =>
        importedMessage(newHead("s1"), index + 1, { content: textOf(messageBytesMax, "ă", index % 3) }),
      );
      await store.importSession(headAfter(newHead("s1"), messages), messages);
      expect(canonical((await store.readMessages("s1", { limit: 200 })).items)).toBe(canonical(messages.slice(10)));
      expect((await backwards(store, "s1", 200)).length).toBe(210);
      expect((await forwards(store, "s1", 200)).length).toBe(210);
    });

    test("[S-03] a session holds 100 open turns with their context, all said at once, and no more", async () => {
      const { store, under } = contract;
      await store.createHead(newHead("s1"));
      const content = textOf(messageBytesMax, "ă", 0);
      const context = { page: textOf(1200, "ă", 0) };
      const stores = [store, await under.another()];
      const said = await Promise.all(
        range(100).map((index) => say(stores[index % 2]!, "s1", `m${index}`, { content, context })),
      );
      expect(said.filter((each) => each?.kind === "admitted")).toHaveLength(100);
      expect((await say(store, "s1", "one more"))?.kind).toBe("full");
      const all = await forwards(store, "s1", 200);
      expect(offsetsOf(all)).toEqual(range(100).map((index) => index + 1));
      expect(all.every((message) => message.content === content)).toBe(true);
      const { turns } = (await stores[1]!.readHead("s1"))!;
      expect(turns.map((turn) => turn.offset)).toEqual(offsetsOf(all));
      expect(turns.every((turn) => canonical(turn.context) === canonical(context))).toBe(true);
      await respond(store, "s1", turns[0]!.messageId, "answer", { now: t0 });
      expect((await say(store, "s1", "one more"))?.kind).toBe("admitted");
      await eventually(
        () => workOf(store),
        (work) => expect(work).toEqual(["s1"]),
      );
    });

    test("[S-04] a record of 100 KB, and one of a single long text", async () => {
      const { store } = contract;
      for (const filler of fillers) {
        const value = { text: textOf(100_000, filler, 1).slice(0, filler === "\u0001" ? 16_000 : 50_000) };
        const key = { partition: "p", id: `r${fillers.indexOf(filler)}` };
        await store.writeRecord(key, null, value);
        expect(canonical((await store.readRecord(key))?.value) === canonical(value)).toBe(true);
      }
      expect((await store.listRecords("p", { limit: 50 })).items).toHaveLength(fillers.length);
    });
  });
}

/** A text of at most so many bytes, with `shift` bytes of ASCII in front, so that characters lie across every boundary. */
function textOf(bytes: number, filler: string, shift: number): string {
  const count = Math.floor((bytes - shift) / Buffer.byteLength(filler));
  return "x".repeat(shift) + filler.repeat(count);
}
