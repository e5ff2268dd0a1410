import { describe, expect, test } from "@jest/globals";
import { v1 } from "../../protocol/v1.js";
import { error, ok } from "../../server/channel/channel.js";
import { PubSub } from "../../server/pubsub/pubsub.js";
import { connect, deferred, type Script, settle } from "../support/scripted-channel.js";

const topic = "room:1";
const okReply = (joinRef: unknown, ref: unknown, response: unknown = {}, on = topic) => [
  joinRef,
  ref,
  on,
  "phx_reply",
  { status: "ok", response },
];
const errorReply = (joinRef: unknown, ref: unknown, reason: string, on = topic) => [
  joinRef,
  ref,
  on,
  "phx_reply",
  { status: "error", response: { reason } },
];
const close = (joinRef: unknown, on = topic) => [joinRef, joinRef, on, "phx_close", {}];
const echo: Script = { handleIn: (_channel, _event, payload) => ok(payload) };

describe("messages that meet no channel", () => {
  test("[R1] answers a heartbeat with join_ref null, and its ref as it was sent", () => {
    const { transport, receive } = connect({});
    receive("7", "1", "phoenix", "heartbeat");
    receive(null, 5, "phoenix", "heartbeat", "anything");
    expect(transport.take()).toEqual([okReply(null, "1", {}, "phoenix"), okReply(null, 5, {}, "phoenix")]);
  });

  test.each<unknown>(["nope", "room", "", "phoenix", null, 5, {}, []])("[R2] [W8] %j is unmatched", (unknown) => {
    const { transport, receive } = connect({ "room:*": echo });
    receive("1", "2", unknown, "phx_join");
    receive("1", "3", unknown, "ping");
    const on = unknown as string;
    expect(transport.take()).toEqual([
      errorReply(null, "2", "unmatched topic", on),
      errorReply(null, "3", "unmatched topic", on),
    ]);
  });

  test("[R2] a topic with a channel that was not joined is unmatched too", () => {
    const { transport, receive } = connect({ "room:*": echo });
    receive("1", "2", topic, "ping");
    receive("1", "3", topic, "phx_reply");
    expect(transport.take()).toEqual([
      errorReply(null, "2", "unmatched topic"),
      errorReply(null, "3", "unmatched topic"),
    ]);
  });

  test("[R3] a leave of what is not joined is ok, with the join_ref that was sent", () => {
    const { transport, receive } = connect({ "room:*": echo });
    receive("1", "2", topic, "phx_leave");
    receive(null, "3", "nope", "phx_leave");
    expect(transport.take()).toEqual([okReply("1", "2"), okReply(null, "3", {}, "nope")]);
  });

  test.each(["{oops", "", "5", "null", "[1,2,3,4]", '{"topic":"a"}'])("[W7] %j closes 1011, unanswered", (text) => {
    const { socket, transport } = connect({});
    socket.receiveText(text);
    expect([transport.sent, transport.closeCodes]).toEqual([[], [1011]]);
  });

  test("[W7] a binary frame that is no message closes 1011, unanswered", () => {
    const { socket, transport } = connect({});
    socket.receiveBinary(Buffer.from([0, 1, 2]));
    expect([transport.sent, transport.closeCodes]).toEqual([[], [1011]]);
  });

  test("[W7] nothing is handled after the end", () => {
    const { socket, transport, receive } = connect({ "room:*": echo });
    socket.receiveText("oops");
    receive("1", "1", topic, "phx_join");
    socket.receiveBinary(Buffer.from([9]));
    expect([transport.sent, transport.closeCodes, socket.channelCount]).toEqual([[], [1011], 0]);
  });
});

