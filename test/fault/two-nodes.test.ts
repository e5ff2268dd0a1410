import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createDynamoClient } from "../../server/stores/dynamodb/client.js";
import { makeTables, startDynamoProcess, type TestDynamo } from "../support/dynalite.js";
import { Load } from "../support/load.js";
import { withSeed } from "../support/random.js";
import { inDynamo, TestServer } from "../support/server-process.js";
import { until } from "../support/until.js";

const businessId = "K2";
const userCount = 8;
const [delayMinMs, delayMaxMs] = [30, 1500];
/** A node that is gone loses its leases within 15 s, and what piled up meanwhile is answered turn by turn. */
const takenOverMs = 90_000;

let dynamo: TestDynamo;
let nodes: readonly TestServer[] = [];
let load: Load | null = null;

beforeEach(async () => {
  dynamo = await startDynamoProcess();
});

afterEach(async () => {
  load?.disconnect();
  for (const node of nodes) await node.dispose();
  await dynamo.stop();
});

async function startNodes(environment: Readonly<Record<string, string>>): Promise<void> {
  const client = await createDynamoClient({ endpoint: dynamo.endpoint });
  const prefix = await makeTables(client);
  client.destroy();
  const shared = { ...environment, ...inDynamo(dynamo.endpoint, prefix) };
  nodes = await Promise.all([TestServer.create(shared), TestServer.create(shared)]);
  await Promise.all(nodes.map((node) => node.start()));
}

test(
  "[S3] [M6] [M7] [D-06] [D-07] [N-05] 50 kills of two nodes on one DynamoDB: nothing is lost, repeated or made up",
  () =>
    withSeed(async (random) => {
      await startNodes({ AGENT: "echo" });
      load = new Load(businessId, userCount);
      const { users } = load;
      for (const [index, user] of users.entries()) user.connect(nodes[index % 2]!.url);
      let cutOffCount = 0;
      for (let kill = 0; kill < 50; kill += 1) {
        const before = load.acknowledgedCount;
        await until("the load runs", () => load!.acknowledgedCount > before, takenOverMs);
        await new Promise((resolve) => setTimeout(resolve, delayMinMs + random() * (delayMaxMs - delayMinMs)));
        const killed = nodes[random() < 0.5 ? 0 : 1]!;
        const other = nodes.find((node) => node !== killed)!;
        await killed.kill();
        cutOffCount += load.unacknowledgedCount;
        // Whoever was there goes to the other node, or waits for the one that comes back.
        const isMoved = random() < 0.5;
        if (isMoved) for (const user of users) user.connect(other.url);
        await killed.start();
        if (!isMoved) for (const [index, user] of users.entries()) user.connect(nodes[index % 2]!.url);
      }
      await load.finish();
      expect(await load.checkAnswered(nodes[0]!.url, takenOverMs)).toEqual([]);
      expect(await load.check(nodes[1]!.url)).toEqual([]);
      expect(load.acknowledgedCount).toBeGreaterThan(100);
      expect(cutOffCount).toBeGreaterThan(0);
      for (const node of nodes) expect(await node.terminate()).toEqual({ code: 0, signal: null });
    }),
  600_000,
);

test(
  "[M7] [N-06] a node that stood still for longer than its leases last answers nothing a second time",
  () =>
    withSeed(async () => {
      // With room for one turn, and a slow enough agent, there are always some that wait.
      await startNodes({ AGENT: "assistant", AGENT_CONCURRENCY: "1" });
      const [stalled, other] = [nodes[0]!, nodes[1]!];
      load = new Load(businessId, userCount);
      load.connect(stalled.url);
      await until("the load runs", () => load!.acknowledgedCount > 20, takenOverMs);
      process.kill(stalled.pid, "SIGSTOP");
      load.connect(other.url);
      const before = load.acknowledgedCount;
      await until("the load goes on", () => load!.acknowledgedCount > before + 20, takenOverMs);
      await load.finish();
      expect(await load.checkAnswered(other.url, takenOverMs)).toEqual([]);
      process.kill(stalled.pid, "SIGCONT");
      // It finds out by itself that it has lost what it held, and takes part again.
      load.connect(stalled.url);
      for (const user of load.users) user.isTalking = true;
      load.connect(stalled.url);
      const resumed = load.acknowledgedCount;
      await until("it takes part again", () => load!.acknowledgedCount > resumed, takenOverMs);
      await load.finish();
      expect(await load.checkAnswered(other.url, takenOverMs)).toEqual([]);
      for (const node of nodes) expect(await node.terminate()).toEqual({ code: 0, signal: null });
    }),
  300_000,
);
