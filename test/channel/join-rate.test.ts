import { describe, expect, test } from "@jest/globals";
import { ok } from "../../server/channel/channel.js";
import { joinTaken, joinWaitMs } from "../../server/channel/join-rate.js";
import { phoenixLimits, type SocketLimits } from "../../server/channel/limits.js";
import { PubSub } from "../../server/pubsub/pubsub.js";
import { FakeClock } from "../support/fake-clock.js";
import { connect, deferred, type Script, settle } from "../support/scripted-channel.js";

const topic = "room:1";
const join = "phx_join";
const limits = { maxChannels: 3, maxJoinsPerSecond: 10 };

const refsOf = (frames: unknown[], event: string) =>
  (frames as unknown[][]).filter((frame) => frame[3] === event).map((frame) => frame[1]);

/** A room that counts how often it is joined. */
function room(more: Partial<SocketLimits> = {}, script: Script = {}) {
  const clock = new FakeClock();
  const pubsub = new PubSub();
  const counts = { joins: 0 };
  const counting: Script = {
    join: () => {
      counts.joins += 1;
      return ok();
    },
    handleIn: () => ok(),
    ...script,
  };
  const connected = connect({ "room:*": counting }, { clock, pubsub, limits: { ...limits, ...more }, id: "user:1" });
  return { ...connected, clock, pubsub, counts };
}

describe("[L24] O-01 the rate of joins", () => {
  test.each([
    [{ maxChannels: 3 }, 3],
    [{ maxChannels: 0 }, 100],
  ])("lets as many at once as %j, and then fills evenly", (given, burst) => {
    const all = { ...phoenixLimits, ...given, maxJoinsPerSecond: 10 };
    let fullAt = -Infinity;
    for (let count = 0; count < burst; count += 1) {
      expect(joinWaitMs(fullAt, 5000, all)).toBe(0);
      fullAt = joinTaken(fullAt, 5000, all);
    }
    expect([5000, 5040, 5100, 5200].map((now) => joinWaitMs(fullAt, now, all))).toEqual([100, 60, 0, 0]);
    expect(joinWaitMs(joinTaken(fullAt, 5100, all), 5100, all)).toBe(100);
    expect(joinWaitMs(fullAt, 60_000, all)).toBe(0);
  });

  test("makes a join wait, and what comes after it, and refuses nothing", async () => {
    const { transport, receive, clock } = room();
    for (let ref = 1; ref <= 5; ref += 1) receive(`${ref}`, `${ref}`, topic, join);
    receive(null, "6", "phoenix", "heartbeat");
    await settle();
    expect([refsOf(transport.take(), "phx_reply"), transport.isPaused]).toEqual([["1", "2", "3"], true]);
    clock.advance(99);
    expect(transport.take()).toEqual([]);
    clock.advance(1);
    expect([refsOf(transport.take(), "phx_reply"), transport.isPaused]).toEqual([["4"], true]);
    clock.advance(100);
    expect([refsOf(transport.take(), "phx_reply"), transport.isPaused]).toEqual([["5", "6"], false]);
    expect(clock.timerCount).toBe(0);
    receive("5", "7", topic, "said");
    expect(refsOf(transport.take(), "phx_reply")).toEqual(["7"]);
  });

  test("is not limited unless it is asked for", () => {
    const { receive, counts, clock } = room({ maxJoinsPerSecond: 0 });
    for (let ref = 1; ref <= 1000; ref += 1) receive(`${ref}`, `${ref}`, topic, join);
    expect([counts.joins, clock.timerCount]).toEqual([1000, 0]);
  });

  test("counts each topic's joins, those that match nothing too, and nothing else", () => {
    const { transport, receive } = room();
    receive("1", "1", topic, join);
    for (let ref = 2; ref <= 50; ref += 1) receive("1", `${ref}`, topic, "said");
    receive("51", "51", "nowhere", join);
    receive("52", "52", "room:2", join);
    expect([transport.sent.length, transport.isPaused]).toEqual([52, false]);
    receive("53", "53", "room:3", join);
    expect([transport.sent.length, transport.isPaused]).toEqual([52, true]);
  });

  test("[C9] joins that were not begun are not when the socket has gone; what it had said is handled", async () => {
    const log: string[] = [];
    const { transport, receive, clock, pubsub, counts, socket } = room(
      {},
      { handleIn: (_channel, event) => void log.push(event), terminate: () => void log.push("terminate") },
    );
    receive("1", "1", topic, join);
    for (let ref = 2; ref <= 3000; ref += 1) receive(`${ref}`, `${ref}`, "room:2", join);
    receive("1", "3001", topic, "said");
    expect(counts.joins).toBe(3);
    transport.close(1001);
    expect([counts.joins, log]).toEqual([3, ["terminate", "said", "terminate", "terminate"]]);
    await settle();
    clock.advance(60_000);
    expect([counts.joins, clock.timerCount, pubsub.topicCount, socket.channelCount]).toEqual([3, 0, 0, 0]);
  });

  test.each<[string, (parts: ReturnType<typeof room>) => void, number]>([
    ["a disconnect", ({ pubsub }) => pubsub.broadcast("user:1", "disconnect", {}), 1001],
    ["a malformed frame", ({ socket }) => socket.receiveText("oops"), 1011],
  ])("does not keep %s waiting behind joins for which there is no room", (_name, end, code) => {
    const parts = room();
    for (let ref = 1; ref <= 100; ref += 1) parts.receive(`${ref}`, `${ref}`, topic, join);
    end(parts);
    expect([parts.transport.closeCodes, parts.counts.joins, parts.clock.timerCount]).toEqual([[code], 3, 0]);
  });

  test("[R8] joins that waited for one are taken no faster", async () => {
    const gate = deferred();
    const { transport, receive, clock } = room(
      {},
      { join: (_channel, payload) => (payload === "slow" ? gate.promise.then(() => ok()) : ok()) },
    );
    receive("1", "1", topic, join, "slow");
    for (let ref = 2; ref <= 5; ref += 1) receive(`${ref}`, `${ref}`, topic, join);
    gate.resolve();
    await settle();
    expect([refsOf(transport.take(), "phx_reply"), transport.isPaused]).toEqual([["1", "2", "3"], true]);
    clock.advance(1000);
    expect([refsOf(transport.take(), "phx_reply"), transport.isPaused]).toEqual([["4", "5"], false]);
  });
});