describe("stale join_refs", () => {
  test("[R4] a push and a leave with another join_ref are dropped", () => {
    const { socket, transport, receive } = connect({ "room:*": echo });
    receive("1", "1", topic, "phx_join");
    transport.take();
    for (const stale of ["0", 1, "", false]) {
      receive(stale, "2", topic, "ping");
      receive(stale, "3", topic, "phx_leave");
    }
    expect([transport.take(), socket.channelCount]).toEqual([[], 1]);
  });

  test("[R4] without a join_ref it is for whichever channel there is", async () => {
    const { transport, receive } = connect({ "room:*": echo });
    receive("1", "1", topic, "phx_join");
    receive(null, "2", topic, "ping", { a: 1 });
    receive(null, "3", topic, "phx_leave");
    await settle();
    expect(transport.take().slice(1)).toEqual([okReply("1", "2", { a: 1 }), okReply("1", "3"), close("1")]);
  });
});

describe("a join of a joined topic", () => {
  const greeting: Script = {
    join: (channel, payload) => {
      channel.send("hello");
      return payload === "no" ? error({ reason: "no" }) : ok(payload);
    },
    handleInfo: (channel, message) => channel.push(String(message), {}),
  };

  test("[R5] C-02 the new join's reply, then phx_close of the old, then what the new one pushes", () => {
    const pubsub = new PubSub();
    const { socket, transport, receive } = connect({ "room:*": greeting }, { pubsub });
    receive("1", "1", topic, "phx_join", { n: 1 });
    receive("2", "2", topic, "phx_join", { n: 2 });
    expect(transport.take()).toEqual([
      okReply("1", "1", { n: 1 }),
      ["1", null, topic, "hello", {}],
      okReply("2", "2", { n: 2 }),
      close("1"),
      ["2", null, topic, "hello", {}],
    ]);
    pubsub.broadcast(topic, "once", {});
    expect([transport.take(), socket.channelCount]).toEqual([[[null, null, topic, "once", {}]], 1]);
  });

  test("[R5] C-03 the same with the same join_ref", () => {
    const pubsub = new PubSub();
    const { transport, receive } = connect({ "room:*": {} }, { pubsub });
    receive("1", "1", topic, "phx_join");
    receive("1", "2", topic, "phx_join");
    expect(transport.take()).toEqual([okReply("1", "1"), okReply("1", "2"), close("1")]);
    pubsub.broadcast(topic, "once", {});
    expect(transport.take()).toHaveLength(1);
  });

  test("[R5] C-02 the old one is gone even when the new join is refused", () => {
    const pubsub = new PubSub();
    const { socket, transport, receive } = connect({ "room:*": greeting }, { pubsub });
    receive("1", "1", topic, "phx_join");
    transport.take();
    receive("2", "2", topic, "phx_join", "no");
    expect(transport.take()).toEqual([errorReply("2", "2", "no"), close("1")]);
    receive("1", "3", topic, "ping");
    expect(transport.take()).toEqual([errorReply(null, "3", "unmatched topic")]);
    expect([socket.channelCount, pubsub.topicCount]).toEqual([0, 0]);
  });

  test("[R5] the old channel is told, before the new one is asked", () => {
    const log: string[] = [];
    const script: Script = {
      join: (_channel, payload) => {
        log.push(`join ${String(payload)}`);
        return ok();
      },
      terminate: (_channel, reason) => void log.push(String(reason)),
    };
    const { receive } = connect({ "room:*": script });
    receive("1", "1", topic, "phx_join", 1);
    receive("2", "2", topic, "phx_join", 2);
    expect(log).toEqual(["join 1", "duplicate join", "join 2"]);
  });

  test("[R5] C-02 200 rejoins in a row leave one channel and one subscription", async () => {
    const pubsub = new PubSub();
    const slow: Script = { join: async () => (await settle(), ok()) };
    const { socket, transport, receive } = connect({ "room:*": slow }, { pubsub });
    for (let ref = 1; ref <= 200; ref += 1) receive(String(ref), String(ref), topic, "phx_join");
    while (transport.sent.length < 399) await settle();
    const expected = Array.from({ length: 200 }, (_, index) => [
      okReply(`${index + 1}`, `${index + 1}`),
      close(`${index}`),
    ]);
    expect(transport.take()).toEqual(expected.flat().filter((_frame, index) => index !== 1));
    pubsub.broadcast(topic, "once", {});
    expect([transport.take().length, socket.channelCount]).toEqual([1, 1]);
  });
});

