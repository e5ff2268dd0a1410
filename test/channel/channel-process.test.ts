import { runInNewContext } from "node:vm";
import { describe, expect, test } from "@jest/globals";
import { error, type HandleResult, type JoinResult, Killed, ok, portOf, stop } from "../../server/channel/channel.js";
import { PubSub } from "../../server/pubsub/pubsub.js";
import { connect, deferred, type Script, type ScriptedChannel, settle } from "../support/scripted-channel.js";

const topic = "room:1";
const okReply = (ref: unknown, response: unknown = {}, joinRef: unknown = "1") => [
  joinRef,
  ref,
  topic,
  "phx_reply",
  { status: "ok", response },
];
const crashed = ["1", "1", topic, "phx_error", { reason: "channel_crash" }];
const closed = ["1", "1", topic, "phx_close", {}];
const boom = new Error("boom");

/** A socket that has joined, and whose join's reply was read. */
function joinedTo(script: Script, options: Parameters<typeof connect>[1] = {}): ReturnType<typeof connect> {
  const connected = connect({ "room:*": script }, options);
  connected.receive("1", "1", topic, "phx_join");
  connected.transport.take();
  return connected;
}

describe("one at a time", () => {
  test("[C1] a slow handler holds back the next message of its channel, and of no other", async () => {
    const gate = deferred();
    const script: Script = {
      handleIn: (_channel, event) => (event === "slow" ? gate.promise.then(() => ok(event)) : ok(event)),
    };
    const { transport, receive } = joinedTo(script);
    receive("2", "2", "room:2", "phx_join");
    transport.take();
    receive("1", "3", topic, "slow");
    receive("1", "4", topic, "fast");
    receive("2", "5", "room:2", "fast");
    receive(null, "6", "phoenix", "heartbeat");
    expect((transport.take() as unknown[][]).map((frame) => frame[1])).toEqual(["5", "6"]);
    gate.resolve();
    await settle();
    expect(transport.take()).toEqual([okReply("3", "slow"), okReply("4", "fast")]);
  });

  test("[R9] push, broadcast, push and reply of one handler arrive in that order", () => {
    const script: Script = {
      handleIn: (channel, _event, payload) => {
        channel.push("a", {});
        channel.broadcast("b", {});
        channel.push("c", {});
        return ok(payload);
      },
    };
    const { transport, receive } = joinedTo(script);
    receive("1", "2", topic, "all", 5);
    expect(transport.take()).toEqual([
      ["1", null, topic, "a", {}],
      [null, null, topic, "b", {}],
      ["1", null, topic, "c", {}],
      okReply("2", 5),
    ]);
  });

  test("[L9] a backlog at the limit stops the reading, until it is worked off", async () => {
    const gate = deferred();
    const { transport, receive } = joinedTo({ handleIn: () => gate.promise }, { limits: { maxWaitingFrames: 3 } });
    for (const ref of ["2", "3", "4"]) receive("1", ref, topic, "slow");
    expect(transport.isPaused).toBe(false);
    receive("1", "5", topic, "slow");
    expect(transport.isPaused).toBe(true);
    gate.resolve();
    await settle();
    expect(transport.isPaused).toBe(false);
  });

  test("[L9] reads on when the channel that held it up is gone", async () => {
    const gate = deferred();
    const { transport, receive } = joinedTo({ handleIn: () => gate.promise }, { limits: { maxWaitingFrames: 1 } });
    receive("1", "2", topic, "slow");
    receive("1", "3", topic, "slow");
    expect(transport.isPaused).toBe(true);
    gate.reject(boom);
    await settle();
    expect([transport.isPaused, transport.take()]).toEqual([false, [crashed]]);
  });

  test("[L9] a channel that does not keep up with its broadcasts crashes", async () => {
    const pubsub = new PubSub();
    const gate = deferred();
    const script: Script = { intercepts: ["news"], handleOut: () => gate.promise };
    const { transport, crashes } = joinedTo(script, { pubsub, limits: { maxChannelBacklog: 2 } });
    for (let index = 0; index < 3; index += 1) pubsub.broadcast(topic, "news", {});
    expect(transport.sent).toEqual([]);
    pubsub.broadcast(topic, "news", {});
    expect([transport.take(), crashes.length, pubsub.topicCount]).toEqual([[crashed], 1, 0]);
    gate.resolve();
    await settle();
    expect(transport.sent).toEqual([]);
  });
});

