import { describe, expect, test } from "@jest/globals";
import { v1 } from "../../protocol/v1.js";
import { error, ok } from "../../server/channel/channel.js";
import { PubSub } from "../../server/pubsub/pubsub.js";
import { connect, deferred, type Script, type ScriptedChannel, settle } from "../support/scripted-channel.js";

const topic = "room:1";
const okReply = (ref: unknown, joinRef: unknown = "1") => [
  joinRef,
  ref,
  topic,
  "phx_reply",
  { status: "ok", response: {} },
];
const crashed = ["1", "1", topic, "phx_error", { reason: "channel_crash" }];
const joinCrashed = ["1", "1", topic, "phx_reply", { status: "error", response: { reason: "join crashed" } }];

const endless: Record<string, unknown> = {};
endless.itself = endless;
const payloads: [name: string, payload: unknown][] = [
  ["too deep", { deep: JSON.parse("[".repeat(20_000) + "]".repeat(20_000)) as unknown }],
  ["a cycle", endless],
  ["a bigint", { n: 1n }],
  ["undefined", undefined],
];

type Say = (channel: ScriptedChannel, payload: unknown, ref: unknown) => void;
const ways: [name: string, say: Say][] = [
  ["push", (channel, payload) => channel.push("p", payload)],
  ["reply", (channel, payload, ref) => channel.reply(ref, ok(payload === undefined ? () => 1 : payload))],
  ["broadcast", (channel, payload) => channel.broadcast("b", payload)],
  ["broadcastFrom", (channel, payload) => channel.broadcastFrom("b", payload)],
];
const cases = ways.flatMap(([way, say]) =>
  payloads.map(([name, payload]): [string, string, Say, unknown] => [way, name, say, payload]),
);

describe("what cannot be sent", () => {
  test.each(cases)(
    "[C15] a late %s of what is %s crashes the channel, not the process",
    async (_way, _name, say, payload) => {
      let late: (() => void) | null = null;
      const reasons: unknown[] = [];
      const script: Script = {
        handleIn: (channel, _event, _payload, ref) => {
          late = () => say(channel, payload, ref);
        },
        terminate: (_channel, reason) => void reasons.push(reason),
      };
      const pubsub = new PubSub();
      const { transport, crashes, receive } = connect({ "room:*": script }, { pubsub });
      receive("1", "1", topic, "phx_join");
      receive("1", "2", topic, "later");
      transport.take();
      expect(late!).not.toThrow();
      await settle();
      expect([transport.take(), crashes.length, reasons.length, pubsub.topicCount]).toEqual([[crashed], 1, 1, 0]);
      expect(late!).not.toThrow();
      receive(null, "3", "phoenix", "heartbeat");
      expect(transport.take()).toHaveLength(1);
    },
  );

  test.each(cases)("[C15] %s of what is %s throws at the handler that is running", (_way, _name, say, payload) => {
    const caught: unknown[] = [];
    const script: Script = {
      handleIn: (channel, _event, _payload, ref) => {
        try {
          say(channel, payload, ref);
        } catch (cause) {
          caught.push(cause);
        }
        return ok();
      },
    };
    const { transport, receive } = connect({ "room:*": script });
    receive("1", "1", topic, "phx_join");
    receive("1", "2", topic, "now");
    expect([transport.take(), caught.length]).toEqual([[okReply("1"), okReply("2")], 1]);
  });

  test("[C15] what a handler says after it has waited ends its channel at once, and is told once", async () => {
    const script: Script = {
      handleIn: async (channel) => {
        await settle();
        channel.push("bad", 1n);
        channel.push("late", {});
        return ok();
      },
    };
    const { transport, crashes, receive } = connect({ "room:*": script });
    receive("1", "1", topic, "phx_join");
    receive("1", "2", topic, "slow");
    while (transport.sent.length < 2) await settle();
    await settle();
    expect([transport.take(), crashes]).toEqual([[okReply("1"), crashed], [["bad", expect.any(TypeError)]]]);
  });

  test("[C15] a reply that is none crashes the channel too", async () => {
    let late: (() => void) | null = null;
    const script: Script = {
      handleIn: (channel, _event, _payload, ref) => {
        late = () => channel.reply(ref, undefined as never);
      },
    };
    const { transport, receive } = connect({ "room:*": script });
    receive("1", "1", topic, "phx_join");
    receive("1", "2", topic, "later");
    late!();
    await settle();
    expect(transport.take()).toEqual([okReply("1"), crashed]);
  });

  test.each(["push", "broadcast", "broadcastFrom"] as const)(
    "[C2] [C15] a %s of a timer while the join waits crashes the join, not the process",
    async (way) => {
      const gate = deferred();
      let tick: (() => void) | null = null;
      const script: Script = {
        join: async (channel) => {
          tick = () => channel[way]("tick", {});
          await gate.promise;
          return ok();
        },
      };
      const { transport, crashes, socket, receive } = connect({ "room:*": script });
      receive("1", "1", topic, "phx_join");
      expect(tick!).not.toThrow();
      gate.resolve();
      await settle();
      expect([transport.take(), crashes, socket.channelCount]).toEqual([
        [joinCrashed],
        [["phx_join", expect.any(Error)]],
        0,
      ]);
    },
  );

  test("[L9] a channel that sends itself more than its backlog while it joins crashes", async () => {
    const gate = deferred();
    const script: Script = {
      join: async (channel) => {
        for (let n = 0; n < 4; n += 1) channel.send(n);
        await gate.promise;
        return ok();
      },
    };
    const { transport, receive } = connect({ "room:*": script }, { limits: { maxChannelBacklog: 3 } });
    receive("1", "1", topic, "phx_join");
    gate.resolve();
    await settle();
    expect(transport.take()).toEqual([joinCrashed]);
  });
});

