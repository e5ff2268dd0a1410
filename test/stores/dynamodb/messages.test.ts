import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { currentSessionKey } from "../../../server/messaging/records.js";
import type { Store } from "../../../server/messaging/store.js";
import { business, newHead, offsetsOf, say, t0, user } from "../../contract/store-acts.js";
import { dynamoStores, type DynamoUnderTest } from "../../support/dynamo-store.js";
import { entriesOf, type Gate, interceptedStore, type InterceptedStore, newGate } from "./intercepted-store.js";

const { open } = dynamoStores();
let under: DynamoUnderTest;
let writer: InterceptedStore;
let reader: InterceptedStore;
/** The rows of the second message wait here, while those of the ones after it are there. */
let rows: Gate;

beforeEach(async () => {
  under = await open();
  [writer, reader] = [await interceptedStore(under), await interceptedStore(under)];
  rows = newGate();
});

afterEach(async () => {
  rows.open();
  await writer.store.close();
  await reader.store.close();
  await under.dispose();
});

const window = { businessId: business, userId: user, chatId: "w" };

const readings: readonly [string, (store: Store) => Promise<readonly number[]>, readonly number[]][] = [
  ["forwards", (store) => page(store, { after: 0, limit: 9 }), [1]],
  ["backwards", (store) => page(store, { limit: 9 }), [1]],
  ["the newest one", (store) => page(store, { limit: 1 }), [1]],
  ["what is before what is to come", (store) => page(store, { before: 9, limit: 9 }), [1]],
  ["a window", async (store) => offsetsOf(await store.readWindow(window, 9)), [1]],
  ["the newest one of a window", async (store) => offsetsOf(await store.readWindow(window, 1)), [1]],
  ["by its id", async (store) => offsetsOf([(await store.findMessage("s1", "m3"))!].filter(Boolean)), []],
];

// A batch is neither atomic nor in order: of several messages the later ones may have their rows first.
test.each(readings)("[S14] [H4] %s: no row is taken that is newer than the head that was read", async (...reading) => {
  const [, read, expected] = reading;
  await writer.store.createHead(newHead("s1"));
  await writer.store.writeRecord(currentSessionKey(window), null, { sessionId: "s1" });
  await say(writer.store, "s1", "m1", { chatId: "w" });
  await writer.store.settle("s1");
  const gate = newGate();
  reader.intercept(async ({ input }, send) => {
    if (input.TableName === `${under.prefix}messages`) await gate.pass();
    return send();
  });
  const answer = read(reader.store);
  await gate.reached;
  writer.intercept(async ({ operation, input }, send) => {
    if (operation !== "BatchWriteItem") return send();
    const isOfSecond = (entry: object) => JSON.stringify(entry).includes("m2");
    for (const entry of entriesOf(input).filter((each) => !isOfSecond(each))) await send(entry);
    await rows.pass();
    return send();
  });
  await Promise.all(["m2", "m3", "m4", "m5"].map((id) => say(writer.store, "s1", id, { chatId: "w", now: t0 + 1 })));
  await rows.reached;
  gate.open();
  expect(await answer).toEqual(expected);
  // Whoever reads the head now is told all of them, though one of them has no row.
  expect(await page(under.store, { after: 0, limit: 9 })).toEqual([1, 2, 3, 4, 5]);
  expect(offsetsOf(await under.store.readWindow(window, 9))).toEqual([1, 2, 3, 4, 5]);
});

async function page(
  store: Store,
  range: { readonly after?: number; readonly before?: number; readonly limit: number },
) {
  const { items, hasMore } = await store.readMessages("s1", range);
  expect(hasMore).toBe(false);
  return offsetsOf(items);
}