describe("joins that go wrong", () => {
  const joins: [name: string, join: (channel: ScriptedChannel) => unknown][] = [
    [
      "throws",
      () => {
        throw boom;
      },
    ],
    ["rejects", () => Promise.reject(boom)],
    [
      "kills itself",
      () => {
        throw new Killed();
      },
    ],
    ["returns nothing", () => undefined],
    ["returns null", () => null],
    ["returns a word", () => "ok"],
    ["returns another status", () => ({ status: "maybe" })],
    ["returns stop()", () => stop()],
    ["resolves with nonsense", () => Promise.resolve({})],
    [
      "pushes",
      (channel) => {
        channel.push("too_early", {});
        return ok();
      },
    ],
    [
      "broadcasts",
      (channel) => {
        channel.broadcast("too_early", {});
        return ok();
      },
    ],
    [
      "broadcasts to others",
      (channel) => {
        channel.broadcastFrom("too_early", {});
        return ok();
      },
    ],
  ];

  test.each(joins)("[C2] a join that %s is answered, and the connection lives", async (_name, join) => {
    const pubsub = new PubSub();
    const script: Script = {
      join: (channel) => {
        channel.socket.subscribe("user:7", { as: topic });
        return join(channel) as JoinResult;
      },
    };
    const { socket, transport, crashes, receive } = connect({ "room:*": script }, { pubsub });
    receive("1", "1", topic, "phx_join");
    await settle();
    receive(null, "2", "phoenix", "heartbeat");
    expect(transport.take()).toEqual([
      ["1", "1", topic, "phx_reply", { status: "error", response: { reason: "join crashed" } }],
      [null, "2", "phoenix", "phx_reply", { status: "ok", response: {} }],
    ]);
    expect([socket.channelCount, pubsub.topicCount, transport.closeCodes]).toEqual([0, 0, []]);
    expect(crashes).toEqual([["phx_join", expect.any(Error)]]);
  });

  test("[C2] a join may resolve with a promise of another realm, as libraries and test runners have them", async () => {
    const foreign = runInNewContext('Promise.resolve({ status: "ok", response: "late" })') as Promise<JoinResult>;
    expect(foreign).not.toBeInstanceOf(Promise);
    const { transport, receive } = connect({ "room:*": { join: () => foreign } });
    receive("1", "1", topic, "phx_join");
    await settle();
    expect(transport.take()).toEqual([okReply("1", "late")]);
  });

  test("[C2] a constructor that throws is a join that does", () => {
    const script = Object.defineProperty({}, "intercepts", {
      get: () => {
        throw boom;
      },
    }) as Script;
    const { transport, receive } = connect({ "room:*": script });
    receive("1", "1", topic, "phx_join");
    expect(transport.take()).toEqual([
      ["1", "1", topic, "phx_reply", { status: "error", response: { reason: "join crashed" } }],
    ]);
  });
});

