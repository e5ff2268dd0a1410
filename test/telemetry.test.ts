import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { WebSocket } from "ws";
import { Channel, Endpoint, error, type HandleResult, type JoinResult, ok, refuse, stop } from "../server/bennu.js";
import { Telemetry, type TelemetryEvents } from "../server/telemetry.js";
import { FakeClock } from "./support/fake-clock.js";
import { connectOffline, type Kind, type OfflineClient } from "./support/offline-client.js";
import { until } from "./support/until.js";

/** A clock that counts how often it is asked for the time. */
class CountingClock extends FakeClock {
  askedCount = 0;

  override monotonic(): number {
    this.askedCount += 1;
    return super.monotonic();
  }
}

let clock: CountingClock;
let endpoint: Endpoint;
let events: [name: string, event: Readonly<Record<string, unknown>>][];

/** Takes as long as its payload says. */
class Slow extends Channel {
  override async join(payload: unknown): Promise<JoinResult> {
    const { ms = 0, deny = false, crash } = payload as { ms?: number; deny?: boolean; crash?: string };
    if (crash !== undefined) throw new Error(crash);
    await wait(ms);
    return deny ? error() : ok();
  }

  override handleIn(event: string, payload: unknown): HandleResult | Promise<HandleResult> {
    if (event === "crash") throw new Error("on purpose");
    if (event === "crash_later") return wait(5).then(() => Promise.reject(new Error("on purpose")));
    if (event === "stop") return stop();
    const { ms } = payload as { ms?: number };
    return ms === undefined ? ok() : wait(ms).then(() => ok());
  }
}

// Time passes because somebody waits.
async function wait(ms: number): Promise<void> {
  await Promise.resolve();
  clock.advance(ms);
}

const names = ["socket_connected", "socket_refused", "socket_closed", "socket_drain"] as const;
const channelNames = ["channel_joined", "channel_handled_in", "channel_crashed"] as const;

