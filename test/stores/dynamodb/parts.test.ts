import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { beginDeletion, close } from "../../../server/messaging/head.js";
import { cursorAt } from "../../../server/messaging/ids.js";
import { createDynamoClient } from "../../../server/stores/dynamodb/client.js";
import { StoreError } from "../../../server/messaging/store.js";
import { annotate, asidesOf, business, cursorOf, forwards, newHead, respond, say } from "../../contract/store-acts.js";
import { dynamoStores, type DynamoUnderTest } from "../../support/dynamo-store.js";
import type { SeenRequest } from "../../support/fault-proxy.js";
import { hasParts, interceptedStore, type InterceptedStore, itemsIn, newGate } from "./intercepted-store.js";

const { open, endpoint } = dynamoStores();
let client: DynamoDBClient;
let under: DynamoUnderTest | null = null;
let slow: InterceptedStore | null = null;

beforeAll(async () => {
  client = await createDynamoClient({ endpoint: endpoint() });
});

afterAll(() => client.destroy());

afterEach(async () => {
  await slow?.store.close();
  await under?.dispose();
  [slow, under] = [null, null];
});

const far = "9999-01-01T00:00:00.000Z";
const long = '"'.repeat(7000);

/** A session in which something was said, and two nodes: one of them can be held back. */
async function twoNodes() {
  under = await open();
  slow = await interceptedStore(under);
  await under.store.createHead(newHead("s1"));
  await say(under.store, "s1", "m1");
  return { under, store: under.store, slow };
}

test("[S2] [S-04] the parts of a slow node come after another one has stored the message: it stays as it was told", async () => {
  const { under, store, slow } = await twoNodes();
  const gate = newGate();
  slow.intercept(async (request, send) => {
    if (hasParts(request)) await gate.pass();
    return send();
  });
  const late = say(slow.store, "s1", "long", { content: long, metadata: { connectionId: "slow" } });
  await gate.reached;
  await say(store, "s1", "between");
  const stored = await say(store, "s1", "long", { content: long, metadata: { connectionId: "fast" } });
  expect(stored).toMatchObject({ kind: "admitted", message: { offset: 3 } });
  gate.open();
  const message = stored?.kind === "admitted" ? stored.message : null;
  expect(await late).toEqual({ kind: "duplicate", message });
  for (const each of [store, slow.store, await under.another()]) {
    expect(await each.findMessage("s1", "long")).toEqual(message);
    expect((await forwards(each, "s1", 50))[2]).toEqual(message);
  }
});

test("[S2] [S-04] parts that were given up and arrive later change neither the answer nor its event", async () => {
  const { under, store } = await twoNodes();
  const { proxy } = under;
  const now = Date.now();
  const answer = { now, content: long, cursor: cursorOf(now, 1) };
  const asked = proxy.requests.length;
  const undo = proxy.add({ fault: { kind: "cut" }, operation: "BatchWriteItem", when: isOfParts });
  await expect(respond(store, "s1", "m1", "a1", answer)).rejects.toThrow(StoreError);
  undo();
  const givenUp = proxy.requests.slice(asked).filter(isOfParts);
  await say(store, "s1", "m2", { now: now + 1 });
  const answered = await respond(store, "s1", "m1", "a1", { ...answer, now: now + 5 });
  expect(answered?.message.offset).toBe(3);
  for (const request of givenUp) await apply(request);
  expect(givenUp.length).toBeGreaterThan(0);
  expect(await store.findMessage("s1", "a1")).toEqual(answered!.message);
  const { items } = await store.readEvents(business, { after: cursorAt(0), limit: 9 });
  expect(items).toEqual([answered!.event]);
});

