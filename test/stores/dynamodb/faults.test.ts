import { afterEach, describe, expect, test } from "@jest/globals";
import { admit, claim, type Head } from "../../../server/messaging/head.js";
import { clientMessageKey } from "../../../server/messaging/records.js";
import { type Store, StoreError } from "../../../server/messaging/store.js";
import { forwards, newHead, offsetsOf, respond, say } from "../../contract/store-acts.js";
import { range } from "../../contract/store-harness.js";
import { dynamoStores, type DynamoUnderTest } from "../../support/dynamo-store.js";
import { startDynamo } from "../../support/dynalite.js";
import type { Fault } from "../../support/fault-proxy.js";
import { saidBy } from "../../support/heads.js";
import { createRandom, seedOfRun } from "../../support/random.js";

const { open } = dynamoStores();
let under: DynamoUnderTest | null = null;

afterEach(async () => {
  under?.proxy.clear();
  await under?.dispose();
  under = null;
});

async function opened(): Promise<DynamoUnderTest> {
  under = await open({ random: createRandom(seedOfRun) });
  await under.store.createHead(newHead("s1"));
  return under;
}

describe("a write that was applied and not acknowledged", () => {
  const lies: readonly Fault["kind"][] = ["applied-then-500", "applied-then-cut"];

  test.each(lies)("[S-01] %s on every write, once each: stored once, and told so", async (kind) => {
    const { store, proxy } = await opened();
    // The SDK sends each a second time, which is refused by what the first one wrote.
    const seen = new Set<string>();
    proxy.add({
      fault: { kind } as Fault,
      operation: "write",
      when: ({ operation, body }) => {
        const key = operation + JSON.stringify(body);
        if (seen.has(key)) return false;
        seen.add(key);
        return true;
      },
    });
    for (const index of range(5)) expect(await say(store, "s1", `m${index}`)).toMatchObject({ kind: "admitted" });
    await respond(store, "s1", "m0", "a0");
    expect(offsetsOf(await forwards(store, "s1", 50))).toEqual([1, 2, 3, 4, 5, 6]);
    const key = clientMessageKey("B1", "u", "c1");
    const { isWritten, record } = await store.writeRecord(key, null, { messageId: "m1" });
    expect(isWritten).toBe(true);
    expect(await store.writeRecord(key, null, { messageId: "m2" })).toMatchObject({
      isWritten: false,
      record: { value: { messageId: "m1" } },
    });
    expect(await store.writeRecord(key, record!.rev, null)).toEqual({ isWritten: true, record: null });
    expect(await store.createHead(newHead("s2"))).toEqual(newHead("s2"));
  });

  test("[S-01] applied, and nothing can be read after it: an error, and the retry finds it", async () => {
    const { store, proxy } = await opened();
    // From now on it knows the head, and writes without reading it.
    await say(store, "s1", "m0");
    const stop = [
      proxy.add({ fault: { kind: "applied-then-cut" }, operation: "PutItem", table: "sessions" }),
      proxy.add({ fault: { kind: "cut" }, operation: "read" }),
    ];
    const terms = { now: Date.now(), node: "n", isOver: false, isFinal: false };
    const admission = store.changeSession("s1", (head) => admit(head, null, saidBy("u", "m1"), terms));
    await expect(admission).rejects.toThrow(StoreError);
    for (const undo of stop) undo();
    expect(await say(store, "s1", "m1")).toMatchObject({ kind: "duplicate" });
    expect(offsetsOf(await forwards(store, "s1", 50))).toEqual([1, 2]);
  });
});