function listen(...wanted: readonly (keyof TelemetryEvents)[]): void {
  for (const name of wanted) endpoint.telemetry.attach(name, (event) => void events.push([name, { ...event }]));
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function open(kind: Kind): Promise<OfflineClient> {
  const client = await connectOffline(endpoint, { kind, vsn: "2.0.0", id: "u" });
  await settle();
  return client;
}

async function play(client: OfflineClient): Promise<void> {
  const send = async (ref: string, event: string, payload: object) => {
    client.send({ joinRef: "1", ref, topic: "room:1", event, payload: { ...payload } });
    await settle();
  };
  await send("1", "phx_join", { ms: 30 });
  await send("2", "quick", { secret: "s3cret" });
  await send("3", "slow", { ms: 7 });
  await send("4", "crash", {});
  client.send({ joinRef: "5", ref: "5", topic: "room:2", event: "phx_join", payload: { ms: 4, deny: true } });
  await settle();
}

beforeEach(() => {
  clock = new CountingClock();
  events = [];
  endpoint = new Endpoint({
    clock,
    telemetry: new Telemetry(),
    mounts: {
      "/socket": {
        channels: { "room:*": Slow },
        longpoll: true,
        connect: async ({ id, deny }) => {
          await wait(11);
          return deny === "true" ? refuse() : { id: String(id) };
        },
      },
    },
  });
});

afterEach(() => endpoint.terminate());

describe.each<Kind>(["websocket", "longpoll", "test"])("telemetry over %s", (kind) => {
  test("[C10] [X6] says how long joins and handlers took, under the names of Phoenix", async () => {
    listen(...channelNames);
    await play(await open(kind));
    const crashed = { topic: "room:1", event: "crash", error: new Error("on purpose") };
    expect(events).toEqual([
      ["channel_joined", { topic: "room:1", result: "ok", durationMs: 30 }],
      ["channel_handled_in", { topic: "room:1", event: "quick", durationMs: 0 }],
      ["channel_handled_in", { topic: "room:1", event: "slow", durationMs: 7 }],
      ["channel_crashed", crashed],
      ["channel_joined", { topic: "room:2", result: "error", durationMs: 4 }],
    ]);
    expect(JSON.stringify(events)).not.toContain("s3cret");
  });

  test("[C10] a handler that throws is told as a crash, now or later, and not as handled", async () => {
    listen(...channelNames);
    const client = await open(kind);
    for (const [index, event] of ["phx_join", "crash", "phx_join", "crash_later", "phx_join", "stop"].entries()) {
      const ref = String(index + 1);
      client.send({ joinRef: event === "phx_join" ? ref : String(index), ref, topic: "room:1", event, payload: {} });
      await settle();
    }
    expect(events.map(([name, event]) => [name, event.event])).toEqual([
      ["channel_joined", undefined],
      ["channel_crashed", "crash"],
      ["channel_joined", undefined],
      ["channel_crashed", "crash_later"],
      ["channel_joined", undefined],
      ["channel_handled_in", "stop"],
    ]);
  });

  test("[C10] measures nothing when nobody listens", async () => {
    // The idle sweep and the windows of long-polls ask the fake clock for nothing.
    await play(await open(kind));
    endpoint.telemetry.attach("channel_joined", () => undefined)();
    await play(await open(kind));
    expect(clock.askedCount).toBe(0);
    expect(events).toEqual([]);
  });

  test("[C10] measures only what somebody listens to", async () => {
    listen("channel_joined");
    await play(await open(kind));
    expect(clock.askedCount).toBe(4);
  });
});

describe.each<Kind>(["websocket", "longpoll"])("telemetry of connections over %s", (kind) => {
  test("[C10] says how long the connect took, and how it ended", async () => {
    listen(...names);
    const client = await open(kind);
    const mount = { mount: "/socket", transport: kind };
    expect(events.splice(0)).toEqual([["socket_connected", { ...mount, vsn: "2.0.0", durationMs: 11 }]]);
    endpoint.broadcast("u", "disconnect", {});
    await until("the end", () => events.length > 0);
    expect(events).toEqual([["socket_closed", { ...mount, code: 1001 }]]);
    client.close(false);
  });

  test("[C10] [T4] says that a connection was refused, and with what", async () => {
    listen(...names);
    const server = createServer((request, response) => void endpoint.handle(request, response));
    endpoint.attach(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `127.0.0.1:${(server.address() as AddressInfo).port}/socket/${kind}?vsn=2.0.0&deny=true`;
    if (kind === "longpoll") await fetch(`http://${url}`);
    else await new Promise<void>((resolve) => new WebSocket(`ws://${url}`).on("error", () => resolve()));
    server.close();
    expect(events).toEqual([["socket_refused", { mount: "/socket", transport: kind, status: 403 }]]);
  });

  test("[C10] a drain waits between two batches, and not as long each time where it is given chance", async () => {
    for (let n = 0; n < 3; n += 1) await open(kind);
    listen("socket_drain");
    const drawn = [0, 0.999];
    const drained = endpoint.drain({ batchSize: 1, intervalMs: 100, random: () => drawn.shift() ?? 0.5 });
    const waits = () => events.map(([, event]) => event.intervalMs);
    expect(waits()).toEqual([50]);
    clock.advance(49);
    await settle();
    expect(waits()).toEqual([50]);
    clock.advance(1);
    await settle();
    expect(waits()).toEqual([50, 150]);
    clock.advance(149);
    await settle();
    expect(waits()).toEqual([50, 150]);
    clock.advance(1);
    await drained;
    expect(waits()).toEqual([50, 150, 100]);
  });

  test("[C10] tells every batch of a drain before it is closed", async () => {
    const clients = [await open(kind), await open(kind), await open(kind)];
    listen(...names);
    const drained = endpoint.drain({ batchSize: 2, intervalMs: 50 });
    await settle();
    const drains = () => events.filter(([name]) => name === "socket_drain").map(([, event]) => event);
    const all = { total: 3, rounds: 2, intervalMs: 50 };
    expect(drains()).toEqual([{ ...all, count: 2, index: 0 }]);
    expect(events[0]![0]).toBe("socket_drain");
    clock.advance(50);
    await drained;
    await settle();
    expect(drains()).toEqual([
      { ...all, count: 2, index: 0 },
      { ...all, count: 1, index: 1 },
    ]);
    expect(events.filter(([name, { code }]) => name === "socket_closed" && code === 1012)).toHaveLength(3);
    for (const client of clients) client.close(false);
  });
});

const everyName = [...names, ...channelNames] as const;

test.each<Kind>(["websocket", "longpoll", "test"])("[C12] handlers that throw change nothing over %s", async (kind) => {
  const failures: string[] = [];
  endpoint.telemetry.attach("telemetry.handler_failed", ({ name }) => void failures.push(name));
  const listening = kind === "test" ? channelNames : everyName.filter((name) => name !== "socket_refused");
  for (const name of listening) {
    endpoint.telemetry.attach(name, () => {
      throw new Error("on purpose");
    });
  }
  const client = await open(kind);
  await play(client);
  const frames = client.received.map(({ ref, event, payload }) => [ref, event, payload.status ?? payload.reason]);
  expect(frames).toEqual([
    ["1", "phx_reply", "ok"],
    ["2", "phx_reply", "ok"],
    ["3", "phx_reply", "ok"],
    ["1", "phx_error", "channel_crash"],
    ["5", "phx_reply", "error"],
  ]);
  await endpoint.drain();
  await until("the end", () => failures.length >= listening.length);
  await settle();
  expect(failures.toSorted()).toEqual([...listening].toSorted());
  client.close(false);
});

test("[C10] a drain of nobody tells nothing", async () => {
  listen(...names);
  await endpoint.drain();
  expect(events).toEqual([]);
});

describe("errors that nobody listens to", () => {
  let reported: unknown[][];

  beforeEach(() => {
    reported = [];
    jest.spyOn(console, "error").mockImplementation((...line) => void reported.push(line));
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  test("[C13] a handler that throws is written to the console, once, with its stack", async () => {
    await play(await open("websocket"));
    const where = JSON.stringify({ topic: "room:1", event: "crash" });
    expect(reported).toEqual([["bennu:", "channel_crashed", where, new Error("on purpose")]]);
    expect((reported[0]![3] as Error).stack).toContain("telemetry.test.ts");
    expect(JSON.stringify(reported)).not.toContain("s3cret");
  });

  test("[C13] so is a join", async () => {
    const client = await open("websocket");
    client.send({
      joinRef: "1",
      ref: "1",
      topic: "room:1",
      event: "phx_join",
      payload: { crash: "in the join" },
    });
    await settle();
    expect(reported.map((line) => line.slice(1))).toEqual([
      ["channel_crashed", JSON.stringify({ topic: "room:1", event: "phx_join" }), new Error("in the join")],
    ]);
  });

  test("[C13] so is what a handler throws when its channel has ended", async () => {
    const client = await open("websocket");
    client.send({ joinRef: "1", ref: "1", topic: "room:1", event: "phx_join", payload: {} });
    client.send({ joinRef: "1", ref: "2", topic: "room:1", event: "crash_later", payload: {} });
    client.send({ joinRef: "3", ref: "3", topic: "room:1", event: "phx_join", payload: {} });
    await until("the crash", () => reported.length > 0);
    await settle();
    const where = JSON.stringify({ topic: "room:1", event: "crash_later" });
    expect(reported.map((line) => line.slice(1))).toEqual([["channel_crashed", where, new Error("on purpose")]]);
  });

  test("[C13] so is connect, under a name of its own", async () => {
    const broken = new Endpoint({
      mounts: { "/socket": { channels: {}, connect: () => Promise.reject(new Error("no database")) } },
    });
    const server = createServer((request, response) => void broken.handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    expect((await fetch(`http://127.0.0.1:${port}/socket/websocket?vsn=2.0.0`)).status).toBe(500);
    server.close();
    server.closeAllConnections();
    expect(reported.map((line) => line.slice(1))).toEqual([
      ["socket_crashed", JSON.stringify({ mount: "/socket" }), new Error("no database")],
    ]);
  });

  test("[C13] nothing is written that somebody listens to", async () => {
    listen("channel_crashed");
    await play(await open("websocket"));
    expect([reported, events.length]).toEqual([[], 1]);
  });

  test("[C13] a client cannot forge a line, nor write long ones", () => {
    new Telemetry().emit("channel_crashed", { topic: "room:\n%o" + "x".repeat(9999), event: "e", error: new Error() });
    expect(reported).toHaveLength(1);
    expect(reported[0]![2]).toContain("room:\\n%o");
    expect(reported[0]![2]).toHaveLength(500);
  });

  test("[C13] an app may have them reported elsewhere, and a report that fails harms nobody", () => {
    const got: unknown[] = [];
    new Telemetry((name, { error }) => void got.push([name, error])).emit("pubsub.failed", {
      operation: "o",
      error: 1,
    });
    expect(got).toEqual([["pubsub.failed", 1]]);
    const failing = new Telemetry(() => {
      throw new Error("on purpose");
    });
    failing.emit("pubsub.failed", { operation: "o", error: 1 });
  });
});

describe("Telemetry", () => {
  test("[C10] listens while somebody is attached, and calls each who is", () => {
    const telemetry = new Telemetry();
    const got: string[] = [];
    expect(telemetry.listens("limit.reached")).toBe(false);
    const detach = telemetry.attach("limit.reached", ({ limit }) => void got.push(`a ${limit}`));
    const detachOther = telemetry.attach("limit.reached", ({ limit }) => void got.push(`b ${limit}`));
    telemetry.emit("limit.reached", { limit: "X" });
    detach();
    detach();
    telemetry.emit("limit.reached", { limit: "Y" });
    expect(telemetry.listens("limit.reached")).toBe(true);
    detachOther();
    telemetry.emit("limit.reached", { limit: "Z" });
    expect([got, telemetry.listens("limit.reached")]).toEqual([["a X", "b X", "b Y"], false]);
  });

  test("[C12] detaches a handler that throws, tells so once, and calls the others", () => {
    const telemetry = new Telemetry();
    const got: string[] = [];
    const failures: unknown[] = [];
    const cause = new Error("on purpose");
    telemetry.attach("telemetry.handler_failed", (event) => void failures.push(event));
    const detach = telemetry.attach("limit.reached", ({ limit }) => {
      got.push(`throws ${limit}`);
      throw cause;
    });
    const detachOther = telemetry.attach("limit.reached", ({ limit }) => void got.push(limit));
    telemetry.emit("limit.reached", { limit: "X" });
    telemetry.emit("limit.reached", { limit: "Y" });
    expect(got).toEqual(["throws X", "X", "Y"]);
    expect(failures).toEqual([{ name: "limit.reached", error: cause }]);
    detach();
    expect(telemetry.listens("limit.reached")).toBe(true);
    detachOther();
    expect(telemetry.listens("limit.reached")).toBe(false);
  });

  test("[C12] a handler that throws is forgotten, so that nothing is measured for it", () => {
    const telemetry = new Telemetry();
    telemetry.attach("limit.reached", () => {
      throw new Error("on purpose");
    });
    telemetry.emit("limit.reached", { limit: "X" });
    expect(telemetry.listens("limit.reached")).toBe(false);
  });

  test("[C12] whoever is told of failures may fail too", () => {
    const telemetry = new Telemetry();
    const failures: string[] = [];
    const fail = (which: string) => () => {
      failures.push(which);
      throw new Error("on purpose");
    };
    telemetry.attach("limit.reached", fail("limit.reached"));
    telemetry.attach("telemetry.handler_failed", fail("first"));
    telemetry.attach("telemetry.handler_failed", fail("second"));
    telemetry.attach("telemetry.handler_failed", ({ name }) => void failures.push(`told of ${name}`));
    telemetry.emit("limit.reached", { limit: "X" });
    expect(failures.toSorted()).toEqual(
      [
        "limit.reached",
        "first",
        "second",
        "told of limit.reached",
        "told of telemetry.handler_failed",
        "told of telemetry.handler_failed",
      ].toSorted(),
    );
  });
});
