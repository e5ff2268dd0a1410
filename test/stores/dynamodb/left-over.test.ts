import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { cursorAt, timeOfCursor } from "../../../server/messaging/ids.js";
import type { Head } from "../../../server/messaging/head.js";
import type { ProcessedEvent } from "../../../server/messaging/model.js";
import { createDynamoClient } from "../../../server/stores/dynamodb/client.js";
import { minuteMs, newHead, respond, say, t0 } from "../../contract/store-acts.js";
import { makeTables, startDynamo, type TestDynamo } from "../../support/dynalite.js";
import { type DynamoNode, eventsWritten, startDynamoNode } from "../../support/dynamo-node.js";
import type { SeenRequest } from "../../support/fault-proxy.js";
import { until } from "../../support/until.js";

let dynamo: TestDynamo;
let prefix: string;
let nodes: DynamoNode[];

beforeAll(async () => {
  dynamo = await startDynamo();
});

afterAll(async () => {
  await dynamo.stop();
});

beforeEach(async () => {
  nodes = [];
  const client = await createDynamoClient({ endpoint: dynamo.endpoint });
  prefix = await makeTables(client);
  client.destroy();
});

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.dispose()));
});

async function nodeAt(ms: number): Promise<DynamoNode> {
  const node = await startDynamoNode({ endpoint: dynamo.endpoint, prefix }, t0 + ms);
  nodes.push(node);
  return node;
}

/** A process that answered, and ended after the head with the answer was written and before any row of it was. */
async function deadNode(content = "the answer"): Promise<void> {
  const node = await nodeAt(0);
  await node.store.createHead(newHead("s1"));
  await say(node.store, "s1", "m1");
  // The parts of a long one come before the head; everything else comes after it.
  const isRow = ({ body }: SeenRequest) => !JSON.stringify(body).includes('"body#');
  node.proxy.add({ fault: { kind: "cut" }, operation: "BatchWriteItem", table: "events", when: isRow });
  await respond(node.store, "s1", "m1", "a1", { content, cursor: node.ids.sortable() });
  node.die();
}

async function eventsAfter({ store }: DynamoNode, ms: number): Promise<readonly ProcessedEvent[]> {
  return (await store.readEvents("B1", { after: cursorAt(t0 + ms), limit: 10 })).items;
}

const touch = (head: Head) => ({ result: null, head: { ...head, session: { ...head.session, title: "touched" } } });

test("[M17] [M16] an outcome that a dead process left is told once its event is where a replay finds it", async () => {
  await deadNode();
  const node = await nodeAt(3 * minuteMs);
  await node.store.settle("s1");
  expect(node.told).toMatchObject([
    { eventsWritten: 1, event: { messageId: "m1", answer: "the answer" }, message: { messageId: "a1", offset: 2 } },
  ]);
  const [{ event }] = node.told as [(typeof node.told)[0]];
  expect(timeOfCursor(event.cursor)).toBe(t0 + 3 * minuteMs);
  // A coordinator who has seen what happened two minutes later is replayed what happened from one minute on.
  expect(await eventsAfter(node, minuteMs)).toEqual([event]);
  expect(await node.store.findMessage("s1", "a1")).toEqual(node.told[0]!.message);
  expect((await node.store.readSessionsWithWork({ limit: 5 })).items).toEqual([]);
  await node.store.settle("s1");
  expect(node.told).toHaveLength(1);
});

test("[M17] it is told, too, by whoever finds it beside a change of its own", async () => {
  await deadNode();
  const node = await nodeAt(3 * minuteMs);
  await node.store.changeSession("s1", touch);
  node.clock.advance(0);
  await until("it is told", () => node.told.length > 0);
  expect(node.told).toMatchObject([{ event: { messageId: "m1" }, message: { messageId: "a1" } }]);
  expect(await eventsAfter(node, minuteMs)).toEqual([node.told[0]!.event]);
});

test("[M17] what was left a moment ago is told under the cursor that it has", async () => {
  await deadNode();
  const node = await nodeAt(5000);
  await node.store.settle("s1");
  expect(node.told.map(({ event }) => timeOfCursor(event.cursor))).toEqual([t0]);
  expect(await eventsAfter(node, -1)).toEqual([node.told[0]!.event]);
});

test("[M17] one that is long is told whole, is found whole, and goes with its message", async () => {
  await deadNode("long ".repeat(10_000));
  const node = await nodeAt(3 * minuteMs);
  await node.store.settle("s1");
  expect(node.told[0]!.event.answer).toHaveLength(50_000);
  expect(await eventsAfter(node, minuteMs)).toEqual([node.told[0]!.event]);
  await node.store.changeSession("s1", (head) => ({
    result: null,
    head: { ...head, deletingSince: new Date(t0).toISOString() },
  }));
  const { items } = await node.store.readMessages("s1", { limit: 10 });
  await node.store.deleteMessages("s1", items);
  expect(await eventsAfter(node, -1)).toEqual([]);
});

