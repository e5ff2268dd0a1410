import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import {
  type RealtimeChannel,
  type RealtimeChannelOptions,
  RealtimeClient,
  type RealtimeClientOptions,
} from "@supabase/realtime-js";
import { WebSocket } from "ws";
import type { Endpoint } from "../../server/bennu.js";
import { createRealtimeServer } from "../examples/realtime.js";
import { disconnected, type PhoenixSocket } from "../support/phoenix.js";
import { until } from "../support/until.js";

let server: Server;
let endpoint: Endpoint;
const clients: RealtimeClient[] = [];

beforeAll(async () => {
  ({ server, endpoint } = createRealtimeServer({ allows: (token) => token === "good" }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map(closed));
});

afterAll(async () => {
  endpoint.terminate();
  await new Promise((resolve) => server.close(resolve));
});

function openClient(apikey: string, options: Partial<RealtimeClientOptions> = {}): RealtimeClient {
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/realtime/v1`;
  const client = new RealtimeClient(url, {
    params: { apikey },
    transport: WebSocket as never,
    reconnectAfterMs: () => 10,
    // Some of its timers cannot be cancelled, so that they are short: a process with a timer does not end.
    heartbeatIntervalMs: 800,
    ...options,
  });
  clients.push(client);
  return client;
}

/** Its own `disconnect` would leave a timer of ten seconds behind. */
async function closed(client: RealtimeClient): Promise<void> {
  const { socketAdapter, _pendingDisconnectTimer: pending } = client as unknown as {
    readonly socketAdapter: { getSocket(): PhoenixSocket };
    readonly _pendingDisconnectTimer: NodeJS.Timeout | null;
  };
  clearTimeout(pending ?? undefined);
  for (const channel of client.channels) channel.teardown();
  await disconnected(socketAdapter.getSocket());
}

interface Subscribed {
  readonly channel: RealtimeChannel;
  /** In the order in which the client told them. */
  readonly statuses: string[];
  /** What was broadcast, as `[event, payload]`; bytes as an array. */
  readonly heard: [string, unknown][];
  readonly presence: unknown[];
  readonly system: unknown[];
}

interface Joining {
  readonly config?: RealtimeChannelOptions["config"];
  readonly onSubscribed?: (channel: RealtimeChannel) => void;
}

let topicCount = 0;
const newTopic = () => `room:${(topicCount += 1)}`;

/** Subscribes, and waits for the first status. */
async function subscribe(client: RealtimeClient, topic: string, { config, onSubscribed }: Joining = {}) {
  const channel = client.channel(topic, { config: config ?? {} });
  const subscribed: Subscribed = { channel, statuses: [], heard: [], presence: [], system: [] };
  channel
    .on("broadcast", { event: "*" }, ({ event, payload }: { event: string; payload?: unknown }) => {
      subscribed.heard.push([event, payload instanceof ArrayBuffer ? [...new Uint8Array(payload)] : payload]);
    })
    .on("presence", { event: "*" }, (payload) => void subscribed.presence.push(payload))
    .on("system", {}, (payload) => void subscribed.system.push(payload))
    .subscribe((status: string) => {
      subscribed.statuses.push(status);
      if (status === "SUBSCRIBED") onSubscribed?.(channel);
    });
  await until("a status", () => subscribed.statuses.length > 0);
  return subscribed;
}

/** Broadcasts; without an acknowledgement the client waits for one all the same, so not for long. */
function say(channel: RealtimeChannel, event: string, payload: unknown, timeout = 20): Promise<string> {
  return channel.send({ type: "broadcast", event, payload }, { timeout });
}

const bytes = (...values: number[]) => Uint8Array.from(values).buffer;

describe("[W1] [W12] the published client of Supabase, unchanged", () => {
  test.each(["2.0.0", "1.0.0"])("subscribes, broadcasts and leaves, vsn %s", async (vsn) => {
    const topic = newTopic();
    const one = await subscribe(openClient("one", { vsn }), topic);
    const other = await subscribe(openClient("other", { vsn }), topic);
    expect([one.statuses, other.statuses]).toEqual([["SUBSCRIBED"], ["SUBSCRIBED"]]);
    expect(await say(one.channel, "cursor", { x: 1, name: "Ștefan" })).toBe("ok");
    await say(one.channel, "empty", {});
    await until("the other has heard", () => other.heard.length === 2);
    expect(other.heard).toEqual([
      ["cursor", { x: 1, name: "Ștefan" }],
      ["empty", {}],
    ]);
    expect(one.heard).toEqual([]);
    expect(await other.channel.unsubscribe()).toBe("ok");
    await until("closed", () => other.statuses.includes("CLOSED"));
    expect(other.statuses).toEqual(["SUBSCRIBED", "CLOSED"]);
  });

  test("[W12] bytes reach the others as bytes, and events in their order", async () => {
    const topic = newTopic();
    const one = await subscribe(openClient("one"), topic);
    const other = await subscribe(openClient("other"), topic);
    await say(one.channel, "bytes", bytes(0, 1, 255));
    await say(one.channel, "café", bytes());
    await say(one.channel, "json", { x: 1 });
    await until("the other has heard", () => other.heard.length === 3);
    expect(other.heard).toEqual([
      ["bytes", [0, 1, 255]],
      ["café", []],
      ["json", { x: 1 }],
    ]);
    expect(one.heard).toEqual([]);
  });

  test("[W12] bytes are not told to a client of version 1, and cost nobody else anything", async () => {
    const topic = newTopic();
    const older = await subscribe(openClient("older", { vsn: "1.0.0" }), topic);
    const one = await subscribe(openClient("one"), topic);
    const other = await subscribe(openClient("other"), topic);
    await say(one.channel, "bytes", bytes(0, 1, 255));
    await say(one.channel, "json", { x: 1 });
    await until("all have heard", () => other.heard.length === 2 && older.heard.length > 0);
    expect(other.heard).toEqual([
      ["bytes", [0, 1, 255]],
      ["json", { x: 1 }],
    ]);
    expect(older.heard).toEqual([["json", { x: 1 }]]);
    expect([older, one, other].map(({ statuses }) => statuses)).toEqual(Array(3).fill(["SUBSCRIBED"]));
  });

  test("who asks for it hears itself, and nobody else does so", async () => {
    const topic = newTopic();
    const one = await subscribe(openClient("one"), topic, { config: { broadcast: { self: true } } });
    const other = await subscribe(openClient("other"), topic);
    await say(one.channel, "bytes", bytes(7));
    await say(one.channel, "json", { x: 1 });
    await say(other.channel, "answer", {});
    await until("all have heard", () => one.heard.length === 3 && other.heard.length === 2);
    expect(one.heard).toEqual(expect.arrayContaining([["answer", {}]]));
    expect(one.heard.filter(([event]) => event !== "answer")).toEqual(other.heard);
    expect(other.heard).toEqual([
      ["bytes", [7]],
      ["json", { x: 1 }],
    ]);
  });

  test("who asks for an acknowledgement gets it, and nobody else does", async () => {
    const topic = newTopic();
    const acknowledged = await subscribe(openClient("one"), topic, { config: { broadcast: { ack: true } } });
    expect(await say(acknowledged.channel, "json", { x: 1 }, 5000)).toBe("ok");
    expect(await say(acknowledged.channel, "bytes", bytes(7), 5000)).toBe("ok");
    const silent = await subscribe(openClient("other"), topic, { config: {} });
    const replies: unknown[] = [];
    const { socketAdapter } = clients.at(-1) as unknown as {
      readonly socketAdapter: { onMessage(callback: (message: { event: string; ref: unknown }) => void): void };
    };
    socketAdapter.onMessage(({ event }) => void (event === "phx_reply" && replies.push(event)));
    await say(silent.channel, "json", {});
    await until("heard", () => acknowledged.heard.length === 1);
    // The reply to what was sent later is the only one.
    expect(await silent.channel.untrack()).toBe("ok");
    expect(replies).toEqual(["phx_reply"]);
  });

  test("[P6] presence: sync, join, leave", async () => {
    const topic = newTopic();
    const one = await subscribe(openClient("one"), topic, { config: { presence: { key: "one" } } });
    expect(await one.channel.track({ name: "One" })).toBe("ok");
    await until("there", () => "one" in one.channel.presenceState());
    const other = await subscribe(openClient("other"), topic, { config: { presence: { key: "other" } } });
    await until("synced", () => "one" in other.channel.presenceState());
    expect(other.channel.presenceState()).toEqual({ one: [{ name: "One", presence_ref: expect.any(String) }] });

    one.presence.length = 0;
    expect(await other.channel.track({ name: "Other" })).toBe("ok");
    await until("joined", () => one.presence.length === 2);
    expect(one.presence).toEqual([
      { event: "join", key: "other", currentPresences: [], newPresences: [expect.objectContaining({ name: "Other" })] },
      { event: "sync" },
    ]);

    one.presence.length = 0;
    expect(await other.channel.untrack()).toBe("ok");
    await until("left", () => one.presence.length === 2);
    expect(one.presence).toEqual([
      {
        event: "leave",
        key: "other",
        currentPresences: [],
        leftPresences: [expect.objectContaining({ name: "Other" })],
      },
      { event: "sync" },
    ]);

    expect(await other.channel.track({ name: "Other" })).toBe("ok");
    await until("back", () => "other" in one.channel.presenceState());
    expect(await other.channel.unsubscribe()).toBe("ok");
    await until("gone", () => !("other" in one.channel.presenceState()));
    expect(Object.keys(one.channel.presenceState())).toEqual(["one"]);
  });

  test("[P3] who tracks again replaces what it tracked", async () => {
    const topic = newTopic();
    const one = await subscribe(openClient("one"), topic, { config: { presence: { key: "one" } } });
    const watching = await subscribe(openClient("watching"), topic);
    expect(await one.channel.track({ name: "One" })).toBe("ok");
    expect(await one.channel.track({ name: "Another" })).toBe("ok");
    const namesAt = ({ channel }: Subscribed) =>
      (channel.presenceState<{ name: string }>().one ?? []).map(({ name }) => name);
    // This version forgets the ref of what is replaced, and so keeps it beside the new one.
    await until("heard of", () => namesAt(watching).includes("Another"));
    const later = await subscribe(openClient("later"), topic);
    await until("synced", () => namesAt(later).length > 0);
    expect(namesAt(later)).toEqual(["Another"]);
  });

  test("[P2] who has no key of its own is present under one of the server's", async () => {
    const one = await subscribe(openClient("one"), newTopic());
    expect(await one.channel.track({ name: "One" })).toBe("ok");
    await until("there", () => Object.keys(one.channel.presenceState()).length === 1);
    expect(Object.keys(one.channel.presenceState())[0]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test("[W11] comes back after a disconnect, is present again, and hears again", async () => {
    const topic = newTopic();
    const one = await subscribe(openClient("one"), topic, {
      config: { presence: { key: "one" } },
      onSubscribed: (channel) => void channel.track({ name: "One" }),
    });
    const other = await subscribe(openClient("other"), topic);
    await until("there", () => "one" in other.channel.presenceState());
    other.presence.length = 0;
    endpoint.broadcast("apikey:one", "disconnect", {});
    await until("back", () => one.statuses.length === 3);
    expect(one.statuses).toEqual(["SUBSCRIBED", "CHANNEL_ERROR", "SUBSCRIBED"]);
    await until("left and joined", () => other.presence.length === 4);
    const events = other.presence.map((payload) => (payload as { event: string }).event);
    expect(events).toEqual(["leave", "sync", "join", "sync"]);
    await say(other.channel, "bytes", bytes(1));
    await until("heard", () => one.heard.length === 1);
    expect(one.heard).toEqual([["bytes", [1]]]);
  });

  test("a private channel takes those whose token it allows", async () => {
    const topic = newTopic();
    const stranger = openClient("stranger");
    await stranger.setAuth("bad");
    const refused = await subscribe(stranger, topic, { config: { private: true } });
    expect(refused.statuses[0]).toBe("CHANNEL_ERROR");
    const client = openClient("one", { accessToken: () => Promise.resolve("good") });
    await client.setAuth();
    const allowed = await subscribe(client, topic, { config: { private: true } });
    expect(allowed.statuses).toEqual(["SUBSCRIBED"]);
  });

  test("a token is refreshed in place; one that is not allowed any more ends the channel", async () => {
    const topic = newTopic();
    const client = openClient("one");
    await client.setAuth("good");
    const one = await subscribe(client, topic, { config: { private: true, broadcast: { ack: true } } });
    expect(one.statuses).toEqual(["SUBSCRIBED"]);
    await client.setAuth("bad");
    await until("closed", () => one.statuses.length === 2);
    expect(one.statuses).toEqual(["SUBSCRIBED", "CLOSED"]);
    expect(one.system).toEqual([
      { status: "error", extension: "system", message: "Token is no longer valid", channel: topic },
    ]);
  });

  test("a client that wants changes of a database is told that there are none", async () => {
    const channel = openClient("one").channel(newTopic());
    const statuses: string[] = [];
    channel
      .on("postgres_changes", { event: "*", schema: "public" }, () => undefined)
      .subscribe((status, error) => void statuses.push(error?.message ?? status));
    await until("told", () => statuses.length === 2);
    expect(statuses).toEqual(["CLOSED", "mismatch between server and client bindings for postgres changes"]);
  });
});
