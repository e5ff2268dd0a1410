import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { readSession } from "../support/desk-history.js";
import { FakeAgent } from "../support/fake-agent.js";
import { TestServer } from "../support/server-process.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const businessId = "K1";
const topic = `messages:${businessId}`;
const socketCount = 500;
const limits = { IDLE_TIMEOUT_MS: "2500", AGENT_TIMEOUT_MS: "2000" };
const heartbeatEveryMs = 500;

let agent: FakeAgent;
let server: TestServer;
let clients: WireClient[];

beforeEach(async () => {
  clients = [];
  agent = await FakeAgent.start();
});

afterEach(async () => {
  for (const client of clients) client.close();
  await server.dispose();
  await agent.stop();
});

/** Makes a server busy for so long when it is told to by SIGUSR2. */
function busyLoop(ms: number): Readonly<Record<string, string>> {
  const code = `process.on("SIGUSR2",()=>{const end=performance.now()+${ms};while(performance.now()<end);})`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

/** All of them longer than the server waits for a sign of life, and than it waits for its agent. */
const stalls: [what: string, ms: number, isBusy: boolean][] = [
  ["is stopped for 5 s", 5000, false],
  ["is stopped for 70 s", 70_000, false],
  ["does nothing but run in a circle for 5 s", 5000, true],
];

const title = `[T-05] [T6] [M19] a server that %s: ${socketCount} sockets that went on talking stay, a turn ends once, and what its agent said meanwhile is heard`;

test.each(stalls)(
  title,
  async (_what, stallMs, isBusy) => {
    server = await TestServer.create({
      ...{ AGENT: "http", AGENT_URL: agent.url, ...limits },
      ...(isBusy ? busyLoop(stallMs) : {}),
    });
    await server.start();
    clients = await Promise.all(Array.from({ length: socketCount }, () => WireClient.connect(server.url)));
    const beating = setInterval(() => {
      for (const client of clients) client.send(null, "beat", "phoenix", "heartbeat", {});
    }, heartbeatEveryMs);
    try {
      await Promise.all(clients.map((client, index) => call(client, "phx_join", { userId: `user_${index}` })));
      const ana = clients[0]!;
      const { sessionId } = await call(ana, "new_message", messageOf("!hang"));
      await agent.call("!hang");
      const bob = clients[1]!;
      const { messageId: askedId } = await call(bob, "new_message", { ...messageOf("!held"), userId: "user_1" });
      await agent.call("!held");
      server.signal(isBusy ? "SIGUSR2" : "SIGSTOP");
      const begun = performance.now();
      const passed = (ms: number) => until(`${ms} ms have passed`, () => performance.now() >= begun + ms, 2 * stallMs);
      await passed(stallMs / 2);
      agent.letGo();
      await passed(stallMs);
      if (!isBusy) server.signal("SIGCONT");

      const [, , , , heard] = await bob.event("new_message");
      expect(heard).toMatchObject({ from: "agent", inReplyTo: askedId, offset: 2 });
      const [, , , , outcome] = await ana.event("new_message");
      expect(outcome).toMatchObject({ from: "system", offset: 2 });
      await Promise.all(clients.map((client) => client.heartbeat()));
      // Those who are judged late are judged by what they said meanwhile: another limit passes.
      const later = performance.now() + Number(limits.IDLE_TIMEOUT_MS);
      await until("the limit has passed again", () => performance.now() >= later);
      await Promise.all(clients.map((client) => client.heartbeat()));
      expect(clients.filter(({ closed }) => closed !== null)).toEqual([]);

      const { messageId } = await call(ana, "new_message", messageOf("hello"));
      const [, , , , answer] = await ana.event("new_message");
      expect(answer).toMatchObject({ from: "agent", inReplyTo: messageId, offset: 4 });
      const rows = await readSession(server.url, String(sessionId));
      expect(rows.map(({ type }) => type)).toEqual(["user", "system", "user", "agent"]);
    } finally {
      clearInterval(beating);
    }
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
  },
  150_000,
);

async function call(client: WireClient, event: string, payload: unknown): Promise<Record<string, unknown>> {
  const { status, response } = await client.call(topic, event, payload);
  if (status !== "ok") throw new Error(JSON.stringify(response));
  return response;
}

function messageOf(message: string): Record<string, unknown> {
  return { businessId, userId: "user_0", locationId: "default", message };
}
