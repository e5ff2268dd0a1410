import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { rm } from "node:fs/promises";
import { FakeClock } from "../support/fake-clock.js";
import { LongPollClient, type LongPollAnswer, read } from "../support/longpoll-client.js";
import { ask } from "../support/plain-http.js";
import { makeDataDir, startTestApp, type TestApp } from "../support/start-app.js";
import { secret, tokenOf } from "../support/tokens.js";
import { until } from "../support/until.js";

const businessId = "B0100001";
const topic = `messages:${businessId}`;
const join = JSON.stringify(["9", "9", topic, "phx_join", {}]);
const environment = { AUTH_SECRET: secret };
/** How long a request without a session is held, at most. (SPEC L23) */
const heldMs = 2000;

let app: TestApp;
let clock: FakeClock;
let dataDir: string;
let clients: LongPollClient[];

beforeEach(async () => {
  [clock, clients, dataDir] = [new FakeClock(), [], await makeDataDir()];
  app = await startTestApp({ ...environment, DATA_DIR: dataDir }, { clock });
});

afterEach(async () => {
  for (const client of clients) client.close();
  await app.dispose();
  await rm(dataDir, { recursive: true, force: true });
});

const authOf = (sub: string) => tokenOf({ sub, role: "user", businessId, exp: clock.now() / 1000 + 3600 });

/** A user who has joined. */
async function joined(sub: string): Promise<LongPollClient> {
  const client = await LongPollClient.open(app, { headers: { "x-phoenix-authtoken": await authOf(sub) } });
  clients.push(client);
  await client.join(topic, {});
  return client;
}

