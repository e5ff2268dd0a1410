import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { beginDeletion, close } from "../../../server/messaging/head.js";
import { cursorAt } from "../../../server/messaging/ids.js";
import { createDynamoClient } from "../../../server/stores/dynamodb/client.js";
import { windowPartition } from "../../../server/stores/dynamodb/keys.js";
import { type Store, StoreError } from "../../../server/messaging/store.js";
import {
  business,
  deleteAll,
  forwards,
  headAfter,
  importedMessage,
  newHead,
  respond,
  say,
  user,
} from "../../contract/store-acts.js";
import { dynamoStores, type DynamoUnderTest } from "../../support/dynamo-store.js";
import { interceptedStore, itemsIn, stopAtEntry } from "./intercepted-store.js";

const { open, endpoint } = dynamoStores();
let client: DynamoDBClient;
let under: DynamoUnderTest;

beforeAll(async () => {
  client = await createDynamoClient({ endpoint: endpoint() });
});

afterAll(() => client.destroy());

beforeEach(async () => {
  under = await open();
});

afterEach(async () => {
  await under.dispose();
});

const far = "9999-01-01T00:00:00.000Z";
const long = '"'.repeat(7000);
const inWindow = { metadata: { source: "websocket", chatId: "w" } } as const;
const casesMax = 50;

/** Runs something on a node that ends at its first, second, … entry of a batch, until it comes through. */
async function stopEverywhere(
  run: (store: Store, sessionId: string) => Promise<unknown>,
  check: (sessionId: string) => Promise<void>,
  prepare: (sessionId: string) => Promise<void>,
): Promise<number> {
  for (let n = 0; n < casesMax; n += 1) {
    const sessionId = `s${n}`;
    await prepare(sessionId);
    const node = await interceptedStore(under);
    const stop = stopAtEntry(n);
    node.intercept(stop.intercept);
    const running = run(node.store, sessionId);
    await running.catch((error: unknown) => expect(error).toBeInstanceOf(StoreError));
    await node.store.close();
    await check(sessionId);
    if (!stop.hasStopped()) return n;
  }
  throw new Error(`it does not end within ${casesMax} entries`);
}

test("[S-08] a deletion that ended within a batch is gone on with, and leaves nothing", async () => {
  const { store, prefix } = under;
  const prepare = async (sessionId: string) => {
    await store.createHead(newHead(sessionId));
    const now = Date.now();
    await say(store, sessionId, `${sessionId}-q`, { now, content: long, chatId: "w" });
    await respond(store, sessionId, `${sessionId}-q`, `${sessionId}-r`, { now, content: long, chatId: "w" });
    await store.changeSession(sessionId, (head) => close(head, "closed", now));
    await store.changeSession(sessionId, (head) => beginDeletion(head, far, now));
  };
  const run = (node: Store, sessionId: string) => deleteAll(node, sessionId);
  const check = async (sessionId: string) => {
    await deleteAll(store, sessionId);
    expect(await store.readHead(sessionId)).toBeNull();
    expect(await itemsIn(client, `${prefix}messages`, sessionId)).toEqual([]);
    expect(await itemsIn(client, `${prefix}messages`, windowPartition(business, user, "w"))).toEqual([]);
    expect((await store.readEvents(business, { after: cursorAt(0), limit: 9 })).items).toEqual([]);
  };
  // For the two of them: rows, ids, places in the window and parts; and the event with its part.
  expect(await stopEverywhere(run, check, prepare)).toBe(10);
});

test("[S13] an import that ended within a batch is done again, and is whole", async () => {
  const { store } = under;
  const exported = (sessionId: string) => {
    const head = newHead(sessionId);
    const messages = [long, "short", long].map((content, index) =>
      importedMessage(head, index + 1, { content, ...inWindow }),
    );
    return { head: headAfter(head, messages), messages };
  };
  const run = async (node: Store, sessionId: string) => {
    const { head, messages } = exported(sessionId);
    await node.importSession(head, messages.slice(1));
  };
  // Its head is there: what is missing is told by the rows alone.
  const prepare = (sessionId: string) => {
    const { head, messages } = exported(sessionId);
    return store.importSession(head, messages.slice(0, 1));
  };
  const check = async (sessionId: string) => {
    const { head, messages } = exported(sessionId);
    await store.importSession(head, messages);
    expect(await forwards(store, sessionId, 9)).toEqual(messages);
    for (const message of messages) expect(await store.findMessage(sessionId, message.messageId)).toEqual(message);
    const window = await store.readWindow({ businessId: business, userId: user, chatId: "w" }, 200);
    expect(window.filter((message) => message.sessionId === sessionId)).toEqual(messages);
  };
  expect(await stopEverywhere(run, check, prepare)).toBe(7);
});

test("[S13] an import that is repeated writes what is there, key for key and byte for byte", async () => {
  const { store, prefix, proxy } = under;
  const head = newHead("s1");
  const messages = ["a", long, "€".repeat(300_000)].map((content, index) =>
    importedMessage(head, index + 1, { content, ...inWindow }),
  );
  const stored = async () => [
    await itemsIn(client, `${prefix}messages`, "s1"),
    await itemsIn(client, `${prefix}messages`, windowPartition(business, user, "w")),
  ];
  // Everything but the head: the next one finds no session, and writes all of it again.
  const undo = proxy.add({ fault: { kind: "cut" }, operation: "PutItem" });
  await expect(store.importSession(headAfter(head, messages), messages)).rejects.toThrow(StoreError);
  undo();
  const first = await stored();
  expect(first.map((items) => items.length)).toEqual([3 + 3 + 1 + 3, 3]);
  for (let time = 0; time < 2; time += 1) {
    await store.importSession(headAfter(head, messages), messages);
    expect(await stored()).toEqual(first);
  }
  expect(await forwards(store, "s1", 9)).toEqual(messages);
});
