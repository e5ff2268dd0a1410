import { describe, expect, test } from "@jest/globals";
import { ok } from "../../server/channel/channel.js";
import { Presence } from "../../server/presence/presence.js";
import { PubSub } from "../../server/pubsub/pubsub.js";
import { connect, type Script, type ScriptedChannel, settle } from "../support/scripted-channel.js";

const topic = "room:1";
const deep = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels)) as unknown;
const endless: Record<string, unknown> = {};
endless.itself = endless;

/** Channels that do to a presence what the test asks of them. */
function world() {
  const pubsub = new PubSub();
  let refs = 0;
  const presence = new Presence({ pubsub }, () => `r${(refs += 1)}`);
  const channels: ScriptedChannel[] = [];
  const script: Script = {
    join: (channel) => (channels.push(channel), ok()),
    handleIn: (channel, event, payload) => {
      if (event === "track") presence.track(channel, "me", { state: payload });
      if (event === "update") presence.update(channel, "me", { state: payload });
      return ok();
    },
  };
  const join = () => {
    const joined = connect({ "room:*": script }, { pubsub });
    joined.receive("1", "1", topic, "phx_join");
    joined.transport.take();
    return joined;
  };
  return { pubsub, presence, channels, join, scripts: { "room:*": script } };
}

const metas: [name: string, meta: unknown][] = [
  ["has a bigint", { id: 7n }],
  ["is endless", endless],
  ["is too deep", { state: deep(20_000) }],
  ["is deeper than any meta may be", { state: deep(1000) }],
  ["is a list", [1]],
  ["is a text", "x"],
  ["is nothing", undefined],
];

describe("a meta that", () => {
  test.each(metas)("[P7] %s is refused at track, whoever listens, and nothing of it stays", async (_name, meta) => {
    const { presence, channels, join, pubsub } = world();
    const [me, other] = [join(), join()];
    expect(() => presence.track(channels[0]!, "me", meta as never)).not.toThrow();
    expect([presence.topicCount, presence.list(topic), other.transport.take()]).toEqual([0, {}, []]);
    // Nobody was there to throw at, so it was the channel that crashed.
    expect(me.transport.take()).toEqual([["1", "1", topic, "phx_error", { reason: "channel_crash" }]]);
    other.transport.close(1001);
    await settle();
    expect(pubsub.topicCount).toBe(0);
  });

  test("[P7] is refused at update leaves the old one there, and the leave is told", () => {
    const { presence, join } = world();
    const [me, other] = [join(), join()];
    me.receive("1", "2", topic, "track", 1);
    other.transport.take();
    me.socket.receiveText(`["1","3","${topic}","update",${"[".repeat(20_000)}${"]".repeat(20_000)}]`);
    expect([me.transport.closeCodes, presence.topicCount]).toEqual([[], 0]);
    expect(other.transport.take()).toEqual([
      [null, null, topic, "presence_diff", { joins: {}, leaves: { me: { metas: [{ state: 1, phx_ref: "r1" }] } } }],
    ]);
  });

  test("[P7] is changed after it was given changes nothing of who is there", () => {
    const { presence, channels, join } = world();
    join();
    const meta: Record<string, unknown> = { at: new Date(0), list: [1] };
    presence.track(channels[0]!, "me", meta);
    (meta.list as unknown[]).push(meta);
    presence.update(channels[0]!, "me", (old) => {
      (old as Record<string, unknown>).list = "written into";
      return { n: 1 };
    });
    expect(presence.getByKey(topic, "me")).toEqual([{ n: 1, phx_ref: "r2", phx_ref_prev: "r1" }]);
  });

  test("[P7] is refused throws at the handler that is running", () => {
    const { presence, join, scripts, channels } = world();
    const caught: unknown[] = [];
    scripts["room:*"].handleIn = (channel) => {
      try {
        presence.track(channel, "me", { id: 7n });
      } catch (cause) {
        caught.push(cause);
      }
      return ok();
    };
    join().receive("1", "2", topic, "go");
    expect([caught, channels.length]).toEqual([[expect.any(TypeError)], 1]);
  });
});

describe("a presence", () => {
  test("[C9] that ends while others fail does not keep the rest of the socket from ending", () => {
    const { pubsub, presence, channels, join } = world();
    pubsub.listen(topic, ({ event }) => {
      if (event === "presence_diff") throw new Error("a listener that fails");
    });
    const me = join();
    me.receive("2", "2", "room:2", "phx_join");
    for (const channel of channels) presence.track(channel, "me", {});
    expect(() => me.transport.close(1001)).not.toThrow();
    expect([presence.topicCount, me.socket.channelCount]).toEqual([0, 0]);
  });

  test("[C9] whoever waits for the end and fails harms neither the others nor the end", () => {
    const { presence, channels, join, pubsub } = world();
    const me = join();
    presence.track(channels[0]!, "me", {});
    const failing = new Presence({
      pubsub: Object.assign(Object.create(pubsub) as PubSub, {
        broadcastLocally: () => {
          throw new Error("on purpose");
        },
      }),
    });
    expect(() => failing.track(channels[0]!, "me", {})).toThrow("on purpose");
    presence.track(channels[0]!, "me too", {});
    expect(() => me.transport.close(1001)).not.toThrow();
    expect([presence.topicCount, failing.topicCount, pubsub.topicCount]).toEqual([0, 0, 0]);
  });

  test("[P5] of a key that is no text, number, boolean or null is refused clearly", () => {
    const { presence, channels, join } = world();
    join();
    for (const key of [undefined, () => 1, Symbol("x"), {}, [1], 1n]) {
      expect(() => presence.untrack(channels[0]!, key)).toThrow(/a presence key is a text/);
    }
    expect(presence.getByKey(topic, 5)).toEqual([]);
  });

  test("[P1] of what is no channel is refused clearly", () => {
    const { presence } = world();
    for (const odd of [{}, null, undefined, "room:1"])
      expect(() => presence.track(odd as never, "me", {})).toThrow(/is not a channel/);
  });

  test("[C9] many that came and went on topics of their own leave nothing in a channel that stays", () => {
    const { presence, channels, join } = world();
    join();
    const { gc } = globalThis as { gc?: () => void };
    const used = () => (gc?.(), process.memoryUsage().heapUsed);
    const before = used();
    for (let n = 0; n < 20_000; n += 1) {
      presence.track(channels[0]!, "me", {}, { topic: `t:${n}` });
      presence.untrack(channels[0]!, "me", { topic: `t:${n}` });
    }
    expect(presence.topicCount).toBe(0);
    if (gc !== undefined) expect(used() - before).toBeLessThan(2_000_000);
    expect(presence.heldCount).toBe(0);
  });
});
