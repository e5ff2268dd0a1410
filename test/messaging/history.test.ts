import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { onOneMax } from "../../server/messaging/asides.js";
import { type HistoryPage, type HistoryRange, readHistory } from "../../server/messaging/history.js";
import type { Aside, ChatMessage } from "../../server/messaging/model.js";
import { annotate, asideOf, headAfter, importedMessage, newHead, say } from "../contract/store-acts.js";
import { withSeed } from "../support/random.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";

const every: ReadonlySet<Aside["type"]> = new Set(["thinking", "note", "draft"]);

let under: TemporaryStore;

beforeEach(async () => {
  under = await openTemporaryStore();
});

afterEach(() => under.dispose());

/** A session of so many messages, with so many asides on each, beginning with those before the first. */
async function fill(counts: readonly number[], type: (index: number) => Aside["type"] = () => "note"): Promise<void> {
  const head = newHead("s1");
  const messages = counts.slice(1).map((_, index) => importedMessage(head, index + 1));
  const asides = counts.flatMap((count, afterOffset) =>
    Array.from({ length: count }, (_, index) => ({
      ...asideOf(`${String(afterOffset).padStart(4, "0")}-${String(index).padStart(4, "0")}`, { type: type(index) }),
      ...{ sessionId: "s1", businessId: "B1", afterOffset },
    })),
  );
  await under.store.importSession(headAfter(head, messages), messages, asides);
}

const page = (range: HistoryRange, types = every): Promise<HistoryPage> => readHistory(under.store, "s1", range, types);

/** `3` is a message, `3+2` two asides on it, as they follow each other. */
function outline(items: HistoryPage["items"]): string {
  const words: { text: string; hanging: number }[] = [];
  for (const row of items) {
    const at = "offset" in row ? null : String(row.afterOffset);
    const last = words.at(-1);
    if (at === null) words.push({ text: String((row as ChatMessage).offset), hanging: 0 });
    else if (last !== undefined && last.text.replace("on ", "") === at) last.hanging += 1;
    else words.push({ text: `on ${at}`, hanging: 1 });
  }
  return words.map(({ text, hanging }) => (hanging === 0 ? text : `${text}+${hanging}`)).join(" ");
}

describe("[H8] a page with what hangs on its messages", () => {
  test.each<[string, HistoryRange, string, number | null]>([
    ["the newest", { limit: 2 }, "2+3 3+1", 2],
    ["those before", { limit: 2, before: 2 }, "on 0+2 1", null],
    ["all, backwards", { limit: 9 }, "on 0+2 1 2+3 3+1", null],
    ["what is below a bound", { limit: 1, before: 3 }, "2+3", 2],
    ["nothing below the first but what comes before it", { limit: 1, before: 1 }, "on 0+2", null],
    ["all, forwards", { limit: 9, after: 0 }, "on 0+2 1 2+3 3+1", null],
    ["the oldest, without what hangs on the last of them", { limit: 2, after: 0 }, "on 0+2 1 2", 2],
    ["those after, with what hangs on the one they come after", { limit: 2, after: 2 }, "on 2+3 3+1", null],
    ["what has come to hang on the last", { limit: 2, after: 3 }, "on 3+1", null],
    ["a window between two", { limit: 9, after: 1, before: 3 }, "2+3", null],
    ["nothing beyond the end", { limit: 2, after: 9 }, "", null],
  ])("is %s", async (_what, range, expected, next) => {
    await fill([2, 0, 3, 1]);
    const { items, ...rest } = await page(range);
    expect([outline(items), rest.next]).toEqual([expected, next]);
  });

  test("has the types that are asked for, and no place for the others", async () => {
    await fill([0, 3, 3], (index) => (["note", "draft", "thinking"] as const)[index % 3]!);
    expect(outline((await page({ limit: 9 }, new Set(["draft"]))).items)).toBe("1+1 2+1");
    expect(outline((await page({ limit: 9 }, new Set(["note", "thinking"]))).items)).toBe("1+2 2+2");
    expect(outline((await page({ limit: 9 }, new Set())).items)).toBe("1 2");
  });

  test("ends earlier when too much hangs on it, and loses nothing by it, in either direction", async () => {
    await fill(Array.from({ length: 12 }, () => onOneMax));
    const older = await page({ limit: 50 });
    expect([outline(older.items), older.next]).toEqual([
      `8+${onOneMax} 9+${onOneMax} 10+${onOneMax} 11+${onOneMax}`,
      8,
    ]);
    const newer = await page({ limit: 50, after: 0 });
    const [first, ...rest] = [0, 1, 2, 3].map((offset) => `${offset}+${onOneMax}`);
    expect([outline(newer.items), newer.next]).toEqual([`on ${first} ${rest.join(" ")} 4`, 4]);
  });

  test("has something whatever hangs on its one message", async () => {
    await fill([0, 1000, 0]);
    const newest = await page({ limit: 1, before: 2 });
    expect([outline(newest.items), newest.next]).toEqual(["1+300", 1]);
    const oldest = await page({ limit: 5, after: 1 });
    expect([outline(oldest.items), oldest.next]).toEqual(["on 1+300 2", 2]);
  });

  test("pages hold everything once and in its order, at any size, in both directions, however much hangs where", () =>
    withSeed(async (random) => {
      const below = (max: number) => Math.floor(random() * max);
      for (let round = 0; round < 6; round += 1) {
        const counts = Array.from({ length: 2 + below(40) }, () => (random() < 0.3 ? below(onOneMax + 1) : below(3)));
        await fill(counts);
        const all = counts.flatMap((count, offset) => [
          ...(offset === 0 ? [] : [`m${offset}`]),
          ...Array.from({ length: count }, (_, index) => `${offset}/${index}`),
        ]);
        const limit = 1 + below(counts.length + 1);
        expect([limit, await follow(limit, "newer")]).toEqual([limit, all]);
        expect([limit, await follow(limit, "older")]).toEqual([limit, all]);
        await under.dispose();
        under = await openTemporaryStore();
      }
    }));

  test("a client that goes on from the last message it has seen misses nothing that came to hang on it", async () => {
    await under.store.createHead(newHead("s1"));
    const seen = new Set<string>();
    let after = 0;
    const look = async () => {
      const { items } = await page({ limit: 5, after });
      for (const row of items) {
        seen.add(row.messageId);
        if ("offset" in row) after = row.offset;
      }
    };
    const said: string[] = [];
    for (const id of ["n1", "m1", "n2", "n3", "m2", "m3", "n4"]) {
      said.push(id);
      await (id.startsWith("m") ? say(under.store, "s1", id) : annotate(under.store, "s1", id));
      await look();
    }
    expect([...seen]).toEqual(said);
  });
});