describe("leaves", () => {
  test("[R6] answers ok, then phx_close whose ref is the join_ref", async () => {
    const pubsub = new PubSub();
    const { socket, transport, receive } = connect({ "room:*": {} }, { pubsub });
    receive("1", "1", topic, "phx_join");
    receive("1", "2", topic, "phx_leave");
    await settle();
    expect(transport.take()).toEqual([okReply("1", "1"), okReply("1", "2"), close("1")]);
    expect([socket.channelCount, pubsub.topicCount]).toEqual([0, 0]);
  });

  test("[R6] a join in the same packet overtakes the leave, which is not answered", async () => {
    const { socket, transport, receive } = connect({ "room:*": {} });
    receive("1", "1", topic, "phx_join");
    receive("1", "2", topic, "phx_leave");
    receive("3", "3", topic, "phx_join");
    await settle();
    expect(transport.take()).toEqual([okReply("1", "1"), okReply("3", "3"), close("1")]);
    expect(socket.channelCount).toBe(1);
  });

  test("[R6] C-06 join, leave and join in one packet end joined", async () => {
    const { transport, receive } = connect({ "room:*": { join: () => Promise.resolve(ok()) } });
    receive("1", "1", topic, "phx_join");
    receive("1", "2", topic, "phx_leave");
    receive("3", "3", topic, "phx_join");
    receive("3", "4", topic, "phx_leave");
    receive("5", "5", topic, "phx_join");
    await settle();
    expect(transport.take()).toEqual([okReply("1", "1"), okReply("3", "3"), close("1"), okReply("5", "5"), close("3")]);
  });

  test("[R7] C-06 a channel that is leaving takes nothing any more", async () => {
    const handled: unknown[] = [];
    const script: Script = { handleIn: (_channel, event) => void handled.push(event) };
    const { transport, receive } = connect({ "room:*": script });
    receive("1", "1", topic, "phx_join");
    receive("1", "2", topic, "before");
    receive("1", "3", topic, "phx_leave");
    receive("1", "4", topic, "after");
    receive(null, "5", topic, "after");
    receive("1", "6", topic, "phx_leave");
    await settle();
    expect(handled).toEqual(["before"]);
    expect(transport.take()).toEqual([okReply("1", "1"), okReply("1", "3"), close("1")]);
    receive("1", "7", topic, "after");
    expect(transport.take()).toEqual([errorReply(null, "7", "unmatched topic")]);
  });

  test("[R6] a leave waits for what came before it", async () => {
    const gate = deferred();
    const script: Script = { handleIn: () => gate.promise.then(() => ok()) };
    const { transport, receive } = connect({ "room:*": script });
    receive("1", "1", topic, "phx_join");
    receive("1", "2", topic, "slow");
    receive("1", "3", topic, "phx_leave");
    await settle();
    expect(transport.take()).toEqual([okReply("1", "1")]);
    gate.resolve();
    await settle();
    expect(transport.take()).toEqual([okReply("1", "2"), okReply("1", "3"), close("1")]);
  });
});

