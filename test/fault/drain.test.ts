import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readHistory } from "../support/desk-history.js";
import { FakeAgent } from "../support/fake-agent.js";
import { freshPrefix, startDynamoProcess } from "../support/dynalite.js";
import { withSeed } from "../support/random.js";
import { inDynamo, TestServer } from "../support/server-process.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const businessId = "K1";
const topic = `messages:${businessId}`;
const sockets = 500;
const turns = 50;
const drainCount = 50;

let agent: FakeAgent;
let server: TestServer;
let clients: WireClient[];

beforeEach(async () => {
  clients = [];
  agent = await FakeAgent.start();
});

afterEach(async () => {
  for (const client of clients) client.ws.terminate();
  agent.letAllGo();
  await server.dispose();
  await agent.stop();
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  server = await TestServer.create({ AGENT: "http", AGENT_URL: agent.url, ...environment });
  await server.start();
}

async function join(userId: string): Promise<WireClient> {
  const client = await WireClient.connect(server.url);
  clients.push(client);
  const { status } = await client.call(topic, "phx_join", { userId });
  expect(status).toBe("ok");
  return client;
}

const userIds = (count: number) => Array.from({ length: count }, (_, n) => `user_${n}`);
const joinAll = (count: number) => Promise.all(userIds(count).map(join));
const messageOf = (userId: string) => `!held ${userId}`;

/** Each of them says something, and the agent is asked. */
async function ask(asking: readonly WireClient[]): Promise<void> {
  const before = agent.calls.length;
  const said = asking.map(async (client, n) => {
    const userId = `user_${n}`;
    const payload = { businessId, userId, locationId: "default", message: messageOf(userId) };
    const { status } = await client.call(topic, "new_message", payload, "c1");
    expect(status).toBe("ok");
  });
  await Promise.all(said);
  await until("all are asked", () => agent.calls.length === before + asking.length);
}

async function isReady(): Promise<boolean> {
  return (await fetch(`${server.url}/readyz`)).ok;
}

/** SIGTERM, and the server has seen it. */
async function beginDrain(): Promise<void> {
  server.signal("SIGTERM");
  await drains();
}

async function drains(): Promise<void> {
  let isDraining = false;
  // Asked several times at once: what is asked while it ends is not answered any more.
  const look = async () => (isDraining ||= !(await isReady().catch(() => true)));
  await until("it drains", () => {
    void look();
    return isDraining;
  });
}

/** What the log says of anything that went wrong; that somebody was turned away is meant to be. */
function problems(): readonly unknown[] {
  return server.log.filter(({ level, msg }) => level >= 40 && msg !== "limit reached");
}

/** What is stored: each of the first `count` users has asked once, and has one answer of the agent. */
async function checkAnswered(count: number): Promise<void> {
  const sessions = [...(await readHistory(server.url, businessId, [])).values()];
  const told = sessions.map((rows) => rows.map(({ type, content }) => [type, content]));
  const expected = userIds(count).map((userId) => [
    ["user", messageOf(userId)],
    ["agent", `answer to ${messageOf(userId)}`],
  ]);
  const byUser = (a: string[][], b: string[][]) => a[0]![1]!.localeCompare(b[0]![1]!);
  expect(told.toSorted(byUser)).toEqual(expected.toSorted(byUser));
}

/** The users come back, and get what they are owed. */
async function answersAtJoin(count: number): Promise<void> {
  agent.letAllGo();
  const answers = (await joinAll(count)).map((client) => client.event("new_message"));
  expect((await Promise.all(answers)).map(([, , , , { message }]) => message)).toEqual(
    userIds(count).map((userId) => `answer to ${messageOf(userId)}`),
  );
  await checkAnswered(count);
}

describe("[M20] [D-12] SIGTERM with 50 agent calls under way, and 500 sockets", () => {
  test("[H-12] nobody else comes in; all 50 are answered and told; then the sockets are closed in batches, and it exits with 0", async () => {
    await start({ DRAIN_TIMEOUT_MS: "30000" });
    const joined = await joinAll(sockets);
    await ask(joined.slice(0, turns));
    await beginDrain();
    await expect(WireClient.connect(server.url)).rejects.toThrow("503");
    const [ready, alive] = [await fetch(`${server.url}/readyz`), await fetch(`${server.url}/healthz`)];
    expect([ready.status, await ready.json(), alive.status]).toEqual([
      503,
      expect.objectContaining({ status: "not ready", problems: ["the server is stopping"] }),
      200,
    ]);
    expect(joined.filter(({ closed }) => closed !== null)).toEqual([]);
    agent.letAllGo();
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(await Promise.all(joined.map((client) => client.closeCode()))).toEqual(Array(sockets).fill(1012));
    for (const [n, { frames }] of joined.entries()) {
      const answers = frames.flatMap(([, , , event, { message }]) => (event === "new_message" ? [message] : []));
      expect(answers).toEqual(n < turns ? [`answer to ${messageOf(`user_${n}`)}`] : []);
    }
    const batches = server.log.filter(({ msg }) => msg === "draining");
    expect(batches.map(({ count }) => count)).toEqual([250, 250]);
    expect(problems()).toEqual([]);
    expect(agent.calls).toHaveLength(turns);
    await server.start();
    await checkAnswered(turns);
  }, 600_000);

  test("what takes longer than it may stays open: it exits with 0 all the same, and all 50 are answered after the next start", async () => {
    await start({ DRAIN_TIMEOUT_MS: "500" });
    const joined = await joinAll(sockets);
    await ask(joined.slice(0, turns));
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    expect(await Promise.all(joined.map((client) => client.closeCode()))).toEqual(Array(sockets).fill(1012));
    expect(problems()).toEqual([]);
    await server.start();
    await answersAtJoin(turns);
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
  }, 600_000);

  test("[A-04] what waits for an agent that is gone is not waited for, and answered after the next start", async () => {
    // Longer than this test may take.
    await start({ DRAIN_TIMEOUT_MS: "600000", AGENT_TIMEOUT_MS: "600000" });
    await agent.down();
    const joined = await joinAll(10);
    const said = joined.map((client, n) => {
      const payload = { businessId, userId: `user_${n}`, locationId: "default", message: messageOf(`user_${n}`) };
      return client.call(topic, "new_message", payload, "c1");
    });
    await Promise.all(said);
    await until("the agent is left alone", () => server.log.some(({ msg }) => msg === "agent left alone"));
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    await agent.up();
    await server.start();
    await answersAtJoin(10);
  }, 600_000);
});

test(
  `[M20] [D-12] [I-1] [I-3] ${drainCount} times SIGTERM, each with ${turns} agent calls that take any time: it exits with 0, and in the end each message has one answer`,
  () =>
    withSeed(async (random) => {
      server = await TestServer.create({ AGENT: "http", AGENT_URL: agent.url, DRAIN_TIMEOUT_MS: "300" });
      const asked = new Map<string, string[]>();
      for (let drain = 0; drain < drainCount; drain += 1) {
        await server.start();
        clients = [];
        const joined = await joinAll(turns);
        const said = joined.map(async (client, n) => {
          const userId = `user_${n}`;
          const message = `!late:${Math.floor(random() * 500)} ${drain}`;
          const payload = { businessId, userId, locationId: "default", message };
          expect((await client.call(topic, "new_message", payload)).status).toBe("ok");
          asked.set(userId, [...(asked.get(userId) ?? []), message]);
        });
        await Promise.all(said);
        expect(await server.terminate()).toEqual({ code: 0, signal: null });
        expect(await Promise.all(joined.map((client) => client.closeCode()))).toEqual(Array(turns).fill(1012));
      }
      expect(problems()).toEqual([]);
      await server.start();
      const expected = [...asked.values()].map((texts) =>
        texts.flatMap((text) => [text, `answer to ${text}`]).toSorted(),
      );
      await untilStored(expected);
    }),
  900_000,
);

/** Waits until each session has its texts, of which there must be no more. */
async function untilStored(expected: readonly (readonly string[])[]): Promise<void> {
  let stored: readonly (readonly string[])[] = [];
  const count = () => stored.flat().length;
  const look = async () => {
    const sessions = [...(await readHistory(server.url, businessId, [])).values()];
    stored = sessions.map((rows) => rows.map(({ content }) => content).toSorted());
  };
  for (const end = Date.now() + 60_000; count() < expected.flat().length && Date.now() < end;) await look();
  const inOrder = (texts: readonly (readonly string[])[]) => texts.map((each) => each.join("\n")).toSorted();
  expect(inOrder(stored)).toEqual(inOrder(expected));
}

const unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork"] as const;
const hasUnshare = spawnSync(unshare[0], [...unshare.slice(1), "true"]).status === 0;
if (!hasUnshare) process.stderr.write("unshare does not work here: no server is the first process of a container\n");

describe("[M20] [D-13] SIGTERM", () => {
  test("twice: the second ends it at once, and nothing is lost", async () => {
    await start({ DRAIN_TIMEOUT_MS: "60000" });
    await ask(await joinAll(5));
    await beginDrain();
    server.signal("SIGTERM");
    expect(await server.exit).toEqual({ code: null, signal: "SIGKILL" });
    await server.start();
    await answersAtJoin(5);
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
  }, 300_000);

  // Skipped only where the kernel lets nobody begin a namespace of processes: there no server can be the first of one.
  // That is written to stderr above, so that a run without it can be told.
  const asFirstProcess = hasUnshare ? test : test.skip;

  asFirstProcess(
    "twice: also where it is the first process of a container, which nobody in there can kill",
    async () => {
      await start({ DRAIN_TIMEOUT_MS: "60000" });
      await server.kill();
      await server.start((command) => [...unshare, ...command]);
      await ask(await joinAll(5));
      const first = Number(await readFile(`/proc/${server.pid}/task/${server.pid}/children`, "utf8"));
      process.kill(first, "SIGTERM");
      await drains();
      process.kill(first, "SIGTERM");
      const { code, signal } = await server.exit;
      expect(code === 0 ? "finished" : (code ?? signal)).not.toBe("finished");
      await server.start();
      await answersAtJoin(5);
    },
    300_000,
  );

  test("during the start: it is heeded once the server has started", async () => {
    const dynamo = await startDynamoProcess();
    const held = await holdConnections(dynamo.endpoint);
    server = await TestServer.create({ ...inDynamo(held.endpoint, freshPrefix()), DYNAMODB_TIMEOUT_MS: "20000" });
    server.begin();
    await until("it asks its store", () => held.count > 0);
    server.signal("SIGTERM");
    held.release();
    expect(await server.exit).toEqual({ code: 0, signal: null });
    await held.stop();
    await dynamo.stop();
  }, 300_000);

  test("during the start, at any moment of it: it ends, and the next one starts and has everything", async () => {
    await start({ DRAIN_TIMEOUT_MS: "200" });
    await ask(await joinAll(5));
    await server.kill();
    for (let delayMs = 0; delayMs < 1500; delayMs += 100) {
      server.begin();
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      server.signal("SIGTERM");
      const { code, signal } = await server.exit;
      // Before the program has begun there is nobody who could heed it.
      expect([0, "SIGTERM"]).toContain(code ?? signal);
    }
    await server.start();
    await answersAtJoin(5);
  }, 600_000);
});

/** A way to an endpoint that is closed until it is released; connections wait in front of it. */
async function holdConnections(endpoint: string) {
  const sockets: Socket[] = [];
  let isHeld = true;
  const passOn = (socket: Socket) => {
    const target = connect(Number(new URL(endpoint).port), new URL(endpoint).hostname);
    sockets.push(target.on("error", () => socket.destroy()));
    socket.pipe(target).pipe(socket);
  };
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => undefined));
    if (!isHeld) passOn(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get count() {
      return sockets.length;
    },
    release: () => {
      isHeld = false;
      for (const socket of [...sockets]) passOn(socket);
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
