import { describe, expect, test } from "@jest/globals";
import { NewestSockets } from "../../server/messaging/newest-sockets.js";
import { type RateLimitOptions, RateLimits, TokenBucket, WindowLimit } from "../../server/messaging/rate-limits.js";
import { FakeClock } from "../support/fake-clock.js";
import { createRandom, seedOfRun } from "../support/random.js";

const defaults: RateLimitOptions = {
  perSecondPerSocket: 5,
  burstPerSocket: 20,
  eventsPerSecondPerSocket: 20,
  perMinutePerUser: 100,
  perSecondPerBusiness: 100,
};
const ana = { businessId: "B1", userId: "ana" };

describe("[L15] a bucket", () => {
  const taken = (bucket: TokenBucket, now: number) => {
    let count = 0;
    while (bucket.wait(now) === 0) {
      bucket.take(now);
      count += 1;
    }
    return count;
  };

  test("lets its burst through at once, and then as many as it is filled with", () => {
    const bucket = new TokenBucket({ perSecond: 5, burst: 20 });
    expect([taken(bucket, 1000), taken(bucket, 1000), bucket.wait(1000)]).toEqual([20, 0, 200]);
    expect([taken(bucket, 1199), bucket.wait(1199)]).toEqual([0, 1]);
    expect([taken(bucket, 1200), taken(bucket, 2200), taken(bucket, 60_000)]).toEqual([1, 5, 20]);
  });

  test("who waits as long as it is told may", () => {
    const random = createRandom(seedOfRun);
    const bucket = new TokenBucket({ perSecond: 3, burst: 2 });
    for (let now = 0, round = 0; round < 1000; round += 1) {
      const wait = bucket.wait(now);
      now += wait;
      expect(bucket.wait(now)).toBe(0);
      bucket.take(now);
      now += Math.floor(random() * 500);
    }
  });

  test("of no rate is none, and a burst of none still lets one through", () => {
    const unlimited = new TokenBucket({ perSecond: 0, burst: 1 });
    for (let count = 0; count < 1000; count += 1) {
      expect(unlimited.wait(0)).toBe(0);
      unlimited.take(0);
    }
    const least = new TokenBucket({ perSecond: 1, burst: 0 });
    expect([taken(least, 0), taken(least, 1000)]).toEqual([1, 1]);
  });
});

describe("[L16] a window", () => {
  test("begins with the first of a key, and counts each key for itself", () => {
    const limit = new WindowLimit(1000);
    for (const key of ["a", "a", "b"]) limit.take(key, 500);
    expect([limit.wait("a", 2, 500), limit.wait("a", 2, 1499), limit.wait("b", 2, 500)]).toEqual([1000, 1, 0]);
    expect([limit.wait("a", 2, 1500), limit.wait("a", 3, 500), limit.wait("a", 0, 500)]).toEqual([0, 0, 0]);
  });

  test("keys whose window is over are forgotten; of too many the oldest goes first", () => {
    const limit = new WindowLimit(1000, 3);
    for (const key of ["a", "b", "c", "d"]) limit.take(key, 0);
    expect([limit.size, limit.wait("a", 1, 0), limit.wait("b", 1, 0)]).toEqual([3, 0, 1000]);
    limit.take("e", 1000);
    expect(limit.size).toBe(1);
  });
});

