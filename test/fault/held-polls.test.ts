import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { FakeClock } from "../support/fake-clock.js";
import { LongPollClient, type LongPollAnswer, read } from "../support/longpoll-client.js";
import { ask } from "../support/plain-http.js";
import { RawSocket } from "../support/raw-socket.js";
import { TestServer } from "../support/server-process.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

const pollCount = 5000;
const windowMs = 10_000;
/** Connections that are being made at the same time. */
const atOnce = 100;
const path = "/socket/longpoll?vsn=2.0.0";

const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Runs something so many times, some of them at once. */
async function times(count: number, run: () => Promise<void>): Promise<void> {
  let begun = 0;
  const worker = async () => {
    while (begun < count) {
      begun += 1;
      await run();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

test(`[L-07] [T7] [L8] ${pollCount} held polls: each of them for 10 s, and they are as many sockets as there may be`, async () => {
  const clock = new FakeClock();
  const limits = { MAX_SOCKETS: String(pollCount), MAX_SOCKETS_PER_ADDRESS: "0" };
  const app: TestApp = await startTestApp(limits, { clock });
  cleanups.push(() => app.dispose());
  // The polls of a client go over the connection on which it has opened its session.
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  cleanups.push(() => agent.destroy());
  let arrived = 0;
  const arrive = () => void (arrived += 1);
  subscribe("http.server.request.start", arrive);
  cleanups.push(() => void unsubscribe("http.server.request.start", arrive));
  const timers = clock.timerCount;
  const tokens: string[] = [];
  await times(pollCount, async () => {
    const { token } = read(await ask(app, path, { agent }));
    tokens.push(token!);
  });
  expect(new Set(tokens).size).toBe(pollCount);

  const answers: LongPollAnswer[] = [];
  const polls = tokens.map(async (token) => {
    answers.push(read(await ask(app, `${path}&token=${token}`, { agent })));
  });
  // Of a session that is polled it is the window that is timed, and nothing else.
  await until("all have come", () => arrived === 2 * pollCount, 120_000);
  expect([clock.timerCount, app.endpoint.socketCount]).toEqual([timers + pollCount, pollCount]);
  expect((await ask(app, path)).status).toBe(503);
  const refused = await RawSocket.upgrade(app.port);
  expect(refused.status).toBe(503);
  refused.reset();

  clock.advance(windowMs - 1);
  const { status } = await ask(app, "/healthz");
  expect([status, answers.length]).toEqual([200, 0]);
  clock.advance(1);
  await Promise.all(polls);
  expect(answers.filter((answer) => answer.status !== 204 || answer.frames.length > 0)).toEqual([]);
  expect(answers.map(({ token }) => token).toSorted()).toEqual(tokens.toSorted());
  clock.advance(windowMs * 1.5);
  expect([app.endpoint.socketCount, clock.timerCount]).toEqual([0, timers]);
  expect(read(await ask(app, path)).status).toBe(410);
}, 600_000);

describe("[L-03] bodies of 8 MB of newlines", () => {
  const bodyCount = 50;

  test(`${bodyCount} of them cost the server less than a quarter of what is in them`, async () => {
    const server = await TestServer.create();
    cleanups.push(() => server.dispose());
    await server.start();
    const at = { port: Number(new URL(server.url).port) };
    const client = await LongPollClient.open(at);
    cleanups.push(() => client.close());
    const headers = { "content-type": "application/x-ndjson" };
    const body = "\n".repeat(8_000_000);
    // Most clients are still sending when they are told, and see only that nobody listens any more.
    const send = () =>
      ask(at, client.path(), { method: "POST", headers, body }).then(
        ({ status }) => status,
        ({ code }: NodeJS.ErrnoException) => code,
      );
    await send();
    const peakBytes = () =>
      Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))![1]) * 1024;
    const before = peakBytes();
    const answers = await Promise.all(Array.from({ length: bodyCount }, send));
    for (const answer of answers) expect([400, "EPIPE", "ECONNRESET"]).toContain(answer);
    expect(peakBytes() - before).toBeLessThan((bodyCount * body.length) / 4);
    expect((await client.post([null, "h", "phoenix", "heartbeat", {}])).status).toBe(200);
  }, 300_000);
});