describe("a DynamoDB that refuses", () => {
  test("[S-02] throttled half of the time, failing a fifth: what is acknowledged is there once, the rest is not claimed", async () => {
    const { store, proxy } = await opened();
    proxy.add({ fault: { kind: "throttle" }, probability: 0.5 });
    proxy.add({ fault: { kind: "error" }, probability: 0.2 });
    const results = await Promise.allSettled(range(40).map((index) => say(store, "s1", `m${index}`)));
    proxy.clear();
    const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    for (const error of errors) expect(error).toMatchObject({ name: "StoreError", retryable: true });
    for (const [index, result] of results.entries()) {
      const again = await say(store, "s1", `m${index}`);
      // Whoever was told ok is a duplicate now; whoever was told nothing is stored at the latest now.
      if (result.status === "fulfilled") expect(again).toMatchObject({ kind: "duplicate" });
    }
    const history = await forwards(store, "s1", 100);
    expect(offsetsOf(history)).toEqual(range(40).map((index) => index + 1));
    expect(new Set(history.map(({ messageId }) => messageId)).size).toBe(40);
  });

  test("[S-02] refused for good: an error within the deadline, and no more than three tries of a request", async () => {
    const { store, proxy } = await opened();
    await say(store, "s1", "m1");
    await under!.reopen();
    const before = proxy.requests.length;
    proxy.add({ fault: { kind: "throttle" } });
    const startedAt = performance.now();
    await expect(say(under!.store, "s1", "m2")).rejects.toMatchObject({ retryable: true });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(proxy.requests.length - before).toBeLessThanOrEqual(3);
    expect(under!.store.failure).toContain("DynamoDB");
    proxy.clear();
    await say(under!.store, "s1", "m2");
    expect(under!.store.failure).toBeNull();
  });

  test("[S-02] [M7] rows that cannot be written are written later: nothing of it is lost to a reader", async () => {
    const { store, proxy } = await opened();
    const undo = proxy.add({ fault: { kind: "throttle" }, operation: "BatchWriteItem" });
    for (const index of range(5)) await say(store, "s1", `m${index}`);
    expect(offsetsOf(await forwards(store, "s1", 2))).toEqual([1, 2, 3, 4, 5]);
    expect(await store.findMessage("s1", "m3")).toMatchObject({ offset: 4 });
    expect((await store.readSessionsWithWork({ limit: 5 })).items).toEqual(["s1"]);
    undo();
    const other = await under!.another();
    await other.settle("s1");
    await store.changeSession("s1", (head) => ({ result: null, head: { ...head, turns: [] } }));
    expect(offsetsOf(await forwards(other, "s1", 2))).toEqual([1, 2, 3, 4, 5]);
  });

  test("[S-07] a tenant that is throttled slows itself down, and nobody else", async () => {
    const { store, proxy } = await opened();
    const hot = { businessId: "hot" };
    for (const index of range(4)) {
      await store.createHead(newHead(`hot${index}`, hot));
      await store.createHead(newHead(`cool${index}`, { businessId: "cool" }));
    }
    proxy.add({
      fault: { kind: "throttle" },
      probability: 0.7,
      when: ({ body }) => JSON.stringify(body).includes('"hot'),
    });
    const load = (name: string) =>
      Promise.allSettled(range(40).map((index) => say(store, `${name}${index % 4}`, `${name}-m${index}`)));
    const [, cool] = await Promise.all([load("hot"), load("cool")]);
    expect(cool.filter(({ status }) => status === "rejected")).toEqual([]);
  });
});

describe("a DynamoDB that answers in its own way", () => {
  test("[S-05] pages of three rows, and pages without rows that are not the last: the history is complete", async () => {
    const { store, proxy } = await opened();
    for (const index of range(20)) await say(store, "s1", `m${index}`);
    await store.settle("s1");
    proxy.add({ fault: { kind: "page", rows: 3 } });
    proxy.add({ fault: { kind: "empty-page" } });
    for (const limit of [1, 7, 20, 50]) {
      expect(offsetsOf(await forwards(store, "s1", limit))).toEqual(range(20).map((index) => index + 1));
    }
    expect((await store.readMessages("s1", { limit: 5 })).items).toHaveLength(5);
    expect(await store.countActiveSessions("B1")).toBe(1);
  });

  test("[S-05] half of every batch is left over: it is asked for again", async () => {
    const { store, proxy } = await opened();
    proxy.add({ fault: { kind: "unprocessed" }, probability: 0.5 });
    for (const index of range(10)) await say(store, "s1", `m${index}`, { content: "x".repeat(index * 3000) });
    await store.settle("s1");
    const history = await forwards(store, "s1", 50);
    expect(history.map(({ content }) => content.length)).toEqual(range(10).map((index) => index * 3000));
  });

  test("[S-06] reads that may be of yesterday are: history, records and heads are of now all the same", async () => {
    const replica = await startDynamo();
    const stale = await open({ replica: replica.endpoint });
    try {
      stale.proxy.add({ fault: { kind: "stale" } });
      const { store, proxy } = stale;
      await store.createHead(newHead("s1"));
      proxy.holdReplica();
      for (const index of range(3)) {
        await say(store, "s1", `m${index}`);
        expect(offsetsOf((await store.readMessages("s1", { limit: 10 })).items)).toHaveLength(index + 1);
        expect(await store.findMessage("s1", `m${index}`)).not.toBeNull();
      }
      await store.writeRecord({ partition: "p", id: "i" }, null, 1);
      expect(await store.readRecord({ partition: "p", id: "i" })).toMatchObject({ value: 1 });
      await proxy.catchUp();
    } finally {
      await stale.dispose();
      await replica.stop();
    }
  });

  test("[S-03] a hundred writers to one session, on two nodes: each once, without a gap", async () => {
    const { store } = await opened();
    const nodes = [store, await under!.another()];
    const results = await Promise.all(range(100).map((index) => say(nodes[index % 2]!, "s1", `m${index}`)));
    expect(results.filter((result) => result?.kind !== "admitted")).toEqual([]);
    expect(offsetsOf(await forwards(store, "s1", 200))).toEqual(range(100).map((index) => index + 1));
  });
});