describe("[L15] [L16] [L17] [O-06] who may speak", () => {
  function limitsOf(options: Partial<RateLimitOptions> = {}) {
    const clock = new FakeClock();
    return { clock, limits: new RateLimits(clock, { ...defaults, ...options }) };
  }

  test("a user's sockets share a minute", () => {
    const { clock, limits } = limitsOf({ perSecondPerSocket: 0 });
    const sockets = [limits.ofSocket(), limits.ofSocket()];
    for (let count = 0; count < 100; count += 1) expect(limits.take(sockets[count % 2]!, ana)).toBe(0);
    clock.advance(59_000);
    expect(sockets.map((socket) => limits.take(socket, ana))).toEqual([1000, 1000]);
    expect(limits.take(sockets[0]!, { ...ana, userId: "ion" })).toBe(0);
    expect(limits.take(sockets[0]!, { ...ana, businessId: "B2" })).toBe(0);
    clock.advance(1000);
    expect(limits.take(sockets[1]!, ana)).toBe(0);
  });

  test("what one of them refuses counts for none", () => {
    const { clock, limits } = limitsOf({ perSecondPerBusiness: 1 });
    const socket = limits.ofSocket();
    expect(limits.take(socket, ana)).toBe(0);
    for (let count = 0; count < 200; count += 1) expect(limits.take(socket, ana)).toBe(1000);
    // Neither the burst of 20 nor the 100 of the minute are used up.
    for (let count = 0; count < 19; count += 1) {
      clock.advance(1000);
      expect(limits.take(socket, ana)).toBe(0);
    }
  });

  test("the users of a business share a second, and a business may say less", () => {
    const { limits } = limitsOf();
    const say = (userId: string, businessId = "B1", own: Parameters<RateLimits["take"]>[1]["limits"] = {}) =>
      limits.take(null, { businessId, userId, limits: own });
    for (let count = 0; count < 100; count += 1) expect(say(`user${count}`)).toBe(0);
    expect([say("one more"), say("one more", "B2")]).toEqual([1000, 0]);
    expect([say("c", "B3", { messagesPerSecond: 1 }), say("d", "B3", { messagesPerSecond: 1 })]).toEqual([0, 1000]);
    const slow = { messagesPerMinutePerUser: 1 };
    expect([say("e", "B4", slow), say("e", "B4", slow), say("f", "B4", slow)]).toEqual([0, 60_000, 0]);
  });

  test("a business that would let more through than the server does not", () => {
    const wide = { messagesPerMinutePerUser: 1000, messagesPerSecond: 1000 };
    const { limits } = limitsOf({ perMinutePerUser: 2, perSecondPerBusiness: 3 });
    const say = (userId: string) => limits.take(null, { businessId: "B1", userId, limits: wide });
    expect([say("a"), say("a"), say("a"), say("b"), say("c")]).toEqual([0, 0, 60_000, 0, 1000]);
    const { limits: unlimited } = limitsOf({ perMinutePerUser: 0, perSecondPerBusiness: 0 });
    const narrow = { messagesPerSecond: 1 };
    const sayThere = () => unlimited.take(null, { businessId: "B1", userId: "a", limits: narrow });
    expect([sayThere(), sayThere()]).toEqual([0, 1000]);
  });

  test("[L18] a hundred refusals within ten seconds are a mistake; one more is not, whenever they come", () => {
    const { clock, limits } = limitsOf();
    const socket = limits.ofSocket();
    clock.advance(9900);
    for (let count = 0; count < 100; count += 1) expect(socket.refused()).toBe(false);
    expect(socket.refused()).toBe(true);
    clock.advance(200);
    expect([socket.refused(), socket.refused(), socket.refused()]).toEqual([false, false, true]);
    clock.advance(10_000);
    expect(socket.refused()).toBe(false);
  });

  test("[L21] events of any kind have a limit of their own", () => {
    const { clock, limits } = limitsOf();
    const socket = limits.ofSocket();
    for (let count = 0; count < 100; count += 1) expect(socket.event()).toBe(0);
    expect(socket.event()).toBe(50);
    clock.advance(50);
    expect([socket.event(), socket.event()]).toEqual([0, 50]);
    expect(limits.take(socket, ana)).toBe(0);
  });
});

describe("[L19] [O-05] the sockets of a user", () => {
  test("the newest stay; one that leaves makes room; nothing is kept of users who have gone", () => {
    const parked: string[] = [];
    const sockets = new NewestSockets(2);
    const add = (user: string, name: string) =>
      sockets.add(user, { park: () => void parked.push(name) }, () => undefined);
    const [first, second] = [add("ana", "1"), add("ana", "2")];
    add("ion", "other")();
    const third = add("ana", "3");
    expect(parked).toEqual(["1"]);
    second();
    const fourth = add("ana", "4");
    expect([parked, sockets.size]).toEqual([["1"], 1]);
    for (const remove of [first, third, fourth, fourth]) remove();
    expect(sockets.size).toBe(0);
  });

  test("without a limit none is parked", () => {
    const sockets = new NewestSockets(0);
    const park = () => {
      throw new Error("parked");
    };
    for (let count = 0; count < 100; count += 1) sockets.add("ana", { park }, park);
  });
});
