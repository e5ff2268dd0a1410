import { afterEach, describe, expect, test } from "@jest/globals";
import { readCurrentSession } from "../../server/messaging/sessions.js";
import { FakeClock } from "../support/fake-clock.js";
import { connectPhoenix, disconnected, phoenixVersions, type PhoenixVersion } from "../support/phoenix.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const businessId = "B0100001";
const topic = `messages:${businessId}`;

let app: TestApp | null = null;
let clock: FakeClock;
let clients: WireClient[] = [];

async function start(limits: Readonly<Record<string, string>>): Promise<TestApp> {
  clock = new FakeClock();
  return (app = await startTestApp({ IDLE_TIMEOUT_MS: "0", ...limits }, { clock }));
}

afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await app?.dispose();
  app = null;
});

describe("[L15] [O-06] MESSAGES_PER_SECOND_PER_SOCKET, with MESSAGES_BURST_PER_SOCKET", () => {
  const limits = { MESSAGES_PER_SECOND_PER_SOCKET: "5", MESSAGES_BURST_PER_SOCKET: "20" };

  test("one more is refused, told when to come again, and not stored; other sockets go on", async () => {
    await start(limits);
    const [ana, other] = [await joined("ana"), await joined("ana")];
    for (let count = 0; count < 20; count += 1) expect((await ana.say(`message ${count}`)).status).toBe("ok");
    const { status, response } = await ana.say("too much", { clientMessageId: "c1" });
    expect([status, response]).toEqual([
      "error",
      {
        code: "rate_limited",
        reason: "rate_limited",
        message: expect.any(String) as unknown,
        error: expect.any(String) as unknown,
        retryAfterMs: 200,
        clientMessageId: "c1",
      },
    ]);
    const [, , , , event] = await ana.client.event("error");
    expect(event).toMatchObject({ code: "rate_limited", retryAfterMs: 200, clientMessageId: "c1" });
    expect((await other.say("from the other one")).status).toBe("ok");
    clock.advance(199);
    expect((await ana.say("too soon")).response.retryAfterMs).toBe(1);
    clock.advance(1);
    expect((await ana.say("as told", { clientMessageId: "c1" })).response.duplicate).toBeUndefined();
    expect(await said("ana")).toEqual([
      ...Array.from({ length: 20 }, (_, index) => `message ${index}`),
      "from the other one",
      "as told",
    ]);
  });

  test("a rejoin does not fill it again", async () => {
    await start({ ...limits, MESSAGES_BURST_PER_SOCKET: "1" });
    const ana = await joined("ana");
    expect((await ana.say("one")).status).toBe("ok");
    await ana.join();
    expect((await ana.say("two")).response.code).toBe("rate_limited");
  });

  test("[L18] who is refused a hundred times in ten seconds and goes on is closed with 1008", async () => {
    await start({ ...limits, MESSAGES_BURST_PER_SOCKET: "1" });
    const [flood, good] = [await joined("flood"), await joined("good")];
    for (let count = 0; count < 105; count += 1) flood.shout(`message ${count}`);
    expect(await flood.client.closeCode()).toBe(1008);
    expect((await good.say("hello")).status).toBe("ok");
    expect(await said("flood")).toEqual(["message 0"]);
  });
});

describe("[L21] [O-06] EVENTS_PER_SECOND_PER_SOCKET", () => {
  test("whatever is pushed counts; what is refused goes to the sender alone, and in the end it is closed", async () => {
    await start({ EVENTS_PER_SECOND_PER_SOCKET: "20" });
    const [flood, tab, good] = [await joined("ana"), await joined("ana"), await joined("ion")];
    for (let count = 0; count < 100; count += 1) flood.client.send(flood.joinRef(), "9", topic, "no_such_event", {});
    await flood.client.heartbeat();
    const { response } = await flood.say("one too many", { clientMessageId: "c1" });
    expect(response).toMatchObject({ code: "rate_limited", retryAfterMs: 50, clientMessageId: "c1" });
    for (let count = 0; count < 100; count += 1) flood.client.send(flood.joinRef(), "9", topic, "no_such_event", {});
    expect(await flood.client.closeCode()).toBe(1008);
    await tab.client.heartbeat();
    expect(tab.client.frames.filter(([, , , , { code }]) => code === "rate_limited")).toEqual([]);
    expect((await good.say("hello")).status).toBe("ok");
    expect((await tab.say("hello")).status).toBe("ok");
  });
});

