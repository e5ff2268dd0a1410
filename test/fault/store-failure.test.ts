import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { openEnvironment } from "../../server/stores/embedded/lmdb.js";
import { encodeRecord } from "../../server/stores/embedded/record.js";
import type { Acknowledged } from "../support/checker.js";
import { bennu } from "../support/cli.js";
import { Load } from "../support/load.js";
import { TestServer, type Wrap } from "../support/server-process.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const businessId = "F1";
const topic = `messages:${businessId}`;
const userCount = 10;

let server: TestServer;
let load: Load;

beforeEach(() => {
  load = new Load(businessId, userCount);
});

afterEach(async () => {
  load.disconnect();
  await server.dispose();
});

/** Files of this process cannot grow beyond `kilobytes`. Node ignores the signal, so the write fails. */
function limitedTo(kilobytes: number): Wrap {
  return (command) => ["bash", "-c", `ulimit -f ${kilobytes}; exec "$0" "$@"`, ...command];
}

/** Calls of the kernel that write to the store fail as said. Traced from outside, so the server keeps its pid. */
function injected(fault: string): Wrap {
  return (command, dataDir) => [
    ...["strace", "-D", "-qq", "-f", "-o", "/dev/null", "-P", join(dataDir, "store", "data.mdb")],
    ...["-e", "trace=fdatasync,pwrite64,writev", "-e", `inject=${fault}`, ...command],
  ];
}

interface Fault {
  readonly what: string;
  /** More than one when it must be tried which one it takes. */
  readonly wraps: readonly Wrap[];
  /** Whether it went wrong where it was meant to, by what lmdb says of it. */
  readonly isMeant?: (stderr: string) => boolean;
}

const withoutPrivilege: readonly Fault[] = [
  { what: "a file that cannot grow, early", wraps: [limitedTo(300)] },
  { what: "a file that cannot grow", wraps: [limitedTo(2000)] },
];
const withStrace: readonly Fault[] = [
  { what: "one failing fdatasync", wraps: [injected("fdatasync:error=EIO:when=40")] },
  { what: "a disk that is full", wraps: [injected("writev:error=ENOSPC:when=40+")] },
  { what: "one failing write of a page", wraps: [injected("pwrite64:error=EIO:when=40")] },
  {
    // The last write of a commit, after which LMDB cannot be used any more. No count tells which one it is, but only
    // the others are told of as "Write error".
    what: "a failing meta page",
    wraps: Array.from({ length: 16 }, (_, index) => injected(`pwrite64:error=EIO:when=${40 + index}`)),
    isMeant: (stderr) => !stderr.includes("Write error"),
  },
];
const hasStrace = spawnSync("strace", ["-D", "-qq", "-f", "-e", "trace=none", "true"]).status === 0;
if (!hasStrace) process.stderr.write("strace does not work here: disks fail only by a limit on the size of files\n");

describe("[S4] [M10] [D-09] [D-10] [H-12] a disk that fails in the middle of a load", () => {
  test.each([...withoutPrivilege, ...(hasStrace ? withStrace : [])])(
    "$what: nothing is acknowledged that is not there, reads go on, a restart repairs it",
    async (fault) => {
      await failUnder(fault);

      expect(load.acknowledgedCount).toBeGreaterThan(0);
      for (const { refused, errors } of load.users) {
        const refusal = { code: "storage_unavailable", message: text, error: text, retryAfterMs: 5000 };
        expect(refused[0]).toEqual({ ...refusal, reason: "storage_unavailable", clientMessageId: text });
        expect(errors[0]).toEqual({ ...refusal, clientMessageId: refused[0]!.clientMessageId });
      }
      expect(await load.check(server.url)).toEqual([]);
      await expectReadOnly(server.url, load.users.flatMap(({ acknowledged }) => acknowledged)[0]!);
      expect(server.log.filter(({ msg }) => msg === "store failed").length).toBeGreaterThan(0);
      expect(server.isRunning).toBe(true);
      expect(await server.terminate()).toEqual({ code: 0, signal: null });

      await server.start();
      expect(await load.check(server.url)).toEqual([]);
      load.connect(server.url);
      const before = load.acknowledgedCount;
      await until("new messages are acknowledged", () => load.acknowledgedCount > before + 100);
      for (const user of load.users) user.refused.length = 0;
      await load.finish();
      expect(await load.checkAnswered(server.url)).toEqual([]);
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
      expect((await bennu(["check"], { DATA_DIR: server.dataDir })).stdout).toContain("Nothing is wrong with it.");
    },
    300_000,
  );
});

