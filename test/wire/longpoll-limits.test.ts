import { afterEach, describe, expect, test } from "@jest/globals";
import { FakeClock } from "../support/fake-clock.js";
import { LongPollClient, read } from "../support/longpoll-client.js";
import { ask } from "../support/plain-http.js";
import { type Served, serveEndpoint } from "../support/served-endpoint.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const room = "room:1";
const businessId = "B1";
const topic = `messages:${businessId}`;
const watchers = `console:${businessId}`;
const ndjson = { "content-type": "application/x-ndjson" };

const heartbeat = (ref: number) => [null, String(ref), "phoenix", "heartbeat", {}];
const refsIn = (client: LongPollClient) => client.frames.map(([, ref]) => Number(ref));
const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

let clock: FakeClock;
const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function engine(time?: FakeClock): Promise<Served> {
  const served = await serveEndpoint({}, time === undefined ? {} : { clock: time });
  cleanups.push(() => served.close());
  return served;
}

async function desk(time?: FakeClock): Promise<TestApp> {
  const app = await startTestApp({}, time === undefined ? {} : { clock: time });
  cleanups.push(() => app.dispose());
  return app;
}

async function open(server: { readonly port: number }): Promise<LongPollClient> {
  const client = await LongPollClient.open(server);
  cleanups.push(() => client.close());
  return client;
}

function postBody(server: { readonly port: number }, client: LongPollClient, body: string) {
  return ask(server, client.path(), { method: "POST", headers: ndjson, body });
}

describe("[L-03] [T8] the body of a POST", () => {
  test("with 101 messages: Phoenix's 100 are read where nothing else is said, all of them on the desk", async () => {
    for (const [server, count] of [
      [await engine(), 100],
      [await desk(), 101],
    ] as const) {
      const client = await open(server);
      expect((await client.post(...range(101).map(heartbeat))).status).toBe(200);
      await client.poll();
      expect(refsIn(client)).toEqual(range(count));
    }
  });

  test("of 8 MB of newlines is over the desk's limit: 400, and the session lives", async () => {
    const app = await desk();
    const client = await open(app);
    const { status } = await postBody(app, client, "\n".repeat(8_000_000));
    expect(status).toBe(400);
    expect((await client.post(heartbeat(1))).status).toBe(200);
    await client.poll();
    expect(refsIn(client)).toEqual([1]);
  });

  test.each([
    ["where the desk takes it", 2 ** 20, () => desk(clock)],
    ["where Phoenix takes it", 8_000_000, () => engine(clock)],
  ])("of newlines alone, %s, ends at the first of them: that is no message", async (_what, length, start) => {
    clock = new FakeClock();
    const server = await start();
    const client = await open(server);
    const answer = postBody(server, client, "\n".repeat(length));
    await until("the end of the session", () => server.endpoint.socketCount === 0);
    clock.advance(10_000);
    expect(read(await answer)).toMatchObject({ httpStatus: 200, status: 408 });
  });

  test.each(["!!!", "aGk", "--__", "aGk= "])(
    "with %j, which is no base64, is 500: what came before it counts",
    async (line) => {
      const app = await desk();
      const client = await open(app);
      const body = [JSON.stringify(heartbeat(1)), line, JSON.stringify(heartbeat(2))].join("\n");
      expect((await postBody(app, client, body)).status).toBe(500);
      expect((await client.post(heartbeat(3))).status).toBe(200);
      await client.poll();
      expect(refsIn(client)).toEqual([1, 3]);
    },
  );
});

describe("[L-05] [T9] [T10] a client that stops polling", () => {
  const count = 10_000;
  const payload = { text: "x".repeat(2000) };

  test("has what waits for it up to 1 MiB, then no session; who polls, and who has a socket, hears all 10,000", async () => {
    // Only what waits for it may end the session that nobody polls, however long this takes.
    clock = new FakeClock();
    const app = await desk(clock);
    const [silent, polling] = [await open(app), await open(app)];
    const socket = await WireClient.connect(app.url);
    cleanups.push(() => socket.close());
    for (const client of [silent, polling]) await client.join(topic, { role: "coordinator" });
    await socket.call(topic, "phx_join", { role: "coordinator" });
    const closed: number[] = [];
    const { endpoint } = app;
    let sent = 0;
    let atTheEnd = 0;
    while (sent < count) {
      // Less than 1 MiB for those who read.
      for (let index = 0; index < 250; index += 1) {
        const before = endpoint.socketCount;
        endpoint.broadcast(watchers, "typing", { n: (sent += 1), ...payload });
        if (endpoint.socketCount < before) {
          closed.push(before - endpoint.socketCount);
          atTheEnd = sent;
        }
      }
      await polling.next(([, , , event, { n }]) => event === "typing" && n === sent);
      await socket.next(([, , , event, { n }]) => event === "typing" && n === sent);
    }
    const heard = (frames: LongPollClient["frames"]) =>
      frames.flatMap(([, , , event, { n }]) => (event === "typing" ? [n] : []));
    expect([heard(polling.frames), heard(socket.frames)]).toEqual([range(count), range(count)]);
    // It was dropped once, by itself, at the broadcast that would have been over 1 MiB.
    expect([closed, endpoint.socketCount]).toEqual([[1], 2]);
    const frameBytes = JSON.stringify([null, null, topic, "typing", { n: 100, ...payload }]).length;
    expect((atTheEnd - 1) * frameBytes).toBeLessThanOrEqual(2 ** 20);
    expect((atTheEnd + 1) * frameBytes).toBeGreaterThan(2 ** 20);
    const timers = clock.timerCount;
    const asking = silent.poll();
    await until("it is held, as one without a session is", () => clock.timerCount > timers);
    clock.advance(2000);
    expect((await asking).status).toBe(410);
    expect(heard(silent.frames)).toEqual([]);
  });

  test("is gone after one and a half windows, 15 s, whatever was sent to it, and nothing of it is left", async () => {
    clock = new FakeClock();
    const server = await engine(clock);
    const timers = clock.timerCount;
    const client = await open(server);
    await client.join(room, {});
    server.endpoint.broadcast(room, "news", payload);
    clock.advance(14_999);
    expect(server.endpoint.socketCount).toBe(1);
    server.endpoint.broadcast(room, "news", payload);
    clock.advance(1);
    expect([server.endpoint.socketCount, clock.timerCount]).toEqual([0, timers]);
  });
});
