import { afterEach, expect, test } from "@jest/globals";
import { createDynamoClient } from "../../server/stores/dynamodb/client.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import { makeTables, startDynamoProcess, type TestDynamo } from "../support/dynalite.js";
import { ask } from "../support/plain-http.js";
import { inDynamo, TestServer } from "../support/server-process.js";

const businessId = "K4";
const userCount = 6;
/** Long enough to store all of a batch, and to end a server before the first of it is due. */
const leadMs = 20_000;
/** A node that is gone loses what it had to do within 15 s, and what is due is looked for every few seconds. */
const patienceMs = 120_000;

let dynamo: TestDynamo | null = null;
let nodes: readonly TestServer[] = [];

afterEach(async () => {
  for (const node of nodes) await node.dispose();
  await dynamo?.stop();
});

const placeOf = ({ url }: TestServer) => ({ port: Number(new URL(url).port) });
const userIds = Array.from({ length: userCount }, (_, index) => `u${index}`);

/** One message for each user, a second apart. @returns when the last of them is due */
async function schedule(node: TestServer, message: string): Promise<number> {
  const begin = Date.now() + leadMs;
  for (const [index, userId] of userIds.entries()) {
    const { status, text } = await ask(placeOf(node), "/api/schedules", {
      method: "POST",
      headers: { "content-type": "application/json", "x-user-id": userId, "x-business-id": businessId },
      body: JSON.stringify({ message, at: new Date(begin + index * 1000).toISOString() }),
    });
    expect([status, text]).toEqual([201, expect.any(String)]);
  }
  return begin + (userCount - 1) * 1000;
}

async function historyOf(node: TestServer, userId: string): Promise<readonly ChatMessage[]> {
  const list = await ask(placeOf(node), `/api/sessions?businessId=${businessId}&userId=${userId}`);
  const { sessions } = JSON.parse(list.text) as { readonly sessions: readonly { readonly sessionId: string }[] };
  const pages = await Promise.all(
    // Two, if a day begins meanwhile.
    sessions.map(({ sessionId }) => ask(placeOf(node), `/api/sessions/${sessionId}/messages?limit=200`)),
  );
  return pages.flatMap(({ text }) => (JSON.parse(text) as { readonly messages: readonly ChatMessage[] }).messages);
}

/** What was said and what was answered in each user's name, in some order. */
async function saidOf(node: TestServer): Promise<readonly (readonly string[])[]> {
  const histories = await Promise.all(userIds.map((userId) => historyOf(node, userId)));
  return histories.map((messages) => messages.map(({ type, content }) => `${type} ${content}`).toSorted());
}

async function poll(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Every one of these was said and answered, to all of the users: each once, as both nodes have it. */
async function expectSaid(...messages: readonly string[]): Promise<void> {
  const expected = messages.flatMap((message) => [`user ${message}`, `agent ${message}`]).toSorted();
  const all = userIds.map(() => expected);
  const running = nodes.filter(({ isRunning }) => isRunning);
  for (const node of running) {
    const isThere = async () => (await saidOf(node)).every((said) => expected.every((each) => said.includes(each)));
    await poll(messages.join(), isThere);
    expect(await saidOf(node)).toEqual(all);
  }
}

test("[M80] [S17] what is scheduled on two servers with one store is said once, whichever of them is killed or starts again", async () => {
  dynamo = await startDynamoProcess();
  const client = await createDynamoClient({ endpoint: dynamo.endpoint });
  const prefix = await makeTables(client);
  client.destroy();
  // A busy dynalite takes its time; DynamoDB does not.
  const shared = { AGENT: "echo", ...inDynamo(dynamo.endpoint, prefix), DYNAMODB_TIMEOUT_MS: "20000" };
  nodes = await Promise.all([TestServer.create(shared), TestServer.create(shared)]);
  const [one, other] = nodes as [TestServer, TestServer];
  await Promise.all([one.start(), other.start()]);
  await schedule(one, "both are there");
  await expectSaid("both are there");

  // One of the two sees to the schedules, so one of these kills is of that one, with all of its batch still to be said.
  await schedule(one, "one is gone");
  await one.kill();
  await expectSaid("both are there", "one is gone");
  await one.start();
  await schedule(other, "the other is gone");
  await other.kill();
  await expectSaid("both are there", "one is gone", "the other is gone");

  // Nobody is there when it is due.
  const due = await schedule(one, "nobody was there");
  expect(await one.terminate()).toEqual({ code: 0, signal: null });
  await poll("it is past", () => Promise.resolve(Date.now() > due));
  await Promise.all([one.start(), other.start()]);
  await expectSaid("both are there", "one is gone", "the other is gone", "nobody was there");
  const listed = await ask(placeOf(one), "/api/schedules", {
    headers: { "x-user-id": "u0", "x-business-id": businessId },
  });
  expect(JSON.parse(listed.text)).toMatchObject({ schedules: [] });
  for (const node of nodes) expect(await node.terminate()).toEqual({ code: 0, signal: null });
}, 600_000);
