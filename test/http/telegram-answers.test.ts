import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import type { Business } from "../../server/messaging/business.js";
import { readCurrentSession } from "../../server/messaging/sessions.js";
import { Telemetry } from "../../server/telemetry.js";
import { type BotBehaviour, FakeBotApi } from "../support/fake-bot-api.js";
import { FakeClock } from "../support/fake-clock.js";
import { makeDataDir, startTestApp, type TestApp } from "../support/start-app.js";
import { ana, botBusiness, botToken, botVariables, bring, businessFolder, updateOf } from "../support/telegram-desk.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const { businessId } = botBusiness;
const userId = `telegram:${ana.id}`;
const topic = `messages:${businessId}`;
const dayMs = 24 * 60 * 60_000;

let api: FakeBotApi;
let folder: Awaited<ReturnType<typeof businessFolder>>;
let clock: FakeClock;
let app: TestApp;
/** Codes of attempts that failed. */
let failures: string[];

beforeEach(async () => {
  api = await FakeBotApi.start();
  folder = await businessFolder(botBusiness);
  clock = new FakeClock();
  failures = [];
  await start(await makeDataDir());
});

afterEach(async () => {
  await app.dispose();
  await api.stop();
  await folder.remove();
});

async function start(dataDir: string): Promise<void> {
  const environment = { ...botVariables, TELEGRAM_API_URL: api.url, BUSINESSES_DIR: folder.path };
  const telemetry = new Telemetry<DeskEvents>(() => undefined);
  telemetry.attach("platform.failed", ({ code }) => failures.push(code));
  const limits = { IDLE_TIMEOUT_MS: "0", MAX_MESSAGE_BYTES: "0" };
  app = await startTestApp({ ...environment, ...limits, DATA_DIR: dataDir }, { clock, telemetry });
}

// Little at a time: a request has 15 s.
const passing = () => clock.advance(50);

async function console_(): Promise<WireClient> {
  const client = await WireClient.connect(app.url);
  await client.call(topic, "phx_join", {});
  return client;
}

/** The calls that the Bot API got, once there are so many; no time passes meanwhile. */
const called = (count: number) => until(`${count} calls of the Bot API`, () => api.calls.length >= count);

/** It is noted in the store. */
async function untilDelivered(offset: number): Promise<void> {
  let delivered = 0;
  await until(`offset ${offset} is delivered`, () => {
    void readCurrentSession(app.store, { businessId, userId }).then(async (current) => {
      delivered = (await app.store.readHead(current!.value.sessionId))!.delivered;
    });
    return delivered === offset;
  });
}

describe("[M112] an answer that is not taken is sent again", () => {
  test.each<[string, readonly BotBehaviour[], number]>([
    ["429", [{ status: 429, retryAfter: 3 }], 1],
    ["500 and 502", [{ status: 500 }, { status: 502 }], 1],
    ["a connection that breaks before", ["drop-before"], 1],
    ["a wrong token, which can be put right", [{ status: 401 }, { status: 404 }], 1],
    // Nobody can know that it was taken.
    ["a connection that breaks after", ["drop-after"], 2],
    ["silence", ["hang"], 1],
  ])("%s: what comes after it waits, and each arrives in its order", async (_name, behaviours, copies) => {
    api.next(...behaviours);
    await bring(app, updateOf(1, "one"));
    await called(1);
    await bring(app, updateOf(2, "two"));
    const first = Array.from({ length: copies }, () => "one");
    expect(await api.read(ana.id, copies + 1, passing)).toEqual([...first, "two"]);
    expect(api.calls).toHaveLength(behaviours.length + 2);
  });

  test("never before Telegram's own `retry_after`", async () => {
    api.next({ status: 429, retryAfter: 40 });
    await bring(app, updateOf(1, "one"));
    await called(1);
    await until("the refusal was read", () => failures.length > 0);
    clock.advance(39_999);
    await bring(app, updateOf(2, "two"));
    expect(api.calls).toHaveLength(1);
    expect(await api.read(ana.id, 2, passing)).toEqual(["one", "two"]);
  });

  test("one that is refused for good is given up, and the next one is sent", async () => {
    api.next({ status: 403, description: "Forbidden: bot was blocked by the user" }, { status: 400 });
    for (const [index, text] of ["one", "two", "three"].entries()) await bring(app, updateOf(index, text));
    expect(await api.read(ana.id, 1)).toEqual(["three"]);
    expect(api.calls).toHaveLength(3);
  });

  test("after a day it is no answer any more", async () => {
    api.usually({ status: 500 });
    await bring(app, updateOf(1, "one"));
    await until("it was not taken", () => failures.length > 0);
    clock.skip(dayMs + 1);
    api.usually("take");
    await bring(app, updateOf(2, "two"));
    expect(await api.read(ana.id, 1, passing)).toEqual(["two"]);
  });
});