test("[M17] what cannot be written yet is told when it is, under the one cursor that it was given", async () => {
  await deadNode();
  const node = await nodeAt(3 * minuteMs);
  // The rows arrive, and nobody hears of it.
  node.proxy.add({ fault: { kind: "applied-then-cut" }, operation: "BatchWriteItem", count: 3 });
  await expect(node.store.settle("s1")).rejects.toThrow();
  expect(node.told).toEqual([]);
  await node.store.settle("s1");
  expect(node.told).toHaveLength(1);
  expect(await eventsAfter(node, -1)).toEqual([node.told[0]!.event]);
});

test("[M17] two that find it at once both tell it, and a replay finds it", async () => {
  await deadNode();
  const [one, other] = [await nodeAt(3 * minuteMs), await nodeAt(3 * minuteMs)];
  await Promise.all([one.store.settle("s1"), other.store.settle("s1")]);
  const told = [...one.told, ...other.told].map(({ event }) => event.responseId);
  expect(new Set(told)).toEqual(new Set(["r-a1"]));
  const found = await eventsAfter(one, minuteMs);
  expect(new Set(found.map(({ messageId }) => messageId))).toEqual(new Set(["m1"]));
});

test("[M16] what a process wrote itself, and told its caller, is told by nobody else", async () => {
  const node = await nodeAt(0);
  await node.store.createHead(newHead("s1"));
  await say(node.store, "s1", "m1");
  const answered = await respond(node.store, "s1", "m1", "a1", { cursor: node.ids.sortable() });
  await node.store.settle("s1");
  expect(node.told).toEqual([]);
  expect(await eventsAfter(node, -1)).toEqual([answered!.event]);
});

test("[M16] what it wrote itself, and was never told so, is told when it is found", async () => {
  const node = await nodeAt(0);
  await node.store.createHead(newHead("s1"));
  await say(node.store, "s1", "m1");
  const fence = (await node.store.readHead("s1"))!.lease!.fence;
  const undo = [
    node.proxy.add({ fault: { kind: "applied-then-cut" }, operation: "PutItem", table: "sessions", nth: 1 }),
    node.proxy.add({
      fault: { kind: "cut" },
      operation: "read",
      when: () => node.proxy.requests.some(({ faults }) => faults.includes("applied-then-cut")),
    }),
  ];
  await expect(respond(node.store, "s1", "m1", "a1", { fence, cursor: node.ids.sortable() })).rejects.toThrow();
  for (const each of undo) each();
  expect(node.told).toEqual([]);
  await node.store.settle("s1");
  expect(node.told).toMatchObject([{ event: { messageId: "m1" }, message: { messageId: "a1" } }]);
});

test("[M17] rows of its own that come late get a place where a replay finds them", async () => {
  const node = await nodeAt(0);
  await node.store.createHead(newHead("s1"));
  await say(node.store, "s1", "m1");
  const undo = node.proxy.add({ fault: { kind: "cut" }, operation: "BatchWriteItem" });
  await respond(node.store, "s1", "m1", "a1", { cursor: node.ids.sortable() });
  node.clock.skip(3 * minuteMs);
  undo();
  await node.store.settle("s1");
  expect(await eventsAfter(node, minuteMs)).toMatchObject([{ messageId: "m1", responseId: "r-a1" }]);
  // Its caller was told.
  expect(node.told).toEqual([]);
});

test("[M17] a session that is being deleted tells nothing more", async () => {
  await deadNode();
  const node = await nodeAt(3 * minuteMs);
  await node.store.changeSession("s1", (head) => ({
    result: null,
    head: { ...head, deletingSince: new Date(t0).toISOString() },
  }));
  await node.store.settle("s1");
  expect(eventsWritten(node.proxy).length).toBeGreaterThan(0);
  expect(node.told).toEqual([]);
});

test("[M17] whoever is told and fails at it keeps nothing from being settled", async () => {
  await deadNode();
  const node = await nodeAt(3 * minuteMs);
  const mistake = new Error("a mistake");
  node.store.onLeftOver(() => {
    throw mistake;
  });
  await node.store.settle("s1");
  expect(node.errors).toEqual([mistake]);
  expect((await node.store.readSessionsWithWork({ limit: 5 })).items).toEqual([]);
});

test("[M17] one whose process ended once its event was written, but not cleared away, has one event in the end", async () => {
  const dead = await nodeAt(0);
  await dead.store.createHead(newHead("s1"));
  await say(dead.store, "s1", "m1");
  await respond(dead.store, "s1", "m1", "a1", { content: "the answer", cursor: dead.ids.sortable() });
  expect(await eventsAfter(dead, 0)).toHaveLength(1);
  dead.die();
  const node = await nodeAt(3 * minuteMs);
  await node.store.settle("s1");
  expect(await eventsAfter(node, 0)).toEqual(node.told.map(({ event }) => event));
});
