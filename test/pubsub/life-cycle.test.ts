import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { WebSocket } from "ws";
import { type AdapterPort, Channel, Endpoint, ok, type PubSubAdapter } from "../../server/bennu.js";
import { PubSub } from "../../server/pubsub/pubsub.js";
import { MemoryHub } from "../support/memory-hub.js";
import { until } from "../support/until.js";

/** Says goodbye to the topic. */
class Room extends Channel {
  override join() {
    return ok();
  }

  override terminate() {
    this.broadcast("gone", {});
  }
}

const hub = new MemoryHub();
const endpoints: Endpoint[] = [];

function makeEndpoint(adapter: PubSubAdapter = hub.adapter()): Endpoint {
  const endpoint = new Endpoint({ mounts: { "/socket": { channels: { "room:*": Room } } }, adapter });
  endpoints.push(endpoint);
  return endpoint;
}

function listen(endpoint: Endpoint): string[] {
  const events: string[] = [];
  endpoint.pubsub.listen("room:1", ({ event }) => void events.push(event));
  return events;
}

afterEach(async () => {
  hub.isBroken = false;
  await Promise.all(endpoints.splice(0).map((endpoint) => endpoint.stop()));
});

/** Tells what is asked of it; a start ends when the test says so. */
class SlowAdapter implements PubSubAdapter {
  readonly calls: string[] = [];
  started = (): void => undefined;

  async start(_port: AdapterPort): Promise<void> {
    this.calls.push("start");
    await new Promise<void>((resolve) => (this.started = resolve));
    this.calls.push("started");
  }

  publish(_topic: string, event: string): void {
    this.calls.push(`publish ${event}`);
  }

  async stop(): Promise<void> {
    await Promise.resolve();
    this.calls.push("stop");
  }
}

test("[R14] an endpoint reaches the others from its start to its stop", async () => {
  const [one, other] = [makeEndpoint(), makeEndpoint()];
  const heard = listen(other);
  await other.start();
  one.broadcast("room:1", "early", {});
  await one.start();
  one.broadcast("room:1", "said", {});
  await until("it is heard", () => heard.length > 0);
  await one.stop();
  one.broadcast("room:1", "late", {});
  const third = makeEndpoint();
  await third.start();
  third.broadcast("room:1", "last", {});
  await until("the last is heard", () => heard.includes("last"));
  expect(heard).toEqual(["said", "last"]);
});

test("[R14] what channels say when the endpoint stops still reaches the others", async () => {
  const [one, other] = [makeEndpoint(), makeEndpoint()];
  const heard = listen(other);
  await Promise.all([one.start(), other.start()]);
  const server = createServer();
  one.attach(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}/socket/websocket?vsn=2.0.0`);
  const codes: number[] = [];
  client.on("open", () => client.send(JSON.stringify(["1", "1", "room:1", "phx_join", {}])));
  client.on("close", (code) => void codes.push(code));
  await new Promise((resolve) => client.once("message", resolve));
  await one.stop();
  await until("the client has seen it", () => codes.length > 0 && heard.length > 0);
  expect([codes, heard, one.socketCount]).toEqual([[1012], ["gone"], 0]);
  await new Promise((resolve) => server.close(resolve));
});

test("[R14] a start that fails is told to the caller, the endpoint works alone, and may start again", async () => {
  const [one, other] = [makeEndpoint(), makeEndpoint()];
  const [own, heard] = [listen(one), listen(other)];
  await other.start();
  hub.isBroken = true;
  await expect(one.start()).rejects.toThrow("the hub cannot be reached");
  one.broadcast("room:1", "alone", {});
  hub.isBroken = false;
  await one.start();
  one.broadcast("room:1", "together", {});
  await until("it is heard", () => heard.length > 0);
  expect([own, heard]).toEqual([["alone", "together"], ["together"]]);
});

test("[R14] what the adapter cannot do is told by the endpoint's telemetry", async () => {
  const endpoint = makeEndpoint();
  const failures: string[] = [];
  endpoint.telemetry.attach("pubsub.failed", ({ operation }) => void failures.push(operation));
  await endpoint.start();
  hub.isBroken = true;
  endpoint.broadcast("room:1", "lost", {});
  expect(failures).toEqual(["adapter"]);
});

test("[R14] starting twice starts once, and a stop waits for the start that is under way", async () => {
  const adapter = new SlowAdapter();
  const pubsub = new PubSub({ adapter });
  const starts = [pubsub.start(), pubsub.start()];
  const stopped = pubsub.stop();
  await until("the start", () => adapter.calls.length > 0);
  pubsub.broadcast("room:1", "early", {});
  adapter.started();
  await Promise.all([...starts, stopped]);
  pubsub.broadcast("room:1", "late", {});
  expect(adapter.calls).toEqual(["start", "started", "stop"]);
});

test("[R14] an endpoint without an adapter starts and stops too", async () => {
  const endpoint = new Endpoint({ mounts: {} });
  await endpoint.start();
  await endpoint.stop();
  endpoint.broadcast("room:1", "said", {});
  expect(endpoint.socketCount).toBe(0);
});
