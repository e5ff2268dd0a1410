import { afterEach, beforeEach, test } from "@jest/globals";
import { connect, type TestChannel } from "bennu/testing";
import type { Session } from "../../server/messaging/model.js";
import { createDynamoClient } from "../../server/stores/dynamodb/client.js";
import { minuteMs, newHead, respond, say, t0 } from "../contract/store-acts.js";
import { freshPrefix, makeTables, startDynamo, type TestDynamo } from "../support/dynalite.js";
import { type DynamoNode, startDynamoNode } from "../support/dynamo-node.js";
import { FakeClock } from "../support/fake-clock.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { patienceMs } from "../support/store-of-run.js";

const businessId = "B0100001";

let dynamo: TestDynamo;
let dead: DynamoNode;
let app: TestApp | null = null;

beforeEach(async () => {
  dynamo = await startDynamo();
});

afterEach(async () => {
  await app?.dispose();
  app = null;
  await dead.dispose();
  await dynamo.stop();
});

/** A process that stored an answer for ana, and ended before it wrote any row of it and told anybody. */
async function leaveAnswer(prefix: string, of: Partial<Session> = {}): Promise<void> {
  dead = await startDynamoNode({ endpoint: dynamo.endpoint, prefix }, t0);
  const head = newHead("s1", { businessId, userId: "ana" });
  await dead.store.createHead({ ...head, session: { ...head.session, ...of } });
  await say(dead.store, "s1", "m1", { userId: "ana", content: "Bună ziua" });
  dead.proxy.add({ fault: { kind: "cut" }, operation: "BatchWriteItem", table: "events" });
  await respond(dead.store, "s1", "m1", "a1", { content: "the answer", cursor: dead.ids.sortable() });
  dead.die();
}

async function startOn(prefix: string): Promise<FakeClock> {
  const clock = new FakeClock(t0 + 3 * minuteMs);
  const environment = { STORE: "dynamodb", DYNAMODB_ENDPOINT: dynamo.endpoint, DYNAMODB_TABLE_PREFIX: prefix };
  app = await startTestApp(environment, { clock });
  return clock;
}

async function newTables(): Promise<string> {
  const prefix = freshPrefix();
  const client = await createDynamoClient({ endpoint: dynamo.endpoint });
  await makeTables(client, prefix);
  client.destroy();
  return prefix;
}

async function joined(topic: string, params: Readonly<Record<string, string>>, payload: object = {}) {
  const socket = await connect(app!.endpoint, "/socket", params, { headers: { host: "localhost" }, patienceMs });
  return socket.join(topic, { ...payload });
}

test("[M16] [M17] [M25] what a dead process stored and told nobody reaches the user, the console, and its next replay", async () => {
  const prefix = await newTables();
  await leaveAnswer(prefix);
  const clock = await startOn(prefix);
  const join = (params: Readonly<Record<string, string>>, payload: object = {}): Promise<TestChannel> =>
    joined(`messages:${businessId}`, params, payload);
  const [ana, ion, console] = [await join({ userId: "ana" }), await join({ userId: "ion" }), await join({})];
  const { cursor } = console.reply.response as { readonly cursor: string };
  // At its start it left it to whoever may be about to see to it; at the second sight it does so itself.
  clock.advance(3000);
  await ana.assertBroadcast("new_message", { responseId: "r-a1", message: "the answer", inReplyTo: "m1", offset: 2 });
  await console.assertBroadcast("message_processed", { messageId: "m1", answer: "the answer", status: "answered" });
  ion.refute("new_message");
  ana.refute("message_processed");
  const resumed = await join({}, { resume: { cursor } });
  await resumed.assertPush("message_processed", { messageId: "m1", responseId: "r-a1" });
});

test("[M94] [M97] [M100] of a conversation it reaches those who take part in it by now, and nobody else", async () => {
  const prefix = await newTables();
  const takesPart = (type: "user" | "agent", id: string) => ({ type, id, joined: new Date(t0).toISOString() });
  await leaveAnswer(prefix, {
    ...{ kind: "agent", agentId: "one", title: "Agent one - Auto Conversation", userId: undefined! },
    // Who had asked was taken out since.
    participants: [takesPart("agent", "one"), takesPart("user", "bob")],
  });
  const clock = await startOn(prefix);
  // Whoever changes something there finds it, too, and so does who comes in: all of them are there by then.
  const tabs = await Promise.all(["ana", "bob"].map((userId) => joined(`messages:${businessId}`, { userId })));
  const console = await joined("conversation:s1", {});
  const bob = await joined("conversation:s1", { userId: "bob" });
  clock.advance(3000);
  for (const channel of [bob, console]) {
    await channel.assertBroadcast("message:new", { conversationId: "s1", content: "the answer", inReplyTo: "m1" });
    await channel.assertBroadcast("message:updated", { message: { messageId: "m1", status: "done" } });
  }
  for (const tab of tabs) tab.refute("new_message");
});