describe("handlers that go wrong", () => {
  const handlers: [name: string, handle: (channel: ScriptedChannel) => unknown][] = [
    [
      "throws",
      () => {
        throw boom;
      },
    ],
    ["rejects", () => Promise.reject(boom)],
    ["returns a word", () => "ok"],
    ["returns null", () => null],
    ["returns a status that is no word", () => ({ status: 5 })],
    ["resolves with nonsense", () => Promise.resolve(7)],
    ["pushes what is no object", (channel) => channel.push("bad", "x")],
    ["replies with what JSON does not know", () => ok(1n)],
    ["stops for a reason of its own", () => stop(boom)],
  ];

  test.each(handlers)("[C3] C-10 one that %s ends its channel alone, and answers nothing", async (_name, handle) => {
    const pubsub = new PubSub();
    const reasons: unknown[] = [];
    const script: Script = {
      handleIn: (channel, event) => (event === "bad" ? (handle(channel) as HandleResult) : ok()),
      terminate: (_channel, reason) => void reasons.push(reason),
    };
    const { transport, crashes, receive } = joinedTo(script, { pubsub });
    receive("2", "2", "room:2", "phx_join");
    transport.take();
    receive("1", "3", topic, "bad");
    await settle();
    expect(transport.take()).toEqual([crashed]);
    expect([crashes.length, reasons.length, pubsub.topicCount]).toEqual([1, 1, 1]);
    expect(reasons[0]).toBeInstanceOf(Error);
    receive("2", "4", "room:2", "good");
    receive("1", "5", topic, "good");
    receive("6", "6", topic, "phx_join");
    receive("6", "7", topic, "good");
    expect(
      (transport.take() as unknown[][]).map(([joinRef, ref, , , payload]) => [
        joinRef,
        ref,
        (payload as { status: string }).status,
      ]),
    ).toEqual([
      ["2", "4", "ok"],
      [null, "5", "error"],
      ["6", "6", "ok"],
      ["6", "7", "ok"],
    ]);
  });

  test("[C3] a message that waits for a handler that crashes is not handled", async () => {
    const gate = deferred();
    const handled: string[] = [];
    const script: Script = {
      handleIn: async (_channel, event) => {
        handled.push(event);
        await gate.promise;
      },
    };
    const { transport, receive } = joinedTo(script);
    receive("1", "2", topic, "first");
    receive("1", "3", topic, "second");
    gate.reject(boom);
    await settle();
    expect([handled, transport.take()]).toEqual([["first"], [crashed]]);
  });

  test("[C3] Killed ends it without terminate", () => {
    const reasons: unknown[] = [];
    const script: Script = {
      handleIn: () => {
        throw new Killed();
      },
      terminate: (_channel, reason) => void reasons.push(reason),
    };
    const { transport, receive } = joinedTo(script);
    receive("1", "2", topic, "kill");
    expect([transport.take(), reasons]).toEqual([[crashed], []]);
  });

  test.each<unknown>(["unknown", "phx_reply", "phx_close", "phx_error", null, 5, {}])(
    "[C4] [W8] the event %j, for which there is no handler, crashes the channel",
    (event) => {
      const { transport, receive } = joinedTo({});
      receive("1", "2", topic, event);
      expect(transport.take()).toEqual([crashed]);
    },
  );

  test("[C3] handleInfo and handleOut crash it too", () => {
    for (const event of ["info", "out"]) {
      const pubsub = new PubSub();
      const script: Script = {
        intercepts: ["out"],
        handleIn: (channel) => channel.send("x"),
        handleInfo: () => {
          throw boom;
        },
        handleOut: () => {
          throw boom;
        },
      };
      const { transport, crashes, receive } = joinedTo(script, { pubsub });
      if (event === "out") pubsub.broadcast(topic, "out", {});
      else receive("1", "2", topic, "go");
      expect([transport.take(), crashes]).toEqual([[crashed], [[event, boom]]]);
    }
  });
});