interface Knock {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answers to requests that find no session: those that are held are let go when all of them are there. */
async function answersTo(knocks: readonly Knock[], at: TestApp = app): Promise<LongPollAnswer[]> {
  const timers = clock.timerCount;
  let answered = 0;
  const asking = knocks.map(async ({ method, path, headers = {} }) => {
    const answer = await ask(at, path, { method, headers, ...(method === "POST" ? { body: join } : {}) });
    answered += 1;
    return read(answer);
  });
  await until("each is held or answered", () => answered + clock.timerCount - timers >= knocks.length);
  clock.advance(heldMs);
  return Promise.all(asking);
}

/**
 * Told that there is no such session, that this is no token at all, or who they are not, as a GET then asks for a session
 * of its own; and nothing else.
 */
function expectNothing(answers: readonly LongPollAnswer[], real: string): void {
  for (const { httpStatus, status, token, frames, headers } of answers) {
    expect(["200 410", "200 403", "400 0"]).toContain(`${httpStatus} ${status}`);
    expect(frames).toEqual([]);
    expect(token).not.toBe(real);
    if (httpStatus === 200) expect(headers["cache-control"]).toBe("no-store");
  }
}

const bothWays = (path: string, headers: Knock["headers"] = {}): Knock[] => [
  { method: "GET", path, headers },
  { method: "POST", path, headers },
];

/** The session is as it was: who has it hears everything once. */
async function expectUnharmed(client: LongPollClient, userId: string): Promise<void> {
  app.endpoint.broadcast(`user:${businessId}:${userId}`, "typing", { n: userId });
  const before = client.frames.length;
  const { status, frames, headers } = await client.poll();
  expect([status, frames.map(([, , , event]) => event)]).toEqual([200, ["typing"]]);
  expect(headers["cache-control"]).toBe("no-store");
  expect(client.frames.length).toBe(before + 1);
}

describe("[L-01] [T7] the token of a long-poll session", () => {
  test("with any one bit changed is a token of nobody's", async () => {
    const ana = await joined("ana");
    const bytes = Buffer.from(ana.token, "latin1");
    const changed = [...bytes].flatMap((byte, at) =>
      Array.from({ length: 8 }, (_, bit) => {
        const other = [...bytes].with(at, byte ^ (1 << bit));
        return other.map((each) => `%${each.toString(16).padStart(2, "0")}`).join("");
      }),
    );
    expect(new Set(changed).size).toBe(256);
    for (const method of ["GET", "POST"] as const) {
      const answers = await answersTo(changed.map((token) => ({ method, path: ana.path(token) })));
      expectNothing(answers, ana.token);
      await expectUnharmed(ana, "ana");
    }
  });

  test.each([
    ["no token", ""],
    ["a part of it", "{start}"],
    ["it twice", "{token}{token}"],
    ["it with padding", "{token}%3D"],
    ["it in other letters", "{upper}"],
    ["it as a list", "[]={token}"],
    ["a name of JavaScript", "__proto__"],
    ["a guess", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"],
  ])("%s is none", async (_what, form) => {
    const ana = await joined("ana");
    const value = form
      .replaceAll("{token}", ana.token)
      .replace("{start}", ana.token.slice(0, -1))
      .replace("{upper}", ana.token.toUpperCase());
    const path = form.startsWith("[]") ? `/socket/longpoll?vsn=2.0.0&token${value}` : ana.path(value);
    expectNothing(await answersTo(bothWays(path)), ana.token);
    await expectUnharmed(ana, "ana");
  });

  test("in its header counts, whatever the query says", async () => {
    const [ana, bob] = [await joined("ana"), await joined("bob")];
    const inHeader = { "x-phoenix-longpoll-token": "A".repeat(32) };
    expectNothing(await answersTo(bothWays(ana.path(), inHeader)), ana.token);
    app.endpoint.broadcast(`user:${businessId}:bob`, "typing", {});
    const headers = { "x-phoenix-longpoll-token": bob.token };
    const { status, token, frames } = read(await ask(app, ana.path(), { headers }));
    expect([status, token, frames.length]).toEqual([200, bob.token, 1]);
    await expectUnharmed(ana, "ana");
  });

  test("is worth nothing once its session has expired, also at the end of a poll", async () => {
    const ana = await joined("ana");
    clock.advance(14_999);
    expect(app.endpoint.socketCount).toBe(1);
    clock.advance(1);
    expect(app.endpoint.socketCount).toBe(0);
    expectNothing(await answersTo(bothWays(ana.path())), ana.token);
  });

  test("is worth nothing at another server, and none at its own after a restart", async () => {
    const ana = await joined("ana");
    const other = await startTestApp(environment, { clock });
    expectNothing(await answersTo(bothWays(ana.path()), other), ana.token);
    await other.dispose();
    await expectUnharmed(ana, "ana");
    await app.stop();
    app = await startTestApp({ ...environment, DATA_DIR: dataDir }, { clock });
    expectNothing(await answersTo(bothWays(ana.path())), ana.token);
  });
});

describe("[L-02] [T7] a token that somebody else has", () => {
  test("is worth nothing beside an auth token that is not the session's, whoever it is of", async () => {
    const ana = await joined("ana");
    const others = [await authOf("bob"), `${await authOf("ana")}x`, "", "x"];
    for (const other of others) {
      expectNothing(await answersTo(bothWays(ana.path(), { "x-phoenix-authtoken": other })), ana.token);
    }
    // Bob's own session is no more ana's than hers is bob's.
    const bob = await joined("bob");
    expectNothing(await answersTo(bothWays(bob.path(), { "x-phoenix-authtoken": await authOf("ana") })), bob.token);
    await expectUnharmed(ana, "ana");
    await expectUnharmed(bob, "bob");
  });

  test("is worth nothing beside any auth token, where its session was opened without", async () => {
    const query = `&token=${await authOf("ana")}`;
    const ana = await LongPollClient.open(app, { query });
    clients.push(ana);
    await ana.join(topic, {});
    expectNothing(await answersTo(bothWays(ana.path(), { "x-phoenix-authtoken": await authOf("ana") })), ana.token);
    await expectUnharmed(ana, "ana");
  });

  test("is a bearer's: alone it is good from any address and any program, as phoenix.js sends it with its POSTs", async () => {
    const ana = await joined("ana");
    app.endpoint.broadcast(`user:${businessId}:ana`, "typing", {});
    const headers = { "user-agent": "another", "x-forwarded-for": "192.0.2.7" };
    expect(read(await ask(app, ana.path(), { headers }))).toMatchObject({ status: 200, token: ana.token });
    await expectUnharmed(ana, "ana");
  });
});
