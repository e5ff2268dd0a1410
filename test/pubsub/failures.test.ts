import { afterEach, describe, expect, test } from "@jest/globals";
import { EncodeError } from "../../protocol/errors.js";
import type { Serializer } from "../../protocol/serializer.js";
import { v1 } from "../../protocol/v1.js";
import { v2 } from "../../protocol/v2.js";
import type { PubSubAdapter } from "../../server/pubsub/adapter.js";
import { PubSub } from "../../server/pubsub/pubsub.js";
import { Telemetry } from "../../server/telemetry.js";
import { connect } from "../support/scripted-channel.js";

const topic = "room:1";

class Recorder implements PubSubAdapter {
  readonly published: unknown[] = [];
  failure: Error | null = null;
  started = (): void => undefined;
  isSlow = false;

  async start(): Promise<void> {
    if (this.isSlow) await new Promise<void>((resolve) => (this.started = resolve));
  }

  publish(_topic: string, event: string): void {
    if (this.failure !== null) throw this.failure;
    this.published.push(event);
  }

  async stop(): Promise<void> {}
}

function node() {
  const telemetry = new Telemetry();
  const failures: unknown[] = [];
  telemetry.attach("pubsub.failed", ({ operation, error }) => void failures.push([operation, String(error)]));
  const adapter = new Recorder();
  const pubsub = new PubSub({ adapter, telemetry });
  const subscribe = (serializer: Serializer, intercepts: readonly string[] | null = null) => {
    const frames: unknown[] = [];
    pubsub.subscribe(topic, {
      serializer,
      wireTopic: topic,
      intercepts,
      filter: null,
      owner: {},
      deliver: ({ data }) => void frames.push(data),
      intercept: ({ payload }) => void frames.push(payload),
    });
    return frames;
  };
  return { pubsub, adapter, failures, subscribe };
}

const endless: Record<string, unknown> = {};
endless.itself = endless;

describe("a payload that is neither an object nor bytes", () => {
  test.each<unknown>([[[1]], "x", null, undefined, () => 1, 5, 1n, endless])(
    "[R14] throws the same way whoever listens, and nobody has heard it: %p",
    async (payload) => {
      for (const listeners of [[], [v2], [v1], [v1, v2]]) {
        const { pubsub, adapter, failures, subscribe } = node();
        await pubsub.start();
        const frames = listeners.map((serializer) => subscribe(serializer));
        const heard: unknown[] = [];
        pubsub.listen(topic, (broadcast) => void heard.push(broadcast));
        expect(() => pubsub.broadcast(topic, "said", payload)).toThrow();
        expect(() => pubsub.broadcastLocally(topic, "said", payload)).toThrow();
        expect([frames.flat(), heard, adapter.published, failures]).toEqual([[], [], [], []]);
      }
    },
  );

  test("[R14] is taken of a version 1 channel, and reaches those who can have it", () => {
    const pubsub = new PubSub();
    const said = {
      handleIn: (channel: { broadcast: (event: string, payload: unknown) => void }) => channel.broadcast("said", [1]),
    };
    const [old, young] = [
      connect({ "room:*": said }, { pubsub, serializer: v1 }),
      connect({ "room:*": said }, { pubsub }),
    ];
    const send = (ref: string, event: string) =>
      old.socket.receiveText(JSON.stringify({ topic, event, payload: {}, ref }));
    send("1", "phx_join");
    young.receive("1", "1", topic, "phx_join");
    for (const { transport } of [old, young]) transport.take();
    send("2", "say");
    expect([old.transport.take(), young.transport.take()]).toEqual([
      [{ topic, event: "said", payload: [1], ref: null }],
      [],
    ]);
    young.receive("1", "2", topic, "say");
    expect([old.transport.take(), young.crashes]).toEqual([[], [["say", expect.any(EncodeError)]]]);
  });
});

describe("what one of many cannot have", () => {
  test("[R14] bytes cost a client of version 1 these bytes, and nobody else anything", async () => {
    for (const order of [
      [v1, v2],
      [v2, v1],
    ]) {
      const { pubsub, adapter, failures, subscribe } = node();
      await pubsub.start();
      const frames = order.map((serializer) => subscribe(serializer));
      const intercepted = subscribe(v1, ["bytes"]);
      const heard: unknown[] = [];
      pubsub.listen(topic, ({ event }) => void heard.push(event));
      pubsub.broadcast(topic, "bytes", Uint8Array.of(1));
      expect(frames.map(({ length }) => length)).toEqual(order.map((serializer) => (serializer === v2 ? 1 : 0)));
      expect([intercepted.length, heard, adapter.published, failures]).toEqual([
        1,
        ["bytes"],
        ["bytes"],
        [["deliver", expect.stringContaining("EncodeError")]],
      ]);
    }
  });

  test("[R14] a name too long for a binary frame costs nobody else anything", async () => {
    const { pubsub, adapter, failures, subscribe } = node();
    await pubsub.start();
    const frames = subscribe(v2);
    const event = "e".repeat(256);
    pubsub.broadcast(topic, event, Uint8Array.of(1));
    expect([frames, adapter.published, failures.length]).toEqual([[], [event], 1]);
  });
});

describe("those who fail", () => {
  test("[R14] a listener that throws harms neither who broadcasts nor the other listeners", async () => {
    const { pubsub, adapter, failures } = node();
    await pubsub.start();
    const heard: string[] = [];
    pubsub.listen(topic, () => {
      throw new Error("boom");
    });
    pubsub.listen(topic, ({ event }) => void heard.push(event));
    pubsub.broadcast(topic, "said", {});
    expect([heard, adapter.published, failures]).toEqual([["said"], ["said"], [["listen", "Error: boom"]]]);
  });

  test("[R14] an adapter that throws harms nobody", async () => {
    const { pubsub, adapter, failures, subscribe } = node();
    await pubsub.start();
    const frames = subscribe(v2);
    adapter.failure = new Error("gone");
    pubsub.broadcast(topic, "said", {});
    expect([frames.length, failures]).toEqual([1, [["publish", "Error: gone"]]]);
  });

  let pubsubs: PubSub[] = [];
  afterEach(async () => {
    await Promise.all(pubsubs.map((pubsub) => pubsub.stop()));
    pubsubs = [];
  });

  test("[R14] nothing is published once a stop was asked for, also when a start was under way", async () => {
    const { pubsub, adapter } = node();
    pubsubs.push(pubsub);
    adapter.isSlow = true;
    const started = pubsub.start().then(() => pubsub.broadcast(topic, "late", {}));
    const stopped = pubsub.stop();
    await Promise.resolve();
    adapter.started();
    await Promise.all([started, stopped]);
    expect(adapter.published).toEqual([]);
    const again = [pubsub.stop(), pubsub.start()];
    while (adapter.started.toString() === "() => undefined") await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    adapter.started();
    await Promise.all(again);
    pubsub.broadcast(topic, "back", {});
    expect(adapter.published).toEqual(["back"]);
  });
});