/** Lets the users talk until the disk has failed and each of them was refused. */
async function failUnder({ wraps, isMeant = () => true }: Fault): Promise<void> {
  for (const [index, wrap] of wraps.entries()) {
    // One thread writes, so that strace, which counts calls by thread, counts all of them.
    server = await TestServer.create({ UV_THREADPOOL_SIZE: "1" });
    await server.start(wrap);
    load = new Load(businessId, userCount);
    load.connect(server.url);
    await until("every user was refused", () => load.users.every(({ refused }) => refused.length > 0), 30_000);
    if (isMeant(server.stderr) || index === wraps.length - 1) return;
    load.disconnect();
    await server.dispose();
  }
}

const text = expect.any(String) as unknown;

// Heartbeats, joins and histories as ever; ready for work it is not, and every further message is refused too.
async function expectReadOnly(url: string, seen: Acknowledged): Promise<void> {
  const ready = await fetch(`${url}/readyz`);
  expect(ready.status).toBe(503);
  const body = await ready.text();
  expect(JSON.parse(body)).toMatchObject({ problems: [expect.stringContaining("read-only until a restart")] });
  // Why, and not where: this is told to everybody.
  expect(body).not.toContain(server.dataDir);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const client = await WireClient.connect(url);
  await client.heartbeat();
  const { userId, sessionId, offset, messageId } = seen;
  expect(await client.call(topic, "phx_join", { userId, resume: { sessionId, offset: offset - 1 } })).toMatchObject({
    status: "ok",
    response: {
      recovered: true,
      messages: expect.arrayContaining([expect.objectContaining({ messageId })]) as unknown,
    },
  });
  for (const message of ["still there?", "still there?"]) {
    const payload = { businessId, locationId: "L1", userId, message };
    expect(await client.call(topic, "new_message", payload)).toMatchObject({
      status: "error",
      response: { code: "storage_unavailable" },
    });
  }
  await client.heartbeat();
  client.close();
}

describe("[M20] SIGTERM in the middle of a load, again and again", () => {
  test.each([
    { agent: "echo", places: 64 },
    { agent: "assistant", places: 1 },
  ])(
    "agent $agent with room for $places turns: exit code 0, and what was acknowledged is answered, before or after",
    async ({ agent, places }) => {
      server = await TestServer.create({ AGENT: agent, AGENT_CONCURRENCY: String(places) });
      let cutOffCount = 0;
      for (let round = 0; round < 4; round += 1) {
        await server.start();
        load.connect(server.url);
        const before = load.acknowledgedCount;
        await until("the load runs", () => load.acknowledgedCount > before + 50);
        expect(await server.terminate()).toEqual({ code: 0, signal: null });
        cutOffCount += load.unansweredCount;
      }
      await server.start();
      load.connect(server.url);
      await load.finish();
      expect(await load.checkAnswered(server.url)).toEqual([]);
      expect(load.refused).toEqual([]);
      // Otherwise it was never in the middle of anything.
      expect(cutOffCount).toBeGreaterThan(0);
    },
    300_000,
  );
});

describe("[S9] [S-11] one server per data directory", () => {
  test("a second process ends with 1 and names the first; after kill -9 of the first the next one starts", async () => {
    server = await TestServer.create();
    await server.start();
    const second = await server.startInVain();
    expect(second).toMatchObject({ code: 1, signal: null });
    expect(second.stderr).toContain(`is in use by process ${server.pid} on `);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    await server.kill();
    await server.start();
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});

describe("[S10] a data directory that cannot be used", () => {
  test("a store of a newer format ends the start with 1, and both formats are named", async () => {
    server = await TestServer.create();
    await server.start();
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    const root = openEnvironment(join(server.dataDir, "store"), { mapBytes: 2 ** 26 });
    await root.openDB({ name: "meta", encoding: "binary" }).put("format", encodeRecord(99));
    await root.close();
    const end = await server.startInVain();
    expect(end).toMatchObject({ code: 1, signal: null });
    expect(end.stderr).toContain("its format is 99, this server knows 3");
  });
});