describe("a join that takes time", () => {
  test("[R8] holds back what the socket receives and what it sends, in order", async () => {
    const gate = deferred();
    const pubsub = new PubSub();
    const scripts = { "slow:*": { join: () => gate.promise.then(() => ok()) }, "room:*": echo };
    const { transport, receive } = connect(scripts, { pubsub });
    receive("1", "1", topic, "phx_join");
    transport.take();
    receive("2", "2", "slow:1", "phx_join");
    receive(null, "3", "phoenix", "heartbeat");
    receive("1", "4", topic, "ping");
    receive("2", "5", "slow:1", "phx_leave");
    pubsub.broadcast(topic, "meanwhile", { n: 1 });
    pubsub.broadcast("slow:1", "too_early", {});
    await settle();
    expect(transport.take()).toEqual([]);
    gate.resolve();
    await settle();
    expect(transport.take()).toEqual([
      okReply("2", "2", {}, "slow:1"),
      [null, null, topic, "meanwhile", { n: 1 }],
      okReply(null, "3", {}, "phoenix"),
      okReply("1", "4"),
      okReply("2", "5", {}, "slow:1"),
      close("2", "slow:1"),
    ]);
  });

  test("[R8] 20,000 joins that wait for it keep the stack flat", async () => {
    const gate = deferred();
    const { socket, transport, receive } = connect({
      "slow:*": { join: () => gate.promise.then(() => ok()) },
      "room:*": {},
    });
    receive("0", "0", "slow:1", "phx_join");
    for (let ref = 1; ref <= 20_000; ref += 1) receive("1", String(ref), topic, "phx_join");
    gate.resolve();
    const sentMax = 1 + 20_000 + 19_999;
    // A few of them a turn.
    for (let turns = 0; turns < 20_000 && transport.sent.length < sentMax; turns += 1) await settle();
    expect(transport.sent).toHaveLength(sentMax);
    expect([socket.channelCount, transport.closeCodes]).toEqual([2, []]);
  });

  test("[R8] a join that cannot be answered at all costs the connection, not the process", async () => {
    const deep = "[".repeat(20_000) + "]".repeat(20_000);
    for (const join of [() => ok(), () => Promise.resolve(ok())]) {
      const { socket, transport } = connect({ "room:*": { join } });
      const receive = () => socket.receiveText(`[${deep},"1","room:1","phx_join",{}]`);
      // A transport closes a connection over which it cannot hand on a frame.
      try {
        receive();
      } catch {
        transport.close(1011);
      }
      await settle();
      expect([transport.sent, transport.closeCodes, socket.channelCount]).toEqual([[], [1011], 0]);
    }
  });

  test("[R8] what cannot be answered after it costs the connection, not the process", async () => {
    const { socket, transport, receive } = connect({ "room:*": { join: () => Promise.resolve(ok()) } });
    receive("1", "1", topic, "phx_join");
    socket.receiveText(`[null,"2",${"[".repeat(20_000)}${"]".repeat(20_000)},"x",{}]`);
    receive(null, "3", "phoenix", "heartbeat");
    await settle();
    expect([transport.sent, transport.closeCodes]).toEqual([[okReply("1", "1")], [1011]]);
  });

  test("[L9] stops reading from the limit on, until fewer wait", async () => {
    const gate = deferred();
    const { transport, receive } = connect(
      { "room:*": { join: () => gate.promise.then(() => ok()) } },
      { limits: { maxWaitingFrames: 3 } },
    );
    receive("1", "1", topic, "phx_join");
    receive(null, "2", "phoenix", "heartbeat");
    receive(null, "3", "phoenix", "heartbeat");
    expect(transport.isPaused).toBe(false);
    receive(null, "4", "phoenix", "heartbeat");
    expect(transport.isPaused).toBe(true);
    gate.resolve();
    await settle();
    expect([transport.isPaused, transport.sent.length]).toEqual([false, 4]);
  });

  test("[L9] closes 1013 when more is held back than its limit", async () => {
    const gate = deferred();
    const pubsub = new PubSub();
    const scripts = { "slow:*": { join: () => gate.promise.then(() => ok()) }, "room:*": {} };
    const { transport, receive } = connect(scripts, { pubsub, limits: { maxHeldBytes: 1000 } });
    receive("1", "1", topic, "phx_join");
    receive("2", "2", "slow:1", "phx_join");
    pubsub.broadcast(topic, "big", { text: "x".repeat(500) });
    expect(transport.closeCodes).toEqual([]);
    pubsub.broadcast(topic, "big", { text: "x".repeat(500) });
    expect(transport.closeCodes).toEqual([1013]);
    gate.resolve();
    await settle();
    expect([transport.sent, pubsub.topicCount]).toEqual([[okReply("1", "1")], 0]);
  });
});