test("[L16] MESSAGES_PER_MINUTE_PER_USER is of all sockets of a user", async () => {
  await start({ MESSAGES_PER_MINUTE_PER_USER: "3" });
  const [first, second, other] = [await joined("ana"), await joined("ana"), await joined("ion")];
  for (const one of [first, second, first]) expect((await one.say("hello")).status).toBe("ok");
  clock.advance(20_000);
  expect((await second.say("one more")).response).toMatchObject({ code: "rate_limited", retryAfterMs: 40_000 });
  expect((await other.say("hello")).status).toBe("ok");
  clock.advance(40_000);
  expect((await second.say("again")).status).toBe("ok");
});

test("[L17] MESSAGES_PER_SECOND_PER_BUSINESS is of all its users; another business has its own", async () => {
  await start({ MESSAGES_PER_SECOND_PER_BUSINESS: "2" });
  const users = [await joined("ana"), await joined("ion"), await joined("dan")];
  const elsewhere = await joined("ana", "B2");
  expect((await users[0]!.say("hello")).status).toBe("ok");
  expect((await users[1]!.say("hello")).status).toBe("ok");
  expect((await users[2]!.say("hello")).response).toMatchObject({ code: "rate_limited", retryAfterMs: 1000 });
  expect((await elsewhere.say("hello")).status).toBe("ok");
  clock.advance(1000);
  expect((await users[2]!.say("hello")).status).toBe("ok");
});

describe("[L19] [O-05] MAX_SOCKETS_PER_USER", () => {
  test("the oldest channel is closed for good, its socket is kept; coordinators are not counted", async () => {
    await start({ MAX_SOCKETS_PER_USER: "2" });
    const sockets = [await joined("ana"), await joined("ana"), await joined("ion"), await joined("ana")];
    await sockets[0]!.client.event("phx_close");
    await sockets[0]!.client.heartbeat();
    expect((await sockets[0]!.say("hello")).response).toEqual({ reason: "unmatched topic" });
    for (const one of sockets.slice(1)) expect((await one.say("hello")).status).toBe("ok");
    for (const one of sockets) {
      const closes = one.client.frames.filter(([, , , event]) => event === "phx_close");
      expect(closes).toHaveLength(one === sockets[0] ? 1 : 0);
    }
    for (let count = 0; count < 5; count += 1) {
      const client = await connect();
      expect((await client.call(topic, "phx_join", {})).response.role).toBe("coordinator");
    }
    expect(app!.endpoint.socketCount).toBe(9);
  });

  test.each(Object.keys(phoenixVersions) as PhoenixVersion[])("phoenix %s does not join again", async (version) => {
    await start({ MAX_SOCKETS_PER_USER: "1" });
    const oldest = await connectPhoenix(version, app!.url);
    const channel = oldest.channel(topic, { userId: "ana" });
    await new Promise((resolve) => channel.join().receive("ok", resolve));
    const ana = await joined("ana");
    await until("it is closed", () => (channel as unknown as { state: string }).state === "closed");
    expect((await ana.say("hello")).status).toBe("ok");
    expect(app!.endpoint.socketCount).toBe(2);
    await disconnected(oldest);
  });
});

async function connect(): Promise<WireClient> {
  const client = await WireClient.connect(app!.url);
  clients.push(client);
  return client;
}

async function joined(userId: string, of = businessId) {
  const client = await connect();
  let joinRef = "";
  const on = `messages:${of}`;
  const join = async () => {
    expect((await client.call(on, "phx_join", { userId })).status).toBe("ok");
    joinRef = client.frames.findLast(([, , , event]) => event === "phx_reply")![0] as string;
  };
  await join();
  const payloadOf = (message: string, more: object) => ({
    businessId: of,
    userId,
    locationId: "default",
    message,
    ...more,
  });
  return {
    client,
    join,
    joinRef: () => joinRef,
    say: (message: string, more: object = {}) => client.call(on, "new_message", payloadOf(message, more), joinRef),
    shout: (message: string) => client.send(joinRef, null, on, "new_message", payloadOf(message, {})),
  };
}

/** What a user has said, as it is stored. */
async function said(userId: string): Promise<string[]> {
  const current = await readCurrentSession(app!.store, { businessId, userId });
  const { items } = await app!.store.readMessages(current!.value.sessionId, { limit: 100 });
  return items.filter(({ type }) => type === "user").map(({ content }) => content);
}
