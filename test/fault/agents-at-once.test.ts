import { afterEach, expect, test } from "@jest/globals";
import { eventually } from "../contract/store-harness.js";
import { createDynamoClient } from "../../server/stores/dynamodb/client.js";
import { seatOfAgent } from "../support/agent-seat.js";
import { makeTables, startDynamoProcess, type TestDynamo } from "../support/dynalite.js";
import { ask } from "../support/plain-http.js";
import type { Seat } from "../support/seat.js";
import { inDynamo, TestServer } from "../support/server-process.js";

const businessId = "K3";
const agentCount = 50;

interface List {
  readonly data: readonly { readonly _id: string }[];
  readonly pagination: { readonly hasMore: boolean };
}

let dynamo: TestDynamo | null = null;
let nodes: readonly TestServer[] = [];
let seats: readonly Seat[] = [];

afterEach(async () => {
  for (const { client } of seats) client.close();
  for (const node of nodes) await node.dispose();
  await dynamo?.stop();
});

test(`[M90] [T-03] ${agentCount} agents that connect to two nodes at once: ${agentCount} conversations, the same on both`, async () => {
  dynamo = await startDynamoProcess();
  const client = await createDynamoClient({ endpoint: dynamo.endpoint });
  const prefix = await makeTables(client);
  client.destroy();
  // Tokens of one node are good on the other. A busy dynalite takes its time; DynamoDB does not.
  const shared = { ...inDynamo(dynamo.endpoint, prefix), DYNAMODB_TIMEOUT_MS: "20000" };
  nodes = await Promise.all([TestServer.create(shared), TestServer.create(shared)]);
  await Promise.all(nodes.map((node) => node.start()));
  const agentIds = Array.from({ length: agentCount }, (_, index) => `agent-${index}`);
  const placeOf = ({ url }: TestServer) => ({ url, port: Number(new URL(url).port) });
  const pairs = await Promise.all(
    agentIds.map((agentId) => Promise.all(nodes.map((node) => seatOfAgent(placeOf(node), agentId, businessId)))),
  );
  seats = pairs.flat();
  for (const [one, other] of pairs) {
    expect(one!.joined.conversationId).toBe(other!.joined.conversationId);
    expect([one!.joined.created, other!.joined.created].toSorted()).toEqual([false, true]);
  }
  const ids = pairs.map(([one]) => one!.joined.conversationId);
  expect(new Set(ids).size).toBe(agentCount);
  for (const node of nodes) {
    // An index is a second behind at most.
    await eventually(
      async () =>
        JSON.parse((await ask(placeOf(node), `/conversations?businessId=${businessId}&limit=200`)).text) as List,
      ({ data, pagination }) => {
        expect(pagination.hasMore).toBe(false);
        expect(data.map(({ _id }) => _id).toSorted()).toEqual(ids.map(String).toSorted());
      },
    );
  }
}, 300_000);