describe("replies", () => {
  test.each<[result: HandleResult, status: string, response: unknown]>([
    [ok(), "ok", {}],
    [error(), "error", {}],
    [ok(null), "ok", null],
    [ok([1]), "ok", [1]],
    [ok("x"), "ok", "x"],
    [ok(0), "ok", 0],
    [{ status: "custom", response: { a: 1 } }, "custom", { a: 1 }],
  ])("[C5] %j", (result, status, response) => {
    const { transport, receive } = joinedTo({ handleIn: () => result });
    receive("1", "2", topic, "ping");
    expect(transport.take()).toEqual([["1", "2", topic, "phx_reply", { status, response }]]);
  });

  test("[C5] of bytes leaves as a binary frame", () => {
    const { transport, receive } = joinedTo({ handleIn: () => ok(Uint8Array.of(7)) });
    receive("1", "2", topic, "ping");
    const header = [1, 1, 1, topic.length, 2];
    expect(transport.take()).toEqual([Uint8Array.from([...header, ...Buffer.from(`12${topic}ok`), 7])]);
  });

  test("[C5] may be sent later, and not after the end", async () => {
    let late: (() => void) | null = null;
    const script: Script = {
      handleIn: (channel, _event, _payload, ref) => {
        late = () => channel.reply(ref, ok("late"));
      },
    };
    const { transport, receive } = joinedTo(script);
    receive("1", "2", topic, "ping");
    expect(transport.take()).toEqual([]);
    late!();
    expect(transport.take()).toEqual([okReply("2", "late")]);
    receive("1", "3", topic, "phx_leave");
    await settle();
    transport.take();
    late!();
    expect(transport.take()).toEqual([]);
  });
});

describe("stop", () => {
  test.each<[reason: unknown, last: unknown]>([
    ["normal", closed],
    ["shutdown", closed],
    [boom, crashed],
    ["anything", crashed],
    [null, crashed],
  ])("[C6] for %p", (reason, last) => {
    const reasons: unknown[] = [];
    const script: Script = { handleIn: () => stop(reason), terminate: (_channel, why) => void reasons.push(why) };
    const { socket, transport, receive } = joinedTo(script);
    receive("1", "2", topic, "ping");
    expect([transport.take(), reasons, socket.channelCount]).toEqual([[last], [reason], 0]);
  });

  test.each<[reason: unknown, last: unknown]>([
    ["normal", closed],
    [boom, crashed],
  ])("[C6] for %p, its reply goes first", (reason, last) => {
    const { transport, receive } = joinedTo({ handleIn: () => stop(reason, ok("bye")) });
    receive("1", "2", topic, "ping");
    expect(transport.take()).toEqual([okReply("2", "bye"), last]);
  });

  test("[C6] from outside a handler, after what waits", async () => {
    const gate = deferred();
    let channel: ScriptedChannel | null = null;
    const script: Script = {
      handleIn: (self) => {
        channel = self;
        return gate.promise.then(() => ok());
      },
    };
    const { transport, receive } = joinedTo(script);
    receive("1", "2", topic, "slow");
    channel!.stop();
    expect(transport.take()).toEqual([]);
    gate.resolve();
    await settle();
    expect(transport.take()).toEqual([okReply("2"), closed]);
  });

  test("[C6] during the join, it ends after the join's reply", async () => {
    const pubsub = new PubSub();
    const script: Script = {
      join: async (channel) => {
        channel.stop();
        await settle();
        return ok();
      },
    };
    const { socket, transport, receive } = connect({ "room:*": script }, { pubsub });
    receive("1", "1", topic, "phx_join");
    while (transport.sent.length < 2) await settle();
    expect(transport.take()).toEqual([okReply("1"), closed]);
    expect([socket.channelCount, pubsub.topicCount]).toEqual([0, 0]);
  });
});