describe("socket.subscribe", () => {
  const script: Script = {
    join: async (channel, payload) => {
      channel.socket.subscribe("user:7", { as: topic });
      await settle();
      return payload === "no" ? error({ reason: "no" }) : ok();
    },
  };

  test("[R10] what is broadcast during the join comes after its reply, under the other name", async () => {
    const pubsub = new PubSub();
    const { transport, receive } = connect({ "room:*": script }, { pubsub });
    receive("1", "1", topic, "phx_join");
    pubsub.broadcast("user:7", "news", { n: 1 });
    while (transport.sent.length < 2) await settle();
    pubsub.broadcast("user:7", "news", { n: 2 });
    expect(transport.take()).toEqual([
      okReply("1", "1"),
      [null, null, topic, "news", { n: 1 }],
      [null, null, topic, "news", { n: 2 }],
    ]);
  });

  test("[R10] ends with the channel", async () => {
    const pubsub = new PubSub();
    const { transport, receive } = connect({ "room:*": script }, { pubsub });
    receive("1", "1", topic, "phx_join");
    receive("1", "2", topic, "phx_leave");
    while (transport.sent.length < 3) await settle();
    pubsub.broadcast("user:7", "news", {});
    expect(transport.take().slice(1)).toEqual([okReply("1", "2"), close("1")]);
    expect(pubsub.topicCount).toBe(0);
  });

  test("[R10] a refused join leaves nothing behind", async () => {
    const pubsub = new PubSub();
    const { transport, receive } = connect({ "room:*": script }, { pubsub });
    receive("1", "1", topic, "phx_join", "no");
    while (transport.sent.length < 1) await settle();
    expect(transport.take()).toEqual([errorReply("1", "1", "no")]);
    expect(pubsub.topicCount).toBe(0);
  });

  test("[R10] under the name of another channel of the socket, and not of one that there is not", () => {
    const pubsub = new PubSub();
    const errors: unknown[] = [];
    const other: Script = {
      join: (channel) => {
        channel.socket.subscribe("user:7", { as: topic });
        try {
          channel.socket.subscribe("user:7", { as: "room:2" });
        } catch (cause) {
          errors.push(cause);
        }
        return ok();
      },
    };
    const { transport, receive } = connect({ "room:*": {}, other }, { pubsub });
    receive("1", "1", topic, "phx_join");
    receive("2", "2", "other", "phx_join");
    transport.take();
    pubsub.broadcast("user:7", "news", {});
    expect(transport.take()).toEqual([[null, null, topic, "news", {}]]);
    expect(errors).toEqual([new Error("this socket has no channel on room:2")]);
  });
});

describe("the end of the socket", () => {
  test("[C9] every channel terminates, and no subscription stays behind", () => {
    const pubsub = new PubSub();
    const log: unknown[] = [];
    const script: Script = {
      join: (channel) => {
        channel.socket.subscribe("user:7", { as: channel.topic });
        return ok();
      },
      terminate: (channel, reason) => {
        log.push([channel.topic, reason]);
        channel.push("too_late", {});
      },
    };
    const { socket, transport, receive } = connect({ "room:*": script }, { pubsub, id: "user_socket:7" });
    receive("1", "1", "room:1", "phx_join");
    receive("2", "2", "room:2", "phx_join");
    transport.take();
    expect(pubsub.topicCount).toBe(4);
    transport.close(1001);
    socket.closed();
    expect(log).toEqual([
      ["room:1", "closed"],
      ["room:2", "closed"],
    ]);
    expect([pubsub.topicCount, socket.channelCount, transport.sent]).toEqual([0, 0, []]);
  });

  test.each([
    ["accepted", ok()],
    ["refused", error({ reason: "no" })],
  ])(
    "[C9] C-07 closed while joining: nothing is sent and nothing stays, when it would have been %s",
    async (_name, reply) => {
      const pubsub = new PubSub();
      const gate = deferred();
      const script: Script = {
        join: async (channel) => {
          channel.socket.subscribe("user:7", { as: topic });
          await gate.promise;
          channel.socket.subscribe("user:8", { as: topic });
          return reply;
        },
      };
      const { socket, transport, receive } = connect({ "room:*": script }, { pubsub });
      receive("1", "1", topic, "phx_join");
      receive(null, "2", "phoenix", "heartbeat");
      transport.close(1001);
      expect(pubsub.topicCount).toBe(0);
      gate.resolve();
      await settle();
      expect([transport.sent, pubsub.topicCount, socket.channelCount]).toEqual([[], 0, 0]);
    },
  );

  test("[W11] a broadcast of disconnect on its id closes 1001; other events and other ids do nothing", () => {
    const pubsub = new PubSub();
    const { transport } = connect({}, { pubsub, id: "user_socket:7" });
    pubsub.broadcast("user_socket:7", "something", {});
    pubsub.broadcast("user_socket:8", "disconnect", {});
    expect(transport.closeCodes).toEqual([]);
    pubsub.broadcast("user_socket:7", "disconnect", {});
    expect([transport.closeCodes, transport.sent, pubsub.topicCount]).toEqual([[1001], [], 0]);
  });
});

