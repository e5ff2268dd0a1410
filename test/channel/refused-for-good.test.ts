import { expect, test } from "@jest/globals";
import { error, ok, Rejoin, type Reply, stop } from "../../server/channel/channel.js";
import { PubSub } from "../../server/pubsub/pubsub.js";
import { connect, type Script, settle } from "../support/scripted-channel.js";

const topic = "room:1";
const refusal = { status: "error", response: { reason: "too late" } };
const reply = (joinRef: string, payload: unknown) => [joinRef, joinRef, topic, "phx_reply", payload];
const closed = (joinRef: string) => [joinRef, joinRef, topic, "phx_close", {}];
const crashed = { status: "error", response: { reason: "join crashed" } };

test.each(["at once", "later"])(
  "[C16] a join that is refused for good %s: the refusal, and then phx_close",
  async (when) => {
    const pubsub = new PubSub();
    const terminated: unknown[] = [];
    const script: Script = {
      join: (channel) => {
        channel.socket.subscribe("audience", { as: topic });
        const result = stop("normal", error({ reason: "too late" }));
        return when === "later" ? Promise.resolve(result) : result;
      },
      terminate: (_channel, reason) => void terminated.push(reason),
    };
    const { transport, receive, crashes } = connect({ "room:*": script }, { pubsub });
    receive("1", "1", topic, "phx_join");
    await settle();
    expect(transport.take()).toEqual([reply("1", refusal), closed("1")]);
    expect([pubsub.topicCount, terminated, crashes]).toEqual([0, [], []]);
    receive("1", "2", topic, "push");
    expect(transport.take()).toEqual([
      [null, "2", topic, "phx_reply", { status: "error", response: { reason: "unmatched topic" } }],
    ]);
  },
);

test("[C16] of a rejoin: the old channel ends too, and what waited behind it is handled", async () => {
  let joins = 0;
  const script: Script = {
    join: () => Promise.resolve((joins += 1) === 2 ? stop("shutdown", error({ reason: "too late" })) : ok()),
    handleIn: (_channel, event) => ok({ event }),
  };
  const { transport, receive } = connect({ "room:*": script });
  receive("1", "1", topic, "phx_join");
  await settle();
  transport.take();
  receive("3", "3", topic, "phx_join");
  receive("5", "5", topic, "phx_join");
  receive("5", "6", topic, "hello");
  await settle();
  expect(transport.take()).toEqual([
    reply("3", refusal),
    closed("1"),
    closed("3"),
    reply("5", { status: "ok", response: {} }),
    ["5", "6", topic, "phx_reply", { status: "ok", response: { event: "hello" } }],
  ]);
});

test.each<[string, unknown]>([
  ["without a reply", stop("normal")],
  ["that says ok", stop("normal", ok())],
  ["that is a crash", stop(new Error("no"), error({}))],
  ["with another word", stop("normal", { status: "maybe" } satisfies Reply)],
])("[C16] [C2] a stop %s is no result of a join", (_what, result) => {
  const { transport, receive, crashes } = connect({ "room:*": { join: () => result as Reply } });
  receive("1", "1", topic, "phx_join");
  expect(transport.take()).toEqual([reply("1", crashed)]);
  expect(crashes).toHaveLength(1);
});

test("[C16] a channel may close the connection: with 1008 unless it says otherwise", () => {
  const script: Script = {
    handleIn: (channel, _event, code) => channel.socket.close(code === null ? undefined : (code as number)),
  };
  for (const [given, code] of [
    [null, 1008],
    [1001, 1001],
  ]) {
    const { transport, receive } = connect({ "room:*": script });
    receive("1", "1", topic, "phx_join");
    receive("1", "2", topic, "close", given);
    expect(transport.closeCodes).toEqual([code]);
  }
});

test("[C6] a channel that is to be joined again ends with phx_error, and is no crash", async () => {
  const reasons: unknown[] = [];
  const script: Script = {
    handleIn: (channel) => channel.stop(new Rejoin("of a test")),
    terminate: (_channel, reason) => void reasons.push(reason),
  };
  const { transport, receive, crashes } = connect({ "room:*": script });
  receive("1", "1", topic, "phx_join");
  transport.take();
  receive("1", "2", topic, "go");
  await settle();
  expect(transport.take()).toEqual([["1", "1", topic, "phx_error", { reason: "channel_crash" }]]);
  expect([crashes, reasons]).toEqual([[], [expect.any(Rejoin)]]);
});