describe("limits of an item", () => {
  test("[S-04] a head that is too large is refused before it is sent, and nothing of it is stored", async () => {
    const { store, proxy } = await opened();
    const writes = proxy.writeCount;
    const grow = (head: Head) => ({
      result: null,
      head: { ...head, session: { ...head.session, title: "é".repeat(200_000) } },
    });
    await expect(store.changeSession("s1", grow)).rejects.toMatchObject({ name: "StoreError", retryable: false });
    expect(proxy.writeCount).toBe(writes);
    expect(await say(store, "s1", "m1")).toMatchObject({ kind: "admitted" });
  });

  test("[S-04] a crowd of messages that grow when they are written down: all stored, none refused", async () => {
    const { store } = await opened();
    const content = '"'.repeat(3750);
    const results = await Promise.all(range(30).map((index) => say(store, "s1", `m${index}`, { content })));
    expect(results.filter((result) => result?.kind !== "admitted")).toEqual([]);
    expect(offsetsOf(await forwards(store, "s1", 200))).toEqual(range(30).map((index) => index + 1));
  });

  test.each([
    ["just below what fits in a row", 8000],
    ["just above", 8300],
    ["of several parts", 700_000],
  ])("[S-04] a message %s comes back as it was, whatever its characters", async (_name, bytes) => {
    const { store } = await opened();
    for (const character of ["x", "é", "🚗", '"', "\u0001"]) {
      const content = character.repeat(Math.ceil(bytes / Buffer.byteLength(character)));
      const messageId = `m-${character.codePointAt(0)}`;
      await say(store, "s1", messageId, { content });
      expect((await store.findMessage("s1", messageId))?.content).toBe(content);
    }
    await store.settle("s1");
    expect((await forwards(store, "s1", 50)).every(({ content }) => content.length > 0)).toBe(true);
  });
});

test("[S2] a decision not to write is made on the head as it is, not as it is remembered", async () => {
  const { store } = await opened();
  const other = await under!.another();
  await say(store, "s1", "m1");
  await store.changeSession("s1", (head) => claim(head, "a", () => true));
  await other.changeSession("s1", (head) => ({ result: null, head: { ...head, lease: null } }));
  const seen = await store.changeSession("s1", (head) => ({ result: head.lease }));
  expect(seen).toBeNull();
});

test("[S2] one change that throws is refused alone, also among those of one write", async () => {
  const { store } = await opened();
  const terms = { now: Date.now(), node: "n", isOver: false, isFinal: false };
  const admitted = (id: string) => store.changeSession("s1", (head) => admit(head, null, saidBy("u", id), terms));
  const mistake = store.changeSession("s1", () => {
    throw new Error("a mistake");
  });
  const [first, wrong, second] = await Promise.allSettled([admitted("m1"), mistake, admitted("m2")]);
  expect([first.status, wrong.status, second.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(offsetsOf(await forwards(store, "s1", 5))).toEqual([1, 2]);
});

test("[S8] at rest a session is in no index of work, and its head carries nothing along", async () => {
  const { store, proxy } = await opened();
  await say(store, "s1", "m1");
  await respond(store, "s1", "m1", "a1");
  await settled(store);
  const before = proxy.requests.length;
  await store.settle("s1");
  expect(proxy.requests.slice(before).map(({ operation }) => operation)).toEqual(["GetItem"]);
});

async function settled(store: Store): Promise<void> {
  while ((await store.readSessionsWithWork({ limit: 1 })).items.length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
