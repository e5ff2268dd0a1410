import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { FakeAgent } from "../support/fake-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const slots = 16;
const heavy = { businessId: "HEAVY", users: 900 };
const others = Array.from({ length: 10 }, (_, n) => ({ businessId: `B${n}`, users: 10 }));

let agent: FakeAgent;
let app: TestApp;
let clients: Speaker[];

beforeEach(async () => {
  clients = [];
  agent = await FakeAgent.start();
  app = await startTestApp({
    AGENT: "http",
    AGENT_URL: agent.url,
    AGENT_CONCURRENCY: String(slots),
    AGENT_TIMEOUT_MS: "300000",
    MAX_BACKLOG_PER_BUSINESS: "1000",
  });
});

afterEach(async () => {
  for (const { client } of clients) client.ws.terminate();
  agent.letAllGo();
  await app.dispose();
  await agent.stop();
});

interface Speaker {
  readonly client: WireClient;
  readonly businessId: string;
  readonly userId: string;
}

async function join(businessId: string, userId: string): Promise<Speaker> {
  const speaker = { client: await WireClient.connect(app.url), businessId, userId };
  clients.push(speaker);
  const { status } = await speaker.client.call(`messages:${businessId}`, "phx_join", { userId });
  expect(status).toBe("ok");
  return speaker;
}

async function joinAll({ businessId, users }: { businessId: string; users: number }): Promise<Speaker[]> {
  return Promise.all(Array.from({ length: users }, (_, n) => join(businessId, `user_${n}`)));
}

/** Says something, which the agent holds unless it is given, and waits until it is stored. */
async function say({ client, businessId, userId }: Speaker, message = `!held ${businessId} ${userId}`): Promise<void> {
  const payload = { businessId, userId, locationId: "default", message };
  const { status } = await client.call(`messages:${businessId}`, "new_message", payload, "c1");
  expect(status).toBe("ok");
}

test("[A14] [A-15] 1,000 sessions and one business with 900 of them: 16 calls at once, and nobody else waits for more than a round", async () => {
  await Promise.all((await joinAll(heavy)).map((speaker) => say(speaker)));
  await until("all slots are taken", () => agent.calls.length === slots);
  for (const business of others) {
    const speakers = await joinAll(business);
    await say(speakers[0]!);
    // Its first step is shown once it waits for a slot.
    await speakers[0]!.client.event("thinking");
    const before = agent.calls.length;
    agent.letGo();
    await until("the next is asked", () => agent.calls.length === before + 1);
    expect(agent.calls.at(-1)!.message).toBe(`!held ${business.businessId} user_0`);
    await Promise.all(speakers.slice(1).map((speaker) => say(speaker)));
  }
  agent.letAllGo();
  const answers = await Promise.all(clients.map(({ client }) => client.event("new_message", 60_000)));
  expect(answers.map(([, , , , { message }]) => message)).toEqual(
    clients.map(({ businessId, userId }) => `answer to !held ${businessId} ${userId}`),
  );
  expect(new Set(agent.calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1000);
  expect([agent.calls.length, agent.mostAtOnce]).toEqual([1000, slots]);
});

test("[A9] what is left out of an answer is counted", async () => {
  const speaker = await join("B1", "ana");
  await say(speaker, "!xss");
  await speaker.client.event("new_message");
  const metrics = await (await fetch(app.metricsUrl!)).text();
  expect(metrics).toContain('\nbennu_agent_dropped_total{part="action"} 1\n');
  expect(metrics).toContain("\nbennu_agent_circuits_open 0\n");
});
