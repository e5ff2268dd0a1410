import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createDynamoClient } from "../../server/stores/dynamodb/client.js";
import { makeTables, startDynamoProcess } from "../support/dynalite.js";
import { FakeBotApi } from "../support/fake-bot-api.js";
import { inDynamo, TestServer } from "../support/server-process.js";
import {
  ana,
  botBusiness,
  botSecret,
  botToken,
  botVariables,
  bring,
  businessFolder,
  updateOf,
} from "../support/telegram-desk.js";
import { until } from "../support/until.js";

/** A node that is gone is found to be within 15 s, and what it left within half a minute after that. */
const takenOverMs = 180_000;

let api: FakeBotApi;
let folder: Awaited<ReturnType<typeof businessFolder>>;
let servers: TestServer[];

beforeEach(async () => {
  servers = [];
  api = await FakeBotApi.start();
  folder = await businessFolder(botBusiness);
});

afterEach(async () => {
  const logs = servers.map(({ log }) => JSON.stringify(log)).join("\n");
  for (const server of servers) await server.dispose();
  await api.stop();
  await folder.remove();
  // Failures were logged, and neither of these with them.
  for (const secret of [botToken, botSecret]) expect(logs).not.toContain(secret);
});

async function create(environment: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const all = { ...botVariables, TELEGRAM_API_URL: api.url, BUSINESSES_DIR: folder.path, ...environment };
  const server = await TestServer.create({ ...all, LOG_LEVEL: "trace" });
  servers.push(server);
  return server;
}

const portOf = ({ url }: TestServer) => ({ port: Number(new URL(url).port) });

async function say(server: TestServer, updateId: number, text: string): Promise<void> {
  expect((await bring(portOf(server), updateOf(updateId, text))).status).toBe(200);
}

/** What arrived, with repeats that stand next to each other left out. */
function withoutRepeats(texts: readonly string[]): readonly string[] {
  return texts.filter((text, index) => text !== texts[index - 1]);
}

async function untilThere(text: string): Promise<readonly string[]> {
  await until(`${text} has arrived`, () => api.textsIn(ana.id).includes(text), takenOverMs);
  return api.textsIn(ana.id);
}

test("[M111] [M112] kill -9 while an answer is on its way: the next server sends it, once more at most, and what waits behind it", async () => {
  const server = await create();
  await server.start();
  await say(server, 1, "one");
  await untilThere("one");
  let before = api.calls.length;

  // It is not taken: then it was never there.
  api.usually("hang");
  await say(server, 2, "two");
  await until("two is being sent", () => api.calls.length > before);
  await say(server, 3, "three");
  await server.kill();
  api.usually("take");
  await server.start();
  // The kill may have come before "one" was noted, and before "three" was answered.
  expect(withoutRepeats(await untilThere("three"))).toEqual(["one", "two", "three"]);

  // It is taken, and nobody learns of it.
  before = api.calls.length;
  api.next("drop-after");
  api.usually("drop-before");
  await say(server, 4, "four");
  await until("four is sent again", () => api.calls.length > before + 1);
  await server.kill();
  api.usually("take");
  await server.start();
  await say(server, 5, "five");
  expect(withoutRepeats(await untilThere("five"))).toEqual(["one", "two", "three", "four", "five"]);

  // What Telegram brings once more was done.
  await say(server, 5, "five");
  await say(server, 6, "six");
  expect(withoutRepeats(await untilThere("six"))).toEqual(["one", "two", "three", "four", "five", "six"]);
  expect(await server.terminate()).toEqual({ code: 0, signal: null });
  expect(server.log.filter(({ msg }) => msg === "not sent to a platform")).not.toEqual([]);
}, 300_000);

test("[M111] of two nodes one sends, in the order of the session; when it is killed the other goes on", async () => {
  const dynamo = await startDynamoProcess();
  try {
    const client = await createDynamoClient({ endpoint: dynamo.endpoint });
    const tables = { ...inDynamo(dynamo.endpoint, await makeTables(client)), DYNAMODB_TIMEOUT_MS: "20000" };
    client.destroy();
    const nodes = [await create(tables), await create(tables)] as const;
    await Promise.all(nodes.map((node) => node.start()));
    const texts = Array.from({ length: 10 }, (_, index) => `message ${index}`);
    for (const [index, text] of texts.entries()) await say(nodes[index % 2]!, index, text);
    expect(await untilThere(texts.at(-1)!)).toEqual(texts);

    api.usually("hang");
    const before = api.calls.length;
    await say(nodes[0], 100, "of the first node");
    await until("it is being sent", () => api.calls.length > before);
    await nodes[0].kill();
    api.usually("take");
    expect(withoutRepeats(await untilThere("of the first node"))).toEqual([...texts, "of the first node"]);
    await say(nodes[1], 101, "of the second");
    expect((await untilThere("of the second")).at(-1)).toBe("of the second");
    expect(await nodes[1].terminate()).toEqual({ code: 0, signal: null });
  } finally {
    for (const server of servers) if (server.isRunning) await server.kill();
    await dynamo.stop();
  }
}, 400_000);