async function follow(limit: number, direction: "newer" | "older"): Promise<string[]> {
  const all: string[] = [];
  let place: number | null = direction === "newer" ? 0 : Number.MAX_SAFE_INTEGER;
  while (place !== null) {
    const got: HistoryPage = await page({ limit, [direction === "newer" ? "after" : "before"]: place });
    const names = got.items.map((row) =>
      "offset" in row ? `m${row.offset}` : `${row.afterOffset}/${Number(row.messageId.slice(-4))}`,
    );
    if (direction === "newer") all.push(...names);
    else all.unshift(...names);
    place = got.next;
  }
  return all;
}

describe("[L28] [H-11] a page of long messages", () => {
  const mib = 2 ** 20;

  /** A session of messages of so many bytes, which take as many in JSON. */
  async function fillWith(lengths: readonly number[]): Promise<void> {
    const head = newHead("s1");
    const messages = lengths.map((length, index) => importedMessage(head, index + 1, { content: "x".repeat(length) }));
    await under.store.importSession(headAfter(head, messages), messages);
  }

  test.each<[string, number[], HistoryRange, string, number | null]>([
    ["whole, where all of it has room", [mib / 4, mib / 4, mib / 4], { limit: 9 }, "1 2 3", null],
    ["cut where it begins, backwards", [mib / 4, mib / 3, mib / 3, mib / 3], { limit: 9 }, "3 4", 3],
    ["gone on with", [mib / 4, mib / 3, mib / 3, mib / 3], { limit: 9, before: 3 }, "1 2", null],
    ["cut at its end, forwards", [mib / 3, mib / 3, mib / 3, mib / 4], { limit: 9, after: 0 }, "1 2", 2],
    ["one message, however long, backwards", [1, 2 * mib], { limit: 9 }, "2", 2],
    ["one message, however long, forwards", [2 * mib, 1], { limit: 9, after: 0 }, "1", 1],
    ["empty, where there is nothing", [], { limit: 9 }, "", null],
  ])("is %s", async (_what, lengths, range, expected, next) => {
    await fillWith(lengths);
    for (const types of [new Set<Aside["type"]>(), every]) {
      const { items, next: found } = await page(range, types);
      expect([outline(items), found]).toEqual([expected, next]);
    }
  });

  test("counts what its characters take in JSON", async () => {
    const head = newHead("s1");
    const content = "\u0001".repeat(8192);
    const messages = Array.from({ length: 30 }, (_, index) => importedMessage(head, index + 1, { content }));
    await under.store.importSession(headAfter(head, messages), messages);
    const { items, next } = await page({ limit: 200 });
    expect([items.length, next]).toEqual([21, 10]);
    expect(JSON.stringify(items).length).toBeLessThanOrEqual(mib);
  });
});