describe("terminate", () => {
  const script = (handle: () => HandleResult): Script => ({
    handleIn: handle,
    terminate: (channel) => channel.push("bye", {}),
  });
  const bye = ["1", null, topic, "bye", {}];

  test("[C7] what it pushes comes after phx_close", async () => {
    const { transport, receive } = joinedTo(script(() => stop()));
    receive("1", "2", topic, "ping");
    expect(transport.take()).toEqual([closed, bye]);
    receive("1", "3", topic, "phx_join");
    transport.take();
    receive("1", "4", topic, "phx_leave");
    await settle();
    expect(transport.take()).toEqual([okReply("4"), closed, bye]);
  });

  test("[C7] what it pushes comes before phx_error", () => {
    const { transport, receive } = joinedTo(
      script(() => {
        throw boom;
      }),
    );
    receive("1", "2", topic, "ping");
    expect(transport.take()).toEqual([bye, crashed]);
  });

  test("[C7] phx_error waits for a terminate that takes time; nothing is handled meanwhile", async () => {
    const gate = deferred();
    const handled: string[] = [];
    const { transport, receive } = joinedTo({
      handleIn: (_channel, event) => {
        handled.push(event);
        throw boom;
      },
      terminate: async (channel) => {
        await gate.promise;
        channel.push("bye", {});
      },
    });
    receive("1", "2", topic, "first");
    receive("1", "3", topic, "second");
    expect(transport.take()).toEqual([]);
    gate.resolve();
    await settle();
    expect([transport.take(), handled]).toEqual([[bye, crashed], ["first"]]);
  });

  test("[C7] a terminate that goes wrong changes nothing of the end", async () => {
    for (const terminate of [
      () => {
        throw boom;
      },
      () => Promise.reject(boom),
    ]) {
      const { transport, crashes, receive } = joinedTo({ handleIn: () => stop(boom), terminate });
      receive("1", "2", topic, "ping");
      await settle();
      expect(transport.take()).toEqual([crashed]);
      expect(crashes.map(([event]) => event)).toEqual(["ping", "terminate"]);
    }
  });
});

describe("a handler that still runs when its channel ends", () => {
  const late = [null, null, topic, "late", {}];

  /** A room in which `slow` waits for the gate, and then does all that a handler may. */
  function slowRoom(terminate?: Script["terminate"], result?: (channel: ScriptedChannel) => unknown) {
    const gate = deferred();
    const terminated = deferred();
    const script: Script = {
      intercepts: ["flood"],
      handleIn: async (channel, event, _payload, ref) => {
        if (event !== "slow") return ok();
        await gate.promise;
        channel.push("late", {});
        channel.reply(ref, ok());
        channel.send("late");
        channel.broadcast("late", {});
        return result?.(channel) as HandleResult;
      },
      terminate: async (channel) => {
        await terminate?.(channel, null);
        await terminated.promise;
      },
    };
    const pubsub = new PubSub();
    const room = joinedTo(script, { pubsub, limits: { maxChannelBacklog: 2 } });
    const other = joinedTo({}, { pubsub });
    room.receive("1", "2", topic, "slow");
    /** Ends the channel while the handler waits. */
    const flood = () => {
      for (let count = 0; count < 3; count += 1) pubsub.broadcast(topic, "flood", {});
      other.transport.take();
    };
    return { ...room, pubsub, other, gate, terminated, flood };
  }

  const results: [name: string, result: (channel: ScriptedChannel) => unknown][] = [
    ["a reply", () => ok()],
    ["a stop", () => stop("normal", ok())],
    ["a stop for a reason", () => stop(boom, ok())],
    ["nonsense", () => "nonsense"],
    ["a throw", () => Promise.reject(boom)],
    ["a push of what is no object", (channel) => channel.push("bad", "x")],
  ];

  /** What it throws harms nobody any more, but is told. (SPEC C13) */
  const toldOf = (name: string) => (name === "a throw" ? [["slow", boom]] : []);

  test.each(results)("[C11] its pushes, replies and result are dropped: crash, %s", async (name, result) => {
    const { transport, other, gate, terminated, flood, crashes } = slowRoom(undefined, result);
    flood();
    gate.resolve();
    await settle();
    expect([transport.take(), other.transport.take()]).toEqual([[], [late]]);
    terminated.resolve();
    await settle();
    expect([transport.take(), crashes.length]).toEqual([[crashed], 1 + toldOf(name).length]);
  });

  test.each(results)("[C11] [R5] its pushes, replies and result are dropped: rejoin, %s", async (name, result) => {
    const { transport, other, gate, terminated, crashes, receive } = slowRoom(undefined, result);
    receive("3", "3", topic, "phx_join");
    expect(transport.take()).toEqual([okReply("3", {}, "3"), closed]);
    gate.resolve();
    await settle();
    // What it broadcasts is for the whole topic, and so for the new join too.
    expect([transport.take(), other.transport.take()]).toEqual([[late], [late]]);
    terminated.resolve();
    await settle();
    expect([transport.take(), crashes]).toEqual([[], toldOf(name)]);
  });

  test("[C11] [R6] a leave waits for it, so that it is heard to its end", async () => {
    const { transport, gate, terminated, receive } = slowRoom();
    receive("1", "3", topic, "phx_leave");
    await settle();
    gate.resolve();
    await settle();
    const pushed = ["1", null, topic, "late", {}];
    expect(transport.take()).toEqual([pushed, okReply("2"), late, okReply("3"), closed]);
    terminated.resolve();
    await settle();
    expect(transport.take()).toEqual([]);
  });

  test("[C11] one that ends its own channel is not heard either, from there on", async () => {
    const terminated = deferred();
    const pubsub = new PubSub();
    const { transport, receive } = joinedTo(
      {
        intercepts: ["flood"],
        handleIn: (channel) => {
          channel.push("before", {});
          for (let count = 0; count < 2; count += 1) channel.broadcast("flood", {});
          channel.push("after", {});
          return ok();
        },
        terminate: () => terminated.promise,
      },
      { pubsub, limits: { maxChannelBacklog: 1 } },
    );
    receive("1", "2", topic, "slow");
    terminated.resolve();
    await settle();
    expect(transport.take()).toEqual([["1", null, topic, "before", {}], crashed]);
  });

  test("[C7] [C11] meanwhile terminate pushes what it does at once, and after the handler whatever it likes", async () => {
    const [first, second] = [deferred(), deferred()];
    const { transport, gate, terminated, flood } = slowRoom(async (channel) => {
      channel.push("bye", { n: 1 });
      await first.promise;
      channel.push("bye", { n: 2 });
      await second.promise;
      channel.push("bye", { n: 3 });
    });
    const pushed = (n: number) => ["1", null, topic, "bye", { n }];
    flood();
    expect(transport.take()).toEqual([pushed(1)]);
    first.resolve();
    await settle();
    gate.resolve();
    await settle();
    second.resolve();
    terminated.resolve();
    await settle();
    expect(transport.take()).toEqual([pushed(3), crashed]);
  });
});