describe("a join whose reply cannot be sent", () => {
  const replies: [name: string, reply: ReturnType<typeof ok>][] = [
    ["ok", ok({ n: 1n })],
    ["error", error({ n: 1n })],
    ["ok of what JSON leaves out", ok(() => 1)],
  ];

  test.each(replies.flatMap(([name, reply]) => [[name, false, reply] as const, [name, true, reply] as const]))(
    "[C2] %s, async %p, is a join that crashed: only that channel is gone",
    async (name, isAsync, reply) => {
      const pubsub = new PubSub();
      const reasons: unknown[] = [];
      const script: Script = {
        join: (channel) => {
          channel.socket.subscribe("user:7", { as: topic });
          return isAsync ? Promise.resolve(reply) : reply;
        },
        terminate: (_channel, reason) => void reasons.push(reason),
      };
      const { socket, transport, crashes, receive } = connect({ "room:*": script }, { pubsub });
      receive("1", "1", topic, "phx_join");
      receive(null, "2", "phoenix", "heartbeat");
      await settle();
      expect(transport.take()).toEqual([
        joinCrashed,
        [null, "2", "phoenix", "phx_reply", { status: "ok", response: {} }],
      ]);
      expect([transport.closeCodes, socket.channelCount, pubsub.topicCount]).toEqual([[], 0, 0]);
      expect(crashes).toEqual([["phx_join", expect.any(Error)]]);
      // A join that was accepted has begun something that terminate must end.
      expect(reasons).toHaveLength(name === "error" ? 0 : 1);
    },
  );

  test("[C2] a rejoin of that kind still ends the old channel", () => {
    const script: Script = { join: (_channel, payload) => (payload === "bad" ? ok(1n) : ok()) };
    const { transport, receive } = connect({ "room:*": script });
    receive("1", "1", topic, "phx_join");
    receive("3", "3", topic, "phx_join", "bad");
    expect(transport.take()).toEqual([
      okReply("1"),
      ["3", "3", topic, "phx_reply", { status: "error", response: { reason: "join crashed" } }],
      ["1", "1", topic, "phx_close", {}],
    ]);
  });

  test("[C2] bytes to a client of version 1 are such a reply", () => {
    const { socket, transport } = connect({ "room:*": { join: () => ok(Uint8Array.of(1)) } }, { serializer: v1 });
    socket.receiveText(JSON.stringify({ topic, event: "phx_join", payload: {}, ref: "1" }));
    expect([transport.take(), transport.closeCodes]).toEqual([
      [{ topic, event: "phx_reply", payload: { status: "error", response: { reason: "join crashed" } }, ref: "1" }],
      [],
    ]);
  });
});

test("[C12] telemetry handlers that throw change nothing of a join, an event and a crash", () => {
  const { telemetry, transport, receive } = connect({
    "room:*": {
      handleIn: (_channel, event) => {
        if (event === "crash") throw new Error("boom");
        return ok();
      },
    },
  });
  for (const name of ["channel_joined", "channel_handled_in", "channel_crashed"] as const) {
    telemetry.attach(name, () => {
      throw new Error(`a handler of ${name}`);
    });
  }
  receive("1", "1", topic, "phx_join");
  receive("1", "2", topic, "ping");
  receive("1", "3", topic, "crash");
  expect(transport.take()).toEqual([okReply("1"), okReply("2"), crashed]);
});
