import { describe, expect, test } from "@jest/globals";
import { error, ok, stop } from "../../server/channel/channel.js";
import { Presence } from "../../server/presence/presence.js";
import { PubSub } from "../../server/pubsub/pubsub.js";
import { FakeClock } from "../support/fake-clock.js";
import { connect, deferred, type Script, settle } from "../support/scripted-channel.js";

const topic = "room:1";
const okReply = (ref: unknown, on = topic, joinRef: unknown = "1") => [
  joinRef,
  ref,
  on,
  "phx_reply",
  { status: "ok", response: {} },
];
const lingerMs = 5000;

/** A room that says what happens in it; `slow` waits for its gate. */
function slowRoom(more: Script = {}) {
  const log: string[] = [];
  const gate = deferred();
  const script: Script = {
    handleIn: async (channel, event) => {
      log.push(event);
      if (event === "slow") await gate.promise;
      channel.push("pushed", {});
      log.push(`${event} done`);
      return ok();
    },
    terminate: (_channel, reason) => void log.push(`terminate ${String(reason)}`),
    ...more,
  };
  const pubsub = new PubSub();
  const clock = new FakeClock();
  const room = connect({ "room:*": script }, { pubsub, clock, limits: { maxLingerMs: lingerMs } });
  room.receive("1", "1", topic, "phx_join");
  room.transport.take();
  return { ...room, pubsub, clock, gate, log };
}

describe("what a client had sent before it went", () => {
  test("[C9] C-07 is handled first, in order, and terminate comes last", async () => {
    const { transport, socket, pubsub, gate, log, clock, receive } = slowRoom();
    receive("1", "2", topic, "slow");
    receive("1", "3", topic, "second");
    transport.close(1001);
    socket.closed();
    // Nothing can be delivered any more, so nothing is subscribed.
    expect([log, pubsub.topicCount, socket.channelCount]).toEqual([["slow"], 0, 0]);
    gate.resolve();
    await settle();
    expect(log).toEqual(["slow", "slow done", "second", "second done", "terminate closed"]);
    expect([transport.sent, clock.timerCount]).toEqual([[], 0]);
  });

  test("[C9] what a handler sends itself afterwards is not handled, a leave before is, and gives the reason", async () => {
    const { transport, gate, log, receive } = slowRoom({ handleInfo: () => void log.push("info") });
    receive("1", "2", topic, "slow");
    receive("1", "3", topic, "phx_leave");
    await settle();
    transport.close(1001);
    gate.resolve();
    await settle();
    expect(log).toEqual(["slow", "slow done", "terminate left"]);
  });

  test.each<[name: string, result: () => unknown, reason: string]>([
    ["stops", () => stop("normal"), "terminate normal"],
    ["crashes", () => Promise.reject(new Error("boom")), "terminate Error: boom"],
  ])("[C9] a handler that %s ends the channel itself, once", async (_name, result, reason) => {
    const gate = deferred();
    const { transport, log, clock, receive } = slowRoom({
      handleIn: () => gate.promise.then(result) as never,
    });
    receive("1", "2", topic, "slow");
    receive("1", "3", topic, "slow");
    transport.close(1001);
    gate.resolve();
    await settle();
    expect([log, clock.timerCount]).toEqual([[reason], 0]);
  });

  test("[C9] broadcasts of such a handler reach the others, and who is present leaves with its channel", async () => {
    const pubsub = new PubSub();
    const presence = new Presence({ pubsub });
    const gate = deferred();
    const script: Script = {
      handleIn: async (channel) => {
        presence.track(channel, "me", {});
        await gate.promise;
        channel.broadcast("said", {});
      },
    };
    const leaver = connect({ "room:*": script }, { pubsub });
    const other = connect({ "room:*": {} }, { pubsub });
    for (const { receive } of [leaver, other]) receive("1", "1", topic, "phx_join");
    leaver.receive("1", "2", topic, "go");
    leaver.transport.close(1001);
    expect(Object.keys(presence.list(topic))).toEqual(["me"]);
    gate.resolve();
    await settle();
    const events = (other.transport.take() as unknown[][]).map((frame) => frame[3]);
    expect([events, presence.topicCount]).toEqual([["phx_reply", "presence_diff", "said", "presence_diff"], 0]);
  });

  test("[L13] a handler that never ends holds its channel no longer than the limit", async () => {
    const { transport, log, clock, gate, receive } = slowRoom();
    receive("1", "2", topic, "slow");
    receive("1", "3", topic, "second");
    transport.close(1001);
    clock.advance(lingerMs - 1);
    expect(log).toEqual(["slow"]);
    clock.advance(1);
    expect([log, clock.timerCount]).toEqual([["slow", "terminate closed"], 0]);
    gate.resolve();
    await settle();
    expect(log).toEqual(["slow", "terminate closed", "slow done"]);
  });

  test("[L13] a terminate that never ends does not keep phx_error from the client", async () => {
    const { transport, clock, receive } = slowRoom({
      handleIn: () => {
        throw new Error("boom");
      },
      terminate: () => new Promise<void>(() => undefined),
    });
    receive("1", "2", topic, "crash");
    await settle();
    expect(transport.take()).toEqual([]);
    clock.advance(lingerMs);
    expect(transport.take()).toEqual([["1", "1", topic, "phx_error", { reason: "channel_crash" }]]);
    receive(null, "3", topic, "anything");
    expect(transport.take()).toMatchObject([[null, "3", topic, "phx_reply", { status: "error" }]]);
  });
});