test("[M111] one that is too long leaves in pieces, and a piece that has left is not sent again", async () => {
  const text = ["a", "b", "c"].map((letter) => letter.repeat(3000)).join("\n");
  api.next("take", { status: 500 });
  await bring(app, { ...updateOf(1, text), update_id: 1 });
  expect(await api.read(ana.id, 3, passing)).toEqual(text.split("\n"));
  expect(api.calls).toHaveLength(4);
});

test("[M111] what was not known to be taken is sent by the next server, in its order; what was is not", async () => {
  await bring(app, updateOf(1, "one"));
  await api.read(ana.id, 1);
  await untilDelivered(2);
  api.usually({ status: 500 });
  await bring(app, updateOf(2, "two"));
  await called(2);
  await bring(app, updateOf(3, "three"));
  await app.stop();
  api.usually("take");
  await start(app.dataDir);
  expect(await api.read(ana.id, 3, passing)).toEqual(["one", "two", "three"]);
});

test("[M26] [M29] what Telegram has taken is delivered: coordinators are told, and no socket is given it again", async () => {
  const desk = await console_();
  await bring(app, updateOf(1, "one"));
  await api.read(ana.id, 1);
  expect((await desk.event("receipt"))[4]).toMatchObject({ userId, delivered: 2 });
  await untilDelivered(2);
  desk.close();
});

test("[M31] [M110] what a coordinator says reaches the user where they are, unasked too", async () => {
  await bring(app, updateOf(1, "one"));
  await api.read(ana.id, 1);
  const desk = await console_();
  const { value } = (await readCurrentSession(app.store, { businessId, userId }))!;
  const { sessionId } = value;
  const { status } = await desk.call(topic, "reply", { sessionId, message: "Sunt Carla" }, "c1");
  expect(status).toBe("ok");
  await bring(app, updateOf(2, "Bună, Carla"));
  await desk.call(topic, "reply", { sessionId, message: "Cu ce te ajut?" }, "c1");
  expect(await api.read(ana.id, 3)).toEqual(["one", "Sunt Carla", "Cu ce te ajut?"]);
  desk.close();
});

test("[M80] [M110] what is said at a time is answered where its user is, in the session of a new day too", async () => {
  await bring(app, updateOf(1, "one"));
  // A request that is under way has 15 s, not a day.
  await untilDelivered(2);
  const at = new Date(clock.now() + dayMs).toISOString();
  const headers = {
    "content-type": "application/json",
    "x-user-id": userId,
    "x-role": "user",
    "x-business-id": businessId,
  };
  const body = JSON.stringify({ businessId, userId, message: "Cum te simți?", at });
  const answer = await fetch(`${app.url}/api/schedules`, { method: "POST", headers, body });
  expect(answer.status).toBe(201);
  clock.advance(dayMs);
  expect(await api.read(ana.id, 2, passing)).toEqual(["one", "Cum te simți?"]);
});

test("[M110] who goes on by a way of our own is answered there", async () => {
  await bring(app, updateOf(1, "one"));
  await api.read(ana.id, 1);
  await untilDelivered(2);
  const tab = await WireClient.connect(app.url);
  await tab.call(topic, "phx_join", { userId });
  await tab.call(topic, "new_message", { businessId, userId, locationId: "L", message: "web" }, "c1");
  await tab.event("new_message");
  await bring(app, updateOf(2, "two"));
  expect(await api.read(ana.id, 2)).toEqual(["one", "two"]);
  tab.close();
});

test("[B9] a bot is its file's alone: over HTTP it cannot be named, and what is stored over HTTP does not switch it off", async () => {
  const put = async (business: object) => {
    const headers = {
      "content-type": "application/json",
      "x-role": "service",
      "x-user-id": "s",
      "x-business-id": businessId,
    };
    const answer = await fetch(`${app.url}/api/businesses/${businessId}`, {
      ...{ method: "PUT", headers, body: JSON.stringify(business) },
    });
    return [answer.status, await answer.text()] as const;
  };
  const { platforms, ...rest } = botBusiness;
  const [refused, why] = await put(botBusiness);
  expect([refused, JSON.parse(why)]).toMatchObject([400, { errors: [{ path: "platforms.telegram" }] }]);
  expect(why).not.toContain(botToken);
  expect((await put({ ...rest, name: "Alt nume" } satisfies Partial<Record<keyof Business, unknown>>))[0]).toBe(200);
  await bring(app, updateOf(1, "one"));
  expect(await api.read(ana.id, 1)).toEqual(["one"]);
  expect(platforms.telegram).toBeDefined();
});