describe("[R8] O-01 joins that wait for one another", () => {
  test("are taken a few at a time, so that others have their turn between them", async () => {
    const gate = deferred();
    let joins = 0;
    const { receive } = room(
      { maxJoinsPerSecond: 0 },
      { join: (_channel, payload) => ((joins += 1), payload === "slow" ? gate.promise.then(() => ok()) : ok()) },
    );
    receive("0", "0", topic, join, "slow");
    for (let ref = 1; ref <= 100; ref += 1) receive(`${ref}`, `${ref}`, topic, join);
    gate.resolve();
    const seen: number[] = [];
    while (joins < 101 && seen.length < 100) {
      await settle();
      seen.push(joins);
    }
    expect([Math.max(...seen.map((count, turn) => count - (seen[turn - 1] ?? 1))), joins]).toEqual([8, 101]);
  });

  test("also where each of them only waits for its promise", async () => {
    let joins = 0;
    const { receive, transport } = room(
      { maxJoinsPerSecond: 0 },
      { join: () => ((joins += 1), Promise.resolve(ok())) },
    );
    for (let ref = 1; ref <= 30; ref += 1) receive(`${ref}`, `${ref}`, topic, join);
    receive(null, "31", "phoenix", "heartbeat");
    await settle();
    expect(joins).toBeLessThan(12);
    for (let turn = 0; turn < 6; turn += 1) await settle();
    expect(refsOf(transport.take(), "phx_reply").at(-1)).toBe("31");
  });

  test("[C9] are forgotten with their socket, in the middle of it", async () => {
    const gate = deferred();
    let joins = 0;
    const { receive, transport, pubsub } = room(
      { maxJoinsPerSecond: 0 },
      { join: (_channel, payload) => ((joins += 1), payload === "slow" ? gate.promise.then(() => ok()) : ok()) },
    );
    receive("0", "0", topic, join, "slow");
    for (let ref = 1; ref <= 100; ref += 1) receive(`${ref}`, `${ref}`, topic, join);
    gate.resolve();
    await Promise.resolve();
    for (let turn = 0; turn < 20 && joins < 9; turn += 1) await Promise.resolve();
    expect(joins).toBe(9);
    transport.close(1001);
    await settle();
    await settle();
    expect([joins, pubsub.topicCount]).toEqual([9, 0]);
  });
});