test("[S-08] parts of a write that lost lead nowhere, and go with the session; those of its event have their day", async () => {
  const { under, store, slow } = await twoNodes();
  const [messages, events] = [`${under.prefix}messages`, `${under.prefix}events`];
  const now = Date.now();
  const cursor = cursorOf(now, 2);
  const gate = newGate();
  let puts = 0;
  slow.intercept(async ({ operation, input }, send) => {
    // The first takes the lease, the second is the answer.
    const isAnswer = operation === "PutItem" && input.TableName === `${under.prefix}sessions` && (puts += 1) === 2;
    if (isAnswer) await gate.pass();
    return send();
  });
  const answering = respond(slow.store, "s1", "m1", "a1", { now, content: long, cursor });
  await gate.reached;
  await say(store, "s1", "m2", { now });
  gate.open();
  const answered = await answering;
  expect(answered?.message.offset).toBe(3);
  const partsOf = async (table: string, partition: string) =>
    (await itemsIn(client, table, partition)).filter(({ part }) => part !== undefined);
  expect([await partsOf(messages, "s1"), await partsOf(events, `body#${cursor}`)]).toEqual([
    [expect.anything(), expect.anything()],
    [expect.anything(), expect.anything()],
  ]);
  await store.changeSession("s1", (head) => ({ result: null, head: { ...head, turns: [] } }));
  await store.settle("s1");
  await store.changeSession("s1", (head) => close(head, "closed", now));
  await store.changeSession("s1", (head) => beginDeletion(head, far, now));
  await store.deleteMessages("s1", await forwards(store, "s1", 50));
  expect(await itemsIn(client, messages, "s1")).toEqual(await partsOf(messages, "s1"));
  expect(await partsOf(messages, "s1")).toHaveLength(1);
  const left = await itemsIn(client, events, `body#${cursor}`);
  expect(left.map(({ expiresAt }) => expiresAt)).toEqual([Math.ceil(now / 1000) + 24 * 60 * 60]);
  await store.deleteHead("s1");
  expect(await itemsIn(client, messages, "s1")).toEqual([]);
});

test("[M50] [S-08] a long draft leaves nothing behind when it is deleted, nor does one that lost a race, with its session", async () => {
  const { under, store, slow } = await twoNodes();
  const messages = `${under.prefix}messages`;
  const gate = newGate();
  slow.intercept(async ({ operation, input }, send) => {
    if (operation === "PutItem" && input.TableName === `${under.prefix}sessions`) await gate.pass();
    return send();
  });
  const drafting = annotate(slow.store, "s1", "d1", { type: "draft", content: long });
  await gate.reached;
  await annotate(store, "s1", "n1");
  gate.open();
  expect((await drafting)?.kind).toBe("hung");
  const parts = async () => (await itemsIn(client, messages, "s1")).filter(({ part }) => part !== undefined);
  expect(await parts()).toHaveLength(2);
  expect((await asidesOf(store, "s1")).map(({ content }) => content === long)).toEqual([true, false]);
  await store.settle("s1");
  await store.changeSession("s1", (head) => close({ ...head, turns: [] }, "closed", Date.now()));
  await store.changeSession("s1", (head) => beginDeletion(head, far, Date.now()));
  await store.deleteMessages("s1", await forwards(store, "s1", 50));
  await store.deleteAsides("s1", await asidesOf(store, "s1"));
  // What no row ever led to.
  expect(await itemsIn(client, messages, "s1")).toEqual(await parts());
  expect(await parts()).toHaveLength(1);
  await store.deleteHead("s1");
  expect(await itemsIn(client, messages, "s1")).toEqual([]);
});

function isOfParts({ operation, body }: SeenRequest): boolean {
  return hasParts({ operation, input: body });
}

/** Sends a request once more as it was, past every proxy. */
async function apply({ operation, body }: SeenRequest): Promise<void> {
  const response = await fetch(endpoint(), {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `DynamoDB_20120810.${operation}`,
      "x-amz-date": "20260101T000000Z",
      authorization:
        "AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, " +
        "SignedHeaders=host;x-amz-date, Signature=00",
    },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
}
