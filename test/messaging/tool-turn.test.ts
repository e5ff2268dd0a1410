import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { stringify } from "yaml";
import { FakeTool } from "../support/fake-tool.js";
import { connectPhoenix, disconnected, settled } from "../support/phoenix.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

const businessId = "P1";
const secret = "a secret of more than thirty-two bytes";

let tool: FakeTool;
let app: TestApp;
let folder: string;

beforeEach(async () => {
  tool = await FakeTool.start(secret);
  folder = await mkdtemp(join(tmpdir(), "bennu-businesses-"));
  const confirmation = "We are on our way.";
  const booking = { name: "taxi", title: "Taxi", phrases: ["I need a taxi"], opening: "Of course.", confirmation };
  const intents = [{ ...booking, tool: { kind: "webhook", url: tool.url } }];
  const business = { businessId, name: "Taxis", locale: "en", timeZone: "UTC", agent: { kind: "assistant" }, intents };
  await writeFile(join(folder, `${businessId}.yaml`), stringify(business));
  app = await startTestApp({ AGENT_SECRET: secret, BUSINESSES_DIR: folder });
});

afterEach(async () => {
  await app.dispose();
  await tool.stop();
  await rm(folder, { recursive: true });
});

test("[A21] [A23] a tool in a file of the operator's is called at a private address, and its call kept", async () => {
  tool.next({ status: 200, body: { message: "{driver} is on the way.", parameters: { driver: "Ion" } } });
  const socket = await connectPhoenix("1.8.16", app.url, {});
  const channel = socket.channel(`messages:${businessId}`, { userId: "ana" });
  const answers: { readonly message: string; readonly sessionId: string }[] = [];
  const intents: unknown[] = [];
  channel.on("new_message", (payload) => void answers.push(payload as (typeof answers)[0]));
  channel.on("intent_updated", (payload) => void intents.push(payload));
  await settled(channel.join());
  const message = { businessId, locationId: "L1", userId: "ana", message: "I need a taxi" };
  await settled(channel.push("new_message", message));
  await until("the intent is told", () => intents[0]);
  await disconnected(socket);

  const [{ key, isSigned, body }] = tool.hits as [(typeof tool.hits)[0]];
  expect(tool.hits).toHaveLength(1);
  expect({ isSigned, userId: body.userId, intentId: body.intentId }).toEqual({
    isSigned: true,
    userId: "ana",
    intentId: key,
  });
  expect(answers.map(({ message }) => message)).toEqual(["Hello! Of course. Ion is on the way."]);
  expect(intents).toMatchObject([{ intentId: key, name: "taxi", status: "completed" }]);
  const { items } = await app.store.readMessages(answers[0]!.sessionId, { limit: 10 });
  expect(items.at(-1)?.metadata.toolCalls).toEqual([
    { name: "taxi", intentId: key, parameters: {}, status: "done", result: { driver: "Ion" } },
  ]);
});