describe("a join without a join_ref", () => {
  test("[C8] lends its ref to pushes and replies; phx_close carries null, and the ref is stale", async () => {
    const script: Script = {
      handleIn: (channel, _event, payload) => {
        channel.push("pushed", {});
        return ok(payload);
      },
    };
    const { transport, receive } = connect({ "room:*": script });
    receive(null, "5", topic, "phx_join");
    receive(null, "6", topic, "ping", 1);
    receive("5", "7", topic, "ping", 1);
    receive(null, "8", topic, "phx_leave");
    await settle();
    expect(transport.take()).toEqual([
      okReply("5", {}, null),
      ["5", null, topic, "pushed", {}],
      okReply("6", 1, "5"),
      okReply("8", {}, "5"),
      [null, null, topic, "phx_close", {}],
    ]);
  });

  test("[C8] phx_error carries null", () => {
    const { transport, receive } = connect({ "room:*": {} });
    receive(null, "5", topic, "phx_join");
    receive(null, "6", topic, "unknown");
    expect(transport.take().slice(1)).toEqual([[null, null, topic, "phx_error", { reason: "channel_crash" }]]);
  });
});

describe("broadcasts", () => {
  test("[R9] reach every subscriber once, broadcastFrom all but the sender", () => {
    const pubsub = new PubSub();
    const script: Script = {
      handleIn: (channel, event) =>
        event === "all" ? channel.broadcast("news", {}) : channel.broadcastFrom("news", {}),
    };
    const [first, second] = [joinedTo(script, { pubsub }), joinedTo(script, { pubsub })];
    const news = [null, null, topic, "news", {}];
    first.receive("1", "2", topic, "all");
    expect([first.transport.take(), second.transport.take()]).toEqual([[news], [news]]);
    first.receive("1", "3", topic, "others");
    expect([first.transport.take(), second.transport.take()]).toEqual([[], [news]]);
  });

  test("[R9] an intercepted one becomes a push, changed or dropped; the others go by", async () => {
    const pubsub = new PubSub();
    const script: Script = {
      intercepts: ["secret"],
      handleOut: async (channel, event, payload) => {
        await settle();
        const { drop, n } = payload as { drop?: boolean; n: number };
        if (drop !== true) channel.push(event, { n, seen: true });
      },
    };
    const { transport } = joinedTo(script, { pubsub });
    pubsub.broadcast(topic, "secret", { n: 1 });
    pubsub.broadcast(topic, "secret", { n: 2, drop: true });
    pubsub.broadcast(topic, "secret", { n: 3 });
    pubsub.broadcast(topic, "open", { n: 4 });
    while (transport.sent.length < 3) await settle();
    expect(transport.take()).toEqual([
      [null, null, topic, "open", { n: 4 }],
      ["1", null, topic, "secret", { n: 1, seen: true }],
      ["1", null, topic, "secret", { n: 3, seen: true }],
    ]);
  });

  test("[R9] without a handleOut of its own, a channel pushes what it intercepts", () => {
    const pubsub = new PubSub();
    const { transport } = joinedTo({ intercepts: ["secret"] }, { pubsub });
    pubsub.broadcast(topic, "secret", { n: 1 });
    expect(transport.take()).toEqual([["1", null, topic, "secret", { n: 1 }]]);
  });

  test("[R7] a channel that has ended neither hears nor says anything", async () => {
    const pubsub = new PubSub();
    let channel: ScriptedChannel | null = null;
    const script: Script = {
      join: (self) => {
        channel = self;
        return ok();
      },
    };
    const { transport, receive } = joinedTo(script, { pubsub });
    receive("1", "2", topic, "phx_leave");
    await settle();
    transport.take();
    pubsub.broadcast(topic, "news", {});
    channel!.push("late", {});
    channel!.send("late");
    channel!.stop();
    channel!.reply("2", ok());
    expect([transport.take(), pubsub.topicCount]).toEqual([[], 0]);
  });
});

