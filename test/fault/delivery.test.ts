import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { FakeAgent } from "../support/fake-agent.js";
import { TestServer } from "../support/server-process.js";
import { WireClient } from "../support/wire.js";

const businessId = "K1";
const topic = `messages:${businessId}`;
const message = "!late:200 hello";

type Fields = Record<string, unknown>;

let agent: FakeAgent;
let server: TestServer;
let clients: WireClient[];

beforeEach(async () => {
  clients = [];
  agent = await FakeAgent.start();
  server = await TestServer.create({ AGENT: "http", AGENT_URL: agent.url });
});

afterEach(async () => {
  for (const client of clients) client.close();
  await server.dispose();
  await agent.stop();
});

test("[M20] [M26] [D-06] kill -9 while the agent is asked: its answer reaches the user at their next join, as often as it was not known to be taken", async () => {
  await server.start();
  const tab = await join({ userId: "ana" });
  tab.send("c1", "2", topic, "new_message", { businessId, userId: "ana", locationId: "default", message });
  await agent.call(message);
  await tab.event("message_accepted");
  await server.kill();

  await server.start();
  const { responseId } = await outcome();
  await server.kill();

  // It was taken, but nobody wrote that down.
  await server.start();
  expect(await pushed()).toMatchObject([{ responseId, message: "answer to !late:200 hello", offset: 2 }]);
  await server.kill();

  await server.start();
  expect(await pushed()).toMatchObject([{ responseId, offset: 2 }]);
  expect(await server.terminate()).toEqual({ code: 0, signal: null });

  await server.start();
  expect(await pushed()).toEqual([]);
}, 300_000);

/** What a coordinator is told of it, whether it happened before they came or after. */
async function outcome(): Promise<Fields> {
  const console = await join({ resume: { cursor: "00000000-0000-7000-8000-000000000000" } });
  const [, , , , payload] = await console.event("message_processed");
  return payload;
}

/** What the user is pushed at a join, once the server knows that they have it. */
async function pushed(): Promise<Fields[]> {
  const console = await join({});
  const tab = await join({ userId: "ana" });
  await tab.heartbeat();
  const answers = tab.frames.flatMap(([, , , event, payload]) => (event === "new_message" ? [payload] : []));
  if (answers.length > 0) await console.event("receipt");
  return answers;
}

async function join(payload: Fields): Promise<WireClient> {
  const client = await WireClient.connect(server.url);
  clients.push(client);
  const { status, response } = await client.call(topic, "phx_join", payload);
  if (status !== "ok") throw new Error(JSON.stringify(response));
  return client;
}
