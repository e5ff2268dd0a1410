import { describe, expect, test } from "@jest/globals";
import { v2 } from "../../protocol/v2.js";
import { type Channel, ok, PubSub, Telemetry } from "../../server/bennu.js";
import { phoenixLimits } from "../../server/channel/limits.js";
import { Topics } from "../../server/channel/topics.js";
import { LongPollSession } from "../../server/transports/longpoll-session.js";
import { defaultLongPoll } from "../../server/transports/mount.js";
import { FakeClock } from "../support/fake-clock.js";
import { connect, deferred, ScriptedChannel, settle } from "../support/scripted-channel.js";

/** A session of long-poll in two rooms, each also told what is said in the hall. */
async function joined() {
  const clock = new FakeClock();
  const pubsub = new PubSub();
  const rooms = new Map<string, ScriptedChannel>();
  const make = (): Channel => {
    const channel: ScriptedChannel = new ScriptedChannel({
      join: () => {
        rooms.set(channel.topic, channel);
        channel.socket.subscribe("hall", { as: channel.topic });
        return ok();
      },
      handleIn: (_channel, _event, payload) => ok(payload),
    });
    return channel;
  };
  const telemetry = new Telemetry();
  const topics = new Topics({ "room:*": make });
  const session = new LongPollSession({
    token: "t",
    authToken: null,
    options: defaultLongPoll,
    maxBodyBytes: defaultLongPoll.maxBodyBytes,
    clock,
    context: { mount: "/socket", topics, limits: phoenixLimits, pubsub, telemetry, clock },
    serializer: v2,
    identity: { id: null, assigns: {} },
    onError: (cause) => expect(cause).toBeUndefined(),
    onClosed: () => undefined,
  });
  const receive = (...message: unknown[]) =>
    session.receive({ isText: true, bytes: Buffer.from(JSON.stringify(message)) });
  for (const ref of ["1", "2"]) await receive(ref, ref, `room:${ref}`, "phx_join", {});
  /** What the next poll is given at once: topic and event of each. */
  const poll = () => {
    const got: string[] = [];
    session.poll((frames) => {
      for (const frame of frames) {
        const [, , topic, event] = JSON.parse(frame as string) as string[];
        got.push(`${topic} ${event}`);
      }
    })();
    return got;
  };
  poll();
  return { session, pubsub, receive, poll, one: rooms.get("room:1")!, two: rooms.get("room:2")! };
}

describe("[C17] what was sent and is not on its way", () => {
  test("is forgotten of one channel: its pushes, its replies and what it was told", async () => {
    const { pubsub, receive, poll, one } = await joined();
    pubsub.broadcast("hall", "secret", {});
    pubsub.broadcast("room:1", "secret", {});
    pubsub.broadcast("room:2", "news", {});
    one.push("secret", {});
    await receive("1", "3", "room:1", "ask", {});
    expect(one.socket.dropUnsent()).toBe(true);
    one.stop("shutdown");
    expect(poll()).toEqual(["room:2 secret", "room:2 news", "room:1 phx_close"]);
    expect(one.socket.dropUnsent()).toBe(false);
  });

  test("is nothing any more once a poll has taken it", async () => {
    const { pubsub, poll, one } = await joined();
    pubsub.broadcast("room:1", "news", {});
    expect(poll()).toEqual(["room:1 news"]);
    expect(one.socket.dropUnsent()).toBe(false);
  });

  test("is not for a channel that has ended, whose topic another may have taken", async () => {
    const { pubsub, receive, poll, one } = await joined();
    await receive("9", "9", "room:1", "phx_join", {});
    poll();
    pubsub.broadcast("room:1", "news", {});
    expect([one.socket.dropUnsent(), poll()]).toEqual([false, ["room:1 news"]]);
  });

  test("[T13] is not taken: a fence behind it calls nobody back, and those of others do", async () => {
    const { one, two, poll } = await joined();
    const taken: string[] = [];
    one.push("secret", {});
    one.socket.fence(() => taken.push("one"));
    two.push("news", {});
    two.socket.fence(() => taken.push("two"));
    one.socket.dropUnsent();
    one.socket.fence(() => taken.push("later"));
    expect(poll()).toEqual(["room:2 news"]);
    poll();
    expect(taken).toEqual(["two", "later"]);
  });

  test("[T13] leaves the fences where there was nothing", async () => {
    const { one, poll } = await joined();
    const taken: string[] = [];
    one.push("news", {});
    one.socket.fence(() => taken.push("one"));
    poll();
    one.socket.dropUnsent();
    poll();
    expect(taken).toEqual(["one"]);
  });

  test("[R8] is also what waits for a join of the same socket", async () => {
    const gate = deferred();
    const rooms: ScriptedChannel[] = [];
    const { transport, receive } = connect({
      "room:*": { join: (channel) => (rooms.push(channel), ok()) },
      slow: { join: () => gate.promise.then(() => ok()) },
    });
    receive("1", "1", "room:1", "phx_join");
    receive("2", "2", "room:2", "phx_join");
    receive("3", "3", "slow", "phx_join");
    transport.take();
    for (const room of rooms) room.push("news", {});
    expect([rooms[0]!.socket.dropUnsent(), rooms[0]!.socket.dropUnsent()]).toEqual([true, false]);
    gate.resolve();
    await settle();
    expect((transport.take() as unknown[][]).map((frame) => `${String(frame[2])} ${String(frame[3])}`)).toEqual([
      "slow phx_reply",
      "room:2 news",
    ]);
  });
});
