import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { WebSocket } from "ws";
import type { Endpoint } from "../../server/bennu.js";
import { type Payload, type PhoenixVersion, settled } from "../support/phoenix.js";
import {
  connectClient,
  disconnectClients,
  importPhoenix,
  makeClient,
  matrix,
  type MatrixChannel,
  type PhoenixPresence,
  provideRequests,
  type Way,
} from "../support/phoenix-matrix.js";
import { until } from "../support/until.js";
import { XmlHttpRequest } from "../support/xml-http-request.js";
import { createTranscriptEndpoint } from "../transcript/endpoint.js";
import { createTranscriptHttp } from "../transcript/http.js";

let endpoint: Endpoint;
let server: Server;
let url: string;

beforeAll(async () => {
  endpoint = createTranscriptEndpoint();
  server = createTranscriptHttp(endpoint, () => undefined);
  url = await listen(server);
});

afterEach(async () => {
  await disconnectClients();
});

afterAll(async () => {
  endpoint.terminate();
  await stopped(server);
});

async function listen(started: Server): Promise<string> {
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

async function stopped(running: Server): Promise<void> {
  running.closeAllConnections();
  await new Promise((resolve) => running.close(resolve));
}

let topicCount = 0;
const newTopic = (prefix = "room") => `${prefix}:${(topicCount += 1)}`;

/** Pushes what is never answered; the client waits for an answer all the same, so not for long. */
function tell(channel: MatrixChannel, event: string, payload: unknown = {}): void {
  channel.push(event, payload, 20);
}

/** Joins, and counts how often that came to be. */
async function joined(channel: MatrixChannel): Promise<{ readonly joins: number }> {
  const counter = { joins: 0 };
  await settled(channel.join().receive("ok", () => void (counter.joins += 1)));
  return counter;
}

/** What arrives on a channel, as `[event, payload]`; bytes as an array. */
function listenTo(channel: MatrixChannel, ...events: readonly string[]): [string, unknown][] {
  const heard: [string, unknown][] = [];
  for (const event of events) {
    channel.on(event, (payload: unknown) => {
      heard.push([event, payload instanceof ArrayBuffer ? valuesOf(payload) : payload]);
    });
  }
  return heard;
}

const bytes = (...values: number[]) => Uint8Array.from(values).buffer;
const valuesOf = (buffer: unknown) => [...new Uint8Array(buffer as ArrayBuffer)];

describe.each(matrix)("[W1] phoenix %s over %s", (version, way) => {
  const client = [version, way] as const;
  const isWebSocket = way === "WebSocket";
  const connect = (options: Payload = {}, mount = "/socket") => connectClient(client, url + mount, options);

  test("joins, and is refused", async () => {
    const socket = await connect({ params: { uid: "7" } });
    const topic = newTopic();
    expect(await settled(socket.channel(topic, { whoami: true }).join())).toMatchObject({
      topic,
      uid: "7",
      params: { uid: "7", vsn: "2.0.0" },
      transport: isWebSocket ? "websocket" : "longpoll",
    });
    const refused = socket.channel(newTopic(), { deny: true });
    await expect(settled(refused.join())).rejects.toMatchObject({ response: { reason: "unauthorized" } });
    const unmatched = socket.channel("nothing:1", {});
    await expect(settled(unmatched.join())).rejects.toMatchObject({ response: { reason: "unmatched topic" } });
    for (const channel of [refused, unmatched]) channel.leave();
  });

  test("[C5] a push is answered with ok and with error, now and later", async () => {
    const channel = (await connect()).channel(newTopic(), {});
    await joined(channel);
    const payload = { text: "Ștefan 😀", list: [1, null] };
    expect(await settled(channel.push("echo", payload))).toEqual(payload);
    expect(await settled(channel.push("async_reply", payload))).toEqual(payload);
    expect(await settled(channel.push("reply_ok_only", {}))).toEqual({});
    await expect(settled(channel.push("echo_error", payload))).rejects.toMatchObject({ response: payload });
    // Over long-poll all of them are one request, unless the client posts each by itself or, from 1.8.6 on, a hundred at
    // most. Of one request as many are read.
    const numbers = Array.from({ length: !isWebSocket && version === "1.7.21" ? 100 : 150 }, (_, n) => n);
    const all = await Promise.all(numbers.map((n) => settled(channel.push("echo", { n }))));
    expect(all.map(({ n }) => n)).toEqual(numbers);
  });

  test("[R9] hears pushes, broadcasts, and the others' broadcast_from", async () => {
    const topic = newTopic();
    const [one, other] = await Promise.all([connect(), connect()]);
    const [mine, theirs] = [one.channel(topic, {}), other.channel(topic, {})];
    const [heardHere, heardThere] = [mine, theirs].map((channel) => listenTo(channel, "push_me", "shout"));
    await Promise.all([joined(mine), joined(theirs)]);
    // Each after the last has come: before 1.7 a client posts what it sends at the same time side by side.
    tell(mine, "push_me", { n: 1 });
    await until("pushed", () => heardHere!.length === 1);
    tell(mine, "shout_from", { n: 2 });
    await until("heard there", () => heardThere!.length === 1);
    tell(mine, "shout", { n: 3 });
    await until("heard everywhere", () => heardHere!.length === 2 && heardThere!.length === 2);
    endpoint.broadcast(topic, "shout", { n: 4 });
    await until("heard from the server", () => heardHere!.length === 3 && heardThere!.length === 3);
    expect(heardHere).toEqual([
      ["push_me", { n: 1 }],
      ["shout", { n: 3 }],
      ["shout", { n: 4 }],
    ]);
    expect(heardThere).toEqual([
      ["shout", { n: 2 }],
      ["shout", { n: 3 }],
      ["shout", { n: 4 }],
    ]);
  });

  test("[R6] leaves, hears no more, and joins again", async () => {
    const [topic, watched] = [newTopic(), newTopic()];
    const socket = await connect();
    const [channel, watching] = [socket.channel(topic, { notify: watched }), socket.channel(watched, {})];
    const [heard, ended] = [listenTo(channel, "shout"), listenTo(watching, "terminated", "shout")];
    await Promise.all([joined(channel), joined(watching)]);
    let closes = 0;
    channel.onClose(() => void (closes += 1));
    // It takes its own leave for granted; that the server has, the other topic tells.
    await settled(channel.leave());
    await until("left", () => ended.length === 1);
    expect(ended).toEqual([["terminated", { topic, reason: "{:shutdown, :left}" }]]);
    endpoint.broadcast(topic, "shout", {});
    endpoint.broadcast(watched, "shout", {});
    await until("what came later", () => ended.length === 2);
    expect(heard).toEqual([]);
    expect([closes, channel.state]).toEqual([1, "closed"]);

    const again = socket.channel(topic, {});
    const heardAgain = listenTo(again, "shout");
    await joined(again);
    endpoint.broadcast(topic, "shout", { n: 1 });
    await until("heard", () => heardAgain.length === 1);
  });

  test("[C3] rejoins a channel that crashed, and keeps the others", async () => {
    const socket = await connect();
    const [channel, bystander] = [socket.channel(newTopic(), {}), socket.channel(newTopic(), {})];
    const [counter, untouched] = [await joined(channel), await joined(bystander)];
    let errors = 0;
    channel.onError(() => void (errors += 1));
    for (const crowd of [channel, bystander]) await settled(crowd.push("incr", {}));
    tell(channel, "crash");
    await until("rejoined", () => counter.joins === 2);
    expect(errors).toBe(1);
    expect(await settled(channel.push("incr", {}))).toEqual({ counter: 1 });
    expect(await settled(bystander.push("incr", {}))).toEqual({ counter: 2 });
    expect(untouched.joins).toBe(1);
  });

  test("[C6] does not rejoin a channel that the server ended", async () => {
    const socket = await connect();
    const channel = socket.channel(newTopic(), {});
    const counter = await joined(channel);
    let closes = 0;
    channel.onClose(() => void (closes += 1));
    tell(channel, "stop");
    await until("closed", () => closes === 1);
    expect([channel.state, counter.joins]).toEqual(["closed", 1]);
  });

  // Before 1.8 a client whose long-poll session is gone opens another, and does not tell its channels. What it sends to
  // them is answered as on any topic that is not joined.
  const comesBack = isWebSocket || version === "1.8.16";

  test(`[W11] connects again when the server disconnects it${comesBack ? ", and rejoins" : ""}`, async () => {
    const uid = `${version} ${way}`;
    let opens = 0;
    // The fast mount, because a request for a session that is gone waits for it.
    const socket = await connect({ params: { uid } }, isWebSocket ? "/socket" : "/socket_fast");
    socket.onOpen(() => void (opens += 1));
    const channel = socket.channel(newTopic(), {});
    const counter = await joined(channel);
    await settled(channel.push("incr", {}));
    endpoint.broadcast(`users_socket:${uid}`, "disconnect", {});
    await until("open again", () => opens === 1);
    if (comesBack) {
      await until("rejoined", () => counter.joins === 2);
      expect(await settled(channel.push("incr", {}))).toEqual({ counter: 1 });
      return;
    }
    await expect(settled(channel.push("incr", {}))).rejects.toMatchObject({ response: { reason: "unmatched topic" } });
    channel.leave();
    const again = socket.channel(newTopic(), {});
    await joined(again);
    expect(await settled(again.push("incr", {}))).toEqual({ counter: 1 });
  });

  test("[P6] its own Presence follows who is there", async () => {
    const topic = newTopic("presence");
    const { Presence } = await importPhoenix(version);
    const join = async (user: string): Promise<[MatrixChannel, PhoenixPresence]> => {
      const channel = (await connect()).channel(topic, { user, online_at: user });
      const presence = new Presence(channel);
      await joined(channel);
      return [channel, presence];
    };
    const [, one] = await join("one");
    const namesOf = (presence: PhoenixPresence) =>
      presence.list((key, { metas }) => `${key} ${metas.map(({ online_at }) => String(online_at)).join("+")}`).join();
    const changes: string[] = [];
    one.onJoin((key, current) => void changes.push(`${current === undefined ? "" : "again "}join ${key}`));
    one.onLeave((key) => void changes.push(`leave ${key}`));
    await until("synced", () => namesOf(one) === "one one");
    const [theirs, other] = await join("other");
    await until("both see both", () => [one, other].every((presence) => namesOf(presence) === "one one,other other"));
    const [again] = await join("one");
    await until("two of one", () => namesOf(other) === "one one+one,other other");
    await settled(theirs.push("update", { online_at: "later" }));
    await until("updated", () => namesOf(one) === "one one+one,other later");
    again.leave();
    await until("one of one", () => namesOf(other) === "one one,other later");
    await settled(theirs.push("untrack", {}));
    await until("gone", () => namesOf(one) === "one one");
    expect(changes.slice(-6)).toEqual([
      "join other",
      "again join one",
      "again join other",
      "leave other",
      "leave one",
      "leave other",
    ]);
  });

  // No long-poll client reads binary frames, and none before 1.7 writes them.
  const [writesBinary, readsBinary] = [
    isWebSocket ? version !== "1.4.17" : version >= "1.7",
    isWebSocket && version !== "1.4.17",
  ];

  if (readsBinary) {
    test("[W9] bytes are replied, pushed and broadcast", async () => {
      const topic = newTopic();
      const [one, other] = await Promise.all([connect(), connect()]);
      const [mine, theirs] = [one.channel(topic, {}), other.channel(topic, {})];
      const events = ["binary_push", "binary_shout", "binary_shout_from"];
      const [heardHere, heardThere] = [mine, theirs].map((channel) => listenTo(channel, ...events));
      await Promise.all([joined(mine), joined(theirs)]);
      const sent = [0, 1, 255, 0x5b];
      expect(valuesOf(await settled(mine.push("binary_echo", bytes(...sent))))).toEqual(sent);
      expect(valuesOf(await settled(mine.push("binary_echo", bytes())))).toEqual([]);
      expect(valuesOf(await settled(mine.push("to_binary", { text: "ț" })))).toEqual([0xc8, 0x9b]);
      const refused = await settled(mine.push("binary_echo_error", bytes(9))).catch(
        ({ response }: { response: unknown }) => valuesOf(response),
      );
      expect(refused).toEqual([9]);
      for (const event of events) tell(mine, event, bytes(...sent));
      await until("heard", () => heardHere!.length === 2 && heardThere!.length === 2);
      expect(heardHere).toEqual([
        ["binary_push", sent],
        ["binary_shout", sent],
      ]);
      expect(heardThere).toEqual([
        ["binary_shout", sent],
        ["binary_shout_from", sent],
      ]);
    });
  }

  if (writesBinary) {
    test("[W9] [T8] bytes reach the server among texts", async () => {
      const channel = (await connect()).channel(newTopic(), {});
      await joined(channel);
      const sizes = [0, 1, 300].map((size) => settled(channel.push("binary_size", new ArrayBuffer(size))));
      const echo = settled(channel.push("echo", { n: 1 }));
      expect(await Promise.all(sizes)).toEqual([{ size: 0 }, { size: 1 }, { size: 300 }]);
      expect(await echo).toEqual({ n: 1 });
    });
  }

  if (version === "1.8.16") {
    test("[T5] its token is the server's to see, each time it connects", async () => {
      const tokens = ["first >>>", "second"];
      const authToken = () => tokens.shift();
      const uid = `authToken ${way}`;
      const socket = await connect({ authToken, params: { uid } }, "/socket_auth");
      const seen: unknown[] = [];
      socket
        .channel(newTopic(), { whoami: true })
        .join()
        .receive("ok", ({ auth_token, params }) => void seen.push(auth_token, params));
      await until("joined", () => seen.length === 2);
      endpoint.broadcast(`users_socket:${uid}`, "disconnect", {});
      await until("joined again", () => seen.length === 4);
      // It is nowhere in the address.
      const params = { uid, vsn: "2.0.0" };
      expect(seen).toEqual(["first >>>", expect.objectContaining(params), "second", expect.objectContaining(params)]);
    });
  }
});

describe.each<[version: PhoenixVersion]>([["1.7.21"], ["1.8.16"]])(
  "[W1] phoenix %s falls back to long-poll",
  (version) => {
    const servers: Server[] = [];

    afterEach(async () => {
      // First the clients, which would come back.
      await disconnectClients();
      await Promise.all(servers.splice(0).map(stopped));
    });

    /** The same endpoint behind something that has no WebSockets. */
    async function behind(upgrade: ((stream: Duplex) => void) | null): Promise<string> {
      const proxy = createServer((request, response) => void endpoint.handle(request, response));
      if (upgrade !== null) proxy.on("upgrade", (_request, stream: Duplex) => upgrade(stream));
      servers.push(proxy);
      return listen(proxy);
    }

    const memory = () => {
      const items = new Map<string, string>();
      const sessionStorage = {
        getItem: (key: string) => items.get(key) ?? null,
        setItem: (key: string, value: string) => void items.set(key, value),
        removeItem: (key: string) => void items.delete(key),
      };
      return { items, sessionStorage };
    };

    /** Connects by whatever way it finds, and tells which. */
    async function transportOf(address: string, options: Payload): Promise<unknown> {
      provideRequests("LongPoll");
      const socket = await makeClient(version, `${address}/socket`, options);
      const channel = socket.channel(newTopic(), { whoami: true });
      socket.connect();
      const { transport } = await settled(channel.join());
      expect(await settled(channel.push("echo", { n: 1 }))).toEqual({ n: 1 });
      return transport;
    }

    const silent: Duplex[] = [];

    test.each<[name: string, upgrade: ((stream: Duplex) => void) | null]>([
      ["upgrades are plain requests", null],
      ["upgrades are cut off", (stream) => void stream.destroy()],
      ["upgrades are never answered", (stream) => void silent.push(stream)],
    ])("where %s, and remembers it", async (_name, upgrade) => {
      const { items, sessionStorage } = memory();
      const address = await behind(upgrade);
      expect(await transportOf(address, { longPollFallbackMs: 200, sessionStorage })).toBe("longpoll");
      expect([...items].map(([key, value]) => [key.startsWith("phx:fallback:"), value])).toEqual([[true, "true"]]);
      const asked: string[] = [];
      class Watched extends WebSocket {
        constructor(to: string) {
          asked.push(to);
          super(to);
        }
      }
      expect(await transportOf(address, { longPollFallbackMs: 200, sessionStorage, transport: Watched })).toBe(
        "longpoll",
      );
      expect(asked).toEqual([]);
      for (const stream of silent.splice(0)) stream.destroy();
    });

    test("not where WebSockets work", async () => {
      const { items, sessionStorage } = memory();
      expect(await transportOf(url, { longPollFallbackMs: 5000, sessionStorage })).toBe("websocket");
      expect([...items]).toEqual([]);
    });
  },
);

test("[T7] the newest client long-polls with fetch only where there is no XMLHttpRequest", async () => {
  for (const way of ["LongPoll", "LongPoll over fetch"] satisfies Way[]) {
    XmlHttpRequest.made.length = 0;
    const channel = (await connectClient(["1.8.16", way], `${url}/socket`)).channel(newTopic(), {});
    await joined(channel);
    expect(XmlHttpRequest.made.length > 0).toBe(way === "LongPoll");
    await disconnectClients();
  }
});