test("[R8] what a channel sends itself while joining is handled after the reply, in order", async () => {
  const script: Script = {
    join: async (channel) => {
      channel.send(1);
      await settle();
      channel.send(2);
      return ok();
    },
    handleInfo: (channel, n) => channel.push("info", { n }),
  };
  const { transport, receive } = connect({ "room:*": script });
  receive("1", "1", topic, "phx_join");
  while (transport.sent.length < 3) await settle();
  expect(transport.take()).toEqual([
    okReply("1"),
    ["1", null, topic, "info", { n: 1 }],
    ["1", null, topic, "info", { n: 2 }],
  ]);
});

test("[R5] [C7] a channel that is still ending when a new join replaces it is told to have ended once", async () => {
  const gate = deferred();
  const script: Script = {
    handleIn: () => {
      throw boom;
    },
    terminate: () => gate.promise,
  };
  const { transport, receive } = joinedTo(script);
  receive("1", "2", topic, "crash");
  receive("3", "3", topic, "phx_join");
  expect(transport.take()).toEqual([okReply("3", {}, "3"), closed]);
  gate.resolve();
  await settle();
  expect(transport.take()).toEqual([]);
});

test("[C9] whoever waits for the end of a channel hears of it after its subscriptions are gone", () => {
  const pubsub = new PubSub();
  const script: Script = {
    join: (channel) => {
      portOf(channel).onEnded(() => pubsub.broadcast(topic, "gone", {}));
      return ok();
    },
  };
  const { transport, receive } = joinedTo(script, { pubsub });
  receive("3", "3", topic, "phx_join");
  expect(transport.take()).toEqual([okReply("3", {}, "3"), closed]);
});
