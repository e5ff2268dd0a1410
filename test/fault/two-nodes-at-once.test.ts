import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createDynamoClient } from "../../server/stores/dynamodb/client.js";
import { readSession } from "../support/desk-history.js";
import { makeTables, startDynamoProcess, type TestDynamo } from "../support/dynalite.js";
import { FakeAgent } from "../support/fake-agent.js";
import { withSeed } from "../support/random.js";
import { inDynamo, TestServer } from "../support/server-process.js";
import { WireClient } from "../support/wire.js";

const businessId = "K3";
const topic = `messages:${businessId}`;
const userCount = 4;
const pairsEach = 25;
const patienceMs = 60_000;

type Fields = Record<string, unknown>;

let dynamo: TestDynamo;
let agent: FakeAgent;
let nodes: readonly TestServer[] = [];
let clients: WireClient[];
let refs = 0;

beforeEach(async () => {
  clients = [];
  agent = await FakeAgent.start();
  dynamo = await startDynamoProcess();
});

afterEach(async () => {
  for (const client of clients) client.close();
  for (const node of nodes) await node.dispose();
  await agent.stop();
  await dynamo.stop();
});

test(`[D-03] [M6] ${userCount * pairsEach} pairs of one id, sent to two nodes at the same time: each is stored once, and both are told the same`, async () => {
  await startNodes({ AGENT: "echo" });
  const users = Array.from({ length: userCount }, (_, index) => `user_${index}`);
  await Promise.all(
    users.map(async (userId) => {
      const tabs = await tabsOf(userId);
      let sessionId = "";
      for (let pair = 0; pair < pairsEach; pair += 1) {
        const told = await Promise.all(tabs.map((tab) => say(tab, userId, `message ${pair}`, `c${pair}`)));
        const [one, other] = told.map(({ duplicate: _duplicate, ...reply }) => reply);
        expect(one).toEqual(other);
        expect(told.filter(({ duplicate }) => duplicate === true)).toHaveLength(1);
        sessionId = String(one!.sessionId);
      }
      const rows = await answeredRows(sessionId, pairsEach);
      const questions = rows.filter(({ type }) => type === "user");
      expect(questions.map(({ content }) => content)).toEqual(
        Array.from({ length: pairsEach }, (_, pair) => `message ${pair}`),
      );
    }),
  );
}, 600_000);

test(
  "[D-15] [M4] [M7] twenty at once from two sockets on two nodes, and an agent that takes any time: no gap, and reply k answers question k",
  () =>
    withSeed(async (random) => {
      await startNodes({ AGENT: "http", AGENT_URL: agent.url });
      const tabs = await tabsOf("ana");
      const texts = Array.from({ length: 20 }, (_, index) => `!late:${Math.floor(random() * 50)} message ${index}`);
      const told = await Promise.all(texts.map((text, index) => say(tabs[index % 2]!, "ana", text, `c${index}`)));
      const sessionId = String(told[0]!.sessionId);
      const rows = await answeredRows(sessionId, texts.length);
      const [questions, answers] = ["user", "agent"].map((wanted) => rows.filter(({ type }) => type === wanted));
      expect(answers!.map(({ metadata, content }) => [metadata.inReplyTo, content])).toEqual(
        questions!.map(({ messageId, content }) => [messageId, `answer to ${content}`]),
      );
      for (const [index, { messageId, offset }] of told.entries()) {
        expect(questions!.find((row) => row.messageId === messageId)).toMatchObject({ content: texts[index], offset });
      }
      expect(await readSession(nodes[1]!.url, sessionId)).toEqual(rows);
      expect(agent.calls.map(({ message }) => message)).toEqual(questions!.map(({ content }) => content));
    }),
  900_000,
);

async function startNodes(environment: Readonly<Record<string, string>>): Promise<void> {
  const client = await createDynamoClient({ endpoint: dynamo.endpoint });
  const prefix = await makeTables(client);
  client.destroy();
  // A busy dynalite takes its time; DynamoDB does not.
  const shared = { ...environment, ...inDynamo(dynamo.endpoint, prefix), DYNAMODB_TIMEOUT_MS: "20000" };
  nodes = await Promise.all([TestServer.create(shared), TestServer.create(shared)]);
  await Promise.all(nodes.map((node) => node.start()));
}

/** A tab of the user's on each node. */
function tabsOf(userId: string): Promise<WireClient[]> {
  return Promise.all(
    nodes.map(async ({ url }) => {
      const client = await WireClient.connect(url);
      clients.push(client);
      await call(client, "phx_join", { userId });
      return client;
    }),
  );
}

function say(client: WireClient, userId: string, message: string, clientMessageId: string): Promise<Fields> {
  return call(client, "new_message", { businessId, userId, locationId: "default", message, clientMessageId });
}

async function call(client: WireClient, event: string, payload: unknown): Promise<Fields> {
  const ref = `r${(refs += 1)}`;
  client.send(event === "phx_join" ? ref : null, ref, topic, event, payload);
  const [, , , , reply] = await client.next((frame) => frame[1] === ref && frame[3] === "phx_reply", patienceMs);
  if (reply.status !== "ok") throw new Error(JSON.stringify(reply));
  return reply.response as Fields;
}

/** The whole session once so many are answered: without a gap. */
async function answeredRows(sessionId: string, count: number): Promise<Awaited<ReturnType<typeof readSession>>> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const rows = await readSession(nodes[0]!.url, sessionId);
    expect(rows.map(({ offset }) => offset)).toEqual(rows.map((_, index) => index + 1));
    if (rows.filter(({ type }) => type !== "user").length >= count) {
      expect(rows).toHaveLength(2 * count);
      return rows;
    }
    if (Date.now() > end) throw new Error(`in vain: ${count} answers; ${rows.length} rows are there`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
