import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { FakeAgent } from "../support/fake-agent.js";
import { TestServer } from "../support/server-process.js";
import { WireClient } from "../support/wire.js";

const topic = "messages:K1";
const userId = "ana";

let agent: FakeAgent;
let server: TestServer;
let client: WireClient;

beforeEach(async () => {
  agent = await FakeAgent.start();
  server = await TestServer.create({ AGENT: "http", AGENT_URL: agent.url, AGENT_TIMEOUT_MS: "20000" });
  await server.start();
  client = await WireClient.connect(server.url);
  await client.call(topic, "phx_join", { userId });
});

afterEach(async () => {
  client.close();
  await server.dispose();
  await agent.stop();
});

/** @returns who answers it */
async function askedFor(message: string): Promise<unknown> {
  const payload = { businessId: "K1", userId, locationId: "default", message };
  expect((await client.call(topic, "new_message", payload)).status).toBe("ok");
  const [, , , , { from }] = await client.event("new_message");
  return from;
}

/** The most memory that the server has ever had. */
async function peakBytes(): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}

/** Of the log, why agents gave no answer. */
function failures(): readonly unknown[] {
  return server.log.filter(({ msg }) => msg === "turn failed").map(({ error }) => JSON.stringify(error));
}

test.each([
  { message: "!huge:50", growthMaxBytes: 5_000_000 },
  // What is read until it is enough comes in more pieces, and the collector may leave some lying.
  { message: "!endless", growthMaxBytes: 32_000_000 },
])(
  "[A-06] [L11] $message: the server reads no more than an answer may have, and does not grow with what it is sent",
  async ({ message, growthMaxBytes }) => {
    expect(await askedFor("hello")).toBe("agent");
    // What refusing answers needs, code and buffers, is there after some smaller ones.
    const smaller = Array<string>(32).fill("!huge:1");
    for (const each of smaller) expect(await askedFor(each)).toBe("system");
    const before = await peakBytes();
    expect(await askedFor(message)).toBe("system");
    expect((await peakBytes()) - before).toBeLessThan(growthMaxBytes);
    expect(failures()).toEqual(Array(smaller.length + 1).fill(expect.stringContaining("answer_too_long")));
    expect(await askedFor("and now")).toBe("agent");
  },
  300_000,
);

test("[A-12] answers that are packed are refused, and each is counted", async () => {
  for (const message of ["!br", "!gzip"]) expect(await askedFor(message)).toBe("system");
  expect(failures()).toEqual(Array(2).fill(expect.stringContaining("encoded_answer")));
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('bennu_agent_failures_total{code="agent_failed"} 2\n');
}, 300_000);