describe("limits", () => {
  test("[L5] one channel too many is refused; a rejoin at the limit works, and a join after a leave", async () => {
    const { transport, receive } = connect({ "room:*": {} }, { limits: { maxChannels: 2 } });
    receive("1", "1", "room:1", "phx_join");
    receive("2", "2", "room:2", "phx_join");
    receive("3", "3", "room:3", "phx_join");
    receive("4", "4", "room:1", "phx_join");
    receive("2", "5", "room:2", "phx_leave");
    await settle();
    receive("6", "6", "room:3", "phx_join");
    expect(transport.take()).toEqual([
      okReply("1", "1", {}, "room:1"),
      okReply("2", "2", {}, "room:2"),
      errorReply("3", "3", "too many channels joined", "room:3"),
      okReply("4", "4", {}, "room:1"),
      close("1", "room:1"),
      okReply("2", "5", {}, "room:2"),
      close("2", "room:2"),
      okReply("6", "6", {}, "room:3"),
    ]);
  });

  test("[L2] [L3] [L4] what is too deep, too long or no ref", () => {
    const limits = { maxJsonDepth: 3, maxTopicBytes: 10, maxEventBytes: 8, maxRefBytes: 4 };
    const { transport, receive } = connect({ "*": {} }, { limits });
    receive("1", "1", topic, "phx_join", { a: [[]] });
    receive("1", "2", "room:12345", "phx_join", {});
    receive("1", "3", "room:123456", "phx_join", {});
    receive("1", "4", topic, "nine_bytes", {});
    expect(transport.take()).toEqual([
      errorReply("1", "1", "invalid_payload"),
      okReply("1", "2", {}, "room:12345"),
      errorReply(null, "3", "unmatched topic", "room:123456"),
      errorReply("1", "4", "event too long"),
    ]);
    receive("12345", "5", topic, "phx_join", {});
    expect([transport.sent, transport.closeCodes]).toEqual([[], [1011]]);
  });
});

test("[W3] a version 1 client gets the same without a join_ref", async () => {
  const { socket, transport } = connect({ "room:*": echo }, { serializer: v1 });
  const receive = (ref: unknown, event: string, payload: unknown = {}) =>
    socket.receiveText(JSON.stringify({ topic, event, payload, ref }));
  receive("1", "phx_join");
  receive("2", "ping", { a: 1 });
  receive("3", "phx_leave");
  await settle();
  expect(transport.take()).toEqual([
    { topic, event: "phx_reply", payload: { status: "ok", response: {} }, ref: "1" },
    { topic, event: "phx_reply", payload: { status: "ok", response: { a: 1 } }, ref: "2" },
    { topic, event: "phx_reply", payload: { status: "ok", response: {} }, ref: "3" },
    { topic, event: "phx_close", payload: {}, ref: null },
  ]);
});