describe("a socket that goes while a join is being decided", () => {
  function joining(reply: ReturnType<typeof ok>, more: Script = {}) {
    const gate = deferred();
    const log: string[] = [];
    const script: Script = {
      join: async (channel) => {
        channel.socket.subscribe("user:7", { as: topic });
        await gate.promise;
        channel.socket.subscribe("user:8", { as: topic });
        channel.send("joined");
        return reply;
      },
      handleIn: (_channel, event) => void log.push(event),
      handleInfo: (_channel, message) => void log.push(String(message)),
      terminate: (_channel, reason) => void log.push(`terminate ${String(reason)}`),
      ...more,
    };
    const pubsub = new PubSub();
    const clock = new FakeClock();
    const room = connect({ "room:*": script, "quick:*": script }, { pubsub, clock, limits: { maxLingerMs: lingerMs } });
    room.receive("1", "1", topic, "phx_join");
    return { ...room, pubsub, clock, gate, log };
  }

  test("[C9] a join that then says ok terminates, after what was sent behind it", async () => {
    const { transport, socket, pubsub, gate, log, clock, receive } = joining(ok());
    receive("1", "2", topic, "said");
    transport.close(1001);
    receive("1", "3", topic, "too late");
    expect(pubsub.topicCount).toBe(0);
    gate.resolve();
    await settle();
    expect(log).toEqual(["joined", "said", "terminate closed"]);
    expect([transport.sent, pubsub.topicCount, socket.channelCount, clock.timerCount]).toEqual([[], 0, 0, 0]);
  });

  test("[C9] one that is refused then does not", async () => {
    const { transport, gate, log, clock } = joining(error());
    transport.close(1001);
    gate.resolve();
    await settle();
    expect([log, clock.timerCount]).toEqual([[], 0]);
  });

  test("[C9] joins that waited behind it are not begun, and what is for a joined channel is handled", async () => {
    const gate = deferred();
    const log: string[] = [];
    const script = (name: string): Script => ({
      join: () => (name === "slow" ? gate.promise.then(() => ok()) : (log.push(`join ${name}`), ok())),
      handleIn: (_channel, event) => void log.push(`${event} ${name}`),
      terminate: () => void log.push(`terminate ${name}`),
    });
    const { transport, socket, receive } = connect({ slow: script("slow"), quick: script("quick") });
    receive("1", "1", "slow", "phx_join");
    receive("2", "2", "quick", "phx_join");
    receive("2", "3", "quick", "said");
    receive("1", "4", "slow", "said");
    transport.close(1001);
    gate.resolve();
    await settle();
    expect([log, socket.channelCount]).toEqual([["said slow", "terminate slow"], 0]);
  });

  test("[L13] a join that never ends is given up, and terminates when it says ok after all", async () => {
    const { transport, gate, log, clock, pubsub, receive } = joining(ok());
    receive("1", "2", topic, "said");
    transport.close(1001);
    clock.advance(lingerMs);
    expect([log, clock.timerCount]).toEqual([[], 0]);
    gate.resolve();
    await settle();
    expect([log, pubsub.topicCount]).toEqual([["terminate closed"], 0]);
  });
});

describe("an end that comes while a join is being decided", () => {
  function joining() {
    const gate = deferred();
    const pubsub = new PubSub();
    const script: Script = { join: () => gate.promise.then(() => ok()), handleIn: () => ok() };
    const room = connect({ "room:*": script }, { pubsub, id: "me" });
    room.receive("1", "1", topic, "phx_join");
    room.receive("1", "2", topic, "echo");
    return { ...room, gate, pubsub };
  }

  test("[R8] a malformed frame waits its turn: what came before it is answered", async () => {
    const { socket, transport, gate, receive } = joining();
    socket.receiveText("{bad");
    receive("1", "3", topic, "after");
    expect(transport.closeCodes).toEqual([]);
    gate.resolve();
    await settle();
    expect([transport.take(), transport.closeCodes]).toEqual([[okReply("1"), okReply("2")], [1011]]);
  });

  test("[R8] so does a binary one, and a disconnect", async () => {
    for (const [end, code] of [
      [({ socket }: ReturnType<typeof joining>) => socket.receiveBinary(Buffer.from([9])), 1011],
      [({ pubsub }: ReturnType<typeof joining>) => pubsub.broadcast("me", "disconnect", {}), 1001],
    ] as const) {
      const room = joining();
      end(room);
      room.receive("1", "3", topic, "after");
      expect(room.transport.closeCodes).toEqual([]);
      room.gate.resolve();
      await settle();
      expect([room.transport.take(), room.transport.closeCodes]).toEqual([[okReply("1"), okReply("2")], [code]]);
    }
  });

  test("[T8] who waits for a frame to be handled is told before an end that came later, and not after one", async () => {
    const { socket, gate, pubsub } = joining();
    const settled: string[] = [];
    socket.whenSettled(() => settled.push("before"));
    pubsub.broadcast("me", "disconnect", {});
    socket.whenSettled(() => settled.push("after"));
    expect(settled).toEqual([]);
    gate.resolve();
    await settle();
    expect(settled).toEqual(["before"]);
  });
});
